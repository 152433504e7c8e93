"""A reverse proxy between reader and service that notes what each asked and was answered, and changes nothing."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

from service import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

# These belong to a connection and not to a message (RFC 9110 §7.6.1).
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Exchange:
    """A request and how it was answered. Names of headers are in lower case."""

    path: str
    asked: dict[str, str]
    status: int
    size: int

    @property
    def conditional(self) -> bool:
        """Whether it asked for news only."""
        return "if-none-match" in self.asked or "if-modified-since" in self.asked


class Recorder(ThreadingHTTPServer):
    """Passes every request on to a service and its answer back, on a port of its own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.base_url = f"http://localhost:{self.server_port}"
        self.service_port = 0
        self._exchanges: list[Exchange] = []

    def note(self, exchange: Exchange) -> None:
        """Remember it."""
        self._exchanges.append(exchange)

    def take(self) -> list[Exchange]:
        """All since the last time, in order; a reader that has ended has none under way."""
        taken, self._exchanges = self._exchanges, []
        return taken


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        recorder = cast("Recorder", self.server)
        connection = http.client.HTTPConnection("127.0.0.1", recorder.service_port, timeout=PATIENCE_SECONDS)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        # Noted before it is answered: a reader may end as soon as it has the last byte.
        asked = {name.lower(): value for name, value in self.headers.items()}
        recorder.note(Exchange(self.path, asked, response.status, len(body)))
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the name that http.server gave it
        """Say nothing: it is noted."""


@contextmanager
def recording() -> Iterator[Recorder]:
    """A recorder that runs, and whose service is yet to be named."""
    with Recorder() as recorder:
        thread = threading.Thread(target=recorder.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield recorder
        finally:
            recorder.shutdown()
            thread.join()
