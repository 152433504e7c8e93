"""What the tests' own PostgreSQL does, before others stand on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from service import PATIENCE_SECONDS, wait_for
from support import ROOT

if TYPE_CHECKING:
    from postgres import Mode, OwnServer, Server

# Starts a server, says where it is, and waits to be killed.
_KEEPER = (
    "import sys, postgres; s = postgres.own_server(); print(s.port, s._directory, flush=True); sys.stdin.read()"
)


def tables(url: str) -> list[str]:
    """The names of the tables that somebody made."""
    with closing(psycopg.connect(url)) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [name for (name,) in rows]


def test_each_database_is_new_and_empty(postgres: Server) -> None:
    """A test gets a database that nobody wrote to, and it is gone afterwards, whoever is still connected."""
    with postgres.database() as one, postgres.database() as other, closing(psycopg.connect(one)) as connection:
        connection.execute("CREATE TABLE mine (number integer)")
        connection.commit()
        assert (tables(one), tables(other)) == (["mine"], [])
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(one)


def test_database_is_reached_by_socket_too(own_postgres: OwnServer) -> None:
    """TCP and a socket of the file system lead to the same server."""
    with closing(psycopg.connect(own_postgres.url_by_socket("postgres"))) as connection:
        assert connection.execute("SHOW port").fetchone() == (str(own_postgres.port),)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restart_ends_connections_and_keeps_what_was_committed(own_postgres: OwnServer, mode: Mode) -> None:
    """Whoever was connected is not any more; what was committed is there again, what was not is not."""
    with own_postgres.database() as url:
        with closing(psycopg.connect(url)) as connection:
            connection.execute("CREATE TABLE kept (number integer)")
            connection.commit()
            connection.execute("CREATE TABLE lost (number integer)")
            own_postgres.restart(mode)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert tables(url) == ["kept"]


def test_stopped_server_refuses_until_it_is_started(own_postgres: OwnServer) -> None:
    """While it is stopped nobody gets in; the same address leads to it later."""
    own_postgres.stop()
    try:
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(own_postgres.url("postgres"))
    finally:
        own_postgres.start()
    psycopg.connect(own_postgres.url("postgres")).close()


@pytest.mark.usefixtures("own_postgres")
def test_killed_tests_leave_no_server_behind() -> None:
    """Even where the tests are killed outright, their server ends, and its directory is removed."""
    keeper = subprocess.Popen(
        [sys.executable, "-c", _KEEPER],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with keeper:
        assert keeper.stdout
        port, directory = keeper.stdout.readline().split()
        psycopg.connect(f"postgresql://feedsvc@127.0.0.1:{port}/postgres").close()
        keeper.send_signal(signal.SIGKILL)
        keeper.wait(PATIENCE_SECONDS)
    wait_for(lambda: not Path(directory).exists(), "the directory to be removed")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://feedsvc@127.0.0.1:{port}/postgres")
