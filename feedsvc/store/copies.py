"""Copies on disk of what replicas serve. Each replica has its own, and begins with the newest of its host.

Beside what is copied stands a checksum of each part, for a disk may change bytes: what is damaged is no copy.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert, select

from feedsvc.log import fields, logger
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import BusyError, StoreError
from feedsvc.store.place import claim
from feedsvc.store.publication import Delta, Standing, fetch, keep, seconds, standing_of
from feedsvc.store.sqlite import UNREADABLE
from feedsvc.store.tables import DOCUMENTS, META, ROUTES
from feedsvc.store.tokens import Grants, keep_grants, load_grants
from feedsvc.store.writing import delete_rows, insert_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from feedsvc.documents.document import Dated

_Read = TypeVar("_Read")

# So many replicas on one host find a file of their own.
_SLOTS = 256

_METADATA = MetaData()
_COPY = Table(
    "copy",
    _METADATA,
    # When it was last written as a whole, in nanoseconds: of two databases, that which was followed later.
    Column("since", BigInteger, nullable=False),
)
_SINCE = select(_COPY.c.since)
_CHECKS = Table(
    "checks",
    _METADATA,
    # The table, the path there, and the checksum.
    Column("of", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("crc", BigInteger, nullable=False),
)
# What has one of these codes may be whole, and is of no use now: another program made its tables, say.
_ELSEWHERE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN} | {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_FULL,
}


class _DamageError(StoreError):
    """What a file has is not what was written there."""


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
        # Who may read private feeds.
        self.grants: Grants = {}
        # Whether ours has what is served; and whether it was said that it cannot.
        self._kept = self._told = False

    def open(self) -> Delta | None:
        """The newest of all that can be read; from now on, one of the files is ours."""
        damaged: list[Path] = []
        there = [path for path in self._paths if path.exists()]
        found = _newest_first([copy for path in there if (copy := _tried(_look, path, damaged))])
        known = [copy.path for copy in found]
        readable = ((path, *read) for path in known if (read := _tried(_load, path, damaged)))
        source, newest, self.grants = next(readable, (None, None, {}))
        for path in damaged:
            self._remove(path)
        own = self._claim([*known, *(path for path in self._paths if path not in known)])
        self._kept = own is not None and own == source
        return newest

    def _remove(self, path: Path, *, sure: bool = False) -> None:
        """Make room for a new file in the place of a damaged one, where nobody else is about to."""
        try:
            with closing(claim(path)):
                if sure or _is_damaged(path):
                    for ending in ("-wal", "-shm", ""):
                        Path(f"{path}{ending}").unlink(missing_ok=True)
                    logger.warning(
                        "the copy on disk of what replicas serve is damaged; it is made anew",
                        extra=fields(file=str(path)),
                    )
        except BusyError:
            return
        except (StoreError, OSError) as error:
            self._tell(error)

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
            try:
                self._write(self._own, delta, whole)
            except StoreError as error:
                path = Path(self._own.place.name)
                if not _is_damage(error):
                    raise
                self._own.close()
                self._remove(path, sure=True)
                self._kept = False
                self._write(self._own, delta, whole)
        except StoreError as error:
            self._tell(error)
            self._kept = False
        else:
            self._kept, self._told = True, False

    def _write(self, own: DatabaseStore, delta: Delta, whole: Callable[[], Delta]) -> None:
        delta = delta if self._kept or delta.whole else whole()
        with own.writing() as connection:
            _write(connection, delta)
            if delta.whole:
                keep_grants(connection, self.grants)

    def admit(self, grants: Grants) -> None:
        """Keep who may read private feeds."""
        self.grants = grants
        # Else they will be written with all the rest.
        if self._own and self._kept:
            try:
                with self._own.writing() as connection:
                    keep_grants(connection, grants)
            except StoreError as error:
                self._tell(error)

    def _tell(self, error: Exception) -> None:
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
        connection.execute(delete(_CHECKS))
        connection.execute(insert(_COPY).values(since=time.time_ns()))
    keep(connection, delta)
    checks = _checks_of(delta, connection.scalar(_SINCE))
    gone = [(DOCUMENTS.name, path) for path in delta.gone] + [(ROUTES.name, path) for path in delta.closed]
    delete_rows(connection, _CHECKS, [*gone, *checks])
    insert_rows(connection, _CHECKS, ((*key, crc) for key, crc in checks.items()))


def _checks_of(delta: Delta, since: int | None) -> dict[tuple[str, str], int]:
    """The checksum of each part."""
    standing = delta.standing
    about = _crc(
        since,
        standing.birth,
        standing.generation,
        standing.term,
        standing.base_url,
        standing.is_whole,
        standing.mark,
    )
    documents = {(DOCUMENTS.name, path): _crc_of(each) for path, each in delta.documents.items()}
    routes = {(ROUTES.name, path): _crc(target) for path, target in delta.routes.items()}
    return {(META.name, ""): about, **documents, **routes}


def _crc_of(each: Dated) -> int:
    at, bodies = seconds(each.last_modified), (each.br, each.gzip, each.plain)
    return _crc(each.etag, at, each.source, *bodies, each.media_type, each.length, each.headers)


def _crc(*values: object) -> int:
    crc = 0
    for value in values:
        crc = zlib.crc32(value if isinstance(value, bytes) else repr(value).encode(), crc)
    return crc


@contextmanager
def _reading(path: Path) -> Iterator[Connection]:
    """A connection to read a file.

    Raises:
        _DamageError: it is damaged.
        StoreError: it cannot be read, or another program wrote it.
    """
    with closing(DatabaseStore(f"sqlite:///{path}", write=False)) as store:
        try:
            with store.reading() as connection:
                yield connection
        except StoreError as error:
            if _is_damage(error):
                raise _DamageError(str(error)) from error
            raise
        except OSError as error:
            # So does the clock say of a moment that never was.
            raise _DamageError(str(error)) from error


def _is_damage(error: StoreError) -> bool:
    cause = error.__cause__
    code = getattr(getattr(cause, "orig", None), "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return isinstance(cause, UNREADABLE) and code not in _ELSEWHERE


def _look(path: Path) -> _Copy | None:
    """What a file has, at a glance; None where that is nothing."""
    with _reading(path) as connection:
        standing = standing_of(connection)
        since = connection.scalar(_SINCE) if standing.generation else None
    return None if since is None else _Copy(path, since, standing)


def _load(path: Path) -> tuple[Delta, Grants]:
    """All of what a file has."""
    with _reading(path) as connection:
        delta, grants, since = fetch(connection, "", 0), load_grants(connection), connection.scalar(_SINCE)
        checks = {(row.of, row.path): row.crc for row in connection.execute(select(_CHECKS))}
    if checks != _checks_of(delta, since):
        raise _DamageError(f"{path}: it is not what was written")
    return delta, grants


def _tried(read: Callable[[Path], _Read], path: Path, damaged: list[Path]) -> _Read | None:
    """What a file has; None where it cannot be read, and then it may be one of those that are damaged."""
    try:
        return read(path)
    except _DamageError:
        damaged.append(path)
    except StoreError as error:
        logger.debug("a copy on disk cannot be read", extra=fields(error=str(error)))
    return None


def _is_damaged(path: Path) -> bool:
    """Whether it still is: another replica may have made it anew."""
    damaged: list[Path] = []
    if _tried(_look, path, damaged):
        _tried(_load, path, damaged)
    return bool(damaged)


def _newest_first(copies: list[_Copy]) -> list[_Copy]:
    """Those of the database that was followed last, by generation; then those of the one before, and so on."""
    left, found = sorted(copies, key=lambda copy: copy.since, reverse=True), []
    while left:
        same = [copy for copy in left if copy.standing.birth == left[0].standing.birth]
        found += sorted(same, key=lambda copy: copy.standing.generation, reverse=True)
        left = [copy for copy in left if copy not in same]
    return found
