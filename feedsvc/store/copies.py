"""Copies on disk of what replicas serve. Each replica has its own, and begins with the newest of its host."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, MetaData, Table, delete, insert, select

from feedsvc.log import fields, logger
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import BusyError, StoreError
from feedsvc.store.publication import Delta, Standing, fetch, keep, standing_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

# So many replicas on one host find a file of their own.
_SLOTS = 256

_METADATA = MetaData()
_COPY = Table(
    "copy",
    _METADATA,
    # When it was last written as a whole, in nanoseconds: of two databases, that which was followed later.
    Column("since", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One of the files, and what is in it."""

    path: Path
    since: int
    standing: Standing


class Copies:
    """The files of one host for one store, like `replica-0.db`; one of them is ours, and no other is written."""

    def __init__(self, directory: Path, url: str) -> None:
        """In a directory, of the store of this URL."""
        # What was served of another store must not be taken for ours.
        name = hashlib.blake2b(url.encode(), digest_size=4).hexdigest()
        self._paths = [directory / f"replica-{name}-{slot}.db" for slot in range(_SLOTS)]
        self._own: DatabaseStore | None = None
        # Whether ours has what is served; and whether it was said that it cannot.
        self._kept = self._told = False

    def open(self) -> Delta | None:
        """The newest of all that can be read; from now on, one of the files is ours."""
        found = _newest_first([copy for path in self._paths if path.exists() and (copy := _look(path))])
        known = [copy.path for copy in found]
        source, newest = next(((path, delta) for path in known if (delta := _load(path))), (None, None))
        own = self._claim([*known, *(path for path in self._paths if path not in known)])
        self._kept = own is not None and own == source
        return newest

    def _claim(self, paths: list[Path]) -> Path | None:
        for path in paths:
            store = DatabaseStore(f"sqlite:///{path}", write=True)
            try:
                store.open()
            except BusyError:
                continue
            except StoreError as error:
                self._tell(error)
                return None
            self._own = store
            return path
        return None

    def keep(self, delta: Delta, whole: Callable[[], Delta]) -> None:
        """Keep what is new, or all, where ours has not what was before; that it cannot be kept is logged once."""
        if self._own is None:
            return
        try:
            with self._own.writing() as connection:
                _write(connection, delta if self._kept or delta.whole else whole())
        except StoreError as error:
            self._tell(error)
            self._kept = False
        else:
            self._kept, self._told = True, False

    def _tell(self, error: StoreError) -> None:
        if not self._told:
            logger.warning("what is served cannot be kept for a restart", extra=fields(error=str(error)))
        self._told = True

    def close(self) -> None:
        """Let go of ours."""
        if self._own:
            self._own.close()


def _write(connection: Connection, delta: Delta) -> None:
    _METADATA.create_all(connection)
    if delta.whole:
        connection.execute(delete(_COPY))
        connection.execute(insert(_COPY).values(since=time.time_ns()))
    keep(connection, delta)


def _look(path: Path) -> _Copy | None:
    """What a file has, at a glance; None where that is nothing."""
    with closing(DatabaseStore(f"sqlite:///{path}", write=False)) as store:
        try:
            with store.reading() as connection:
                standing = standing_of(connection)
                since = connection.scalar(select(_COPY.c.since)) if standing.generation else None
        except StoreError as error:
            logger.debug("a copy on disk cannot be read", extra=fields(error=str(error)))
            return None
    return None if since is None else _Copy(path, since, standing)


def _load(path: Path) -> Delta | None:
    """All of what a file has; None where it cannot be read."""
    with closing(DatabaseStore(f"sqlite:///{path}", write=False)) as store:
        try:
            with store.reading() as connection:
                return fetch(connection, "", 0)
        except StoreError as error:
            logger.debug("a copy on disk cannot be read", extra=fields(error=str(error)))
            return None


def _newest_first(copies: list[_Copy]) -> list[_Copy]:
    """Those of the database that was followed last, by generation; then those of the one before, and so on."""
    left, found = sorted(copies, key=lambda copy: copy.since, reverse=True), []
    while left:
        same = [copy for copy in left if copy.standing.birth == left[0].standing.birth]
        found += sorted(same, key=lambda copy: copy.standing.generation, reverse=True)
        left = [copy for copy in left if copy not in same]
    return found
