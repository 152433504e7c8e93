"""granian alone: a WSGI function that answers with the bytes of a feed, and looks at nothing but If-None-Match.

Usage: python benchmarks/floor.py PORT SOURCE

SOURCE is the port of the service whose answers are repeated. The server is set as that of the service.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from servers import HOST, ask

from feedsvc.serve import serve_http

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

FEED = "/feeds/all.atom"


def make_application(source: int) -> WSGIApplication:
    """The function."""
    whole = ask(source, FEED, headers={"Accept-Encoding": "gzip"})
    headers = [(name, value) for name, value in whole.headers.items() if name not in {"date", "server"}]
    short = [(name, value) for name, value in headers if not name.startswith("content-")]
    body = [whole.body]
    none: list[bytes] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if "HTTP_IF_NONE_MATCH" in environ:
            start_response("304 Not Modified", short)
            return none
        start_response("200 OK", headers)
        return none if environ["REQUEST_METHOD"] == "HEAD" else body

    return application


if __name__ == "__main__":
    serve_http(HOST, int(sys.argv[1]), partial(make_application, int(sys.argv[2])))
