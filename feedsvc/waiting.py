"""Waiting, but not for ever: for what cannot be interrupted, such as reading from a network mount that is gone."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


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
