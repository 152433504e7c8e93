"""The judge: hears every answer that a reader got, and says what should not have been."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

# So many are told; after the first nobody needs all.
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: when it was asked for and when it was there, of whom, and what it said.

    `numbers` are those of the changes that the document shows; of a 304, those of the one that it stands for.
    """

    asked: float
    at: float
    replica: str
    path: str
    coding: str
    status: int
    etag: str
    numbers: frozenset[int]


class Judge:
    """What was heard, and what was wrong with it. Any thread may tell it."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.wrongs: list[str] = []
        self.statuses: Counter[int] = Counter()
        # The newest change that each replica has shown, which it had shown since its first answer.
        self._newest: dict[str, int] = {}
        # When a replica first showed a change that was newer than all before.
        self.first_shown: dict[tuple[str, int], float] = {}
        self._tags: dict[tuple[str, str, int], str] = {}
        self._lock = threading.Lock()

    def newest(self, replica: str) -> int:
        """The newest change that somebody has seen of a replica; 0 where it has never shown any."""
        with self._lock:
            return self._newest.get(replica, 0)

    def take(self, heard: Heard, floor: int) -> None:
        """Hear an answer; `floor` is what `newest` said before it was asked for."""
        with self._lock:
            self.heard.append(heard)
            self.statuses[heard.status] += 1
            for wrong in self._wrong(heard, floor):
                self._say(f"{heard.replica}: {wrong}: {heard}")

    def complain(self, wrong: str) -> None:
        """Note what somebody else found."""
        with self._lock:
            self._say(wrong)

    def _say(self, wrong: str) -> None:
        if len(self.wrongs) < _TOLD:
            self.wrongs.append(wrong)

    def _wrong(self, heard: Heard, floor: int) -> list[str]:
        if heard.status not in {200, 304}:
            # Before its first snapshot it has nothing to serve.
            return [f"answered {heard.status} though it had a snapshot"] if floor else []
        if len(heard.numbers) != 1:
            return ["a document that is not of one generation"]
        (number,) = heard.numbers
        if number > self._newest.get(heard.replica, 0):
            self._newest[heard.replica] = number
            self.first_shown[heard.replica, number] = heard.at
        wrong = []
        if number < floor:
            wrong.append(f"change {number} after {floor}")
        # Where two had made the same change, each by itself, they would have given it dates of their own.
        tag = self._tags.setdefault((heard.path, heard.coding, number), heard.etag)
        if tag != heard.etag:
            wrong.append(f"change {number} had the tag {tag} before")
        return wrong


def check_published(published: list[tuple[str, int, int]]) -> list[str]:
    """What is wrong with who published what, as the publishers' logs have it.

    Args:
        published: name, generation and term of each publication, in any order.
    """
    wrongs = []
    last: tuple[str, int, int] | None = None
    for name, generation, term in sorted(published, key=lambda each: each[1:]):
        if last and last[1] == generation:
            wrongs.append(f"generation {generation} was published by {last[0]} and by {name}")
        if last and last[2] > term:
            wrongs.append(f"generation {generation} is of term {term}, one before of term {last[2]}")
        if last and last[2] == term and last[0] != name:
            wrongs.append(f"term {term} was that of {last[0]} and of {name}")
        last = (name, generation, term)
    return wrongs
