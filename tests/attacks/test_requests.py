"""Requests that no reader makes, to the port of a real service."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from service import running
from support import SEEDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service import Service

AREA = "HTTP"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The seeds, served."""
    with running(tmp_path_factory.mktemp("requests"), SEEDS) as service:
        yield service


def send(service: Service, request: bytes, patience: float = 10) -> bytes:
    """What the service answers to these bytes, until it closes the connection or says no more."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=patience) as connection:
        connection.sendall(request)
        found = b""
        try:
            while chunk := connection.recv(65536):
                found += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return found


# Each as it stands in the request line.
PATHS = (
    "/../etc/passwd", "/feeds/../../etc/passwd", "/feeds/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd",
    "/feeds/all.atom%00", "/feeds/all%00.atom", "/%00", "/feeds/..;/health", "/feeds/%5c..%5cx", "//feeds//all.atom",
    "/feeds/%c0%ae%c0%ae/x", "/feeds/%u002e%u002e/x", "/feeds/all.atom/", "/feeds/all.atom/..", "/%ff%fe", "/feeds/%",
    "/feeds/all.atom%0d%0aX-Injected:%20yes", "/topics/%0aSet-Cookie:a=b", "/topics/" + "a" * 6000, "/" + "../" * 500,
    "/.git/config", "/.env", "/feedsvc.db", "/seeds/", "/config/feedsvc.yaml", "/static/../feedsvc/cli.py",
)  # fmt: skip


def test_paths_that_lead_out_lead_nowhere(service: Service, tried: Callable[..., None]) -> None:
    """Whatever a path tries, it is no path of ours: 404 in few words, or where it is no request, 400."""
    for path in PATHS:
        answer = send(service, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split()[1] in {b"400", b"404"}, (path, head)
        assert b"X-Injected" not in head
        assert b"Set-Cookie" not in head
        assert len(body) < 200
    tried("paths that lead out: `..`, escaped, overlong, NUL, line ends", len(PATHS), "404, or 400")
