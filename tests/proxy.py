"""A proxy that the tests own, between a process and a server: the network, and what can become of it."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Coroutine

_PIECE = 2**16
# Whoever closes with this setting does not wait for what is under way, and sends RST.
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards connections to a port of this machine, until it is told otherwise.

    All is done by one thread of its own; what a method says holds when it returns.
    """

    def __init__(self, port: int) -> None:
        """Listen, and forward to this port."""
        self._upstream = port
        self._refusing = False
        self._delay = 0.0
        self._links: set[asyncio.Task[None]] = set()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(listener.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        # Nothing passes while it is not set.
        self._open = asyncio.Event()
        self._open.set()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=listener))
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy of {port}")
        self._thread.start()

    def url(self, url: str) -> str:
        """The URL of what is behind it, by way of it."""
        return make_url(url).set(host="127.0.0.1", port=self.port).render_as_string(hide_password=False)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._links)

    def cut(self) -> None:
        """Close every connection at once, with RST, at both ends."""
        self._wait(self._cut())

    def refuse(self) -> None:
        """Close new connections at once; those that are there stay."""
        self._wait(self._set(refusing=True))

    def freeze(self) -> None:
        """Be a black hole: connections are taken and kept, and nothing passes that is not under way.

        What is sent meanwhile passes later, when it is restored.
        """
        self._wait(self._set(frozen=True))

    def delay(self, seconds: float) -> None:
        """Let each piece, of up to 64 KiB, wait so long on its way."""
        self._wait(self._set(delay=seconds))

    def restore(self) -> None:
        """Forward as at first."""
        self._wait(self._set())

    def close(self) -> None:
        """Cut every connection, and listen no more."""
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self, doing: Coroutine[None, None, None]) -> None:
        """Have the thread do something, and wait until it has."""
        asyncio.run_coroutine_threadsafe(doing, self._loop).result()

    async def _set(self, *, refusing: bool = False, frozen: bool = False, delay: float = 0) -> None:
        self._refusing, self._delay = refusing, delay
        if frozen:
            self._open.clear()
        else:
            self._open.set()

    async def _cut(self) -> None:
        tasks = list(self._links)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)

    async def _end(self) -> None:
        self._server.close()
        # Who is just arriving ends at once.
        self._refusing = True
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await self._cut()
            await asyncio.wait(others)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first moment to its last."""
        if self._refusing:
            _reset(writer)
            return
        task = asyncio.current_task()
        assert task
        self._links.add(task)
        ends = [writer]
        try:
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            ends.append(far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._forward(reader, far_writer))
                both.create_task(self._forward(far_reader, writer))
        except* (OSError, asyncio.CancelledError):
            # Whatever ends the one ends the other too.
            for end in ends:
                _reset(end)
        else:
            for end in ends:
                end.close()
        self._links.remove(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            piece = await reader.read(_PIECE)
            if self._delay:
                await asyncio.sleep(self._delay)
            await self._open.wait()
            if not piece:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    # It may have closed by itself, after an error.
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
