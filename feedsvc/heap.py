"""The heap: what glibc is told of how this process uses memory; elsewhere, nothing."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# From malloc.h.
_M_ARENA_MAX = -8
_ARENAS = 2


def share() -> None:
    """All threads take memory from the same two places; to be told before there are others.

    By itself, glibc gives each thread a place of its own, up to eight for a processor, and what is free in one is
    of no use to another thread. Pages and archives are made by whichever thread is asked for them: while somebody
    crawled all of them and the articles changed, the process held half as much again, and ever more.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """What was needed for a moment, and nothing will need again, is for others.

    glibc keeps it unless it is told: after a first reload of 100,000 articles, a quarter of all that the process
    holds.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
