"""The pages of one snapshot: made when they are first asked for, then kept like any document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedsvc.documents.document import renew
from feedsvc.documents.format import FORMATS
from feedsvc.documents.page import CONTENT_SECURITY_POLICY, HTML_TYPE, Row, render_index, render_page
from feedsvc.documents.shelf import Shelf, Source
from feedsvc.documents.sources import digest, program
from feedsvc.feeds.activity import daily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from feedsvc.documents.document import Dated, Document, Headers
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed, Site

INDEX = "/"
_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)


# Who came once by https is not to be led to http (RFC 6797); feed readers do not know it.
_SECURE_HEADERS = (("Strict-Transport-Security", "max-age=31536000"),)


class Pages:
    """A page for every feed, and the one that lists them."""

    def __init__(self, composition: Composition, caching: str, now: datetime, before: Pages | None) -> None:
        self._composition = composition
        self._feeds: Mapping[str, Feed] = {feed.path: feed for feed in composition.feeds}
        secure = composition.feeds[0].site.base_url.startswith("https:")
        self._headers: Headers = [
            ("Cache-Control", caching),
            *_HEADERS,
            *(_SECURE_HEADERS if secure else ()),
        ]
        self._now = now
        self._snapshot = object()
        self.shelf: Shelf = before.shelf if before else Shelf()

    def document(self, path: str) -> Document | None:
        """The page of a path, or None."""
        if kept := self.shelf.kept(path, self._snapshot):
            return kept[0]
        if path == INDEX:
            return self._kept(path, self._index, lambda found: render_index(*found), [])
        feed = self._feeds.get(path)
        if feed is None:
            return None
        return self._kept(
            path, lambda: (feed, self._days(feed)), lambda found: render_page(*found), [("Link", _feeds_of(feed))]
        )

    def source(self, path: str, feed_source: bytes) -> bytes:
        """What a page is made of, as a few bytes; given those of its feed."""
        if path == INDEX:
            return digest((program(), self._headers, self._index()))
        return digest((feed_source, self._headers, self._days(self._feeds[path])))

    def made(self, path: str, last: Dated | None) -> Document:
        """A page made anew, dated by the last one."""
        if path == INDEX:
            content, links = render_index(*self._index()), []
        else:
            feed = self._feeds[path]
            content, links = render_page(feed, self._days(feed)), [("Link", _feeds_of(feed))]
        return renew(last, content, HTML_TYPE, [*self._headers, *links], self._now)

    def paths(self) -> Iterator[str]:
        """The path of every page."""
        yield INDEX
        yield from self._feeds

    def _days(self, feed: Feed) -> tuple[int, ...]:
        return daily(self._composition, feed, self._now.date())

    def _index(self) -> tuple[tuple[Row, ...], Site]:
        feeds = self._composition.feeds
        rows = tuple(
            Row(
                feed.kind,
                feed.name,
                feed.title,
                feed.url,
                feed.total,
                feed.newest,
                self._days(feed),
                feed.language,
            )
            for feed in feeds
        )
        return rows, feeds[0].site

    def _kept(
        self, path: str, find: Callable[[], Source], render: Callable[[Source], bytes], links: Headers
    ) -> Document:
        headers: Headers = [*self._headers, *links]

        def make(source: Source, last: tuple[Document, ...]) -> tuple[Document]:
            return (renew(last[0] if last else None, render(source), HTML_TYPE, headers, self._now),)

        return self.shelf.documents(path, self._snapshot, find, make)[0]


def _feeds_of(feed: Feed) -> str:
    """The formats of a page's feed, which a reader finds without parsing (RFC 8288)."""
    types = {ending: form.media_type.partition(";")[0] for ending, form in FORMATS.items()}
    return ", ".join(f'<{feed.url}{ending}>; rel="alternate"; type="{type_}"' for ending, type_ in types.items())
