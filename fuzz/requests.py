"""Any request, as the HTTP server hands it on: an answer that HTTP allows, and never an error of ours."""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

from feedsvc.config import load_settings
from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.service import make_application

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_BASE = "https://feeds.example"
_TOKEN = "a token that is nowhere in the corpus"  # noqa: S105 - of nothing
_STATUSES = frozenset({200, 204, 301, 304, 400, 401, 404, 405, 410, 413, 415, 503})
_SEEDS = Path(__file__).parents[1] / "seeds"


def fuzz(data: bytes) -> None:
    """A method, a path and a query on three lines, then a header on each."""
    method, path, query, *headers = [*data.decode("latin-1").split("\n"), "", "", ""][:40]
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    for header in headers:
        name, _, value = header.partition(":")
        environ[_variable(name)] = value.strip()
    environ["wsgi.input"] = BytesIO(data)
    setup_testing_defaults(environ)
    answers: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, answer: list[tuple[str, str]], _error: object = None) -> Any:
        answers.append((status, answer))

    given = _application()(environ, start_response)
    body = b"".join(given)
    close = getattr(given, "close", None)
    if close:
        close()
    _check(answers, body, method)


def _variable(name: str) -> str:
    name = name.upper().replace("-", "_")
    return name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"


def _check(answers: list[tuple[str, list[tuple[str, str]]]], body: bytes, method: str) -> None:
    assert len(answers) == 1
    status, headers = int(answers[0][0][:3]), answers[0][1]
    assert status in _STATUSES, answers
    for name, value in headers:
        assert (name + value).isprintable(), headers
        assert value.isascii(), headers
        if name.lower() == "location":
            assert value.startswith(f"{_BASE}/"), headers
        if name.lower() == "content-length" and method != "HEAD" and status != 304:
            assert int(value) == len(body), headers
    if status >= 400 and body:
        assert json.loads(body)["status"] == status


@cache
def _application() -> WSGIApplication:
    """The whole application, of the seeds."""
    empty = Path(tempfile.mkdtemp()) / "empty.yaml"
    empty.touch()
    settings = load_settings(empty, {}, {"articles": str(_SEEDS), "base_url": _BASE, "store.url": "sqlite://"})
    publisher = Publisher(settings)
    outcome = publisher.reload()
    assert outcome.error is None
    schedule = Schedule(publisher.reload, timedelta(minutes=1))
    return make_application(publisher, schedule, settings, _TOKEN)
