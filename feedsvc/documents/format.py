"""The forms of a feed: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedsvc.documents.jsonfeed import JSON_TYPE, render_json
from feedsvc.documents.page import CONTENT_SECURITY_POLICY, HTML_TYPE, render_page
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
    headers: tuple[tuple[str, str], ...]


# Any page in a browser may read a feed, and hold what it needs to ask conditionally.
FEED_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag"),
    ("X-Content-Type-Options", "nosniff"),
)
PAGE_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)

FORMATS = (
    Format(".atom", ATOM_TYPE, render_atom, FEED_HEADERS),
    Format(".rss", RSS_TYPE, render_rss, FEED_HEADERS),
    Format(".json", JSON_TYPE, render_json, FEED_HEADERS),
    Format("", HTML_TYPE, render_page, PAGE_HEADERS),
)
FEED_FORMATS = {each.ending: each for each in FORMATS if each.ending}
FEED_ENDINGS = tuple(FEED_FORMATS)


def feed_links(feed: Feed, form: Format) -> str:
    """What a reader finds without parsing: a feed's own URL and its page; a page's feeds (RFC 8288)."""
    url = feed.url
    if form.ending:
        own = feed.archive_url(feed.archive.number) if feed.archive else url
        return f'<{own}{form.ending}>; rel="self", <{url}>; rel="alternate"; type="text/html"'
    feeds = (each for each in FORMATS if each.ending)
    return ", ".join(
        f'<{url}{each.ending}>; rel="alternate"; type="{each.media_type.partition(";")[0]}"' for each in feeds
    )
