"""A PostgreSQL database: how it is connected to, by whom it is written, and how its changes are heard of.

Whatever hangs, a statement here, a lock there or the network between, ends after a bounded time: as an error,
after which everything is tried again on a new connection.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.pool import NullPool

from feedsvc.store.errors import StoreError
from feedsvc.store.migrations import check_version, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

# Where replicas hear of a generation, and the publisher of who asks for a reload.
CHANNEL, ASKED = "feedsvc", "feedsvc_asked"
# Of all locks of the database, that of who publishes; any number that is ours alone.
_PUBLISHING = 0x6665656400
_CONNECT_SECONDS = 3
# A publisher that says nothing for so long has it no more: PostgreSQL ends its session, and with that its lock. It
# says something every second.
SILENCE_SECONDS = 4
_ANSWER_SECONDS = 2.0
# To write a million articles takes minutes.
_WORK_SECONDS = 600.0
_SERVER = {"lock_timeout": "3s", "statement_timeout": f"{int(_WORK_SECONDS)}s"}


class PostgresServer:
    """The place of a PostgreSQL database."""

    survives = True
    is_other = False
    is_lost = False
    is_moved = False
    # A publisher that is frozen while it writes must not keep the next one waiting.
    before_writing = (f"SET LOCAL idle_in_transaction_session_timeout = '{SILENCE_SECONDS}s'",)

    def __init__(self, url: str, *, write: bool) -> None:
        parsed = make_url(url)
        # No more: a password may stand in many places.
        self.name = f"postgresql://{parsed.host or ''}/{parsed.database or ''}"
        self._user = parsed.username or "this user"
        self._write = write
        self._address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        self._url = parsed.set(drivername="postgresql+psycopg")
        # By which this process is the publisher, or hears of changes.
        self._session: psycopg.Connection[Any] | None = None
        # Whether it is by that session: another one holds nothing.
        self._is_elected = False
        # No connection but that one is used for longer.
        self.patience_seconds = _WORK_SECONDS

    def connect(self) -> Engine:
        """The database with all tables.

        Raises:
            SQLAlchemyError, VersionError: it cannot be made or reached.
        """
        engine = create_engine(
            self._url,
            # A connection that was good a minute ago says nothing of now, and to make one takes milliseconds.
            poolclass=NullPool,
            isolation_level="REPEATABLE READ" if not self._write else "READ COMMITTED",
            paramstyle="format",
            # Who only reads must not be able to write, not even by mistake.
            connect_args=_options(_SERVER | ({} if self._write else {"default_transaction_read_only": "on"})),
        )

        self._bound(engine)
        try:
            with engine.begin() as connection:
                (prepare if self._write else check_version)(connection)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def visit(self) -> Engine:
        """For who asks something of the publisher."""
        engine = create_engine(self._url, poolclass=NullPool, connect_args=_options(_SERVER))
        self._bound(engine)
        return engine

    def _bound(self, engine: Engine) -> None:
        """See to it that no connection is used for too long."""

        @event.listens_for(engine, "connect")
        def watch(connection: psycopg.Connection[Any], record: Any) -> None:
            record.info["call_off"] = _end_after(connection, self.patience_seconds)

        @event.listens_for(engine, "close")
        def unwatch(_connection: object, record: Any) -> None:
            record.info.pop("call_off")()

    def stand(self) -> bool:
        """Become the only one who may publish, if nobody is.

        Raises:
            StoreError: the database cannot be asked.
        """
        with self._answering() as session:
            session.execute(f"SET idle_session_timeout = '{SILENCE_SECONDS}s'")
            session.execute(f"LISTEN {ASKED}")
            row = session.execute("SELECT pg_try_advisory_lock(%s)", [_PUBLISHING]).fetchone()
            self._is_elected = bool(row and row[0])
        return self._is_elected

    def holds(self) -> bool:
        """Whether this process still is the one; to be asked every second, which is what keeps it that."""
        if not self._is_elected:
            return False
        try:
            with self._answering() as session:
                session.execute("SELECT 1")
        except StoreError:
            return False
        return True

    def wait(self, seconds: float) -> None:
        """Until something changed, or so long.

        Raises:
            StoreError: the database cannot be asked.
        """
        if self._session is None:
            with self._answering() as session:
                session.execute(f"LISTEN {CHANNEL}")
        with self._answering(seconds + _ANSWER_SECONDS) as session:
            for _ in session.notifies(timeout=seconds, stop_after=1):
                return
            # A connection that is dead is silent too.
            session.execute("SELECT 1")

    @contextmanager
    def _answering(self, seconds: float = _ANSWER_SECONDS) -> Iterator[psycopg.Connection[Any]]:
        """The session, which is ended where it does not answer."""
        try:
            if self._session is None:
                # Nobody waits for a statement of this session for long.
                self._session = psycopg.connect(self._address, autocommit=True, **_options({"lock_timeout": "1s"}))
            call_off = _end_after(self._session, seconds)
            try:
                yield self._session
            finally:
                call_off()
        except psycopg.Error as error:
            self.release()
            raise StoreError(f"{self.name}: {self.explain(error)}") from error
        except BaseException:
            self.release()
            raise

    def settle(self) -> None:
        """Nobody exchanges a database behind our back."""

    def put_aside(self, _error: Exception) -> bool:
        """One that is damaged is for its operator."""
        return False

    def explain(self, error: Exception) -> str:
        """What an error means. Only the first line: the others quote what was written."""
        text = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
        return f"{text[0]}{self._hint(error)}"

    def _hint(self, error: Exception) -> str:
        cause = getattr(error, "orig", error)
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            rights = "CREATE, USAGE ON SCHEMA public" if self._write else "SELECT ON ALL TABLES IN SCHEMA public"
            owner = "; who publishes must own the tables" if self._write else ""
            return f"; have its owner GRANT {rights} TO {self._user}{owner}"
        if not _is_about_connecting(cause):
            return ""
        # A server that says so itself is running.
        return "; it is running, but does not let us in" if "FATAL:" in str(cause) else "; is it running?"

    def release(self) -> None:
        """Let go of the session, and of all that it holds."""
        session, self._session, self._is_elected = self._session, None, False
        if session:
            with suppress(Exception):
                session.close()


def _options(server: dict[str, str]) -> dict[str, Any]:
    """How libpq connects; what the server sees to."""
    return {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "feedsvc",
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": 5000,
        "options": " ".join(f"-c {name}={value}" for name, value in server.items()),
    }


def _end_after(connection: psycopg.Connection[Any], seconds: float) -> Callable[[], None]:
    """See to it that nobody waits for this connection any longer than that, whatever it is that hangs.

    Returns:
        what calls that off; to be called before the connection is closed.

    Raises:
        psycopg.Error: it is closed already, or there are too many open files.
    """
    try:
        # Of our own: the number of one that is closed meanwhile may be that of another connection by then.
        wire = socket.socket(fileno=os.dup(connection.fileno()))
    except OSError as error:
        raise psycopg.OperationalError(str(error)) from error
    turn = threading.Lock()

    def end() -> None:
        # Nothing else wakes who waits for an answer.
        with turn, suppress(OSError), wire:
            wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()

    def call_off() -> None:
        timer.cancel()
        with turn:
            wire.close()

    return call_off


def _is_about_connecting(cause: Exception) -> bool:
    # Who is connected is told a code, and another where that is over.
    return isinstance(cause, psycopg.OperationalError) and (cause.sqlstate or "08").startswith(("08", "57P"))
