"""Servers to be measured: each a process tree of its own on one core, whose CPU time is what the kernel counts."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import feedsvc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs: what it is called, its process, and where it listens."""

    name: str
    process: subprocess.Popen[bytes]
    port: int

    def cpu(self) -> float:
        """Seconds of CPU time that it and its children have taken so far."""
        return sum(_cpu(pid) for pid in _tree(self.process.pid))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def cores() -> tuple[int, int]:
    """That of the servers, and that of their clients. Where there is but one, it is both."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run on one core; so do the processes that are started meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(name: str, command: list[str], port: int, directory: Path, **variables: str) -> Iterator[Server]:
    """A server on the core of servers, up and listening; ended at the end."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("FEEDSVC_")}
    paths = [str(Path(feedsvc.__file__).parents[1]), str(Path(__file__).parent)]
    variables = {"PYTHONPATH": os.pathsep.join(paths), "FEEDSVC_STORE_URL": "sqlite://", **variables}
    log = directory / f"{port}.log"
    with log.open("wb") as output, pinned(cores()[0]):
        process = subprocess.Popen(command, cwd=directory, env=plain | variables, stdout=output, stderr=output)
    try:
        _wait(name, process, port, log)
        yield Server(name, process, port)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(OSError):
            socket.create_connection((HOST, port)).close()
            return
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{name} does not start:\n{log.read_text('utf-8', 'replace')}")
        time.sleep(0.05)


def ask(port: int, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """One request."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return Answer(
            response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        )
    finally:
        connection.close()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def find(program: str) -> str | None:
    """Where a program is, also where only the administrator's path leads to."""
    return shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except FileNotFoundError:
        return []
    return [pid, *(each for child in children for each in _tree(int(child)))]


def _cpu(pid: int) -> float:
    """User and system time; the name before them may hold anything."""
    values = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / _TICK
