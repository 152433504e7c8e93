"""The schedule: a reload every interval, and one at the moment when time alone changes the selection."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from feedsvc.clock import Clock
from feedsvc.clock import now as present
from feedsvc.log import fields, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedsvc.outcome import Outcome

# A reload during which so many others should have run is told of; it may be one that will never end.
_MANY_MISSED = 10


class Schedule:
    """Runs reloads in threads of its own; `reload` runs one now, in the caller's."""

    def __init__(self, reload: Callable[..., Outcome], every: timedelta, clock: Clock = present) -> None:
        self._reload = reload
        self._every = every
        self._clock = clock
        self._over = threading.Event()
        self._missed = 0
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            # However late: after a stall or a suspended machine, one reload makes up for all that were missed.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._miss, EVENT_JOB_MAX_INSTANCES)

    def reload(self, *, accept: bool = False) -> Outcome:
        """Reload, and see to it that the next dated change happens when it is due."""
        outcome = self._reload(accept=accept)
        self._missed = 0
        # After a failure the next change may lie in the past: the interval tries again, and nothing spins.
        if outcome.error is None:
            self._release_at(outcome.state.selection.next_change)
        return outcome

    def start(self) -> None:
        """Begin with the interval; the first reload has been run by whoever starts the service."""
        self._scheduler.add_job(self.reload, "interval", seconds=self._every.total_seconds(), id="interval")
        self._scheduler.start()
        threading.Thread(target=self._mind_the_clock, name="interval", daemon=True).start()

    def _miss(self, _: object) -> None:
        """One that should run now waits for the one that runs."""
        self._missed += 1
        if self._missed == _MANY_MISSED:
            logger.warning(
                "a reload has run for many intervals; is the disk or network that has the articles stalled?",
                extra=fields(intervals=self._missed),
            )

    def stop(self) -> None:
        """End without waiting for a reload that runs."""
        self._over.set()
        # With no job left, the end cannot meet APScheduler half-way in handing one out.
        self._scheduler.remove_all_jobs()
        self._scheduler.shutdown(wait=False)

    def _mind_the_clock(self) -> None:
        # APScheduler goes by the clock: where that is set back by a day, the next reload would be a day away.
        while not self._over.wait(self._every.total_seconds()):
            job = self._scheduler.get_job("interval")
            if job and job.next_run_time > self._clock() + 2 * self._every:
                # It may have been stopped meanwhile.
                with suppress(JobLookupError):
                    job.reschedule("interval", seconds=self._every.total_seconds())

    @property
    def next_release(self) -> datetime | None:
        """When the one-shot reload will run, if one is due."""
        job = self._scheduler.get_job("release")
        return job.trigger.run_date if job else None

    def _release_at(self, moment: datetime | None) -> None:
        if moment is None:
            with suppress(JobLookupError):
                self._scheduler.remove_job("release")
            return
        self._scheduler.add_job(
            self.reload,
            "date",
            run_date=max(moment, self._clock()),
            id="release",
            replace_existing=True,
            # The job that runs sets the next one: that may be due while this one still ends.
            max_instances=2,
        )
