"""Measures of the service's processes: memory and open files, as the kernel has them; and of what was timed."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sample(NamedTuple):
    """A moment of a run, in seconds since its beginning; the memory is in MiB."""

    at: float
    memory: float
    files: int


def processes_of(session: int) -> list[Path]:
    """The processes of a session, by which a service is known together with all that it starts."""
    found = (each for each in Path("/proc").iterdir() if each.name.isdigit() and _session_of(each) == session)
    return sorted(found, key=lambda path: int(path.name))


def _session_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return 0


def memory_of(session: int) -> float:
    """What the processes hold, what several share counted once (PSS), in MiB."""
    kilobytes = 0
    for process in processes_of(session):
        try:
            lines = (process / "smaps_rollup").read_text("ascii").splitlines()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def files_of(session: int) -> int:
    """How many files and sockets the processes have open."""
    number = 0
    for process in processes_of(session):
        try:
            number += len(os.listdir(process / "fd"))  # noqa: PTH208 - only counted
        except OSError:
            continue
    return number


def middle(samples: Sequence[Sample], begin: float, end: float) -> float:
    """The median of the memory between two moments."""
    return median(each.memory for each in samples if begin <= each.at <= end)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so many of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
