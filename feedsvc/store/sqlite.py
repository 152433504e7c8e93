"""A database in an SQLite file, or in memory alone: how it is opened, claimed, and put aside if it is damaged."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from feedsvc.log import fields, logger
from feedsvc.store.errors import UNWRITTEN, BusyError, StoreError
from feedsvc.store.migrations import check_version, prepare
from feedsvc.store.place import can_write, claim, file_at, is_claimed, path_of, put_aside, renew

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from sqlalchemy import Connection, Engine

# What cannot be loaded raises one of these: SQLite's errors, and those of what the rows hold.
UNREADABLE = (SQLAlchemyError, ValueError, TypeError, OverflowError)
_HINTS = {
    sqlite3.SQLITE_BUSY: "close what else has it open",
    sqlite3.SQLITE_READONLY: "make it and its directory writable",
    sqlite3.SQLITE_CANTOPEN: "make it and its directory writable",
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "see that its disk has room and works",
    sqlite3.SQLITE_CORRUPT: "the next start of the service puts it aside and begins a new one",
    sqlite3.SQLITE_NOTADB: "the next start of the service puts it aside and begins a new one",
}
# For how long a writer waits while somebody reads the file with a tool of their own.
_BUSY_SECONDS = 5
# Of a transaction that will write: it waits for its turn when it begins. One that has read before would get none,
# should somebody else have written meanwhile.
AT_ONCE = {"at_once": True}
# How often a replica on the same host looks whether there is something new.
_LOOK_SECONDS = 0.1


class SqliteFile:
    """The place of an SQLite database. One that is damaged is put aside, and a new one begun."""

    before_writing = ()

    def __init__(self, url: str, *, write: bool) -> None:
        # Its disk is its own affair.
        self.patience_seconds = 0.0
        self.path = path_of(url)
        self.name = str(self.path or url)
        self._write = write
        self._lock: IO[str] | None = None
        # The file that was opened, and the one that was read or written last: not always the one at the path now.
        self._file: tuple[int, int] | None = None
        self._known: tuple[int, int] | None = None

    def connect(self) -> Engine:
        """A database with all tables; claimed where it is to be written.

        Raises:
            BusyError: another process has claimed it.
            StoreError: there can be no claim.
            SQLAlchemyError, VersionError, OSError: it cannot be made or opened.
        """
        if self._lock is None and self.path and self._write:
            self._lock = claim(self.path)
        # What comes into being while it is opened to be read is another.
        found = file_at(self.path)
        try:
            engine = _prepared(self.path, write=self._write)
        except DatabaseError as error:
            if not self.put_aside(error):
                raise
            engine = _prepared(self.path, write=self._write)
        self._file = file_at(self.path) if self._write else found
        return engine

    @property
    def is_there(self) -> bool:
        """Whether there is a file."""
        return self.path is not None and os.path.isfile(self.path)  # noqa: PTH113 - raises nothing where it is closed

    @property
    def survives(self) -> bool:
        """Whether what was written is still there when there is no connection."""
        return self.path is not None

    def settle(self) -> None:
        """What is open now is what was read or written last."""
        self._known = self._file

    @property
    def is_other(self) -> bool:
        """Whether what is open is not what was read or written last."""
        return self._file != self._known

    @property
    def is_lost(self) -> bool:
        """Whether the file at our path is not the one that we wrote last, or not ours alone to write any more."""
        if self.path is None or self._known is None:
            return False
        return file_at(self.path) != self._known or not (self._lock is None or is_claimed(self.path, self._lock))

    @property
    def is_moved(self) -> bool:
        """Whether there is another now than that which is open to be read."""
        return not self._write and file_at(self.path) != self._file

    def put_aside(self, error: Exception) -> bool:
        """Put a damaged file aside, where that is what the error is about and the file is ours."""
        if not (_is_damage(error) and self.path and self._lock):
            return False
        try:
            put_aside(self.path)
        except OSError as failure:
            logger.warning("the damaged memory cannot be put aside", extra=fields(error=str(failure)))
            return False
        return True

    def explain(self, error: Exception) -> str:
        """What an error means, and what to do."""
        text = next(iter(str(getattr(error, "orig", None) or error).splitlines()), type(error).__name__)
        hint = _HINTS.get(_code(error))
        return f"{text}; {hint}" if hint else text

    def stand(self) -> bool:
        """Become the only one who may publish, if nobody is, or who is has not said so for long.

        Raises:
            AloneError: who is does not share it.
            StoreError: there can be no claim.
        """
        if self.path is None:
            return True
        try:
            self._lock = self._lock or claim(self.path, elected=True)
        except BusyError:
            return False
        return True

    def holds(self) -> bool:
        """Whether this process still is the one; to be asked every second, which is what keeps it that."""
        if self.path is None:
            return True
        return self._lock is not None and is_claimed(self.path, self._lock) and renew(self._lock)

    def wait(self, seconds: float) -> None:
        """Until something may have changed, or so long: nothing tells of it, but it is soon looked at."""
        time.sleep(min(seconds, _LOOK_SECONDS))

    def visit(self) -> Engine:
        """For who asks something of the publisher."""
        if not self.is_there:
            raise StoreError(f"{self.name}: {UNWRITTEN}")
        return _prepared(self.path, write=True)

    def release(self) -> None:
        """Let go of the right to write it."""
        if self._lock:
            self._lock.close()
            self._lock = None


def _prepared(path: Path | None, *, write: bool) -> Engine:
    """A database with all tables, and connections that suit us."""
    address = URL.create("sqlite", database=os.fspath(path) if path else None)
    if path and not write:
        # Nothing is made: whoever only reads leaves no file.
        path = path if os.path.isfile(path) else None  # noqa: PTH113 - as above
        name, query = (f"file:{quote(os.fspath(path))}", {"mode": "ro", "uri": "true"}) if path else (None, {})
        if path and not can_write(path.parent) and not path.with_name(f"{path.name}-wal").exists():
            # Else SQLite would need to write beside it; nobody can, and whoever wrote it last had closed it.
            query["immutable"] = "1"
        address = URL.create("sqlite", database=name, query=query)
    engine = create_engine(
        address,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        # What is in memory alone is gone with its only connection.
        **({} if path else {"poolclass": StaticPool}),
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # By itself, sqlite3 begins a transaction late, and none around reading or the making of tables.
        connection.isolation_level = None
        # Readers and the writer do not wait for each other, and a crash leaves the last transaction whole.
        if path and write:
            # Of a new file: in larger pages a record or a document is in one place, and written sooner.
            connection.execute("PRAGMA page_size = 16384")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        at_once = connection.get_execution_options().get("at_once")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if at_once else "BEGIN")

    try:
        if write or path is None:
            with engine.execution_options(**AT_ONCE).begin() as connection:
                prepare(connection)
        else:
            with engine.connect() as connection:
                check_version(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _code(error: Exception) -> int:
    """SQLite's primary code of an error. The message would not do: it quotes articles."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF


def _is_damage(error: Exception) -> bool:
    if isinstance(error, SQLAlchemyError):
        no_text = str(getattr(error, "orig", "")).startswith("Could not decode to UTF-8")
        return no_text or _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    # Rows that nobody could have written.
    return isinstance(error, UNREADABLE)
