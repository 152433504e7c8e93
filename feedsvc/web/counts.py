"""Counts: what was answered, counted so that counting costs next to nothing."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TypeAlias

# Kind, format, status and content coding of an answer.
Answered: TypeAlias = tuple[str, str, str, str]


class Counts:
    """Answers, and the bytes of their bodies. Each thread counts for itself, without a lock; reading adds up."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._all: list[dict[Answered, list[int]]] = []

    def add(self, answered: Answered, size: int) -> None:
        """One more answer."""
        try:
            counts = self._mine.counts
        except AttributeError:
            counts = self._mine.counts = {}
            self._all.append(counts)
        count = counts.get(answered)
        if count is None:
            count = counts[answered] = [0, 0]
        count[0] += 1
        count[1] += size

    def totals(self) -> dict[Answered, tuple[int, int]]:
        """How many there were, and how many bytes they had."""
        totals: dict[Answered, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for counts in list(self._all):
            for answered, (number, size) in counts.copy().items():
                before = totals[answered]
                totals[answered] = before[0] + number, before[1] + size
        return dict(totals)
