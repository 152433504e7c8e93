"""Serve: the first process, which sees that port and memory are free, and starts and watches the one that serves.

It imports what that one needs, which is forked from it, is there at once, and shares the memory that this takes.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing, contextmanager, suppress
from errno import EADDRINUSE
from functools import partial
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from feedsvc import log
from feedsvc.service import start
from feedsvc.stalls import cut_off_who_takes_nothing
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import AloneError, BusyError, StoreError
from feedsvc.store.place import check_sharing, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication

    from feedsvc.settings import Settings

# A document costs microseconds under the interpreter's lock, so few threads do; the rest are for the reloads that
# admin requests wait for (at most four), so that these never take a reader's.
_THREADS = 8
# For how long a client may take to send a request, or to think of the next one.
_IDLE_SECONDS = 10
# Of a request line and all headers, give or take what comes at once; who sends more is answered 431.
_REQUEST_BYTES = 32 * 1024
# At once, in one process; more wait until one of these ends, at the latest after the seconds above.
_CONNECTIONS = 4096
# A stop must be over within 5 s, whatever a reload is doing.
_STOP_SECONDS = 4


class StartError(Exception):
    """The service cannot start; the message says why and what to do."""


def serve(settings: Settings, admin_token: str | None) -> None:
    """Serve until a signal ends it.

    Raises:
        StartError: the port cannot be opened, or another service has the memory.
    """
    with ExitStack() as claims:
        address = claims.enter_context(_claimed(settings.host, settings.port, "--port"))
        if settings.admin.listen:
            if settings.admin_address == (settings.host, settings.port):
                raise StartError("admin.listen has the address of the feeds; choose another port for it")
            claims.enter_context(_claimed(*settings.admin_address, "admin.listen"))
        _check_store(settings)
        load = partial(start, settings, admin_token, _STOP_SECONDS)
        serve_http(address, settings.port, load, settings.workers)


def serve_http(address: str, port: int, load: Callable[[], WSGIApplication], workers: int = 1) -> None:
    """Serve what `load` makes in each serving process, until a signal ends it."""
    server = Granian(
        "feedsvc",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=_THREADS,
        backpressure=_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=_IDLE_SECONDS * 1000, max_buffer_size=_REQUEST_BYTES),
        workers_kill_timeout=_STOP_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_dictconfig=log.server_config(),
    )

    def begin() -> WSGIApplication:
        application = load()
        cut_off_who_takes_nothing(port)
        return application

    server.serve(target_loader=begin, wrap_loader=False)


def _check_store(settings: Settings) -> None:
    """Make sure that nobody else writes the memory: the serving process, which claims it, could not tell the user.

    Where several share it, nobody may write it for itself alone: such a one publishes no pages and archives.

    Raises:
        StartError: somebody does.
    """
    path = path_of(settings.store.url)
    try:
        if settings.is_shared:
            if path and settings.store.url.startswith("sqlite"):
                check_sharing(path)
            return
        with closing(DatabaseStore(settings.store.url, write=True)) as store:
            store.open()
    except (AloneError, BusyError) as error:
        raise StartError(str(error)) from error
    except StoreError:
        # The serving process says so, and goes on without.
        return


@contextmanager
def _claimed(host: str, port: int, setting: str) -> Iterator[str]:
    """The address to bind, for this process alone; a setting tells which.

    granian opens ports so that several processes may share one, and would share it with a stranger silently. So
    whether the port is free is asked here; and a socket that never listens keeps others from finding it free
    while the first reload runs.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        hint = f"; stop what runs there, or choose another with {setting}" if error.errno == EADDRINUSE else ""
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}{hint}") from error
    with socket.socket(family, socket.SOCK_STREAM) as claim:
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Where connections of another program linger, nothing can claim the port, and granian still can open it.
        with suppress(OSError):
            claim.bind(where)
        yield str(where[0])
