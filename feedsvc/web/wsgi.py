"""The layer before Flask: a request for a document is one look-up, and no work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from feedsvc.documents.format import FORMATS
from feedsvc.documents.opml import OPML_TYPE
from feedsvc.documents.page import HTML_TYPE
from feedsvc.documents.shelf import BusyError
from feedsvc.documents.snapshot import Snapshot, is_archive
from feedsvc.web.clients import Networks, politeness
from feedsvc.web.conditional import choose_coding, is_fresh
from feedsvc.web.counts import Counts

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from feedsvc.documents.document import Document

SnapshotSource: TypeAlias = Callable[[], Snapshot | None]

# A page of another origin that asks conditionally is first asked for leave (Fetch §3.3).
_PREFLIGHT = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD"),
    ("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since, Cache-Control"),
    ("Access-Control-Max-Age", "86400"),
    ("Allow", "GET, HEAD, OPTIONS"),
]
# Whoever crawls pages and archives faster than they can be made; a moment later, some are.
_REFUSED = [("Content-Length", "0"), ("Cache-Control", "no-store")]
_BUSY = [("Retry-After", "1"), *_REFUSED]

# What the formats of documents are called where they are counted.
_FORMATS = {
    **{form.media_type: form.ending.removeprefix(".") for form in FORMATS.values()},
    OPML_TYPE: "opml",
    HTML_TYPE: "html",
}
_FEED_TYPES = _FORMATS.keys() - {HTML_TYPE}


def serve_documents(  # noqa: C901 - see below
    snapshot: SnapshotSource,
    otherwise: WSGIApplication,
    counts: Counts | None = None,
    trusted: Networks = (),
    find: Callable[[Snapshot, str], Document | None] = Snapshot.document,
) -> WSGIApplication:
    """A WSGI application that answers for documents, and leaves the rest to another; both are counted.

    A client that fetches the same bytes over and over, and never asks whether they changed, is told to wait.
    `trusted` are the proxies that say truly whom they ask for. `find` is asked for the document of a path at which
    there is none for everybody.
    """
    count = (counts or Counts()).add
    wait = politeness(trusted)

    # One function, since to call another costs more than most of what is done here.
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        now = snapshot()
        path = environ["PATH_INFO"]
        document = now.documents.get(path) if now else None
        kind = "document"
        if document is None:
            try:
                document = find(now, path) if now else None
            except BusyError:
                count(("busy", "", "503", "identity"), 0)
                start_response("503 Service Unavailable", _BUSY)
                return []
            except Exception:  # noqa: BLE001 - it fails again there, where it is logged and answered
                document = None
            kind = "archive" if is_archive(path) else "document"
        method = environ["REQUEST_METHOD"]
        if document is None or method not in {"GET", "HEAD"}:
            return others(document, environ, start_response)
        coding = choose_coding(environ.get("HTTP_ACCEPT_ENCODING", ""), document.variants)
        variant = document.variants[coding]
        tags = environ.get("HTTP_IF_NONE_MATCH")
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        # Nearly every poll says the very tag of the last answer.
        if tags == variant.etag or (
            (tags or since) and is_fresh(tags, since, variant.etag, document.last_modified)
        ):
            start_response("304 Not Modified", variant.not_modified_headers)
            count((kind, _FORMATS[document.media_type], "304", coding), 0)
            return []
        if method == "GET" and (seconds := wait(environ, variant.etag)):
            count((kind, _FORMATS[document.media_type], "429", "identity"), 0)
            start_response("429 Too Many Requests", [("Retry-After", str(seconds)), *_REFUSED])
            return []
        start_response("200 OK", variant.headers)
        body = (document.bodies.get(coding) or document.content) if method == "GET" else b""
        count((kind, _FORMATS[document.media_type], "200", coding), len(body))
        return [body] if body else []

    def others(
        document: Document | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if document and environ["REQUEST_METHOD"] == "OPTIONS" and document.media_type in _FEED_TYPES:
            count(("other", "", "204", "identity"), 0)
            start_response("204 No Content", _PREFLIGHT)
            return []

        def start(status: str, headers: Any, *error: Any) -> Any:
            count(("other", "", status[:3], "identity"), 0)
            return start_response(status, headers, *error)

        return otherwise(environ, start)

    return application
