"""A replica: serves from memory what is published in a store, and keeps it on disk for its next start.

It follows the store and never goes back: while that cannot be reached, or has something older, the last is served.
"""

from __future__ import annotations

import hashlib
import random
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from feedsvc.clock import Clock
from feedsvc.clock import now as present
from feedsvc.documents.document import served
from feedsvc.documents.snapshot import Snapshot, part
from feedsvc.log import fields, logger
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import BusyError, StoreError
from feedsvc.store.publication import Delta, Standing, fetch, keep, standing_of
from feedsvc.store.tokens import Grants, keep_grants, load_grants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from feedsvc.documents.document import Dated, Document

_Value = TypeVar("_Value")

# Where no notice comes, the store is asked so often.
_ASK_SECONDS = 1.0
# While it cannot be reached, it is tried again after a time that doubles from the first to the second, and varies,
# so that not all replicas come back in the same moment.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_LEAST_PATIENCE, _MOST_PATIENCE = 8.0, 600.0
# So many replicas on one host find a file of their own.
_SLOTS = 256


class Replica:
    """Follows a store; `snapshot` is what is served."""

    def __init__(self, url: str, cache: Path, clock: Clock = present) -> None:
        """Of the URL of a store; `cache` is the directory for files like `replica-0.db`."""
        self._store = DatabaseStore(url, write=False)
        self._directory = cache
        # What was served of another store must not be taken for ours.
        self._name = hashlib.blake2b(url.encode(), digest_size=4).hexdigest()
        self._cache: DatabaseStore | None = None
        # Whether the file has what is served.
        self._kept = False
        self._clock = clock
        self._stop = threading.Event()
        self._swapped = threading.Condition()
        self._whole = False
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
        """Follow the store, from a thread of its own; if `keep`, begin with what is on disk, and keep it there."""
        if keep:
            self.open()
        threading.Thread(target=self._run, name="follow", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stop.set()

    def wait_for(self, generation: int, seconds: float) -> bool:
        """Whether that generation, or a later one, is served before so many seconds have passed."""
        with self._swapped:
            return self._swapped.wait_for(lambda: self.served.generation >= generation, seconds)

    def _run(self) -> None:
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
                self._fail("an internal error; the log has it")
            else:
                failures = 0
                continue
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**failures)
            failures += 1
            self._stop.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - nobody gains by guessing it
        self._store.close()

    def _fail(self, error: str) -> None:
        if self.error is None:
            served = "the last snapshot is served" if self.snapshot else "there is nothing to serve yet"
            logger.warning(f"the store cannot be followed; {served}", extra=fields(error=error))
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
            same = standing.birth == self.served.birth
            if same and standing.generation < self.served.generation:
                # An older copy was put in the place of what was there. What comes next is compared as a whole.
                self._whole = True
            elif standing.generation and not (same and standing.generation == self.served.generation):
                delta = fetch(connection, self.served.birth, 0 if self._whole else self.served.generation)
        if grants != self.grants:
            self._admit(grants)
        if delta:
            self._take(delta)
            self._whole = False
        self.heard_at = self._clock()
        if self.error is not None:
            logger.info("the store is followed again")
            self.error = None

    def _admit(self, grants: Grants) -> None:
        """Keep the tokens that there are now on disk, and take them up."""
        try:
            if self._cache:
                with self._cache.writing() as connection:
                    keep_grants(connection, grants)
        except StoreError as error:
            logger.warning("the tokens cannot be kept for a restart", extra=fields(error=str(error)))
        self.grants = grants

    def _take(self, delta: Delta) -> None:
        """Swap, and keep on disk."""
        self.fetched += len(delta.documents)
        self._swap(delta)
        try:
            self._keep(delta)
        except StoreError as error:
            if self._kept:
                logger.warning("what is served cannot be kept for a restart", extra=fields(error=str(error)))
            self._kept = False

    def _swap(self, delta: Delta) -> None:
        before = self.snapshot
        known = {**before.documents, **(before.private.documents if before.private else {})} if before else {}
        documents, private = part(self._documents(delta, known))
        routes = _merged(before.routes() if before and not delta.whole else {}, delta.routes, delta.closed)
        redirects = {path: target for path, target in routes.items() if target is not None}
        retired = frozenset(path for path, target in routes.items() if target is None)
        changed_at = max(document.last_modified for document in documents.values())
        with self._swapped:
            self.snapshot = Snapshot(
                documents, redirects, {}, retired, None, None, changed_at, {}, private=private
            )
            self.served = delta.standing
            self._swapped.notify_all()
        logger.debug("swapped", extra=fields(generation=delta.standing.generation, documents=len(delta.documents)))

    def _documents(self, delta: Delta, before: Mapping[str, Document]) -> dict[str, Document]:
        fresh = {path: served(each) for path, each in delta.documents.items()}
        if not delta.whole:
            return _merged(before, fresh, delta.gone)
        # What is as it was stays the very same.
        return {path: before[path] if before.get(path) == each else each for path, each in fresh.items()}

    def open(self) -> None:
        """Serve what is on disk, and keep there what will be."""
        for slot in range(_SLOTS):
            store = DatabaseStore(f"sqlite:///{self._directory}/replica-{self._name}-{slot}.db", write=True)
            try:
                with store.reading() as connection:
                    delta = fetch(connection, "", 0)
                    self.grants = load_grants(connection)
            except BusyError:
                continue
            except StoreError as error:
                logger.warning("what is served cannot be kept for a restart", extra=fields(error=str(error)))
                return
            self._cache = store
            if delta.documents and all(map(_is_whole, delta.documents.values())):
                self._swap(delta)
                self._kept = True
                logger.info(
                    "serving what was served before the start", extra=fields(documents=len(delta.documents))
                )
            return

    def _keep(self, delta: Delta) -> None:
        if self._cache is None:
            return
        if not (self._kept or delta.whole) and self.snapshot:
            delta = replace(delta, whole=True, documents=self.snapshot.kept(), routes=self.snapshot.routes())
        with self._cache.writing() as connection:
            keep(connection, delta)
        self._kept = True


def _is_whole(kept: Dated) -> bool:
    """Whether its bytes look like those that were kept, at a glance: a disk may lose the end of something."""
    if kept.gzip is None:
        return kept.plain is not None and len(kept.plain) == kept.length
    # Of gzip, the last four bytes are the length (RFC 1952 §2.3.1).
    return kept.gzip[-4:] == (kept.length % 2**32).to_bytes(4, "little")


def _merged(before: Mapping[str, _Value], fresh: Mapping[str, _Value], gone: frozenset[str]) -> dict[str, _Value]:
    left = {path: each for path, each in before.items() if path not in gone} if gone else before
    return {**left, **fresh}
