"""Archive documents (RFC 5005): made when they are first asked for, since nearly all never are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feedsvc.documents.document import renew
from feedsvc.documents.format import FEED_HEADERS, FORMATS, feed_links
from feedsvc.documents.shelf import Shelf
from feedsvc.feeds.compose import compose_archive
from feedsvc.feeds.feed import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from feedsvc.documents.document import Document, Headers
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed

_PATH = re.compile(rf"(/.+){ARCHIVE}([1-9][0-9]{{0,6}})(\.[a-z]+)")
# A reader keeps a full one for a year. A cache that many share asks again as it does for a feed, so that what is
# withdrawn leaves it.
_ONE_YEAR = "max-age=31536000, s-maxage="


class Archives:
    """The archive documents of one snapshot. Those of the last one that are still right are taken over."""

    def __init__(self, composition: Composition, caching: str, now: datetime, before: Archives | None) -> None:
        self._composition = composition
        self._feeds: Mapping[str, Feed] = {feed.path: feed for feed in composition.feeds}
        self._caching = caching
        self._now = now
        self.shelf: Shelf = before.shelf if before else Shelf()

    def document(self, path: str) -> Document | None:
        """The archive document of a path such as `/topics/ai/archive/3.atom`, or None."""
        match = _PATH.fullmatch(path)
        form = FORMATS.get(match[3]) if match else None
        feed = self._feeds.get(match[1]) if match else None
        if match is None or form is None or feed is None:
            return None
        page = compose_archive(self._composition, feed, int(match[2]))
        if page is None:
            return None
        full = page.archive and page.archive.full
        caching = self._caching.replace("max-age=", _ONE_YEAR, 1) if full else self._caching
        headers: Headers = [("Cache-Control", caching), *FEED_HEADERS, ("Link", feed_links(page, form))]

        def make(last: Document | None) -> Document:
            return renew(last, form.render(page), form.media_type, headers, self._now)

        return self.shelf.document(path, page, make)

    def paths(self) -> Iterator[str]:
        """The path of every archive document that there is."""
        for feed in self._composition.feeds:
            older = len(self._composition.older[feed.path])
            for number in range(1, older // self._composition.view.limit + 2 if older else 1):
                for ending in FORMATS:
                    yield f"{feed.path}{ARCHIVE}{number}{ending}"
