"""Figures: what was measured, run by run."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """The runs of one kind of work: seconds by the clock and of CPU in each, and the peak of memory in bytes.

    `cpu` counts all processes that do the work; `p99` is the 99th percentile of the seconds that a client waited;
    what nobody measured is empty.
    """

    name: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...] = ()
    peak: tuple[int, ...] = ()
    p99: tuple[float, ...] = ()

    @property
    def middle(self) -> float:
        """The median wall time."""
        return statistics.median(self.wall)

    @property
    def middle_cpu(self) -> float:
        """The median CPU time."""
        return statistics.median(self.cpu)

    @property
    def middle_peak(self) -> float:
        """The median peak of memory."""
        return statistics.median(self.peak)

    @property
    def middle_p99(self) -> float:
        """The median of the percentiles."""
        return statistics.median(self.p99)
