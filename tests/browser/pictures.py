"""The host that articles take their pictures from: one that is not the service's, and notes who asks."""

from __future__ import annotations

import struct
import threading
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

from service import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

# The browser is told that this name is our port; every other name is unknown to it.
HOST = "pictures.example"


def png(width: int, height: int, red: int = 90, green: int = 130, blue: int = 170) -> bytes:
    """A picture in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = b"\0" + bytes((red, green, blue)) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(line * height)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class Pictures(ThreadingHTTPServer):
    """Has `/<width>x<height>.png`; whatever else is asked for is not found."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.referrers: list[str | None] = []
        # While it is not set, whoever asks has to wait.
        self.open = threading.Event()
        self.open.set()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        pictures = cast("Pictures", self.server)
        pictures.referrers.append(self.headers["Referer"])
        pictures.open.wait(PATIENCE_SECONDS)
        width, _, height = self.path.removeprefix("/").removesuffix(".png").partition("x")
        known = width.isdecimal() and height.isdecimal()
        body = png(int(width), int(height)) if known else b"not found"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "image/png" if known else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the name that http.server gave it
        """Say nothing."""


@contextmanager
def hanging() -> Iterator[Pictures]:
    """The host, while it is needed."""
    with Pictures() as pictures:
        thread = threading.Thread(target=pictures.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield pictures
        finally:
            pictures.open.set()
            pictures.shutdown()
            thread.join()
