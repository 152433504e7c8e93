"""The address for operators: it goes on whatever happens."""

from __future__ import annotations

import http.client
import socket
import socketserver
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from service import PATIENCE_SECONDS, free_port

from feedsvc.web.apart import serve_apart

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    import pytest


def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answers nothing but that it is there."""
    start_response("204 No Content", [])
    return []


def test_connections_without_a_thread_take_no_place(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While the system has no more threads, connections are closed, and logged; afterwards all is as before."""

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    def status() -> int | None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
            with suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/health")
                return connection.getresponse().status
            return None

    port = free_port()
    serve_apart(application, "127.0.0.1", port)
    with monkeypatch.context() as patch:
        patch.setattr(socketserver.ThreadingMixIn, "process_request", refuse)
        assert [status() for _ in range(40)] == [None] * 40
    assert status() == 204
    assert caplog.text.count("an admin request failed") == 40


def test_what_asks_for_no_address_is_refused(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """In few words, and the log has no traceback."""
    port = free_port()
    serve_apart(application, "127.0.0.1", port)
    with closing(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)) as client:
        client.sendall(b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b" 400 " in answer.splitlines()[0]
    assert (caplog.text, capfd.readouterr().err) == ("", "")
