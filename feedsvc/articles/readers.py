"""Reading many files, with helpers where that pays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feedsvc.articles.reading import How, Reading, Wanted, read
from feedsvc.helpers import Work, do_all, others

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

# A helper takes as long to start as a thousand small files to read, or half as many large ones.
_PAYS = 1_000
# They take some ten milliseconds.
_AT_ONCE = 100


def read_all(
    how: How, paths: Sequence[str], wanted: Callable[[str], Wanted], helpers: int | None = None
) -> Generator[Reading | None, None, None]:
    """Read files; what was read comes in the order of the paths.

    Args:
        how: how they are read.
        paths: which.
        wanted: tells of a path what is wanted of it.
        helpers: how many other processes help; None for as many as pay.
    """
    there = partial(read, how=how)
    if helpers is None:
        helpers = others() if len(paths) >= _PAYS else 0
    return do_all(Work(there, wanted, lambda path: read(wanted(path), how), _AT_ONCE), paths, helpers)
