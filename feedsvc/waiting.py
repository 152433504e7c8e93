"""Waiting, but not for ever: for what cannot be interrupted, such as reading from a network mount that is gone."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
# What a start asks of a directory is answered at once, or may never be.
_START_SECONDS = 2.0


def within(seconds: float, work: Callable[[], T]) -> T:
    """What comes of the work, which is done in a thread of its own.

    Raises:
        TimeoutError: it takes longer; it goes on all the same, and does not keep the process from ending.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, name="waited for", daemon=True).start()
    return done.result(seconds)


def is_directory(path: Path) -> bool:
    """Whether it is a directory, as far as is known: of what does not answer, whoever reads it will tell."""
    try:
        return within(_START_SECONDS, path.is_dir)
    except TimeoutError:
        return True


def real_path(path: Path) -> str:
    """Its path without links; of what does not answer, the path that it is known by."""
    try:
        return within(_START_SECONDS, lambda: os.path.realpath(path))
    except TimeoutError:
        return os.path.abspath(path)  # noqa: PTH100 - Path.absolute would leave the dots in it
