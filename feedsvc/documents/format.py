"""The forms of a feed: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedsvc.documents.jsonfeed import JSON_TYPE, render_json
from feedsvc.documents.syndication import ATOM_TYPE, RSS_TYPE, render_atom, render_rss

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedsvc.feeds.feed import Feed


@dataclass(frozen=True, slots=True)
class Format:
    """One form of a feed: the ending of its path, its media type, and the function that makes it."""

    ending: str
    media_type: str
    render: Callable[[Feed], bytes]


# Any page in a browser may read a feed, and hold what it needs to ask conditionally.
FEED_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag"),
    ("X-Content-Type-Options", "nosniff"),
)
FORMATS = {
    each.ending: each
    for each in (
        Format(".atom", ATOM_TYPE, render_atom),
        Format(".rss", RSS_TYPE, render_rss),
        Format(".json", JSON_TYPE, render_json),
    )
}
FEED_ENDINGS = tuple(FORMATS)


def feed_links(feed: Feed, form: Format) -> str:
    """What a reader finds without parsing: a feed's own URL, and its page (RFC 8288)."""
    own = feed.archive_url(feed.archive.number) if feed.archive else feed.url
    return f'<{own}{form.ending}>; rel="self", <{feed.page_url}>; rel="alternate"; type="text/html"'
