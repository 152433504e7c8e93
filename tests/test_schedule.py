"""The schedule, with a real scheduler: the interval, and the release of dated articles."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from support import NOW, make_settings, write_article

from feedsvc.clock import now
from feedsvc.feeds.selection import Selection
from feedsvc.outcome import Outcome
from feedsvc.publisher import Publisher
from feedsvc.reload import State
from feedsvc.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    import pytest

MINUTE = timedelta(minutes=1)


@contextmanager
def running(schedule: Schedule) -> Iterator[Schedule]:
    """Started, and stopped at the end whatever happens."""
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def outcome(next_change: datetime | None = None, error: str | None = None) -> Outcome:
    """A reload's outcome."""
    return Outcome(1, State(selection=Selection(next_change=next_change)), 0.0, error)


def counted(answer: Callable[[], Outcome]) -> tuple[Callable[[], Outcome], threading.Semaphore]:
    """A reload that counts: one more may be taken from the semaphore after each."""
    done = threading.Semaphore(0)

    def reload(*, accept: bool = False) -> Outcome:  # noqa: ARG001 - as the publisher has it
        result = answer()
        done.release()
        return result

    return reload, done


class _SlowToEnd(Schedule):
    """A schedule whose thread is held up for a moment after a reload, as on a busy machine."""

    def reload(self, *, accept: bool = False) -> Outcome:
        """Reload, and take a moment to end."""
        result = super().reload(accept=accept)
        threading.Event().wait(0.1)
        return result


def test_a_dated_article_appears_by_itself(articles: Path) -> None:
    """An article of the next second is published by the one-shot reload, long before the interval."""
    release = now() + timedelta(seconds=2)
    write_article(articles, publishedDateTime=release.isoformat())
    publisher = Publisher(make_settings(articles))
    reload, done = counted(publisher.reload)
    schedule = Schedule(reload, timedelta(days=1))
    schedule.reload()
    assert done.acquire(timeout=1)
    assert not publisher.state.selection.articles
    assert schedule.next_release == release
    with running(schedule):
        assert done.acquire(timeout=10)
    assert len(publisher.state.selection.articles) == 1


def test_the_interval() -> None:
    """A reload runs every interval."""
    reload, done = counted(outcome)
    with running(Schedule(reload, timedelta(seconds=1))):
        assert done.acquire(timeout=10)
        assert done.acquire(timeout=10)


def test_a_reload_that_does_not_end_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Where ten others should have run meanwhile, a line says what may be wrong, and no other one does."""
    ended = threading.Event()
    missed = threading.Semaphore(0)

    def reload(**_: bool) -> Outcome:
        ended.wait(20)
        return outcome()

    schedule = Schedule(reload, timedelta(milliseconds=10))
    schedule._scheduler.add_listener(lambda _: missed.release(), EVENT_JOB_MAX_INSTANCES)
    with running(schedule):
        for _ in range(15):
            assert missed.acquire(timeout=10)
        ended.set()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "feedsvc"]
    assert line.endswith("stalled?")


def test_a_clock_that_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval goes on, whatever day the clock says it is."""
    behind = timedelta(0)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) - behind

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Clock)
    monkeypatch.setattr("apscheduler.triggers.interval.datetime", Clock)
    reload, done = counted(outcome)
    with running(Schedule(reload, timedelta(seconds=1), lambda: Clock.now(UTC))):
        assert done.acquire(timeout=10)
        behind = timedelta(days=1)
        for _ in range(2):
            assert done.acquire(timeout=10)


def test_the_release_follows_the_selection() -> None:
    """Each reload sets the release anew: moved where it moved, gone where nothing is due any more."""
    changes: list[datetime | None] = [NOW + MINUTE, NOW + 2 * MINUTE, None, None]
    schedule = Schedule(lambda **_: outcome(changes.pop(0)), MINUTE, lambda: NOW)
    # A scheduler that has not started keeps every job; far in the future none runs.
    far = timedelta(days=36500)
    changes = [each + far if each else None for each in changes]
    with running(schedule):
        for expected in list(changes):
            schedule.reload()
            assert schedule.next_release == expected


def test_the_far_future_is_no_error(articles: Path) -> None:
    """An article of the last day of the calendar is waited for without an error."""
    write_article(articles, publishedDateTime="9999-12-31T23:59:59Z")
    publisher = Publisher(make_settings(articles))
    schedule = Schedule(publisher.reload, MINUTE)
    with running(schedule):
        schedule.reload()
        assert schedule.next_release == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_release_that_fails_does_not_run_again_at_once() -> None:
    """While reloads fail and a release is overdue, only the interval tries again: nothing spins."""
    reload, done = counted(lambda: outcome(NOW, error="the directory is gone"))
    schedule = Schedule(reload, timedelta(days=1))
    with running(schedule):
        schedule.reload()
        assert done.acquire(timeout=1)
        assert not done.acquire(timeout=0.3)


def test_a_release_that_comes_while_one_runs_is_not_lost() -> None:
    """A release that is due when the last one ends, as after a long reload, runs too."""
    due = [NOW, NOW, NOW, NOW]
    reload, done = counted(lambda: outcome(due.pop(0) if due else None))
    schedule = _SlowToEnd(reload, timedelta(days=1))
    with running(schedule):
        schedule.reload()
        for _ in range(5):
            assert done.acquire(timeout=2)


def test_an_overdue_release_runs_now() -> None:
    """A change that is due already is not waited for."""
    due: list[datetime | None] = [NOW]
    reload, done = counted(lambda: outcome(due.pop() if due else None))
    schedule = Schedule(reload, timedelta(days=1))
    with running(schedule):
        schedule.reload()
        assert done.acquire(timeout=1)
        assert done.acquire(timeout=10)
