"""Slots: files in which the replicas of a host keep what they serve, each with a checksum of each part.

A disk may change bytes: what is damaged is no copy.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert, select

from feedsvc.log import fields, logger
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.store.publication import Delta, Standing, fetch, keep, seconds, standing_of
from feedsvc.store.sqlite import UNREADABLE
from feedsvc.store.tables import DOCUMENTS, META, ROUTES
from feedsvc.store.tokens import Grants, keep_grants, load_grants
from feedsvc.store.writing import delete_rows, insert_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from feedsvc.documents.document import Dated

_Read = TypeVar("_Read")

_METADATA = MetaData()
_COPY = Table(
    "copy",
    _METADATA,
    # When it was last written as a whole, in nanoseconds: of two databases, that which was followed later.
    Column("since", BigInteger, nullable=False),
)
# When it was last told who may read private feeds, in nanoseconds.
_GRANTED = Table("granted", _METADATA, Column("at", BigInteger, nullable=False))
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
_ELSEWHERE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_FULL,
}


class _DamageError(StoreError):
    """What a file has is not what was written there."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the files, and what is in it."""

    path: Path
    since: int
    standing: Standing
    granted: int
    grants: Grants


def grant(connection: Connection, grants: Grants) -> None:
    """Keep who may read private feeds, as it was told just now."""
    _METADATA.create_all(connection)
    keep_grants(connection, grants)
    connection.execute(delete(_GRANTED))
    connection.execute(insert(_GRANTED).values(at=time.time_ns()))


def write(connection: Connection, delta: Delta) -> None:
    """Keep what was fetched, and its checksums."""
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
            if is_damage(error):
                raise _DamageError(str(error)) from error
            raise


def is_damage(error: StoreError) -> bool:
    """Whether an error says that the file is not what was written."""
    cause = error.__cause__
    code = getattr(getattr(cause, "orig", None), "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return isinstance(cause, UNREADABLE) and code not in _ELSEWHERE


def look(path: Path) -> Slot | None:
    """What a file has, at a glance; None where that is nothing."""
    with _reading(path) as connection:
        standing = standing_of(connection)
        since = connection.scalar(_SINCE) if standing.generation else None
        if since is None:
            return None
        granted = connection.scalar(select(_GRANTED.c.at)) or 0
        return Slot(path, since, standing, granted, load_grants(connection))


def load(path: Path) -> Delta:
    """All of what a file has."""
    with _reading(path) as connection:
        delta, since = fetch(connection, "", 0), connection.scalar(_SINCE)
        checks = {(row.of, row.path): row.crc for row in connection.execute(select(_CHECKS))}
    if checks != _checks_of(delta, since):
        raise _DamageError(f"{path}: it is not what was written")
    return delta


def tried(read: Callable[[Path], _Read], path: Path, damaged: list[Path]) -> _Read | None:
    """What a file has; None where it cannot be read, and then it may be one of those that are damaged."""
    try:
        return read(path)
    except _DamageError:
        damaged.append(path)
    except StoreError as error:
        logger.debug("a copy on disk cannot be read", extra=fields(error=str(error)))
    return None


def is_damaged(path: Path) -> bool:
    """Whether it still is: another replica may have made it anew."""
    damaged: list[Path] = []
    if tried(look, path, damaged):
        tried(load, path, damaged)
    return bool(damaged)


def newest_first(copies: list[Slot]) -> list[Slot]:
    """Those of the database that was followed last, by generation; then those of the one before, and so on."""
    left, found = sorted(copies, key=lambda copy: copy.since, reverse=True), []
    while left:
        same = [copy for copy in left if copy.standing.birth == left[0].standing.birth]
        found += sorted(same, key=lambda copy: copy.standing.generation, reverse=True)
        left = [copy for copy in left if copy not in same]
    return found
