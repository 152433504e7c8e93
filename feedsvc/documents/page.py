"""Pages for people: every feed as a reader would show it, and the list of all feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from feedsvc.documents.content import readable_date

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feedsvc.feeds.feed import Feed, Site

HTML_TYPE = "text/html; charset=utf-8"
# Nothing on a page runs or comes from elsewhere but the articles' pictures.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src http: https:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

_TEMPLATES = Environment(
    loader=PackageLoader("feedsvc.documents"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_TEMPLATES.filters["readable_date"] = readable_date


def render_page(feed: Feed) -> bytes:
    """A feed's page."""
    return _TEMPLATES.get_template("feed.html").render(feed=feed, site=feed.site).encode()


def render_index(feeds: Iterable[Feed], site: Site) -> bytes:
    """The page of all feeds."""
    by_kind: dict[str, list[Feed]] = {"all": [], "topic": [], "provider": [], "domain": []}
    for feed in feeds:
        by_kind[feed.kind].append(feed)
    for group in by_kind.values():
        group.sort(key=lambda feed: (feed.name.casefold(), feed.path))
    return _TEMPLATES.get_template("index.html").render(groups=by_kind, site=site).encode()
