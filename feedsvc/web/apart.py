"""Apart: an address of its own for operators, which no proxy needs to lead to."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

# For a client that sends nothing, or takes nothing.
_PATIENCE_SECONDS = 30


class _Handler(WSGIRequestHandler):
    """Answers a request; says nothing of it, and little of itself."""

    timeout = _PATIENCE_SECONDS

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Requests are counted, and not logged."""

    def version_string(self) -> str:
        """What the Server header says."""
        return "feedsvc"


def serve_apart(application: WSGIApplication, host: str, port: int) -> None:
    """Serve it there too, from threads of its own. Each serving process does: the system chooses among them.

    Raises:
        OSError: the address cannot be opened.
    """
    family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.create_server(where, family=family, reuse_port=True) as listening:
        # It has a copy of the descriptor.
        server = make_server(
            str(where[0]), port, application, threaded=True, request_handler=_Handler, fd=listening.fileno()
        )
    threading.Thread(target=server.serve_forever, name="apart", daemon=True).start()
