"""What slow clients cost others: how long polls take alone, and while 500 connections send a byte each second.

Usage: python benchmarks/slow.py [SECONDS]

The servers are those of polls.py, one after the other. One client asks over one connection, again and again; slow
ones that are cut off come again. What matters is the last column: the same server's polls, with and without them.
"""

from __future__ import annotations

import http.client
import socket
import statistics
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from floor import FEED
from polls import servers
from servers import HOST, cores, pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import Server

SLOW = 500
BYTES_EACH_SECOND = 1
REQUEST = f"GET {FEED} HTTP/1.1\r\nHost: {HOST}\r\nX-Long: ".encode()


class Crowd:
    """Slow connections: each has sent all of a request but its end, and adds a byte now and then."""

    def __init__(self, port: int, size: int) -> None:
        """So many of them."""
        self._port = port
        self.cut_off = 0
        self._begun = time.perf_counter()
        self._sent = 0
        self._all = [self._connect() for _ in range(size)]

    def _connect(self) -> socket.socket:
        each = socket.create_connection((HOST, self._port))
        each.sendall(REQUEST)
        each.settimeout(0)
        return each

    def go_on(self) -> None:
        """Send what is due, and come again where the server has cut one off."""
        due = (time.perf_counter() - self._begun) * len(self._all) * BYTES_EACH_SECOND
        while self._sent < due:
            place = self._sent % len(self._all)
            self._sent += 1
            if not self._add(self._all[place]):
                self._all[place].close()
                self._all[place] = self._connect()
                self.cut_off += 1

    @staticmethod
    def _add(each: socket.socket) -> bool:
        """Whether it is still open, a byte later."""
        try:
            each.send(b"x")
            with suppress(BlockingIOError):
                return bool(each.recv(4096))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Go."""
        for each in self._all:
            each.close()


def poll(port: int, seconds: float) -> Iterator[float]:
    """The seconds that each of a client's polls took."""
    client = http.client.HTTPConnection(HOST, port, timeout=30)
    deadline = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < deadline:
        client.request("GET", FEED, headers={"Accept-Encoding": "gzip"})
        answer = client.getresponse()
        answer.read()
        if answer.status != 200:
            sys.exit(f"a poll is answered {answer.status}")
        yield time.perf_counter() - begin
    client.close()


def measure(server: Server, seconds: float, slow: int) -> tuple[list[float], int]:
    """How long polls took beside so many slow clients, and how many of these were cut off."""
    crowd = Crowd(server.port, slow)
    took = []
    for each in poll(server.port, seconds):
        took.append(each)
        crowd.go_on()
    crowd.close()
    return took, crowd.cut_off


def p99(values: list[float]) -> float:
    """The 99th percentile, in milliseconds."""
    return statistics.quantiles(values, n=100)[98] * 1e3


def main() -> None:
    """Measure, and print a table."""
    # The service cuts off who needs longer than ten.
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    print(f"{'':20} {'polls':>7} {'p50 ms':>7} {'p99 ms':>7} {'slow':>5} {'cut off':>8}   p99 / alone")
    with servers() as all_, pinned(cores()[1]):
        for server in all_:
            alone, _ = measure(server, seconds, 0)
            beside, cut_off = measure(server, seconds, SLOW)
            for took, slow, lost, ratio in (
                (alone, 0, 0, ""),
                (beside, SLOW, cut_off, f"{p99(beside) / p99(alone):.2f}"),
            ):
                middle = statistics.median(took) * 1e3
                print(f"{server.name:20} {len(took):7} {middle:7.2f} {p99(took):7.2f} {slow:5} {lost:8}   {ratio}")


if __name__ == "__main__":
    main()
