"""Waiting, but not for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from mounts import stalled

from feedsvc import waiting
from feedsvc.waiting import is_directory, real_path, within

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_directory_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of a directory at a start is not waited for where it does not answer: it may be one, and is
    where it is said to be. One that answers is told as it is.
    """
    monkeypatch.setattr(waiting, "_START_SECONDS", 0.1)
    (tmp_path / "mount").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("mount")
    with stalled(tmp_path / "mount"):
        assert is_directory(tmp_path / "mount")
        assert real_path(tmp_path / "mount" / ".." / "mount") == str(tmp_path / "mount")
    assert [is_directory(tmp_path / name) for name in ("mount", "file", "none")] == [True, False, False]
    assert real_path(tmp_path / "link") == str(tmp_path / "mount")
