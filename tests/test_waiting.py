"""Waiting, but not for ever."""

from __future__ import annotations

import threading

import pytest

from feedsvc.waiting import within


def test_what_comes_of_the_work() -> None:
    """Who waits gets what the work returns, or the very error that it ends with."""
    assert within(10, lambda: 7) == 7
    error = KeyError("x")

    def fail() -> None:
        raise error

    with pytest.raises(KeyError) as raised:
        within(10, fail)
    assert raised.value is error


def test_work_that_does_not_end() -> None:
    """Who has waited long enough goes on, and so does the work, in a thread that keeps no process from ending."""
    go_on, done = threading.Event(), threading.Event()

    def work() -> None:
        assert threading.current_thread().daemon
        go_on.wait()
        done.set()

    with pytest.raises(TimeoutError):
        within(0.01, work)
    go_on.set()
    assert done.wait(10)
