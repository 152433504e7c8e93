"""Any bytes sent to the port of a real service: it answers or closes, and goes on serving. Slow: a socket each."""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_PATIENCE_SECONDS = 20.0
# An unfinished request is waited for; that is not what is tried here.
_QUIET_SECONDS = 0.02


def fuzz(data: bytes) -> None:
    """All of them at once, on a connection of their own."""
    port = _port()
    with socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS) as connection:
        connection.settimeout(_QUIET_SECONDS)
        found = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError, BrokenPipeError):
            connection.sendall(data)
            found = connection.recv(65536)
    assert found == b"" or found.startswith(b"HTTP/1."), found[:100]
    assert b" 500 " not in found.partition(b"\r\n")[0], found[:100]
    assert _answers(port)


def _answers(port: int) -> bool:
    """Whether the service is there, and well."""
    with socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@cache
def _port() -> int:
    """That of a service of the seeds, which ends with this process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "feedsvc", "serve", "--articles", "seeds", "--port", str(port)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("FEEDSVC_")}
    variables = own | {"FEEDSVC_STORE_URL": "sqlite://", "FEEDSVC_LOG_LEVEL": "error"}
    process = subprocess.Popen(command, cwd=_ROOT, env=variables)
    atexit.register(_end, process)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if _answers(port):
                return port
        time.sleep(0.05)
    raise AssertionError("the service does not answer")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(_PATIENCE_SECONDS)
