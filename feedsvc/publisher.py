"""The publisher: one reload after the other, and what is served meanwhile.

Whatever goes wrong in a reload, the last snapshot stays and the next reload starts from where the last good one
ended. Here is the only state of the service that changes; each part of it is immutable and replaced whole.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feedsvc import rules
from feedsvc.articles.directory import DirectoryError, in_byte_order
from feedsvc.articles.library import Library, Progress, without
from feedsvc.clock import Clock
from feedsvc.clock import now as present
from feedsvc.documents.snapshot import Snapshot, reopen_all
from feedsvc.feeds.changes import MAX_CHANGES
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.recollection import recollect
from feedsvc.feeds.selection import Selection
from feedsvc.feeds.sightings import as_seen
from feedsvc.guard import Guard, HeldError
from feedsvc.log import fields, logger
from feedsvc.outcome import INTERNAL_ERROR, Outcome, Tally, log_outcome
from feedsvc.reload import Reading, State, advance, is_current, read, sort
from feedsvc.store.errors import StoreError
from feedsvc.store.store import Remembered, Store
from feedsvc.waiting import real_path

if TYPE_CHECKING:
    from feedsvc.feeds.memory import Event
    from feedsvc.laps import Laps
    from feedsvc.settings import Settings

# While the store cannot be written: so many events are held for it.
MAX_UNTOLD = 10_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Publisher:
    """Reloads on demand, never twice at once, and holds what is served."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock = present,
        store: Store | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        """Begin with what is remembered, or else, at the first reload, with what the store remembers."""
        self._settings = settings
        self._clock = clock
        self._store = store
        self._untold: list[Event] = []
        self._turn = threading.Lock()
        self._started = 0
        self._accepting = False
        self._guard = Guard(settings)
        # The files of the last reading, published or not.
        self._files = Library()
        # Whether what is remembered is of another directory.
        self._moved = False
        # Whether the memory knows the articles of the last reload as that one left them.
        self._compared = True
        # What the store has, as far as we know.
        self._kept: Remembered | None = None
        self._saved: Snapshot | None = None
        # The documents of before the start, until there are others.
        self._opening: Snapshot | None = None
        self.tally = Tally()
        self.state = State()
        self.last: Outcome | None = None
        if remembered or store is None:
            self._adopt(remembered or Remembered())

    @property
    def snapshot(self) -> Snapshot | None:
        """What is served; None until there is something to serve."""
        opening = self._opening  # In this order: the one is there before the other goes.
        return self.state.snapshot or opening

    def open(self) -> None:
        """Serve the documents of before a restart at once, if they would be made the same of the same articles."""
        if self._store is None:
            return
        try:
            kept = self._store.documents(rules.making(self._settings), real_path(self._settings.articles))
        except StoreError as failure:
            # The first reload finds it too, and sees to it.
            logger.debug("no documents are remembered", extra=fields(error=str(failure)))
            return
        self._opening = reopen_all(kept, rules.site(self._settings), rules.caching(self._settings))

    def reload(self, progress: Progress | None = None, *, accept: bool = False) -> Outcome:
        """Bring the snapshot up to date with the directory as it is when this is called, or later.

        Callers that come while a reload runs wait for it, and then share one reload that starts after they came.
        Never raises: an error is told by the outcome, and the state stays as it was.

        Args:
            progress: is told how many files of how many are done.
            accept: publish it, whatever readers lose by it.
        """
        self._accepting = self._accepting or accept
        wanted = self._started + 1
        with self._turn:
            if self.last is not None and self.last.number >= wanted:
                return self.last
            self._started += 1
            outcome = self.last = self._reload(self._started, progress)
            if outcome.state.events:
                # A first reload tells readers of every article: who asked for it hears of that, and it is let go.
                self.state = replace(self.state, events=())
                self.last = replace(outcome, state=self.state)
            return outcome

    def _reload(self, number: int, progress: Progress | None) -> Outcome:
        laps = self.tally.begin()
        error = held = forgetting = None
        accepting, self._accepting = self._accepting, False
        try:
            forgetting = self._recall()
            laps.end("recall")
            now = self._clock()
            self._files = read(self._settings, self._known_files(), now, progress, accept=accepting)
            laps.end("read")
            if self._compared and is_current(self.state, self._files, now):
                self._guard.held = None
                self.state = replace(self.state, library=self._files, events=(), reloaded_at=now)
                forgetting = self._keep(self.state) or forgetting
                laps.end("keep")
            else:
                reading = self._sorted(now)
                self._guard.check(self.state.memory, reading, accepting=accepting or self._moved)
                laps.end("select")
                forgetting = self._publish(reading, laps) or forgetting
                self._moved = False
                self._files = replace(self._files, reread=frozenset(), refused=frozenset())
        except DirectoryError as failure:
            error = str(failure)
            logger.warning("reload failed", extra=fields(error=error))
        except HeldError as failure:
            error, held = str(failure), self._guard.held
        except Exception:  # noqa: BLE001 - logged, and told by the outcome
            # Promise: whatever fails, the last good state is served, and the next reload runs.
            error = INTERNAL_ERROR
            logger.exception("reload failed")
        if error and self.state.snapshot is None:
            self._serve_what_is_left()
        if error and self.state.library.files and self._kept and self._is_configured_anew(self._kept):
            # What is private by the configuration of now must not be public by that of before, whoever serves it.
            forgetting = self._keep(self.state) or forgetting
        if self.state.snapshot:
            self._opening = None
        self.tally.end("ok" if error is None else "held" if held else "failed", laps)
        outcome = Outcome(number, self.state, laps.total, error, held, forgetting)
        if error is None:
            log_outcome(outcome)
        return outcome

    def _known_files(self) -> Library:
        """The files of the last reading, and the published state of those that one not published lacked."""
        published = self.state.library.files
        if self._files.files is published:
            return self._files
        files = {**published, **self._files.files}
        return replace(self._files, files={path: files[path] for path in in_byte_order(files)})

    def _sorted(self, now: datetime) -> Reading:
        """What was read, with what is remembered; in another directory with nothing in common, with nothing."""
        known = self.state.memory.sightings
        if self._moved and not any(each.identity in known for each in self._files.articles()):
            self.state = replace(self.state, memory=Memory(), changes=())
        return sort(self._files, self._settings, self.state.memory, now, self.state.composition)

    def _serve_what_is_left(self) -> None:
        """Where some of what is remembered is damaged, serve the rest while nothing else can be; tell nobody."""
        if self._kept and self._kept.library.files and not self._moved:
            left = self._remembered_state(self._kept, self._still_ours(self._kept.library))
            self.state = replace(left, library=Library(), memory=self.state.memory, changes=self.state.changes)

    def _recall(self) -> str | None:
        """Have what the store remembers, where that could not be had yet; or tell why not."""
        if self._store is None or self._kept is not None:
            return None
        try:
            self._adopt(self._store.load(rules.load_rules(self._settings)))
        except StoreError as failure:
            logger.warning("the memory cannot be read", extra=fields(error=str(failure)))
            return str(failure)
        except Exception:  # noqa: BLE001 - logged, and told by the outcome
            logger.exception("the memory cannot be read")
            return INTERNAL_ERROR
        return None

    def _adopt(self, remembered: Remembered) -> None:
        """Go on from what is remembered: it is served until the directory has been read."""
        self._kept = remembered
        if self.state.snapshot is not None:
            self._catch_up(remembered)
            return
        self.state = replace(self.state, memory=remembered.memory, changes=remembered.changes)
        self._files = self._still_ours(remembered.library)
        if self._files.files and remembered.whole:
            state = self._remembered_state(remembered, self._files)
            self._untold += state.events
            self.state = state

    def _still_ours(self, library: Library) -> Library:
        """What is remembered of files that are still among those that are configured."""
        if library.path not in {"", os.path.realpath(self._settings.articles)} and not self._settings.is_shared:
            self._moved = True
            return Library()
        # Where several publish in turns, each has them at a path of its own.
        return without(library, self._settings.exclude)

    def _remembered_state(self, remembered: Remembered, library: Library) -> State:
        """What is served until the directory has been read, and while it cannot be."""
        settings = self._settings
        # No time has passed for it: what has come due since may be gone from the directory by now. For what was
        # served, `select` knows better than this when it was.
        reading = replace(sort(library, settings, remembered.memory, _LONG_AGO), at=self._clock())
        if not self._is_configured_anew(remembered):
            # It was seen as it is remembered.
            before = replace(self.state, selection=as_seen(reading.grouping.selection, remembered.memory))
        else:
            # That may show articles otherwise, though nobody changed them.
            logger.info("the configuration, or feedsvc itself, is another than before; all is made anew by it")
            before = self.state
            everybody = frozenset(article.identity for article in reading.articles)
            reading = replace(reading, library=replace(library, reread=everybody))
        state = advance(before, reading, settings, remembered.documents)
        return replace(state, library=library, reloaded_at=None)

    def _is_configured_anew(self, remembered: Remembered) -> bool:
        return remembered.making != rules.making(self._settings)

    def _catch_up(self, remembered: Remembered) -> None:
        """Go on from what is remembered, after readers were served without it for a while."""
        known = remembered.memory.sightings
        # Who was known all along did not arrive; what changed of them is found by the next comparison.
        self._untold = [event for event in self._untold if event.identity not in known]
        self.state = replace(
            self.state,
            memory=recollect(self.state.memory, remembered.memory),
            changes=(*reversed(self._untold), *remembered.changes)[:MAX_CHANGES],
        )
        self._compared = False

    def _publish(self, reading: Reading, laps: Laps) -> str | None:
        """Keep what was read, and then serve it; or serve it, and tell why it is not kept.

        In this order: a reader must not have been told what a crash makes us forget.
        """
        remembered = self._kept.documents if self._kept and self.state.snapshot is None else None
        before = self.state if self._compared else replace(self.state, selection=Selection())
        state = advance(before, reading, self._settings, remembered)
        self._compared = True
        self._untold += state.events
        laps.end("render")
        forgetting = self._keep(state)
        laps.end("keep")
        self.state = state
        return forgetting

    def _keep(self, state: State) -> str | None:
        if self._store is None or state.snapshot is None:
            self._untold.clear()
            return None
        if self._kept is None:
            # What could not be read must not be written over; `_recall` says why.
            self._untold = self._untold[-MAX_UNTOLD:]
            return None
        now = self._remembered(state, state.snapshot)
        try:
            self._store.save(self._kept, now, self._untold, rules.load_rules(self._settings))
        except StoreError as failure:
            logger.warning("the memory cannot be kept", extra=fields(error=str(failure)))
            forgetting = str(failure)
        except Exception:  # noqa: BLE001 - logged, and told by the outcome
            logger.exception("the memory cannot be kept")
            forgetting = INTERNAL_ERROR
        else:
            self._kept, self._untold, self._saved = now, [], state.snapshot
            return None
        self._untold = self._untold[-MAX_UNTOLD:]
        return forgetting

    def _remembered(self, state: State, snapshot: Snapshot) -> Remembered:
        """What is to be kept; the very same where it is what the store has."""
        kept = self._kept
        if kept and snapshot is self._saved and kept.library.is_as(state.library):
            return kept
        making, routes, documents = rules.making(self._settings), snapshot.routes(), snapshot.kept()
        return Remembered(state.library, state.memory, documents, state.changes, making=making, routes=routes)
