"""The forms of a feed: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from feedsvc.documents.document import Dated, renew, restore
from feedsvc.documents.jsonfeed import JSON_TYPE, render_json
from feedsvc.documents.syndication import ATOM_TYPE, RSS_TYPE, render_atom, render_rss
from feedsvc.feeds.feed import PART, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from feedsvc.documents.document import Document, Headers
    from feedsvc.feeds.feed import Feed, Site


@dataclass(frozen=True, slots=True)
class Format:
    """One form of a feed: the ending of its path, its media type, and the function that makes it, page by page."""

    ending: str
    media_type: str
    render: Callable[[Feed], tuple[bytes, ...]]


# Any page in a browser may read a feed, and hold what it needs to ask conditionally.
FEED_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag"),
    ("X-Content-Type-Options", "nosniff"),
)
FORMATS = {
    each.ending: each
    for each in (
        Format(".atom", ATOM_TYPE, lambda feed: (render_atom(feed),)),
        Format(".rss", RSS_TYPE, lambda feed: (render_rss(feed),)),
        Format(".json", JSON_TYPE, render_json),
    )
}
FEED_ENDINGS = tuple(FORMATS)
ATOM = FORMATS[".atom"]


def feed_links(own: str, page: str) -> str:
    """What a reader finds without parsing: a document's own URL, and that of the page for people (RFC 8288)."""
    return f'<{own}>; rel="self", <{page}>; rel="alternate"; type="text/html"'


def _headers(feed: Feed, form: Format, caching: str, number: int) -> Headers:
    own = part_of(feed.archive_url(feed.archive.number) if feed.archive else feed.url, number)
    return [("Cache-Control", caching), *FEED_HEADERS, ("Link", feed_links(f"{own}{form.ending}", feed.page_url))]


def reopen(path: str, kept: Dated, site: Site, caching: str) -> Document | None:
    """A page of a feed as it was kept, without the feed that it was made of; None where it was not kept whole."""
    place, dot, ending = path.rpartition(".")
    form = FORMATS.get(dot + ending)
    if form is None or kept.source is None:
        return None
    page = site.home or site.base_url + place.partition(PART)[0]
    headers = [("Cache-Control", caching), *FEED_HEADERS, ("Link", feed_links(site.base_url + path, page))]
    return restore(kept, form.media_type, headers)


def restore_parts(
    feed: Feed, form: Format, caching: str, kept: Sequence[Dated | Document], source: bytes
) -> tuple[Document, ...] | None:
    """The pages of a feed in a form as they were kept, where all were made of this source; else None."""
    pages = [
        restore(each, form.media_type, _headers(feed, form, caching, number))
        for number, each in enumerate(kept, 1)
        if isinstance(each, Dated) and each.source == source
    ]
    whole = tuple(page for page in pages if page)
    return whole if whole and len(whole) == len(kept) else None


def seal_parts(
    feed: Feed, form: Format, caching: str, last: Sequence[Document | Dated | None], now: datetime
) -> tuple[Document, ...]:
    """Render a feed in a form, and seal each page; a page that is as the last one of its number stays that one."""
    return tuple(
        renew(
            before,
            content,
            form.media_type,
            _headers(feed, form, caching, number),
            now,
        )
        for number, (content, before) in enumerate(zip_longest(form.render(feed), last), 1)
        if content is not None
    )
