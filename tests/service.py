"""The real service, as a process of its own, and requests to it over a real socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support import ROOT, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "a token of the tests"
# Far longer than anything takes, also on a machine that has much else to do.
PATIENCE_SECONDS = 60


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*arguments: str) -> list[str]:
    """The command line of `feedsvc …`."""
    return [sys.executable, "-m", "feedsvc", *arguments]


def environment(**variables: str) -> dict[str, str]:
    """The environment of the tests without settings, and with these variables."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FEEDSVC_")}
    # No command may leave a memory in the checkout, and the tests say when it is time to reload.
    return plain | {"FEEDSVC_STORE_URL": "sqlite://", "FEEDSVC_RELOAD_WATCH": "false"} | variables


def begin(port: int, log: Path, *flags: str, **variables: str) -> subprocess.Popen[str]:
    """Start `feedsvc serve` at this port, in a process group of its own, and do not wait; it adds to the log."""
    with log.open("a", encoding="utf-8") as stderr:
        return subprocess.Popen(
            command("serve", "--port", str(port), *flags),
            cwd=ROOT,
            env=environment(FEEDSVC_ADMIN_TOKEN=TOKEN, **variables),
            stdout=stderr,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Ask again and again until it is so; fail when it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)


@dataclass
class Service:
    """A running service."""

    port: int
    process: subprocess.Popen[str]
    log: Path
    base_url: str = field(init=False)

    def __post_init__(self) -> None:
        self.base_url = f"http://localhost:{self.port}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request; `If_None_Match` is the header If-None-Match."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(
                method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        """What /health says."""
        report: dict[str, Any] = json.loads(self.ask("/health").body)
        return report

    def reload(self, query: str = "") -> dict[str, Any]:
        """Reload now, and return what the service answers when the new snapshot is served."""
        answer = self.ask(f"/admin/reload{query}", "POST", Authorization=f"Bearer {TOKEN}")
        report: dict[str, Any] = json.loads(answer.body)
        return report | {"http_status": answer.status}

    def is_ready(self) -> bool:
        """Whether the port answers, and what it serves is what it found at its start."""
        assert self.process.poll() is None, f"the service ended: {self.log.read_text('utf-8')}"
        try:
            ready = self.ask("/health/ready").status == 200
            return ready and "articles are being read" not in self.health().get("output", "")
        except OSError:
            return False

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """End it, and return its exit status."""
        self.process.send_signal(with_signal)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def running(
    directory: Path, articles: Path, *flags: str, port: int | None = None, watch: bool = False
) -> Iterator[Service]:
    """A service of these articles, ended at the end."""
    port = port or free_port()
    # The same again for a service that is started again at the same port.
    store = f"sqlite:///{directory}/memory-{port}.db"
    log = directory / f"service-{port}.log"
    arguments = ("--articles", str(articles), "--store", store, *flags)
    process = begin(port, log, *arguments, FEEDSVC_RELOAD_WATCH=str(watch).lower())
    service = Service(port, process, log)
    try:
        wait_for(service.is_ready, "the service to be ready")
        yield service
    finally:
        if process.poll() is None:
            service.stop()
