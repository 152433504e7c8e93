"""Watching: a change of the directory is seen at once, however much changes with it."""

from __future__ import annotations

import threading
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from service import PATIENCE_SECONDS, running, wait_for
from support import write_article

from feedsvc.watch import Watch, file_system_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Watched:
    """A directory that is watched, and how often a reload was called for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.called = threading.Semaphore(0)
        self.calls = 0
        self.watch = Watch(directory, self.call)

    def call(self) -> None:
        """What is called for a reload."""
        self.calls += 1
        self.called.release()

    def is_called(self) -> bool:
        """Whether one more call comes."""
        return self.called.acquire(timeout=PATIENCE_SECONDS)

    def rest(self) -> None:
        """Wait until no more calls come."""
        while self.called.acquire(timeout=1):
            pass

    def fewest_calls_of(self, change: Callable[[int], None]) -> int:
        """The calls that a change leads to, the best of five: who has no processor for a moment pauses too."""
        fewest = 0
        for attempt in range(5):
            self.calls = 0
            change(attempt)
            assert self.is_called()
            self.rest()
            fewest = min(fewest or self.calls, self.calls)
            if fewest <= 2:
                break
        return fewest


@pytest.fixture
def watched(articles: Path) -> Iterator[Watched]:
    """One that is watched already: what happens to it from now on is told."""
    made = Watched(articles)
    made.watch.start()
    number = 0

    def seen() -> bool:
        nonlocal number
        number += 1
        (articles / f"probe-{number}.md").touch()
        return made.called.acquire(timeout=0.5)

    wait_for(seen, "the first change to be told")
    made.rest()
    made.calls = 0
    yield made
    made.watch.stop()


def test_a_change_calls_for_a_reload(watched: Watched) -> None:
    """A file that is written, changed, moved or removed, also in a directory that was not there before."""
    path = write_article(watched.directory, "new/a.md")
    assert watched.is_called()
    path.write_text("changed", "utf-8")
    assert watched.is_called()
    path.rename(watched.directory / "b.md")
    assert watched.is_called()
    (watched.directory / "b.md").unlink()
    assert watched.is_called()


def test_many_changes_call_once(watched: Watched) -> None:
    """A checkout of thousands of files is waited for, and is one reload."""

    def check_out(attempt: int) -> None:
        for number in range(5_000):
            (watched.directory / f"{attempt}-{number}.md").write_bytes(b"")

    assert watched.fewest_calls_of(check_out) <= 2


def test_who_changes_much_may_pause(watched: Watched) -> None:
    """Pauses longer than those after which a single edit is shown do not make a reload of each part."""

    def write(attempt: int) -> None:
        for part in range(6):
            for number in range(100):
                (watched.directory / f"{attempt}-{part}-{number}.md").write_bytes(b"")
            threading.Event().wait(0.05)

    assert watched.fewest_calls_of(write) <= 2


@pytest.mark.parametrize("files", [1, 50])
def test_who_never_rests_keeps_nobody_waiting(watched: Watched, files: int) -> None:
    """Files that are no articles may change all the time: what changes beside them is seen all the same."""
    over = threading.Event()

    def write() -> None:
        for number in count():
            if over.wait(0.005):
                return
            (watched.directory / f"{number}.tmp").write_bytes(b"")

    noise = threading.Thread(target=write)
    noise.start()
    try:
        for number in range(files):
            (watched.directory / f"{number}.md").write_bytes(b"")
        # Noise would be waited for ten times as long.
        assert watched.called.acquire(timeout=4)
    finally:
        over.set()
        noise.join()


def test_what_is_no_article_calls_for_nothing(watched: Watched) -> None:
    """What git does for itself is no change, nor is what the memory writes; what visible names lead into is."""
    (watched.directory / ".git").mkdir()
    (watched.directory / ".git/index").write_bytes(b"x")
    for name in ("feedsvc.db", "feedsvc.db-wal", "picture.png"):
        (watched.directory / name).write_bytes(b"x")
    (watched.directory / "a.md").touch()
    assert watched.is_called()
    assert watched.calls == 1
    (watched.directory / "..data").symlink_to("..2021")
    assert watched.is_called()


def test_another_directory_of_the_name(watched: Watched) -> None:
    """One that takes the place of the watched one is watched from then on."""
    watched.directory.rename(watched.directory.parent / "old")
    watched.directory.mkdir()
    assert watched.is_called()

    def seen() -> bool:
        (watched.directory / "probe.md").write_bytes(b"")
        return watched.called.acquire(timeout=0.5)

    wait_for(seen, "a change of the new directory to be told")


def test_a_directory_that_is_gone_is_said_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """While it cannot be watched, that is said; when it is there again, it is watched."""
    watched.directory.rename(watched.directory.parent / "old")
    wait_for(lambda: "cannot be watched" in caplog.text, "the warning")
    (watched.directory.parent / "old").rename(watched.directory)

    def seen() -> bool:
        (watched.directory / "probe.md").write_bytes(b"")
        return watched.called.acquire(timeout=0.5)

    wait_for(seen, "a change to be told again")
    assert caplog.text.count("cannot be watched") == 1


def test_file_systems_are_known(tmp_path: Path) -> None:
    """The kind of the innermost mount counts."""
    assert file_system_of(Path("/proc/self")) == "proc"
    assert file_system_of(tmp_path) not in {"", "proc"}


def test_a_remote_file_system_is_not_watched(
    articles: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the system would tell of nothing, the start says so, and the interval is left to find changes."""
    monkeypatch.setattr("feedsvc.watch.file_system_of", lambda _: "nfs4")
    watched = Watched(articles)
    watched.watch.start()
    assert "they are found at the next reading" in caplog.text
    watched.watch.stop()


def test_a_real_service_shows_an_edit_at_once(articles: Path, tmp_path: Path) -> None:
    """Nobody calls for a reload, and none is due for an hour: the change is served a moment later."""
    write_article(articles, title="Before")
    with running(tmp_path, articles, "--reload-every", "1h", watch=True) as service:

        def shown() -> bool:
            write_article(articles, title="After")
            return b"After" in service.ask("/feeds/all.atom").body

        wait_for(shown, "the change to be served")
