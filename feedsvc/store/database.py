"""The store in a database, through SQLAlchemy: an SQLite file, or PostgreSQL."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from feedsvc.log import fields, logger
from feedsvc.store.errors import DeposedError, StoreError
from feedsvc.store.migrations import VersionError
from feedsvc.store.records import reading
from feedsvc.store.rows import documents_made, event_of, load_all, save_all
from feedsvc.store.sqlite import AT_ONCE, UNREADABLE, SqliteFile
from feedsvc.store.tables import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from feedsvc.articles.library import LoadRules
    from feedsvc.documents.document import Dated
    from feedsvc.feeds.memory import Event
    from feedsvc.store.store import Remembered


class Place(Protocol):
    """Where a database is, and what is special about it."""

    name: str
    # How long a connection may take for all that it is used for.
    patience_seconds: float

    @property
    def before_writing(self) -> tuple[str, ...]:
        """What a transaction that writes begins with."""

    def connect(self) -> Engine:
        """The database with all tables; claimed by this process where one alone may write it."""

    @property
    def survives(self) -> bool:
        """Whether what was written is still there when there is no connection."""

    @property
    def is_other(self) -> bool:
        """Whether what is open is not what was read or written last."""

    @property
    def is_lost(self) -> bool:
        """Whether what is open is not ours to write any more."""

    @property
    def is_moved(self) -> bool:
        """Whether there is another now than that which is open to be read."""

    def settle(self) -> None:
        """What is open now is what was read or written last."""

    def put_aside(self, error: Exception) -> bool:
        """Put a damaged database aside, where that is what the error is about; whether that was done."""

    def explain(self, error: Exception) -> str:
        """What an error means, and what to do."""

    def stand(self) -> bool:
        """Become the only one who may publish, if nobody is."""

    def holds(self) -> bool:
        """Whether this process still is the one; to be asked every second, which is what keeps it that."""

    def wait(self, seconds: float) -> None:
        """Until something may have changed, or so long."""

    def visit(self) -> Engine:
        """For who asks something of the publisher."""

    def release(self) -> None:
        """Let go of the right to write it."""


class DatabaseStore:
    """A store in a database; an SQLite file, or memory alone where the URL is `sqlite://`.

    It is opened when it is first needed, and again when it could not be: what hinders it now may be gone then.
    A file that is damaged is put aside, with its name and `.damaged` behind it, and a new one begun: all but the
    history can be made anew from the directory.
    """

    def __init__(self, url: str, *, write: bool) -> None:
        """Of a URL such as `sqlite:///var/feedsvc.db`, relative to the working directory.

        Args:
            url: where it is.
            write: whether it is to be written, or only to be read.
        """
        self._url = url
        self._write = write
        self.place = place_of(url, write=write)
        self._engine: Engine | None = None
        # Where several processes could write it: which of them this one is. The last of them can.
        self.term: int | None = None
        self.deposed = False

    def open(self) -> Engine:
        """Open it, and claim it where it is to be written.

        Raises:
            BusyError: another process has claimed it.
            DeposedError: it was written in a term that is over.
            StoreError: it cannot be made or opened.
        """
        if self.deposed:
            raise DeposedError("this process publishes no more")
        if self._engine is None:
            try:
                self._engine = self.place.connect()
            except (SQLAlchemyError, VersionError, OSError) as error:
                self.close()
                raise self._error(error) from error
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment, to read.

        Raises:
            StoreError: it cannot be read.
        """
        if self.place.is_moved:
            self.disconnect()
        try:
            with self.open().connect() as connection:
                yield connection
        except (*UNREADABLE, VersionError) as error:
            raise self._error(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction.

        Raises:
            StoreError: it cannot be written; nothing is.
        """
        try:
            with self.open().execution_options(**AT_ONCE).begin() as connection:
                for statement in self.place.before_writing:
                    connection.exec_driver_sql(statement)
                yield connection
        except DeposedError:
            self.deposed = True
            raise
        except (SQLAlchemyError, VersionError) as error:
            # A file that could not be written when it was opened cannot be written through this connection ever.
            self.disconnect()
            raise self._error(error) from error

    @contextmanager
    def visiting(self) -> Iterator[Connection]:
        """A transaction of who does not publish, to ask something of who does.

        Raises:
            StoreError: nothing can be asked.
        """
        try:
            engine = self.place.visit()
            with closing_engine(engine), engine.execution_options(**AT_ONCE).begin() as connection:
                yield connection
        except (SQLAlchemyError, VersionError) as error:
            raise self._error(error) from error

    def load(self, rules: LoadRules) -> Remembered:
        """What was kept last; of files, only what was read by these rules."""
        try:
            return self._load(rules)
        except StoreError as error:
            if not (self._write and isinstance(self.place, SqliteFile) and self.place.is_there):
                raise
            # What cannot be written may be readable all the same.
            with closing(DatabaseStore(self._url, write=False)) as reader:
                try:
                    return reader.load(rules)
                except StoreError:
                    raise error from None
        except UNREADABLE as error:
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
        self.place.settle()
        return remembered

    def documents(self, making: str, root: str) -> Mapping[str, Dated]:
        """What was kept of documents, where all but the articles is as it was then."""
        with self.reading() as connection:
            return documents_made(connection, making, root)

    def save(self, before: Remembered, after: Remembered, events: Sequence[Event], rules: LoadRules) -> None:
        """Keep what is different from before, and what happened, in one transaction."""
        try:
            self._save(before, after, events, rules)
        except StoreError as error:
            if not (isinstance(error.__cause__, SQLAlchemyError) and self._put_aside(error.__cause__)):
                raise
            self._save(before, after, events, rules)

    def _save(self, before: Remembered, after: Remembered, events: Sequence[Event], rules: LoadRules) -> None:
        lost = self.place.is_lost
        if lost:
            if self.term is not None:
                self.deposed = True
                raise DeposedError("another process is the publisher now")
            logger.warning("the memory was taken away; it is kept anew", extra=fields(file=self.place.name))
            self.close()
        with self.writing() as connection:
            if lost or self.place.is_other:
                # A new file, or one that somebody put in the place of ours.
                before = load_all(connection, reading(rules))
                known = frozenset(before.changes)
                told = [each for each in reversed(after.changes[len(events) :]) if each not in known]
                events = [*told, *events]
            generation = save_all(connection, before, after, events, reading(rules), self.term)
        self.place.settle()
        self.tell(generation)

    def tell(self, generation: int | None) -> None:
        """Log what has been published, where several processes could have."""
        if generation is not None and self.term is not None:
            logger.info("published", extra=fields(generation=generation, term=self.term))

    def _put_aside(self, error: Exception) -> bool:
        self.disconnect()
        return self.place.put_aside(error)

    def _error(self, error: Exception) -> StoreError:
        return StoreError(f"{self.place.name}: {self.place.explain(error)}")

    def history(self, about: str | None, limit: int) -> list[Event]:
        """What happened, the newest first."""
        query = select(EVENTS).order_by(EVENTS.c.number.desc()).limit(limit)
        if about is not None:
            names = (EVENTS.c.path, EVENTS.c.identity, EVENTS.c.id, EVENTS.c.title)
            in_feed = EVENTS.c.places.contains(f"\n{about}\n", autoescape=True)
            query = query.where(or_(in_feed, *(column == about for column in names)))
        with self.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def disconnect(self) -> None:
        """Close what is open, but not the right to write it."""
        # What is in memory alone is gone with its only connection.
        if self._engine and self.place.survives:
            self._engine.dispose()
            self._engine = None

    def close(self) -> None:
        """Let go of it, and of the right to write it."""
        if self._engine:
            self._engine.dispose()
            self._engine = None
        self.place.release()


@contextmanager
def closing_engine(engine: Engine) -> Iterator[None]:
    """Let go of it at the end."""
    try:
        yield
    finally:
        engine.dispose()


def place_of(url: str, *, write: bool) -> Place:
    """The place that a URL names.

    Raises:
        StoreError: what it takes to get there is not installed.
    """
    if not url.startswith("postgresql"):
        return SqliteFile(url, write=write)
    try:
        from feedsvc.store.postgres import PostgresServer  # noqa: PLC0415 - few have it, and it takes time to import
    except ImportError as error:
        raise StoreError("PostgreSQL needs psycopg: pip install 'feedsvc[postgresql]'") from error
    return PostgresServer(url, write=write)
