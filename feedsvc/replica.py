"""A replica: serves from memory what is published in a store, and keeps it on disk for its next start.

It follows the store and never goes back: while that cannot be reached, or has something older, the last is served.
At its start the store is asked first, for a moment, and only then what is on disk is served.
"""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING, TypeVar

from feedsvc.clock import Clock
from feedsvc.clock import now as present
from feedsvc.documents.document import served
from feedsvc.documents.snapshot import Snapshot, part
from feedsvc.log import fields, logger
from feedsvc.outcome import INTERNAL_ERROR
from feedsvc.store.copies import Copies
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import UNWRITTEN, StoreError
from feedsvc.store.publication import Delta, Standing, fetch, standing_of
from feedsvc.store.tokens import Grants, load_grants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from feedsvc.documents.document import Document

_Value = TypeVar("_Value")

# Where no notice comes, the store is asked so often.
_ASK_SECONDS = 1.0
# While it cannot be reached, it is tried again after a time that doubles from the first to the second, and varies,
# so that not all replicas come back in the same moment.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_LEAST_PATIENCE, _MOST_PATIENCE = 8.0, 600.0
# For so long, one that starts waits for the store before it serves what it served before.
_FIRST_SECONDS = 2.0
# To read the disk takes some seconds at most, unless it does not answer.
_OPEN_SECONDS = 30.0
# The marks of so many generations are kept: nothing that is read late of a database is older.
_MARKS = 10_000


class Replica:
    """Follows a store; `snapshot` is what is served."""

    def __init__(self, url: str, cache: Path, clock: Clock = present) -> None:
        """Of the URL of a store; `cache` is the directory for files like `replica-0.db`."""
        self._store = DatabaseStore(url, write=False)
        self._copies = Copies(cache, url)
        self._clock = clock
        self._stop = threading.Event()
        self._swapped = threading.Condition()
        # Once it is, it is known what to begin with, or that there is nothing.
        self._begun = threading.Event()
        # The marks of what this one has had.
        self._marks: dict[int, str] = {}
        # The newest that this one has, and of what it is; until the store was asked, it is not served.
        self._newest: Snapshot | None = None
        self._has = Standing()
        self.snapshot: Snapshot | None = None
        # What is served is of this; and how the store stood when it was last asked.
        self.served = Standing()
        self.standing = Standing()
        # Who may read private feeds.
        self.grants: Grants = {}
        self.heard_at: datetime | None = None
        self.error: str | None = None
        self.fetched = 0

    def start(self, *, keep: bool = True) -> None:
        """Follow the store, from a thread of its own.

        Args:
            keep: begin with what is on disk where the store is away or slow, and keep there what is served. It is
                waited for until one of both is known: who asks a service that has something must not be told that
                it has nothing.
        """
        threading.Thread(target=self._run, args=(keep,), name="follow", daemon=True).start()
        if keep:
            self._begun.wait(_OPEN_SECONDS)

    def stop(self) -> None:
        """End."""
        self._stop.set()

    def wait_for(self, generation: int, mark: str, seconds: float) -> bool:
        """Whether that generation, or a later one, is served before so many seconds have passed."""
        with self._swapped:
            return self._swapped.wait_for(lambda: self._serves(generation, mark), seconds)

    def _serves(self, generation: int, mark: str) -> bool:
        return self.served.generation >= generation and self._marks.get(generation, "") == mark

    def _run(self, keep: bool) -> None:  # noqa: FBT001 - of a thread
        if keep:
            self.open()
            # Whatever hangs, this does not.
            late = threading.Timer(_FIRST_SECONDS, self._show_old)
            late.daemon = True
            late.start()
        failures = 0
        while not self._stop.is_set():
            try:
                # One that hangs is given up soon; but what takes long must not be given up for ever.
                self._store.place.patience_seconds = min(_LEAST_PATIENCE * 2**failures, _MOST_PATIENCE)
                self.follow()
                self._store.place.wait(_ASK_SECONDS)
            except StoreError as error:
                self._fail(str(error))
            except Exception:  # noqa: BLE001 - whatever it is, the last snapshot is served, and it is tried again
                logger.exception("the store cannot be followed")
                self._fail(INTERNAL_ERROR)
            else:
                failures = 0
                continue
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**failures)
            failures += 1
            self._stop.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - nobody gains by guessing it
        self.close()

    def _fail(self, error: str) -> None:
        self._show_old()
        is_new = self.snapshot is None and error.endswith(UNWRITTEN)
        if self.error is None or (self.error.endswith(UNWRITTEN) and not is_new and error != self.error):
            served = "the last snapshot is served" if self.snapshot else "there is nothing to serve yet"
            level = logging.INFO if is_new else logging.WARNING
            logger.log(level, f"the store cannot be followed; {served}", extra=fields(error=error))
        self.error = error
        self._store.disconnect()
        self._store.place.release()

    def follow(self) -> None:
        """Serve what is published now.

        Raises:
            StoreError: that cannot be read.
        """
        delta = None
        with self._store.reading() as connection:
            self.standing = standing = standing_of(connection)
            # Where nobody has published, nobody has made tokens either: the database is away.
            grants = load_grants(connection) if standing.generation else self.grants
            if standing.generation and not self._had(standing):
                delta = fetch(connection, self._has.birth, self._has.generation, self._has.mark)
        # One that is revoked must not come back with a start.
        self._copies.admit(grants)
        self.grants = grants
        if delta:
            self._take(delta)
        self.show()
        self._begun.set()
        self.heard_at = self._clock()
        if self.error is not None:
            logger.info("the store is followed again")
            self.error = None

    def _had(self, standing: Standing) -> bool:
        """Whether this is what this one has, or led to it. What follows from an older copy is neither."""
        has = self._has
        is_past = standing.birth == has.birth and standing.generation <= has.generation
        return is_past and self._marks.get(standing.generation, "") == standing.mark

    def _take(self, delta: Delta) -> None:
        """Keep on disk, and swap."""
        self.fetched += len(delta.documents)
        self._have(delta)
        if delta.whole:
            # To keep all takes long.
            self.show()
        try:
            # One that is killed must not have served what is not on disk.
            self._copies.keep(delta, self._all)
        finally:
            self.show()

    def _have(self, delta: Delta) -> None:
        before = self._newest
        known = {**before.documents, **(before.private.documents if before.private else {})} if before else {}
        documents, private = part(self._documents(delta, known))
        routes = _merged(before.routes() if before and not delta.whole else {}, delta.routes, delta.closed)
        redirects = {path: target for path, target in routes.items() if target is not None}
        retired = frozenset(path for path, target in routes.items() if target is None)
        changed_at = max(document.last_modified for document in documents.values())
        with self._swapped:
            is_whole = delta.standing.is_whole
            self._newest = Snapshot(
                documents, redirects, {}, retired, None, None, changed_at, {}, whole=is_whole, private=private
            )
            self._has = delta.standing
            oldest = delta.standing.generation - _MARKS
            marks = {**({} if delta.whole else self._marks), **delta.marks}
            self._marks = {number: mark for number, mark in marks.items() if number > oldest}

    def show(self) -> None:
        """Serve the newest that this one has."""
        with self._swapped:
            if self.snapshot is not self._newest:
                self.snapshot, self.served = self._newest, self._has
                self._swapped.notify_all()
                logger.debug("swapped", extra=fields(generation=self.served.generation))

    def _show_old(self) -> None:
        """Serve what is on disk, where nothing is served yet."""
        if self.snapshot is None and self._newest:
            logger.info(
                "serving what was served before the start", extra=fields(documents=len(self._newest.documents))
            )
            self.show()
        self._begun.set()

    def _documents(self, delta: Delta, before: Mapping[str, Document]) -> dict[str, Document]:
        fresh = {path: served(each) for path, each in delta.documents.items()}
        if not delta.whole:
            return _merged(before, fresh, delta.gone)
        # What is as it was stays the very same.
        return {path: before[path] if before.get(path) == each else each for path, each in fresh.items()}

    def open(self) -> None:
        """Have what is on disk, which is not served yet; what will be served is kept there."""
        try:
            delta = self._copies.open()
            self.grants = self._copies.grants
            if delta and delta.documents:
                self._have(delta)
                # As it was last heard.
                self.standing = delta.standing
        except Exception:  # noqa: BLE001 - whatever it is, the store has all of it
            logger.exception("what was served before the start cannot be read")

    def _all(self) -> Delta:
        """What is served, to be kept as a whole."""
        newest = self._newest
        documents, routes = (newest.kept(), newest.routes()) if newest else ({}, {})
        return Delta(self._has, whole=True, documents=documents, routes=routes, marks=self._marks)

    def close(self) -> None:
        """Let go of the store, and of what is on disk."""
        self._store.close()
        self._copies.close()


def _merged(before: Mapping[str, _Value], fresh: Mapping[str, _Value], gone: frozenset[str]) -> dict[str, _Value]:
    left = {path: each for path, each in before.items() if path not in gone} if gone else before
    return {**left, **fresh}
