"""Answers: what came of a request, and how one is sent byte by byte."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

# Nobody waits for longer than that.
PATIENCE_SECONDS = 20.0


class Told(NamedTuple):
    """What came of one request: who made it, what was answered (0: nothing), how long that took if that matters,
    and what should not have been.
    """

    what: str
    status: int
    seconds: float | None = None
    wrong: str = ""


# Somebody, by the port and the dice; and how long they rest between two requests.
One: TypeAlias = Callable[[int, random.Random], Iterator[Told]]
Crew: TypeAlias = list[tuple[One, float]]


def connect(port: int) -> socket.socket:
    """A connection to the service."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)


def send(port: int, request: bytes) -> tuple[int, bytes]:
    """The status and all bytes of the answer to these bytes, until the service closes; 0 where there is none."""
    found = b""
    with connect(port) as connection:
        try:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                found += chunk
        except ConnectionError:
            # What it did not read is why it may close hard; what it had said by then counts.
            pass
    words = found.split(b" ", 2)
    return (int(words[1]) if len(words) > 1 else 0), found


def abort(connection: socket.socket) -> None:
    """Close so that the other side is told of an error."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
