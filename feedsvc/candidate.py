"""A candidate: of all processes that could publish, one does, and another does when that one cannot any more.

Who has it is decided by the database, which sees to it that there is one at most, and refuses what one of before
still tries to write. Each time that this process is elected it begins anew with what the store remembers.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from typing import TYPE_CHECKING

from feedsvc import health, rules
from feedsvc.clock import Clock
from feedsvc.clock import now as present
from feedsvc.documents.rarities import Rarities
from feedsvc.log import fields, logger
from feedsvc.outcome import INTERNAL_ERROR
from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.store import shared
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.store.publication import load_rare
from feedsvc.watch import Watch

if TYPE_CHECKING:
    from feedsvc.outcome import Outcome
    from feedsvc.settings import Settings

# How often it is seen to whether this process is elected, and whether somebody asks for a reload.
_EVERY_SECONDS = 1.0
# After it failed, it is tried again after a time that doubles up to this, and varies.
_LONGEST_PAUSE = 30.0
# But not while nobody can be elected at all: then all wait for the database, and one must take over soon.
_STANDING_PAUSE = 5.0
# And while a reload runs, behind which others may wait.
_BUSY_SECONDS = 0.05


class Candidate:
    """Stands for election again and again; publishes while it is elected."""

    def __init__(self, settings: Settings, clock: Clock = present) -> None:
        self._settings = settings
        self._clock = clock
        self.name = f"{socket.gethostname()}:{settings.port}/{os.getpid()}"
        self._store: DatabaseStore | None = None
        self._stop = threading.Event()
        self.term: Term | None = None
        self.error: str | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self._run, name="stand", daemon=True).start()

    def stop(self) -> None:
        """Stand no more, and let another publish at once."""
        self._stop.set()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self.look()
                if self.term is None or self.term.has_published:
                    self.error, failures = None, 0
            except StoreError as error:
                if self.error != str(error):
                    logger.warning("this process cannot publish", extra=fields(error=str(error)))
                self._give_up(str(error), failures)
                failures = min(failures + 1, 10)
            except Exception:  # noqa: BLE001 - whatever it is, it is tried again
                logger.exception("this process cannot publish")
                self._give_up(INTERNAL_ERROR, failures)
                failures = min(failures + 1, 10)
            self._pause()
        self._begin_anew()

    def _give_up(self, error: str, failures: int) -> None:
        """Leave it to another process for a while, the longer the more often this one failed."""
        self.error = error
        longest = _LONGEST_PAUSE if self.term else _STANDING_PAUSE
        self._begin_anew()
        self._stop.wait(min(longest, 2**failures) * random.uniform(0.5, 1))  # noqa: S311 - no secret

    def _pause(self) -> None:
        """Until it is time to look again, or somebody asks for a reload."""
        try:
            if self.term and not self.term.is_busy:
                self.term.store.place.wait(_EVERY_SECONDS)
            else:
                self._stop.wait(_BUSY_SECONDS if self.term else _EVERY_SECONDS)
        except StoreError as error:
            # The next look finds it lost.
            logger.debug("the session of the publisher is lost", extra=fields(error=str(error)))

    def look(self) -> None:
        """See whether this process is elected, or still is; and do what that takes.

        Raises:
            StoreError: the database cannot be asked.
        """
        if self.term is None:
            self._store = self._store or DatabaseStore(self._settings.store.url, write=True)
            if shared.stand(self._store, self.name):
                logger.info("this process publishes now", extra=fields(term=self._store.term))
                self.term = Term(self._settings, self._store, self._clock)
                self.term.start()
        elif self.term.store.deposed or not self.term.store.place.holds():
            logger.warning("this process publishes no more", extra=fields(term=self.term.store.term))
            self._begin_anew()
        else:
            self.term.look()

    def _begin_anew(self) -> None:
        term, store = self.term, self._store
        self.term = self._store = None
        if store:
            # A reload that still runs must not open it again.
            store.deposed = True
            store.close()
        if term:
            term.stop()


class Term:
    """The time for which a process publishes."""

    def __init__(self, settings: Settings, store: DatabaseStore, clock: Clock) -> None:
        self._settings = settings
        self.store = store
        self._clock = clock
        self.publisher = Publisher(settings, clock, store=store)
        self._schedule = Schedule(self.reload, settings.reload.every, clock)
        self._watch = Watch(settings.articles, self._schedule.reload)
        self._rarities: Rarities | None = None
        self._turn = threading.Lock()
        # Why the last reload could not be published; and whether one could.
        self._hindrance: str | None = None
        self.has_published = False
        self.started_at = clock()
        # The requests for a reload that are being answered.
        self._answering: set[int] = set()
        self._switch = threading.Lock()
        self._started = self._ended = False

    def start(self) -> None:
        """Begin; the election goes on meanwhile."""
        threading.Thread(target=self._begin, name="publish", daemon=True).start()

    def _begin(self) -> None:
        self._schedule.reload()
        with self._switch:
            if self._ended:
                return
            self._started = True
            self._schedule.start()
            if self._settings.reload.watch:
                self._watch.start()

    def stop(self) -> None:
        """Publish no more. A reload that runs is not waited for: what it would write is refused."""
        with self._switch:
            self._ended = True
            if self._started:
                self._watch.stop()
                self._schedule.stop()

    @property
    def is_busy(self) -> bool:
        """Whether a reload runs."""
        return self._turn.locked()

    def look(self) -> None:
        """Reload where somebody asks for it.

        Raises:
            StoreError: the database cannot be asked, or a reload could not be published. What is there now is not
                known then: a new term begins with what is.
        """
        if self.is_busy:
            return
        if self._hindrance:
            raise StoreError(f"what was read is not published: {self._hindrance}")
        # In this order: one that is answered meanwhile is still among these.
        answering = frozenset(self._answering)
        asked = [each for each in shared.asked(self.store, self._clock()) if each[0] not in answering]
        if asked:
            # What is accepted is accepted once.
            self._answering.update(number for number, _ in asked)
            threading.Thread(target=self._answer, args=(asked,), name="answer", daemon=True).start()

    def _answer(self, asked: list[tuple[int, bool]]) -> None:
        outcome = self._schedule.reload(accept=any(accept for _, accept in asked))
        report = health.reload_report(outcome)
        if self._hindrance:
            report |= {"ok": False, "error": f"what was read is not published: {self._hindrance}"}
        try:
            shared.answer(self.store, [number for number, _ in asked], report, self._clock())
        except StoreError as error:
            logger.warning("who asked for a reload cannot be answered", extra=fields(error=str(error)))
        finally:
            self._answering.difference_update(number for number, _ in asked)

    def reload(self, *, accept: bool = False) -> Outcome:
        """Reload and publish; pages and archives follow the feeds."""
        with self._turn:
            outcome = self.publisher.reload(accept=accept)
            if self._ended:
                return outcome
            try:
                self._publish_rarities(outcome)
                # Of what failed once it is not known whether it was written.
                self._hindrance = self._hindrance or outcome.forgetting
                error = outcome.error or self._hindrance
                shared.report(self.store, outcome.state.reloaded_at, error, self._settings.public_url)
                self.has_published = not self._hindrance
            except StoreError as error:
                logger.warning("the pages and archives cannot be published", extra=fields(error=str(error)))
                self._hindrance = str(error)
            except Exception:  # noqa: BLE001 - the feeds are published, and the next reload tries again
                logger.exception("the pages and archives cannot be published")
                self._rarities = None
            return outcome

    def _publish_rarities(self, outcome: Outcome) -> None:
        state = outcome.state
        # What is remembered is published as it is configured now, also while nothing can be read.
        at = state.reloaded_at or (self._clock() if state.library.files else None)
        if outcome.forgetting or state.composition is None or state.snapshot is None or at is None:
            return
        if self._rarities is None:
            with self.store.reading() as connection:
                self._rarities = Rarities(load_rare(connection), rules.caching(self._settings))
        for batch in self._rarities.batches(state.composition, state.snapshot, at):
            shared.publish_rare(self.store, batch.old, batch.new)
