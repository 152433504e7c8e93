"""The Flask application: health, admin, redirects and errors. Documents never come here."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import quote

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import (
    Gone,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)

from feedsvc.documents.shelf import BusyError
from feedsvc.documents.snapshot import PRIVATE_PATHS
from feedsvc.log import fields, logger
from feedsvc.web.clients import FAILURES_SECONDS, MAX_FAILURES, Networks, Recent, client_of

if TYPE_CHECKING:
    from feedsvc.documents.snapshot import Snapshot
    from feedsvc.web.wsgi import SnapshotSource

Report: TypeAlias = Mapping[str, object]


class Reload(Protocol):
    """How the application asks for a reload."""

    def __call__(self, *, accept: bool) -> Report:
        """Reload now, and tell how that ended.

        Raises:
            TimeoutError: it has not ended for too long, and goes on.
        """


_UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# More at once would take the threads that readers need; each is answered by the reload that all wait for.
_MAX_WAITING_RELOADS = 4


def create_app(  # noqa: PLR0913 - each comes from elsewhere
    snapshot: SnapshotSource,
    health: Callable[[], Report],
    reload: Reload,
    base_url: Callable[[], str],
    admin_token: str | None,
    *,
    metrics: Callable[[], bytes] | None = None,
    trusted: Networks = (),
) -> Flask:
    """Make the application.

    Args:
        snapshot: the one that is served now, or None before the first.
        health: the state for people; its `status` is pass, warn or fail.
        reload: reloads now, and tells how that ended when the new snapshot is served; its `ok` is True or False.
            With `accept`, it publishes what would be held back as a mistake.
        base_url: tells what every URL begins with that a redirect names; the Host header is never that.
        admin_token: who has it may reload; where there is none, nobody may, and nothing shows that it exists.
        metrics: the state for Prometheus, in its text format; where there is none, nor is the route.
        trusted: the proxies that say truly whom they ask for.
    """
    app = Flask("feedsvc", static_folder=None)
    # A path is what it is: Flask must not tidy it up by a redirect of its own making.
    app.url_map.merge_slashes = False
    app.register_error_handler(HTTPException, _problem)
    app.register_error_handler(Exception, _unexpected)
    waiting = threading.BoundedSemaphore(_MAX_WAITING_RELOADS)

    @app.get("/health")
    def health_report() -> Response:
        report = health()
        return _json(report, 503 if report["status"] == "fail" else 200, "application/health+json")

    @app.get("/health/live")
    def live() -> Response:
        return _json({"status": "pass"}, 200, "application/health+json")

    @app.get("/health/ready")
    def ready() -> Response:
        up = snapshot() is not None
        return _json({"status": "pass" if up else "fail"}, 200 if up else 503, "application/health+json")

    if metrics:

        @app.get("/metrics")
        def metrics_report() -> Response:
            return Response(metrics(), headers=_UNKEPT, content_type=CONTENT_TYPE_LATEST)

    if admin_token:
        failures = Recent(FAILURES_SECONDS)

        @app.post("/admin/reload")
        def admin_reload() -> Response:
            _authorise(admin_token, failures, client_of(request.environ, trusted))
            if not waiting.acquire(blocking=False):
                raise ServiceUnavailable("Enough reloads are waiting already.", retry_after=5)
            try:
                report = reload(accept=request.args.get("accept") == "1")
            except TimeoutError as error:
                raise ServiceUnavailable(str(error), retry_after=60) from error
            finally:
                waiting.release()
            return _json(report, 200 if report["ok"] else 503, "application/json")

    app.register_error_handler(404, lambda error: _elsewhere(snapshot, base_url, error))
    return app


def _elsewhere(snapshot: SnapshotSource, base_url: Callable[[], str], error: HTTPException) -> Response:
    try:
        return _without_route(snapshot(), base_url(), error)
    except Exception as failure:  # noqa: BLE001 - nobody handles the errors of a handler
        return _unexpected(failure)


def _without_route(served: Snapshot | None, base_url: str, error: HTTPException) -> Response:
    """What no route answers: a name in the place of a slug, a retired feed, a method that no document has."""
    if served is None:
        return _problem(ServiceUnavailable("The articles have not been read yet.", retry_after=5))
    path = _path()
    try:
        if served.document(path):
            return _problem(MethodNotAllowed(["GET", "HEAD"], "This can only be read."))
        if served.is_retired(path):
            return _problem(Gone("This feed was given up, and will not come back."))
        target = served.redirect(path)
    except BusyError:
        return _problem(ServiceUnavailable("Enough pages are waited for already.", retry_after=1))
    if target is None and not served.whole:
        return _problem(ServiceUnavailable("The articles are still being read.", retry_after=5))
    return _moved(base_url + quote(target)) if target else _problem(error)


def _path() -> str:
    """The path that is asked for; none where it has control characters: no name has any."""
    # WSGI hands on bytes as Latin-1 (PEP 3333); names in paths are UTF-8.
    path: str = request.environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace")
    return "" if _CONTROL.search(path) else path


def _authorise(token: str, failures: Recent, client: str | None) -> None:
    """Let through who has the token; whoever guesses is not listened to for a while, whatever it says then."""
    client = client or request.environ.get("REMOTE_ADDR", "")
    if failures.count(client) >= MAX_FAILURES:
        raise TooManyRequests("Too many wrong tokens came from there.", retry_after=failures.seconds_left)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # Compared as bytes, in constant time; a header may hold any Latin-1 character.
    right = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not right:
        failures.add(client)
        logger.warning("admin request refused", extra=fields(path=request.path, client=client))
        raise Unauthorized("A bearer token is needed: the one that the service was started with.")


def _moved(location: str) -> Response:
    headers = {
        "Location": location,
        "Cache-Control": "public, max-age=3600",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(f"{location}\n", 301, headers, content_type="text/plain; charset=utf-8")


def _json(body: Report, status: int, media_type: str) -> Response:
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    return Response(text, status, _UNKEPT, content_type=media_type)


def _problem(error: HTTPException) -> Response:
    """An error as RFC 9457 wants it; what a client sent is not repeated."""
    status = HTTPStatus(error.code or 500)
    response = _json(
        {"title": status.phrase, "status": status.value, "detail": _detail(error)},
        status.value,
        "application/problem+json",
    )
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="feedsvc"'
    return response


def _detail(error: HTTPException) -> str:
    if isinstance(error, NotFound):
        return "There is no feed or page at this address."
    return error.description or ""


def _unexpected(error: Exception) -> Response:
    # What stands behind this may be a token.
    path = PRIVATE_PATHS if request.path.startswith(PRIVATE_PATHS) else request.path
    logger.error("request failed", exc_info=error, extra=fields(path=path))
    return _problem(HTTPException("Something went wrong here; it has been logged.", None))
