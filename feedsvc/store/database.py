"""The store in a database, through SQLAlchemy: an SQLite file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, create_engine, event, or_, select
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from feedsvc.log import fields, logger
from feedsvc.store.errors import StoreError
from feedsvc.store.place import can_write, claim, file_at, lock_of, path_of, put_aside
from feedsvc.store.records import reading
from feedsvc.store.rows import documents_made, event_of, load_all, save_all
from feedsvc.store.tables import EVENTS, VersionError, check_version, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from sqlalchemy import Connection, Engine

    from feedsvc.articles.library import LoadRules
    from feedsvc.documents.document import Dated
    from feedsvc.feeds.memory import Event
    from feedsvc.store.store import Remembered

# What cannot be loaded raises one of these: SQLite's errors, and those of what the rows hold.
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError, OverflowError)
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


class DatabaseStore:
    """A store in an SQLite file, or in memory alone where the URL is `sqlite://`.

    The file is opened when it is first needed, and again when it could not be: what hinders it now may be gone
    then. One that is damaged is put aside, with its name and `.damaged` behind it, and a new one begun: all but
    the history can be made anew from the directory.
    """

    def __init__(self, url: str, *, write: bool) -> None:
        """Of a URL such as `sqlite:///var/feedsvc.db`, relative to the working directory.

        Args:
            url: where it is.
            write: whether it is to be written, or only to be read.
        """
        self._url = url
        self._path = path_of(url)
        self._write = write
        self._engine: Engine | None = None
        # The file that was opened, and the one that was read or written last: not always the one at the path now.
        self._file: tuple[int, int] | None = None
        self._known: tuple[int, int] | None = None
        self._lock: IO[str] | None = None

    def open(self) -> Engine:
        """Open it, and claim it where it is to be written: one process can.

        Raises:
            BusyError: another process has claimed it.
            StoreError: it cannot be made or opened.
        """
        if self._engine is None:
            if self._lock is None and self._path and self._write:
                self._lock = claim(self._path)
            try:
                self._engine = self._begun()
                self._file = file_at(self._path)
            except (SQLAlchemyError, VersionError, OSError) as error:
                self.close()
                raise self._error(error) from error
        return self._engine

    def _begun(self) -> Engine:
        try:
            return _prepared(self._path, write=self._write)
        except DatabaseError as error:
            if not self._put_aside(error):
                raise
            return _prepared(self._path, write=self._write)

    def load(self, rules: LoadRules) -> Remembered:
        """What was kept last; of files, only what was read by these rules."""
        try:
            return self._load(rules)
        except StoreError as error:
            if not (self._write and self._path and self._path.is_file()):
                raise
            # What cannot be written may be readable all the same.
            with closing(DatabaseStore(self._url, write=False)) as reader:
                try:
                    return reader.load(rules)
                except StoreError:
                    raise error from None
        except _UNREADABLE as error:
            try:
                # A new one has nothing that could be damaged.
                if self._put_aside(error):
                    return self._load(rules)
            except SQLAlchemyError as failure:
                raise self._error(failure) from failure
            raise self._error(error) from error

    def _load(self, rules: LoadRules) -> Remembered:
        with self.open().connect() as connection:
            remembered = load_all(connection, reading(rules))
        self._known = self._file
        return remembered

    def documents(self, making: str, root: str) -> Mapping[str, Dated]:
        """What was kept of documents, where all but the articles is as it was then."""
        try:
            with self.open().connect() as connection:
                return documents_made(connection, making, root)
        except _UNREADABLE as error:
            raise self._error(error) from error

    def save(self, before: Remembered, after: Remembered, events: Sequence[Event], rules: LoadRules) -> None:
        """Keep what is different from before, and what happened, in one transaction."""
        try:
            try:
                self._save(before, after, events, rules)
            except SQLAlchemyError as error:
                if not self._put_aside(error):
                    raise
                self._save(before, after, events, rules)
        except SQLAlchemyError as error:
            # A file that could not be written when it was opened cannot be written through this connection ever.
            self._disconnect()
            raise self._error(error) from error

    def _save(self, before: Remembered, after: Remembered, events: Sequence[Event], rules: LoadRules) -> None:
        lost = self._is_lost()
        if lost:
            logger.warning("the memory was taken away; it is kept anew", extra=fields(file=str(self._path)))
            self.close()
        with self.open().begin() as connection:
            if lost or self._file != self._known:
                # A new file, or one that somebody put in the place of ours.
                before = load_all(connection, reading(rules))
                known = frozenset(before.changes)
                told = [each for each in reversed(after.changes[len(events) :]) if each not in known]
                events = [*told, *events]
            save_all(connection, before, after, events, reading(rules))
        self._known = self._file

    def _is_lost(self) -> bool:
        """Whether the file at our path is not the one that we wrote last, or not ours alone to write any more."""
        if self._path is None or self._known is None:
            return False
        lock = os.fstat(self._lock.fileno()) if self._lock else None
        claimed = lock is None or file_at(lock_of(self._path)) == (lock.st_dev, lock.st_ino)
        return file_at(self._path) != self._known or not claimed

    def _put_aside(self, error: Exception) -> bool:
        """Put a damaged file aside, where that is what the error is about and the file is ours."""
        if not (_is_damage(error) and self._path and self._lock):
            return False
        self._disconnect()
        try:
            put_aside(self._path)
        except OSError as failure:
            logger.warning("the damaged memory cannot be put aside", extra=fields(error=str(failure)))
            return False
        return True

    def _error(self, error: Exception) -> StoreError:
        return StoreError(f"{self._path or self._url}: {_reason(error)}")

    def history(self, about: str | None, limit: int) -> list[Event]:
        """What happened, the newest first."""
        query = select(EVENTS).order_by(EVENTS.c.number.desc()).limit(limit)
        if about is not None:
            names = (EVENTS.c.path, EVENTS.c.identity, EVENTS.c.id, EVENTS.c.title)
            in_feed = EVENTS.c.places.contains(f"\n{about}\n", autoescape=True)
            query = query.where(or_(in_feed, *(column == about for column in names)))
        try:
            with self.open().connect() as connection:
                return [event_of(row) for row in connection.execute(query)]
        except SQLAlchemyError as error:
            raise self._error(error) from error

    def _disconnect(self) -> None:
        # What is in memory alone is gone with its only connection.
        if self._engine and self._path:
            self._engine.dispose()
            self._engine = None

    def close(self) -> None:
        """Let go of the file, and of the right to write it."""
        self._disconnect()
        if self._engine:
            self._engine.dispose()
            self._engine = None
        if self._lock:
            self._lock.close()
            self._lock = None


def _prepared(path: Path | None, *, write: bool) -> Engine:
    """A database with all tables, and connections that suit us."""
    address = URL.create("sqlite", database=os.fspath(path) if path else None)
    if path and not write:
        # Nothing is made: whoever only reads leaves no file.
        path = path if path.is_file() else None
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
        connection.exec_driver_sql("BEGIN")

    try:
        if write or path is None:
            with engine.begin() as connection:
                prepare(connection)
        else:
            with engine.connect() as connection:
                check_version(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _code(error: Exception) -> int:
    """SQLite's own of an error, without its finer print. The message would not do: it quotes articles."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF


def _is_damage(error: Exception) -> bool:
    if isinstance(error, SQLAlchemyError):
        no_text = str(getattr(error, "orig", "")).startswith("Could not decode to UTF-8")
        return no_text or _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    # Rows that nobody could have written.
    return isinstance(error, _UNREADABLE)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error).splitlines()[0]
    hint = _HINTS.get(_code(error))
    return f"{text}; {hint}" if hint else text
