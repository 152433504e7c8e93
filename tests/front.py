"""nginx in front of services, as deploy/nginx.conf says it."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from needs import need
from service import Service, free_port, wait_for
from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONFIGURATION = ROOT / "deploy/nginx.conf"


@contextmanager
def fronting(directory: Path, services: Sequence[Service], port: int | None = None) -> Iterator[Service]:
    """The nginx of the Compose setup in front of two services, its cache in this directory; ended at the end."""
    program = need("nginx", "nginx-light")
    port, inner_port = port or free_port(), free_port()
    addresses = {
        "replica-1:8080": f"127.0.0.1:{services[0].port}",
        "replica-2:8080": f"127.0.0.1:{services[1].port}",
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "127.0.0.1:8081": f"127.0.0.1:{inner_port}",
        "/tmp/": f"{directory}/",  # noqa: S108 - the container's own
        "/var/cache/nginx": f"{directory}/cache",
    }
    text = CONFIGURATION.read_text("utf-8")
    for theirs, ours in addresses.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    configuration, log = directory / "nginx.conf", directory / "nginx.log"
    configuration.write_text(text, "utf-8")
    # Started by root, it would become somebody to whom the tests' directory is closed.
    rest = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    with log.open("a", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [program, "-p", str(directory), "-e", "stderr", "-c", str(configuration), "-g", rest],
            stdout=stderr,
            stderr=stderr,
            text=True,
        )
    front = Service(port, process, log)
    within = Service(inner_port, process, log)

    def is_up() -> bool:
        assert process.poll() is None, f"nginx ended: {log.read_text('utf-8')}"
        try:
            return within.ask("/").status == 200
        except OSError:
            return False

    try:
        wait_for(is_up, "nginx to be up")
        yield front
    finally:
        front.stop(signal.SIGQUIT if process.poll() is None else signal.SIGTERM)


def serving_process(service: Service) -> int:
    """The process of a service that answers requests: the child of the first."""
    pid = service.process.pid
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return int(child)


@contextmanager
def hanging(*services: Service) -> Iterator[None]:
    """These services take requests, and answer none until the end."""
    pids = [serving_process(service) for service in services]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def is_connected_to(port: int) -> bool:
    """Whether anybody is, on this machine."""
    rows = Path("/proc/net/tcp").read_text("utf-8").splitlines()[1:]
    # Of each connection, the other end and whether it is established.
    return [f"0100007F:{port:04X}", "01"] in [row.split()[2:4] for row in rows]
