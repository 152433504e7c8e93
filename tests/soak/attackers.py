"""Attackers: each does one thing, again and again, and what it is answered must not be an error of ours."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from soak.answer import Crew, Told, abort, connect, send
from soak.articles import PROVIDERS, TOPICS

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

_CLOSE = b"Host: x\r\nConnection: close\r\n"
_ODD = (
    b"/../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd", b"/feeds/all.atom%00", b"//feeds//all.atom", b"/%ff%fe",
    b"/%", b"/feeds/all.atom/..", b"/topics/" + b"a" * 6000, b"/" + b"../" * 500, b"/.env", b"*", b"http://x/feeds/all.atom",
    b"/feeds/all.atom?" + b"x=1&" * 1000, b"/topics/%0aSet-Cookie:a=b", b"/providers/%F0%9F%92%A9.example", b"",
)  # fmt: skip
_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"BREW", b"")
_BOMBS = (
    b"X: y\r\n" * 5000,
    b"X: " + b"y" * 900_000 + b"\r\n",
    b"".join(b"X-%d: y\r\n" % number for number in range(2000)),
    b"If-None-Match: " + b'"x", ' * 20_000 + b"\r\n",
    b"Accept-Encoding: " + b"gzip;q=0.1, " * 5000 + b"\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Cookie: \x00\x01\xff\r\n",
)
# Slow ones hold so many connections, each for so many steps.
_HELD = 60
_STEPS = 300
_LARGE = b"/feeds/all.json"
_PAGES = (
    "/",
    "/feeds/all",
    *(f"/topics/t{n}" for n in range(TOPICS)),
    *(f"/providers/p{n}" for n in range(PROVIDERS)),
)
_ARCHIVES = tuple(
    f"{feed}/archive/{number}.{ending}"
    for feed in ("/feeds/all", "/topics/t0", "/topics/t1", "/providers/p0")
    for number in range(12)
    for ending in ("atom", "rss")
)


def _judged(what: str, answer: tuple[int, bytes]) -> Told:
    status, found = answer
    return Told(what, status, wrong=found[:300].decode("latin-1") if status >= 500 else "")


def wander(port: int, dice: random.Random) -> Iterator[Told]:
    """Paths that lead nowhere, by methods that do nothing."""
    while True:
        odd = dice.choice(_ODD) if dice.random() < 0.8 else b"/" + dice.randbytes(30).hex().encode()
        line = b"%s %s HTTP/1.1\r\n" % (dice.choice(_METHODS), odd)
        yield _judged("odd path", send(port, line + _CLOSE + b"\r\n"))


def bomb(port: int, dice: random.Random) -> Iterator[Told]:
    """Headers that are too many, too long, or no headers; and bytes that are no request."""
    while True:
        request = b"GET /feeds/all.atom HTTP/1.1\r\n" + _CLOSE + dice.choice(_BOMBS) + b"\r\n"
        yield _judged(
            "header bomb", send(port, request if dice.random() < 0.9 else dice.randbytes(3000) + b"\r\n\r\n")
        )


def dawdle(port: int, dice: random.Random) -> Iterator[Told]:
    """Many connections that send a byte now and then, or ask for much and read hardly any of it."""
    held: list[tuple[socket.socket, int]] = []
    while True:
        if len(held) < _HELD:
            connection = connect(port)
            connection.setblocking(False)
            if dice.random() < 0.5:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.send(b"GET %s HTTP/1.1\r\n%s\r\n" % (_LARGE, _CLOSE))
            else:
                connection.send(b"GET /feeds/all.atom HTTP/1.1\r\nX: ")
            held.append((connection, dice.randrange(_STEPS)))
        connection, left = held.pop(0)
        try:
            connection.send(b"y")
            is_open = bool(connection.recv(100))
        except BlockingIOError:
            is_open = True
        except OSError:
            is_open = False
        if is_open and left:
            held.append((connection, left - 1))
        else:
            connection.close()
        yield Told("slow step", 0)


def walk_away(port: int, dice: random.Random) -> Iterator[Told]:
    """Requests that are cut off: before their end, before the answer, or in the middle of it."""
    request = b"GET %s HTTP/1.1\r\n%s\r\n" % (_LARGE, _CLOSE)
    while True:
        connection = connect(port)
        lot = dice.random()
        connection.sendall(request if lot > 0.3 else request[: dice.randrange(1, len(request))])
        if lot > 0.6:
            connection.recv(dice.randrange(1, 3000))
        abort(connection)
        yield Told("aborted", 0)


def guess(port: int, dice: random.Random) -> Iterator[Told]:
    """Wrong tokens."""
    while True:
        token = dice.choice(
            (b"", b"Bearer", b"Bearer \xff", b"Basic eDp5", b"Bearer " + dice.randbytes(16).hex().encode())
        )
        request = b"POST /admin/reload?accept=1 HTTP/1.1\r\n%sAuthorization: %s\r\nContent-Length: 0\r\n\r\n"
        status, _ = send(port, request % (_CLOSE, token))
        yield Told("wrong token", status, wrong="" if status in {400, 401, 429} else f"{status} for {token!r}")


def crawl(port: int, dice: random.Random) -> Iterator[Told]:
    """Pages and archives, as fast as they come; who is told to come later comes at once."""
    while True:
        path = dice.choice(_PAGES + _ARCHIVES)
        status, found = send(port, b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), _CLOSE))
        asked_to_wait = status == 503 and b"\r\nretry-after:" in found.partition(b"\r\n\r\n")[0].lower()
        wrong = "" if status in {200, 404} or asked_to_wait else f"{path} is {status}"
        yield Told("crawl", status, wrong=wrong)


def hang_on(port: int, dice: random.Random) -> Iterator[Told]:
    """Connections that are opened, and nothing more, by the hundred; all are let go at once."""
    while True:
        held = [connect(port) for _ in range(200)]
        time.sleep(dice.random())
        for connection in held:
            connection.close()
        yield Told("idle hundreds", 0)


ATTACKERS: Crew = [
    (wander, 0.02),
    (bomb, 0.1),
    (dawdle, 0.02),
    (walk_away, 0.03),
    (guess, 0.05),
    (hang_on, 2.0),
    *[(crawl, 0.02)] * 6,
]
