"""Apart: an address of its own for operators, which no proxy needs to lead to."""

from __future__ import annotations

import socket
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from feedsvc.log import logger

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

# For a client that sends nothing, or takes nothing.
_PATIENCE_SECONDS = 30
# At once; more are closed. Readers share the process, and must not feel what happens here.
_CONNECTIONS = 32


class _Handler(WSGIRequestHandler):
    """Answers a request; says nothing of it, and little of itself."""

    timeout = _PATIENCE_SECONDS

    def parse_request(self) -> bool:
        """Whether it can be answered; what asks for no address gets a 400."""
        if not super().parse_request():
            return False
        try:
            urlsplit(self.path)
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        return True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Errors are answered, and not logged."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are counted, and not logged; to write one down would take its address apart."""

    def version_string(self) -> str:
        """What the Server header says."""
        return "feedsvc"


class _Server(ThreadedWSGIServer):
    """Has a thread for each connection, and no more than so many."""

    free = threading.BoundedSemaphore(_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin to answer a connection, or close it."""
        if not self.free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            # There is no thread for it, which would release it.
            self.free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's
        """Say that a connection could not be answered."""
        logger.error("an admin request failed", exc_info=True)


def serve_apart(application: WSGIApplication, host: str, port: int) -> None:
    """Serve it there too, from threads of its own. Each serving process does: the system chooses among them.

    Raises:
        OSError: the address cannot be opened.
    """
    family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.create_server(where, family=family, reuse_port=True) as listening:
        # It has a copy of the descriptor.
        server = _Server(str(where[0]), port, application, handler=_Handler, fd=listening.fileno())
    threading.Thread(target=server.serve_forever, name="apart", daemon=True).start()
