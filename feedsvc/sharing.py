"""The serving process where several serve the same: it follows the store, and stands for who publishes.

`report` is its state for people and monitors.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feedsvc import __version__
from feedsvc.admission import find_document
from feedsvc.candidate import Candidate
from feedsvc.clock import iso, now
from feedsvc.documents.snapshot import Snapshot
from feedsvc.log import fields, logger
from feedsvc.metrics import make_shared_metrics
from feedsvc.replica import Replica
from feedsvc.store import shared
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.web.apart import serve_apart
from feedsvc.web.app import create_app
from feedsvc.web.counts import Counts
from feedsvc.web.wsgi import serve_documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from feedsvc.documents.document import Document
    from feedsvc.settings import Settings

# Whoever asked for a reload, and has its answer, waits for so long until this process serves what it made.
_SWAP_SECONDS = 15.0
_LOOK_SECONDS = 0.25
# A database that does not answer is not waited for.
_PATIENCE_SECONDS = 5.0
# What one that only publishes serves.
_NOTHING = Snapshot({}, {}, {}, frozenset(), None, None, datetime(2000, 1, 1, tzinfo=UTC), {})


def start_shared(settings: Settings, admin_token: str | None) -> WSGIApplication:
    """Begin to follow and to stand for election, as far as that is this process's role; the application."""
    replica = Replica(settings.store.url, settings.store.cache)
    replica.start(keep=settings.role != "publish")
    candidate = Candidate(settings) if settings.role != "serve" else None
    if candidate:
        candidate.start()
    logger.info(
        f"listening on {settings.public_url}/",
        extra=fields(host=settings.host, port=settings.port, role=settings.role),
    )
    return make_application(settings, replica, candidate, admin_token)


def make_application(
    settings: Settings, replica: Replica, candidate: Candidate | None, admin_token: str | None
) -> WSGIApplication:
    """The whole of what answers requests."""

    def snapshot() -> Snapshot | None:
        return replica.snapshot if settings.role != "publish" else _NOTHING

    def current_health() -> dict[str, object]:
        return report(replica, candidate, settings, now())

    def reload(*, accept: bool) -> dict[str, object]:
        return reload_shared(settings.store.url, replica, accept=accept)

    def base_url() -> str:
        # Who only serves need not be told what only the publisher needs.
        return replica.standing.base_url or replica.served.base_url or settings.public_url

    counts = Counts()
    metrics = make_shared_metrics(replica, candidate, counts, now) if settings.metrics else None
    trusted = settings.http.trusted_proxies

    def find(snapshot: Snapshot, path: str) -> Document | None:
        return find_document(snapshot, replica.grants, path)

    def application(token: str | None) -> WSGIApplication:
        app = create_app(snapshot, current_health, reload, base_url, token, metrics=metrics, trusted=trusted)
        return serve_documents(snapshot, app, counts, trusted, find)

    return for_all(application, settings, admin_token)


def for_all(
    application: Callable[[str | None], WSGIApplication], settings: Settings, admin_token: str | None
) -> WSGIApplication:
    """What is served at the port. Where there is an address for admin requests, they are taken there alone."""
    if settings.admin.listen is None:
        return application(admin_token)
    if admin_token is None:
        logger.warning("admin.listen is set, and no token: nobody can ask for a reload; set FEEDSVC_ADMIN_TOKEN")
    serve_apart(application(admin_token), *settings.admin_address)
    return application(None)


def reload_shared(url: str, replica: Replica, *, accept: bool) -> dict[str, object]:
    """Have whoever publishes reload, and wait until that is served here; what it tells of that."""
    store = DatabaseStore(url, write=False)
    store.place.patience_seconds = _PATIENCE_SECONDS
    try:
        number = shared.ask(store, now(), accept=accept)
        deadline = time.monotonic() + shared.ANSWER_SECONDS
        while (answer := shared.answer_of(store, number)) is None:
            if time.monotonic() > deadline:
                return {"ok": False, "error": "no publisher answers; is one running?"}
            threading.Event().wait(_LOOK_SECONDS)
    except StoreError as error:
        return {"ok": False, "error": str(error)}
    finally:
        store.close()
    told, generation, mark = answer
    served = replica.wait_for(generation, mark, _SWAP_SECONDS)
    late = (
        {} if served else {"ok": False, "error": f"generation {generation} is published, and not served here yet"}
    )
    return {**told, "generation": generation, **late}


def report(replica: Replica, candidate: Candidate | None, settings: Settings, now: datetime) -> dict[str, object]:
    """The state of a process that follows a store: `generation` is what it serves, the publisher is whoever is.

    `status` is fail where there is nothing to serve, and warn while what is served is not known to be the newest.
    """
    standing, snapshot = replica.standing, replica.snapshot
    read = standing.reloaded_at
    age = (now - read).total_seconds() if read else None
    heard = (now - replica.heard_at).total_seconds() if replica.heard_at else None
    late = 3 * settings.reload.every.total_seconds() + 60
    status, output = "pass", None
    if snapshot is None and settings.role != "publish":
        status, output = "fail", replica.error or "nothing has been published yet"
    elif replica.error:
        status, output = "warn", f"the last snapshot is served: {replica.error}"
    elif candidate and candidate.error:
        status, output = "warn", f"this process cannot publish: {candidate.error}"
    elif heard is not None and standing.generation < replica.served.generation:
        status, output = (
            "warn",
            "the store has something older than what is served; something newer is waited for",
        )
    elif standing.error:
        status, output = "warn", f"the last good state is served: {standing.error}"
    elif age is None or age > late:
        status, output = "warn", "the last snapshot is served: no publisher has read the directory for too long"
    body: dict[str, object] = {
        "status": status,
        "version": __version__,
        "serviceId": "feedsvc",
        "role": settings.role,
        "generation": replica.served.generation,
        "store_generation": standing.generation,
        "store_heard_seconds": None if heard is None else max(0, round(heard)),
        "publisher": {
            "name": standing.publisher or None,
            "term": standing.term,
            "age_seconds": None if age is None else max(0, round(age)),
            "reloaded_at": iso(read),
            "is_here": bool(candidate and candidate.term),
        },
        "content_changed_at": iso(snapshot.changed_at) if snapshot else None,
        "documents": len(snapshot.documents) if snapshot else 0,
    }
    return body | ({"output": output} if output else {})
