"""The shelf: documents made when first asked for, and kept within a bound."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass

import pytest
from support import NOW

from feedsvc.documents.document import Document, renew
from feedsvc.documents.shelf import KEPT, MAX_WAITING, BusyError, Shelf


@dataclass
class Maker:
    """Finds a text and makes a document of it, and counts both."""

    text: str | None = "a"
    found: int = 0
    made: int = 0

    def find(self) -> str | None:
        """What the document is made of."""
        self.found += 1
        return self.text

    def make(self, text: str, last: tuple[Document, ...]) -> tuple[Document, ...]:
        """The document."""
        self.made += 1
        return (renew(last[0] if last else None, text.encode(), "text/plain", [], NOW),)


def test_what_was_found_is_not_looked_for_again() -> None:
    """A snapshot finds and makes a document once; the next finds it again, and makes it only if it is another."""
    shelf, maker, first, second = Shelf(), Maker(), object(), object()
    made = shelf.documents("/a", first, maker.find, maker.make)
    assert shelf.documents("/a", first, maker.find, maker.make) is made
    assert (maker.found, maker.made) == (1, 1)
    assert shelf.documents("/a", second, maker.find, maker.make) is made
    assert (maker.found, maker.made) == (2, 1)
    maker.text = "b"
    assert shelf.documents("/a", second, maker.find, maker.make) is made
    (changed,) = shelf.documents("/a", object(), maker.find, maker.make)
    assert changed.content == b"b"
    assert changed.last_modified > made[0].last_modified


def test_nothing_is_kept_of_what_is_not_there() -> None:
    """What does not exist leaves nothing behind, however often it is asked for."""
    shelf, maker = Shelf(), Maker(text=None)
    assert shelf.documents("/a", object(), maker.find, maker.make) == ()
    assert (len(shelf), maker.made) == (0, 0)


def test_what_was_not_asked_for_lately_goes() -> None:
    """So many are kept; the one that was not asked for the longest makes room."""
    shelf, maker, snapshot = Shelf(), Maker(), object()
    for number in range(KEPT):
        shelf.documents(f"/{number}", snapshot, maker.find, maker.make)
    shelf.documents("/0", snapshot, maker.find, maker.make)
    shelf.documents("/new", snapshot, maker.find, maker.make)
    assert (len(shelf), maker.made) == (KEPT, KEPT + 1)
    shelf.documents("/0", snapshot, maker.find, maker.make)
    assert maker.made == KEPT + 1
    shelf.documents("/1", snapshot, maker.find, maker.make)
    assert maker.made == KEPT + 2


def noise(length: int) -> str:
    """A text that takes about as many bytes in all codings together as plainly."""
    return random.Random(length).randbytes(length // 2).hex()  # noqa: S311 - no secret


def test_what_is_kept_has_a_bound_in_bytes() -> None:
    """Few large ones count as many small ones; what was asked for last stays, however large."""
    shelf, maker, snapshot = Shelf(kept_bytes=40_000), Maker(noise(11_000)), object()
    for number in range(10):
        shelf.documents(f"/{number}", snapshot, maker.find, maker.make)
    assert len(shelf) == 3
    maker.text = noise(44_000)
    shelf.documents("/large", snapshot, maker.find, maker.make)
    assert len(shelf) == 1
    # One that is made anew takes the place of the last, and does not count twice.
    maker.text = noise(11_000)
    for _ in range(10):
        shelf.documents("/again", object(), maker.find, maker.make)
        maker.text += "y"
    for number in range(10):
        shelf.documents(f"/{number}", snapshot, maker.find, maker.make)
    assert len(shelf) == 3


def test_what_is_there_does_not_wait_for_what_is_made() -> None:
    """While documents are made, those that are there can be had; of the others, so many wait, and the rest come
    again later.
    """
    shelf, maker, snapshot = Shelf(), Maker(), object()
    there = shelf.documents("/a", snapshot, maker.find, maker.make)
    begun, go_on = threading.Event(), threading.Event()

    def slowly(text: str, last: tuple[Document, ...]) -> tuple[Document, ...]:
        begun.set()
        go_on.wait(10)
        return maker.make(text, last)

    threads = [
        threading.Thread(target=lambda n=n: shelf.documents(f"/slow/{n}", snapshot, maker.find, slowly))
        for n in range(MAX_WAITING)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    while shelf.waiting < MAX_WAITING:
        time.sleep(0.001)
    assert shelf.documents("/a", snapshot, maker.find, maker.make) is there
    with pytest.raises(BusyError):
        shelf.documents("/b", snapshot, maker.find, maker.make)
    go_on.set()
    for thread in threads:
        thread.join()
    assert shelf.documents("/b", snapshot, maker.find, maker.make)


def test_many_ask_at_once() -> None:
    """Whoever asks while a document is made gets the same one."""
    shelf, maker, snapshot = Shelf(), Maker(), object()
    answers: list[tuple[Document, ...]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(shelf.documents("/a", snapshot, maker.find, maker.make)))
        for _ in range(MAX_WAITING)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(answer) for answer in answers}) == maker.made == 1
