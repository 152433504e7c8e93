"""Archive documents (RFC 5005): made when they are first asked for, since nearly all never are, then kept."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from feedsvc.documents.document import renew
from feedsvc.documents.format import FEED_FORMATS, feed_links
from feedsvc.feeds.compose import compose_archive
from feedsvc.feeds.feed import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from feedsvc.documents.document import Document
    from feedsvc.documents.format import Format
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed

# How many are kept: a reader that walks a chain asks for each once, and caches in front keep the rest.
KEPT = 256
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
        # Both are shared by all snapshots: a request may still hold the last one. A document says what it is of.
        self.turn: threading.Lock = before.turn if before else threading.Lock()
        self.kept: OrderedDict[str, tuple[Feed, Document]] = before.kept if before else OrderedDict()

    def document(self, path: str) -> Document | None:
        """The archive document of a path such as `/topics/ai/archive/3.atom`, or None."""
        match = _PATH.fullmatch(path)
        form = FEED_FORMATS.get(match[3]) if match else None
        feed = self._feeds.get(match[1]) if match else None
        if match is None or form is None or feed is None:
            return None
        # One at a time: who walks all archives waits for himself, and no reader of a feed for him.
        with self.turn:
            page = compose_archive(self._composition, feed, int(match[2]))
            return self._make(path, page, form) if page else None

    def paths(self) -> Iterator[str]:
        """The path of every archive document that there is."""
        for feed in self._composition.feeds:
            older = len(self._composition.older[feed.path])
            for number in range(1, older // self._composition.view.limit + 2 if older else 1):
                for ending in FEED_FORMATS:
                    yield f"{feed.path}{ARCHIVE}{number}{ending}"

    def _make(self, path: str, page: Feed, form: Format) -> Document:
        kept = self.kept.get(path)
        if kept and kept[0] == page:
            self.kept.move_to_end(path)
            return kept[1]
        full = page.archive and page.archive.full
        caching = self._caching.replace("max-age=", _ONE_YEAR, 1) if full else self._caching
        headers = [("Cache-Control", caching), *form.headers, ("Link", feed_links(page, form))]
        document = renew(kept[1] if kept else None, form.render(page), form.media_type, headers, self._now)
        self.kept[path] = (page, document)
        self.kept.move_to_end(path)
        while len(self.kept) > KEPT:
            self.kept.popitem(last=False)
        return document
