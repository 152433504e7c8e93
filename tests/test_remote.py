"""Asking a service to reload: what is said where something else answers."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest
from service import PATIENCE_SECONDS

from feedsvc.remote import RemoteError, reload_remote


def answering(listener: socket.socket, answer: bytes) -> None:
    """Take one connection, read a request, and answer this."""
    connection, _ = listener.accept()
    with closing(connection):
        connection.settimeout(PATIENCE_SECONDS)
        connection.recv(65536)
        connection.sendall(answer)


def http(status: str, body: bytes, length: int | None = None) -> bytes:
    """An answer; the length that it says it has may be another."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer as feedsvc does"),
        (b"", "no service answers"),
        (http("200 OK", b"<html>"), "does not answer as feedsvc does"),
        (http("200 OK", b"[]"), "does not answer as feedsvc does"),
        (http("200 OK", b"{}"), "does not answer as feedsvc does"),
        (http("200 OK", b"{", 100), "does not answer as feedsvc does"),
        (http("503 Service Unavailable", b"[]"), "answers 503: Service Unavailable"),
        (http("503 Service Unavailable", b"{", 100), "answers 503: Service Unavailable"),
        (http("503 Service Unavailable", b'{"error": "held"}'), "answers 503: held"),
    ],
)
def test_what_answers_otherwise_is_named(answer: bytes, expected: str) -> None:
    """A program of another kind, or one that is ended meanwhile, is an error of one line."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=answering, args=(listener, answer))
        thread.start()
        with pytest.raises(RemoteError, match=expected) as caught:
            reload_remote("127.0.0.1", listener.getsockname()[1], "a token", accept=False)
        thread.join()
    assert "\n" not in str(caught.value)
