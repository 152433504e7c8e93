"""Readers that poll all the while, each one replica, over real sockets."""

from __future__ import annotations

import gzip
import http.client
import random
import threading
import time
from typing import TYPE_CHECKING, Self

from service import PATIENCE_SECONDS

from chaos.articles import DOCUMENTS, numbers_in
from chaos.judge import Heard

if TYPE_CHECKING:
    from replicas import Replica

    from chaos.judge import Judge

# After so many requests a connection is given up, as readers come and go.
_REQUESTS = 20
_CODINGS = ("identity", "gzip")


class Reader:
    """One that asks one replica for one document after the other, now with the tag of what it has, now without."""

    def __init__(self, replica: Replica, judge: Judge, pause: float, paths: tuple[str, ...] = DOCUMENTS) -> None:
        """Of whom it asks, to whom it tells, how long it rests between two requests, and what it asks for."""
        self._replica = replica
        self._judge = judge
        self._pause = pause
        self._paths = paths
        self._dice = random.Random(replica.name)  # noqa: S311 - dice
        # What it has of a document, by path and coding: its tag, and the changes that it shows.
        self._had: dict[tuple[str, str], tuple[str, frozenset[int]]] = {}
        self._connection: http.client.HTTPConnection | None = None
        self._asked = 0
        # In which turn of the replica's it answered last.
        self._answered: int | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll, name=f"reader of {replica.name}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._over.wait(self._pause):
            path, coding = self._dice.choice(self._paths), self._dice.choice(_CODINGS)
            turn, floor = self._replica.turns, self._judge.newest(self._replica.name)
            try:
                heard = self._ask(path, coding)
            except (OSError, http.client.HTTPException) as error:
                # One that is killed, frozen or just beginning need not answer.
                if self._answered == turn == self._replica.turns and not self._over.is_set():
                    self._judge.complain(f"{self._replica.name}: no answer for {path}: {error!r}")
            except Exception as error:  # noqa: BLE001 - no thread may end unheard
                self._judge.complain(f"{self._replica.name}: {path}: {error!r}")
            else:
                self._answered = turn
                self._judge.take(heard, floor)
        self._hang_up()

    def _ask(self, path: str, coding: str) -> Heard:
        """Ask, again over a new connection where an old one turned out to be closed, as every client does."""
        used = self._connection is not None
        try:
            return self._request(path, coding)
        except (ConnectionError, http.client.HTTPException):
            self._hang_up()
            if not used:
                raise
        except OSError:
            self._hang_up()
            raise
        return self._request(path, coding)

    def _request(self, path: str, coding: str) -> Heard:
        if self._connection is None or self._asked >= _REQUESTS:
            self._hang_up()
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._replica.port, timeout=PATIENCE_SECONDS
            )
        tag, numbers = self._had.get((path, coding), ("", frozenset()))
        headers = {"Accept-Encoding": coding}
        if tag and self._dice.random() < 0.5:
            headers["If-None-Match"] = tag
        asked = time.time()
        self._asked += 1
        self._connection.request("GET", path, headers=headers)
        response = self._connection.getresponse()
        body = response.read()
        at = time.time()
        if response.status != 304:
            if response.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            tag, numbers = response.headers["ETag"] or "", frozenset(numbers_in(body))
        if response.status == 200:
            self._had[path, coding] = tag, numbers
        return Heard(asked, at, self._replica.name, path, coding, response.status, tag, numbers)

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection, self._asked = None, 0
