"""Laps: how long each part of some work took."""

from __future__ import annotations

import time
from collections import Counter


class Laps:
    """Seconds by part, measured one after the other; those of a part that comes again add up."""

    def __init__(self) -> None:
        self._begin = self._last = time.perf_counter()
        self.seconds: Counter[str] = Counter()

    def end(self, part: str) -> None:
        """What took from the last end until now was this part."""
        now = time.perf_counter()
        self.seconds[part] += now - self._last  # type: ignore[assignment]  # a Counter adds up fractions as well
        self._last = now

    @property
    def total(self) -> float:
        """All of it until now."""
        return time.perf_counter() - self._begin
