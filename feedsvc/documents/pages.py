"""The pages of one snapshot: made when they are first asked for, then kept like any document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedsvc.documents.document import renew
from feedsvc.documents.format import FORMATS
from feedsvc.documents.page import CONTENT_SECURITY_POLICY, HTML_TYPE, Row, render_index, render_page
from feedsvc.documents.shelf import Shelf
from feedsvc.feeds.activity import daily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from feedsvc.documents.document import Document, Headers
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed

INDEX = "/"
_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)


class Pages:
    """A page for every feed, and the one that lists them."""

    def __init__(self, composition: Composition, caching: str, now: datetime, before: Pages | None) -> None:
        self._composition = composition
        self._feeds: Mapping[str, Feed] = {feed.path: feed for feed in composition.feeds}
        self._caching = caching
        self._now = now
        self.shelf: Shelf = before.shelf if before else Shelf()

    def document(self, path: str) -> Document | None:
        """The page of a path, or None."""
        if path == INDEX:
            rows = tuple(map(self._row, self._composition.feeds))
            site = self._composition.feeds[0].site
            return self._made(path, (rows, site), lambda: render_index(rows, site), [])
        feed = self._feeds.get(path)
        if feed is None:
            return None
        days = daily(self._composition, feed, self._now.date())
        return self._made(path, (feed, days), lambda: render_page(feed, days), [("Link", _feeds_of(feed))])

    def paths(self) -> Iterator[str]:
        """The path of every page."""
        yield INDEX
        yield from self._feeds

    def _row(self, feed: Feed) -> Row:
        days = daily(self._composition, feed, self._now.date())
        return Row(feed.kind, feed.name, feed.title, feed.url, feed.total, feed.newest, days)

    def _made(self, path: str, source: object, render: Callable[[], bytes], links: Headers) -> Document:
        headers: Headers = [("Cache-Control", self._caching), *_HEADERS, *links]

        def make(last: tuple[Document, ...]) -> tuple[Document]:
            return (renew(last[0] if last else None, render(), HTML_TYPE, headers, self._now),)

        return self.shelf.documents(path, source, make)[0]


def _feeds_of(feed: Feed) -> str:
    """The formats of a page's feed, which a reader finds without parsing (RFC 8288)."""
    types = {ending: form.media_type.partition(";")[0] for ending, form in FORMATS.items()}
    return ", ".join(f'<{feed.url}{ending}>; rel="alternate"; type="{type_}"' for ending, type_ in types.items())
