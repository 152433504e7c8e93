"""The serving process: the publisher, its schedule, and the application, which reads the snapshot from memory."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from feedsvc import health, heap, log, rules
from feedsvc.admission import Admission, find_document
from feedsvc.clock import now
from feedsvc.feeds.addresses import refused_slugs
from feedsvc.log import fields, logger
from feedsvc.metrics import make_metrics
from feedsvc.outcome import hint_of
from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.sharing import for_all, start_shared
from feedsvc.store.database import DatabaseStore
from feedsvc.waiting import within
from feedsvc.watch import Watch
from feedsvc.web.app import create_app
from feedsvc.web.counts import Counts
from feedsvc.web.wsgi import serve_documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from feedsvc.documents.document import Document
    from feedsvc.documents.snapshot import Snapshot
    from feedsvc.settings import Settings

# For so long, a request waits for the interpreter while a reload has it. Python's own 5 ms were most of what the
# slowest polls took while files changed.
_SWITCH_SECONDS = 0.001


def start(settings: Settings, admin_token: str | None, stop_seconds: float) -> WSGIApplication:
    """Before the port is opened: the first reload, the schedule, the application.

    Where there is something to serve until then, the first reload is not waited for.
    """
    log.configure(settings.log.level, settings.log.format)
    sys.setswitchinterval(_SWITCH_SECONDS)
    _end_with_parent(stop_seconds)
    if settings.is_shared:
        return start_shared(settings, admin_token)
    publisher = Publisher(settings, store=DatabaseStore(settings.store.url, write=True))
    schedule = Schedule(publisher.reload, settings.reload.every)
    admission = Admission(DatabaseStore(settings.store.url, write=False), lambda: _is_any_private(publisher))

    def begin() -> None:
        gc.disable()
        try:
            schedule.reload()
        finally:
            gc.enable()
        # Slugs may be others now, and tokens follow.
        admission.look()
        # Nearly all that is there now stays for long: going through it again and again would find no garbage, and
        # make requests wait.
        gc.freeze()
        heap.give_back()
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
    admission.start()
    return make_application(publisher, schedule, settings, admin_token, admission)


def _is_any_private(publisher: Publisher) -> bool:
    return publisher.snapshot is not None and publisher.snapshot.private is not None


def _or_end(begin: Callable[[], None]) -> None:
    """A service that cannot begin must not look as if it had: the process ends, and is started again."""
    try:
        begin()
    except Exception:  # noqa: BLE001 - logged, and told by the end
        logger.exception("the start failed")
        os._exit(1)


def make_application(
    publisher: Publisher,
    schedule: Schedule,
    settings: Settings,
    admin_token: str | None,
    admission: Admission | None = None,
) -> WSGIApplication:
    """The whole of what answers requests."""

    def current_health() -> dict[str, object]:
        opening = publisher.last is None and publisher.snapshot is not None
        every, laps = settings.reload.every, publisher.tally.running
        running = timedelta(seconds=laps.total) if laps else None
        return health.report(publisher.state, publisher.last, every, now(), opening=opening, running=running)

    def reload(*, accept: bool) -> dict[str, object]:
        seconds, laps = health.patience(settings.reload.every).total_seconds(), publisher.tally.running
        # Whoever waits for a stalled reload holds a thread until it ends: only those who came before may.
        if laps is None or laps.total < seconds:
            with suppress(TimeoutError):
                return health.reload_report(within(seconds, partial(schedule.reload, accept=accept)))
        raise TimeoutError(f"The reload takes longer than {seconds:.0f} s, and goes on; {health.STALLED}")

    counts = Counts()
    metrics = make_metrics(publisher, counts, now) if settings.metrics else None
    trusted = settings.http.trusted_proxies

    def snapshot() -> Snapshot | None:
        return publisher.snapshot

    def find(snapshot: Snapshot, path: str) -> Document | None:
        return find_document(snapshot, admission.grants if admission else {}, path)

    def application(token: str | None) -> WSGIApplication:
        app = create_app(
            snapshot, current_health, reload, lambda: settings.public_url, token, metrics=metrics, trusted=trusted
        )
        return serve_documents(snapshot, app, counts, trusted, find)

    return for_all(application, settings, admin_token)


def _announce(publisher: Publisher, settings: Settings) -> None:
    state = publisher.state
    if state.snapshot:
        logger.info(
            f"found {health.summary(state)}", extra=fields(articles=str(settings.articles), **hint_of(state))
        )
        logger.info(f"serving {health.served(state.snapshot.feeds, pages=settings.pages)}")
    for name, wanted, slug in refused_slugs(state.memory, rules.catalog(settings)):
        logger.warning(
            "a slug is not given, since it is or was the address of another feed",
            extra=fields(name=name, slug=wanted, kept=slug),
        )
    logger.info(
        f"listening on {settings.public_url}/",
        extra=fields(
            host=settings.host,
            port=settings.port,
            reload_every=f"{int(settings.reload.every.total_seconds())}s",
        ),
    )


def _end_with_parent(seconds: float) -> None:
    """Should granian's first process be killed outright, let the port go too."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        # The first process would see to it that the stop ends; nobody else does.
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()
