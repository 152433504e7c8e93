"""Health, admin and errors of the Flask application; what it calls is replaced by fakes."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from support import Answer, ask

from feedsvc.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feedsvc.documents.snapshot import Snapshot

TOKEN = "s3cret"


def app_with(
    *,
    token: str | None = TOKEN,
    status: str = "pass",
    reload: Callable[[], Mapping[str, object]] = lambda: {"ok": True},
    snapshot: Callable[[], Snapshot | None] = lambda: None,
) -> Callable[..., Answer]:
    """An application with these fakes, ready to be asked."""

    def asked(*, accept: bool) -> Mapping[str, object]:
        return {**reload(), "accepted": accept}

    app = create_app(snapshot, lambda: {"status": status}, asked, lambda: "https://feeds.example", token)

    def request(path: str, method: str = "GET", **headers: str) -> Answer:
        return ask(app, path, method, **headers)

    return request


def admin(request: Callable[..., Answer], given: str = f"Bearer {TOKEN}") -> Answer:
    """An admin reload with this Authorization header."""
    return request("/admin/reload", "POST", authorization=given)


@pytest.mark.parametrize(("status", "code"), [("pass", 200), ("warn", 200), ("fail", 503)])
def test_health_codes(status: str, code: int) -> None:
    """Pass and warn are 200, fail is 503."""
    answer = app_with(status=status)("/health")
    assert (answer.status, json.loads(answer.body)["status"]) == (code, status)
    assert answer.headers["content-type"] == "application/health+json"
    assert answer.headers["cache-control"] == "no-store"


def test_live_and_ready() -> None:
    """A process without a snapshot lives but is not ready."""
    request = app_with(status="fail")
    assert (request("/health/live").status, request("/health/ready").status) == (200, 503)
    assert request("/health/live", "HEAD").body == b""


def test_health_can_only_be_read() -> None:
    """Health answers another method with 405 and what is allowed."""
    answer = app_with()("/health", "POST")
    assert answer.status == 405
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", [None, ""])
def test_admin_is_off_without_a_token(token: str | None, method: str) -> None:
    """Without a token nothing shows that there is an admin URL, and nobody may use it."""
    request = app_with(token=token)
    answer, unknown = request("/admin/reload", method, authorization="Bearer "), request("/unknown", method)
    assert (answer.status, answer.body) == (unknown.status, unknown.body)


def test_reload() -> None:
    """Whoever has the token reloads, and is told how it ended."""
    answer = admin(app_with(reload=lambda: {"ok": True, "files": 3}))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == {"ok": True, "files": 3, "accepted": False}
    assert admin(app_with(), f"bearer  {TOKEN} ").status == 200


def test_a_reload_may_accept_a_loss() -> None:
    """`accept=1` is handed on, and nothing else is taken for it."""
    for query, accepted in (("accept=1", True), ("accept=0", False), ("accept=yes", False), ("", False)):
        answer = app_with()(f"/admin/reload?{query}", "POST", authorization=f"Bearer {TOKEN}")
        assert json.loads(answer.body)["accepted"] is accepted


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer x", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff\xfe", "\xe9 \xe9"],
)
def test_a_wrong_token(given: str) -> None:
    """Anything but the token is 401, says what is needed and reloads nothing, whatever bytes it has."""
    reloads: list[int] = []

    def reload() -> dict[str, object]:
        reloads.append(1)
        return {"ok": True}

    answer = admin(app_with(reload=reload), given)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert TOKEN.encode() not in answer.body
    assert not reloads


def test_no_authorization_header() -> None:
    """Without the header it is 401 too."""
    assert app_with()("/admin/reload", "POST").status == 401


def test_reload_by_get() -> None:
    """GET reloads nothing: 405, with what is allowed."""
    answer = app_with()("/admin/reload", authorization=f"Bearer {TOKEN}")
    assert answer.status == 405
    assert "POST" in answer.headers["allow"]


def test_a_failed_reload() -> None:
    """A reload that failed is 503 and says why."""
    answer = admin(app_with(reload=lambda: {"ok": False, "error": "no directory"}))
    assert (answer.status, json.loads(answer.body)["error"]) == (503, "no directory")


def test_an_unexpected_error_leaks_nothing() -> None:
    """An error that nobody thought of is 500 as a problem, without its text; the next request works."""
    failures = [RuntimeError("secret")]

    def reload() -> dict[str, object]:
        if failures:
            raise failures.pop()
        return {"ok": True}

    request = app_with(reload=reload)
    answer = admin(request)
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert b"secret" not in answer.body
    assert admin(request).status == 200


def test_an_unexpected_error_behind_a_path_leaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Nor does one where no route is: the log does not tell what may be a token."""

    def snapshot() -> Snapshot | None:
        raise RuntimeError("secret")

    request = app_with(snapshot=snapshot)
    answer = request("/private/atoken/topics/ai.atom")
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert b"secret" not in answer.body
    assert [record.getMessage() for record in caplog.records] == ["request failed"]
    assert "atoken" not in str([record.__dict__["fields"] for record in caplog.records])


def test_a_reload_that_takes_too_long() -> None:
    """Who has waited for a reload for too long is told to come later, and others may wait again."""

    def reload() -> dict[str, object]:
        raise TimeoutError("It goes on.")

    request = app_with(reload=reload)
    for _ in range(9):
        answer = admin(request)
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert json.loads(answer.body)["detail"] == "It goes on."


def test_too_many_waiting_reloads() -> None:
    """Four may wait for a reload; one more is told to come again, and is welcome when they are done."""
    arrived = threading.Semaphore(0)
    go = threading.Event()

    def reload() -> dict[str, object]:
        arrived.release()
        assert go.wait(10)
        return {"ok": True}

    request = app_with(reload=reload)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(admin(request).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert arrived.acquire(timeout=10)
    refused = admin(request)
    go.set()
    for thread in threads:
        thread.join(10)
    assert refused.status == 503
    assert int(refused.headers["retry-after"]) > 0
    assert answers == [200] * 4
    assert admin(request).status == 200


@pytest.mark.parametrize("path", ["//", "/a//b", "/%00", "/\x00", "/..", "/admin", "*", ""])
def test_strange_paths(path: str) -> None:
    """A strange path has an answer like any other, before the first snapshot 503."""
    assert app_with()(path).status == 503


def test_a_strange_host() -> None:
    """A Host header that is none does not bring the application down."""
    assert app_with()("/health", host="a b<>").status < 500
