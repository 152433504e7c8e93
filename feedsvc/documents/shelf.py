"""Documents that are made when they are first asked for, since few ever are; those asked for last are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedsvc.documents.document import Document

# A reader that walks a chain of archives asks for each once, and caches in front keep the rest.
KEPT = 256


class Shelf:
    """A bounded number of documents by path. Shared by all snapshots: a request may still hold the last one."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._kept: OrderedDict[str, tuple[object, tuple[Document, ...]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def documents(
        self, path: str, source: object, make: Callable[[tuple[Document, ...]], tuple[Document, ...]]
    ) -> tuple[Document, ...]:
        """The pages of a document, made anew where what they are made of is another than at the last time.

        Args:
            path: of the first page.
            source: all that they are made of; equal sources make equal documents.
            make: makes them, given those of the last time, as far as they are still there.
        """
        # One at a time: who walks all archives waits for himself, and no reader of a feed for him.
        with self._turn:
            kept = self._kept.get(path)
            if kept is None or kept[0] != source:
                kept = self._kept[path] = (source, make(kept[1] if kept else ()))
            self._kept.move_to_end(path)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return kept[1]
