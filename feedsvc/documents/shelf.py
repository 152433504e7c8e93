"""Documents that are made when they are first asked for, since few ever are; those asked for last are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedsvc.documents.document import Document

# A reader that walks a chain of archives asks for each once, and caches in front keep the rest.
KEPT = 256
KEPT_BYTES = 64 * 1024 * 1024
# So many wait for a document to be made; the threads that are left are for readers of what is there.
MAX_WAITING = 4
Source = TypeVar("Source")


class BusyError(Exception):
    """Enough documents are waited for; one that is not there yet can be had a moment later."""


@dataclass(frozen=True, slots=True)
class _Kept:
    asked_by: object
    source: object
    pages: tuple[Document, ...]

    @property
    def size(self) -> int:
        """What it holds, in bytes."""
        return sum(page.size for page in self.pages)


class Shelf:
    """Documents by path, in bounded number and size. All snapshots share it: a request may still hold the last."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._max_bytes = kept_bytes
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self.waiting = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def kept(self, path: str, asked_by: object) -> tuple[Document, ...]:
        """The pages of a document, where they are there for a snapshot already; else none."""
        kept = self._kept.get(path)
        if kept is None or kept.asked_by is not asked_by:
            return ()
        # Most of all, who walks a chain must not be felt by who asks for what is there.
        with suppress(KeyError):
            self._kept.move_to_end(path)
        return kept.pages

    def documents(
        self,
        path: str,
        asked_by: object,
        find: Callable[[], Source | None],
        make: Callable[[Source, tuple[Document, ...]], tuple[Document, ...]],
    ) -> tuple[Document, ...]:
        """The pages of a document; none where there is nothing to make it of.

        Args:
            path: of the first page.
            asked_by: stands for a snapshot: what was found for it once is not looked for again.
            find: finds all that the document is made of; equal sources make equal documents.
            make: makes the pages of it, given those of the last time, as far as they are still there.

        Raises:
            BusyError: it would have to be made, and enough others are waited for.
        """
        if pages := self.kept(path, asked_by):
            return pages
        with self._counting:
            if self.waiting == MAX_WAITING:
                raise BusyError
            self.waiting += 1
        try:
            with self._turn:
                return self._made(path, asked_by, find, make)
        finally:
            with self._counting:
                self.waiting -= 1

    def _made(
        self,
        path: str,
        asked_by: object,
        find: Callable[[], Source | None],
        make: Callable[[Source, tuple[Document, ...]], tuple[Document, ...]],
    ) -> tuple[Document, ...]:
        kept = self._kept.get(path)
        if kept is None or kept.asked_by is not asked_by:
            source = find()
            if source is None:
                return ()
            last = kept.pages if kept else ()
            pages = last if kept and kept.source == source else make(source, last)
            self._forget(path)
            kept = self._kept[path] = _Kept(asked_by, source, pages)
            self._bytes += kept.size
        while len(self._kept) > 1 and (len(self._kept) > KEPT or self._bytes > self._max_bytes):
            # In one step: who asks for another meanwhile moves it.
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
        return kept.pages

    def _forget(self, path: str) -> None:
        kept = self._kept.pop(path, None)
        self._bytes -= kept.size if kept else 0
