"""Serve: the HTTP server, and behind it the publisher and its schedule, in one process.

granian keeps a second, small process that does nothing but start the serving one, again should it crash.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from errno import EADDRINUSE
from functools import partial
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from feedsvc import health, log
from feedsvc.clock import now
from feedsvc.log import fields, logger
from feedsvc.metrics import make_metrics
from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.store.database import DatabaseStore
from feedsvc.store.store import BusyError, StoreError
from feedsvc.watch import Watch
from feedsvc.web.app import create_app
from feedsvc.web.counts import Counts
from feedsvc.web.wsgi import serve_documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication

    from feedsvc.outcome import Outcome
    from feedsvc.settings import Settings

# A document costs microseconds under the interpreter's lock, so few threads do; the rest are for the reloads that
# admin requests wait for (at most four), so that these never take a reader's.
_THREADS = 8
# A stop must be over within 5 s, whatever a reload is doing.
_STOP_SECONDS = 4


class StartError(Exception):
    """The service cannot start; the message says why and what to do."""


def serve(settings: Settings, admin_token: str | None) -> None:
    """Serve until a signal ends it.

    Raises:
        StartError: the port cannot be opened, or nobody could ever send the token.
    """
    if admin_token and not admin_token.isascii():
        raise StartError("FEEDSVC_ADMIN_TOKEN has letters beyond ASCII, which no HTTP header can carry")
    with _claimed(settings.host, settings.port) as address:
        _check_store(settings)
        serve_http(address, settings.port, partial(start, settings, admin_token))


def serve_http(address: str, port: int, load: Callable[[], WSGIApplication]) -> None:
    """Serve what `load` makes in the serving process, until a signal ends it."""
    server = Granian(
        "feedsvc",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=_THREADS,
        workers_kill_timeout=_STOP_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_dictconfig=log.server_config(),
    )
    server.serve(target_loader=load, wrap_loader=False)


def _check_store(settings: Settings) -> None:
    """Whether nobody else writes the memory: the serving process, which claims it, could not tell the user."""
    try:
        with closing(DatabaseStore(settings.store.url, write=True)) as store:
            store.open()
    except BusyError as error:
        raise StartError(str(error)) from error
    except StoreError:
        # The serving process says so, and goes on without.
        return


def start(settings: Settings, admin_token: str | None) -> WSGIApplication:
    """In the serving process, before the port is opened: the first reload, the schedule, the application.

    Where there is something to serve until then, the first reload is not waited for.
    """
    log.configure(settings.log.level, settings.log.format)
    _end_with_parent()
    publisher = Publisher(settings, store=DatabaseStore(settings.store.url, write=True))
    schedule = Schedule(publisher.reload, settings.reload.every)

    def begin() -> None:
        gc.disable()
        try:
            schedule.reload()
        finally:
            gc.enable()
        # Nearly all that is there now stays for long: going through it again and again would find no garbage, and
        # make requests wait.
        gc.freeze()
        _give_back_memory()
        schedule.start()
        if settings.reload.watch:
            Watch(settings.articles, schedule.reload).start()
        _announce(publisher, settings)

    publisher.open()
    opening = publisher.snapshot
    if opening:
        documents = health.count_of(len(opening.documents), "document")
        logger.info(f"serving {documents} of before the start; the articles are being read")
        threading.Thread(target=_or_end, args=(begin,), name="begin", daemon=True).start()
    else:
        begin()
    return make_application(publisher, schedule, settings, admin_token)


def _or_end(begin: Callable[[], None]) -> None:
    """A service that cannot begin must not look as if it had: the process ends, and is started again."""
    try:
        begin()
    except Exception:  # noqa: BLE001 - logged, and told by the end
        logger.exception("the start failed")
        os._exit(1)


def _give_back_memory() -> None:
    """What the first reload needed for a moment, and nothing will need again, is for others.

    glibc keeps it unless it is told: with 100,000 articles a quarter of all that the process holds.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def make_application(
    publisher: Publisher, schedule: Schedule, settings: Settings, admin_token: str | None
) -> WSGIApplication:
    """The whole of what answers requests."""

    def current_health() -> dict[str, object]:
        opening = publisher.last is None and publisher.snapshot is not None
        return health.report(publisher.state, publisher.last, settings.reload.every, now(), opening=opening)

    def reload(*, accept: bool) -> dict[str, object]:
        return reload_report(schedule.reload(accept=accept))

    counts = Counts()
    metrics = make_metrics(publisher, counts, now) if settings.metrics else None
    app = create_app(
        lambda: publisher.snapshot, current_health, reload, settings.public_url, admin_token, metrics=metrics
    )
    return serve_documents(lambda: publisher.snapshot, app, counts)


def reload_report(outcome: Outcome) -> dict[str, object]:
    """What the caller of an admin reload is told."""
    state = outcome.state
    problems = state.problems
    return {
        "ok": outcome.error is None,
        "error": outcome.error,
        "seconds": round(outcome.seconds, 3),
        "files": len(state.library.files),
        "parsed": state.library.parsed,
        "articles": len(state.articles),
        "selected": len(state.selection.articles),
        "held": state.held,
        "feeds": len(state.snapshot.feeds) if state.snapshot else 0,
        "rendered": state.snapshot.rendered if state.snapshot else 0,
        "problem_count": len(problems),
        "problems": [str(problem) for problem in problems[:100]],
    }


def _announce(publisher: Publisher, settings: Settings) -> None:
    state = publisher.state
    if state.snapshot:
        logger.info(f"found {health.summary(state)}", extra=fields(articles=str(settings.articles)))
        logger.info(f"serving {health.served(state.snapshot.feeds, pages=settings.pages)}")
    logger.info(
        f"listening on {settings.public_url}/",
        extra=fields(
            host=settings.host,
            port=settings.port,
            reload_every=f"{int(settings.reload.every.total_seconds())}s",
        ),
    )


@contextmanager
def _claimed(host: str, port: int) -> Iterator[str]:
    """The address to bind, for this process alone.

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
        hint = "; stop what runs there, or choose another with --port" if error.errno == EADDRINUSE else ""
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}{hint}") from error
    with socket.socket(family, socket.SOCK_STREAM) as claim:
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Where connections of another program linger, nothing can claim the port, and granian still can open it.
        with suppress(OSError):
            claim.bind(where)
        yield str(where[0])


def _end_with_parent() -> None:
    """Should granian's first process be killed outright, let the port go too."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        # The first process would see to it that the stop ends; nobody else does.
        time.sleep(_STOP_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()
