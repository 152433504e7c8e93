"""Pages for people: every feed as a reader would show it, and the list of all feeds."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from feedsvc.documents.content import readable_date, render_reading
from feedsvc.documents.format import FORMATS
from feedsvc.feeds.activity import DAYS, pace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from feedsvc.feeds.feed import Feed, Kind, Site

HTML_TYPE = "text/html; charset=utf-8"
# Each is named in the head of the index, for readers that are given that page's address.
MAX_DISCOVERED = 100
_HEADINGS: dict[Kind, str] = {
    "all": "Everything",
    "topic": "Topics",
    "provider": "Providers",
    "domain": "Domains with several providers",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A feed as the index lists it; `days` are the counts of its last days."""

    kind: Kind
    name: str
    title: str
    url: str
    total: int
    newest: datetime | None
    days: tuple[int, ...]
    language: str


def _bars(days: tuple[int, ...]) -> str:
    """A path of one upright stroke a day, in a box of 4 a day by 24; a day without an article has none."""
    most = max(days)
    return "".join(f"M{4 * day + 2} 24v-{4 + round(20 * count / most)}" for day, count in enumerate(days) if count)


_TEMPLATES = Environment(
    loader=PackageLoader("feedsvc.documents"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_TEMPLATES.filters |= {
    "bars": _bars,
    "pace": pace,
    # What stands around the articles is in English.
    "readable_date": lambda moment: readable_date(moment, "en"),
    # Articles are cleaned when they are parsed.
    "reading": lambda entry: Markup(render_reading(entry)),  # noqa: S704
}
_NAMES = {".atom": "Atom", ".rss": "RSS", ".json": "JSON Feed"}
_TEMPLATES.globals |= {
    "formats": [(ending, _NAMES[ending], form.media_type.partition(";")[0]) for ending, form in FORMATS.items()],
    "days": DAYS,
}


_STYLE, _SCRIPT, _ICON = (_TEMPLATES.get_template(name).render() for name in ("page.css", "page.js", "icon.svg"))
_TEMPLATES.globals |= {"style": Markup(_STYLE), "script": Markup(_SCRIPT), "icon": _ICON}  # noqa: S704 - our own files


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# Nothing runs and nothing styles but what we wrote; nothing comes from elsewhere but the articles' pictures. The
# icon is in the page.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; img-src http: https: data:; style-src 'sha256-{_hash(_STYLE)}'; "
    f"script-src 'sha256-{_hash(_SCRIPT)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render_page(feed: Feed, days: tuple[int, ...]) -> bytes:
    """A feed's page.

    Args:
        feed: with the entries to show.
        days: how many articles each of the last days brought.
    """
    return _TEMPLATES.get_template("feed.html").render(feed=feed, site=feed.site, activity=days).encode()


def render_index(rows: Iterable[Row], site: Site) -> bytes:
    """The page of all feeds."""
    groups: dict[Kind, list[Row]] = {kind: [] for kind in _HEADINGS}
    for row in rows:
        groups[row.kind].append(row)
    for group in groups.values():
        group.sort(key=lambda row: (row.name.casefold(), row.url))
    everything, *others = [row for group in groups.values() for row in group]
    return (
        _TEMPLATES.get_template("index.html")
        .render(
            groups=[(kind, _HEADINGS[kind], group) for kind, group in groups.items() if group],
            everything=everything,
            discovered=others[:MAX_DISCOVERED],
            site=site,
        )
        .encode()
    )
