"""Archive documents (RFC 5005): made when they are first asked for, since nearly all never are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feedsvc.documents.format import FORMATS, make_parts
from feedsvc.documents.shelf import Shelf
from feedsvc.feeds.compose import compose_archive
from feedsvc.feeds.feed import ARCHIVE, PART, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from feedsvc.documents.document import Document
    from feedsvc.documents.format import Format
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed

_PATH = re.compile(
    rf"(?P<feed>/.+){ARCHIVE}(?P<number>[1-9][0-9]{{0,6}})({PART}(?P<part>[1-9][0-9]{{0,3}}))?(?P<ending>\.[a-z]+)"
)
# A reader keeps a full one for a year. A cache that many share asks again as it does for a feed, so that what is
# withdrawn leaves it.
_ONE_YEAR = "max-age=31536000, s-maxage="


def caching_of(archive: Feed, caching: str) -> str:
    """The Cache-Control of an archive document, of that of all other documents."""
    full = archive.archive and archive.archive.full
    return caching.replace("max-age=", _ONE_YEAR, 1) if full else caching


class Archives:
    """The archive documents of one snapshot. Those of the last one that are still right are taken over."""

    def __init__(self, composition: Composition, caching: str, now: datetime, before: Archives | None) -> None:
        self._composition = composition
        self._feeds: Mapping[str, Feed] = {feed.path: feed for feed in composition.feeds}
        self._caching = caching
        self._now = now
        self._snapshot = object()
        self.shelf: Shelf = before.shelf if before else Shelf()

    def document(self, path: str) -> Document | None:
        """The archive document of a path such as `/topics/ai/archive/3.atom`, or None."""
        if kept := self.shelf.kept(path, self._snapshot):
            return kept[0]
        match = _PATH.fullmatch(path)
        if match is None or match["ending"] not in FORMATS or match["feed"] not in self._feeds:
            return None
        pages = self._pages(self._feeds[match["feed"]], int(match["number"]), FORMATS[match["ending"]])
        page = int(match["part"] or 1)
        return pages[page - 1] if page <= len(pages) and match["part"] != "1" else None

    def _pages(self, feed: Feed, number: int, form: Format) -> tuple[Document, ...]:
        def find() -> Feed | None:
            return compose_archive(self._composition, feed, number)

        def make(archive: Feed, last: tuple[Document, ...]) -> tuple[Document, ...]:
            return make_parts(archive, form, caching_of(archive, self._caching), last, self._now)

        return self.shelf.documents(f"{feed.path}{ARCHIVE}{number}{form.ending}", self._snapshot, find, make)

    def paths(self) -> Iterator[str]:
        """The path of every archive document that there is."""
        for feed in self._composition.feeds:
            for number in range(1, len(self._composition.archives[feed.path]) + 1):
                for form in FORMATS.values():
                    for page in range(1, len(self._pages(feed, number, form)) + 1):
                        yield part_of(f"{feed.path}{ARCHIVE}{number}", page) + form.ending
