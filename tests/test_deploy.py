"""nginx in front of two services, as the Compose setup has it: the very deploy/nginx.conf, and real processes."""

from __future__ import annotations

import http.client
import re
import select
import shutil
import socket
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from front import fronting, hanging, is_connected_to
from service import TOKEN, running, wait_for
from support import SEEDS, Answer, make_settings, write_article

from feedsvc.publisher import Publisher
from feedsvc.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from service import Service

BASE = "https://feeds.example"
# What readers and browsers send, and a few that are hard to read right.
ACCEPTED = (
    "gzip",
    "br",
    "gzip, deflate, br, zstd",
    "br;q=1.0, gzip;q=0.8, *;q=0.1",
    "",
    "identity",
    "deflate",
    "br;q=0, gzip",
    "br;q=0.0,gzip ; q=0.000",
    "gzip;q=0, br",
    "X-GZIP",
    "brotli, gzipped",
)
COLD = tuple(
    feed + ending
    for feed in ("/topics/ai", "/topics/ai-hardware", "/providers/techcrunch", "/providers/techwireasia-com")
    for ending in (".atom", ".rss", ".json")
)
PATHS = ("/feeds/all.atom", "/topics/ai.rss", "/providers/techcrunch.json", "/feeds.opml", "/", "/topics/ai")


@contextmanager
def two_services(directory: Path, articles: Path, http: str = "{}") -> Iterator[list[Service]]:
    """Two services that serve the same, and tell caches so."""
    configuration = directory / "two.yaml"
    configuration.write_text(f"http: {http}\nfeeds: {{changes: true}}\n", "utf-8")
    flags = ("--config", str(configuration), "--base-url", BASE)
    with running(directory, articles, *flags) as one, running(directory, articles, *flags) as other:
        yield [one, other]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Service]]:
    """Two services of the seeds; no test ends them."""
    with two_services(tmp_path_factory.mktemp("deploy"), SEEDS) as services:
        yield services


@pytest.fixture
def front(tmp_path: Path, services: list[Service]) -> Iterator[Service]:
    """The nginx of the Compose setup in front of them, with nothing in its cache."""
    with fronting(tmp_path, services) as front:
        yield front


def asked(services: Sequence[Service], labels: str = "") -> list[int]:
    """How many requests for documents each of these services has answered."""
    pattern = rf'^feedsvc_requests_total{{[^}}]*kind="document"[^}}]*{labels}[^}}]*}} ([0-9.]+)$'
    return [
        sum(int(float(number)) for number in re.findall(pattern, each.ask("/metrics").body.decode(), re.MULTILINE))
        for each in services
    ]


def statuses(front: Service, paths: Sequence[str]) -> list[int]:
    """What nginx answers to one request after the other, over one connection, and so from one of its processes:
    between two of them another one could take a request before this one has seen that the last is done.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)) as connection:
        found = []
        for path in paths:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            found.append(answer.status)
        return found


def entries(directory: Path) -> int:
    """How many answers are kept."""
    return sum(each.is_file() for each in (directory / "cache").rglob("*"))


def test_every_coding_is_answered_from_the_cache_as_the_service_answers_it(
    front: Service, services: list[Service], tmp_path: Path
) -> None:
    """In whatever words a reader accepts codings, and whoever asked before, it gets what the service itself gives:
    the same bytes, tag and coding. Of a document, no more than its three codings are kept.
    """
    for path in PATHS:
        bodies = set()
        for accepted in (*ACCEPTED, *reversed(ACCEPTED)):
            answer, own = (each.ask(path, Accept_Encoding=accepted) for each in (front, services[0]))
            assert answer.status == 200
            assert answer.body == own.body, (path, accepted)
            for name in ("content-encoding", "etag", "content-type", "vary", "cache-control", "link"):
                assert answer.headers.get(name) == own.headers.get(name), (path, accepted, name)
            bodies.add(answer.content)
        assert len(bodies) == 1
    assert entries(tmp_path) == 3 * len(PATHS)
    before = asked(services)
    for path in PATHS:
        assert front.ask(path, Accept_Encoding="gzip, br").headers["x-cache"] == "HIT"
    assert asked(services) == before


@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
def test_a_reader_that_has_it_is_answered_304_by_nginx(
    front: Service, services: list[Service], accepted: str
) -> None:
    """A tag, strong or weak or among others, and a date are compared with what is kept; no service is asked."""
    first = front.ask("/feeds/all.atom", Accept_Encoding=accepted)
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    before = asked(services)
    for known in (tag, f"W/{tag}", f'"another", {tag}'):
        answer = front.ask("/feeds/all.atom", Accept_Encoding=accepted, If_None_Match=known)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == tag
        assert {"cache-control", "vary"} <= answer.headers.keys()
    for date in (modified, "Fri, 01 Jan 2100 00:00:00 GMT"):
        assert front.ask("/feeds/all.atom", Accept_Encoding=accepted, If_Modified_Since=date).status == 304
    both = {"If_None_Match": tag, "If_Modified_Since": modified}
    assert front.ask("/feeds/all.atom", Accept_Encoding=accepted, **both).status == 304
    assert asked(services) == before


def test_the_tag_of_one_coding_is_none_of_another(front: Service) -> None:
    """Who has the gzip form and asks for plain bytes gets these."""
    tag = front.ask("/feeds/all.atom", Accept_Encoding="gzip").headers["etag"]
    for accepted in ("br", "identity"):
        for _ in range(2):
            assert front.ask("/feeds/all.atom", Accept_Encoding=accepted, If_None_Match=tag).status == 200


def test_a_conditional_first_request_fills_the_cache(front: Service, services: list[Service]) -> None:
    """A poll of what is not kept yet is answered 304, and the next reader gets the whole of it from the cache."""
    tag = services[0].ask("/feeds/all.rss", Accept_Encoding="br").headers["etag"]
    assert front.ask("/feeds/all.rss", Accept_Encoding="br", If_None_Match=tag).status == 304
    answer = front.ask("/feeds/all.rss", Accept_Encoding="br")
    assert (answer.status, answer.headers["x-cache"]) == (200, "HIT")
    assert b"<rss" in answer.content


def test_head_is_answered_from_the_cache(front: Service) -> None:
    """A HEAD has no body, and what it fetched is there for a GET."""
    head = front.ask("/feeds/all.rss", "HEAD")
    answer = front.ask("/feeds/all.rss")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-cache"] == "HIT"


def test_everything_that_is_served_is_public(front: Service, tmp_path: Path) -> None:
    """Each document and page that there is can be had through nginx; a name in place of a slug leads on."""
    seeds = shutil.copytree(SEEDS, tmp_path / "seeds")
    settings = make_settings(seeds, feeds__changes="true", base_url=BASE)
    snapshot = Publisher(settings).reload().state.snapshot
    assert snapshot
    paths = list(snapshot.paths())
    assert {"/", "/feeds.opml", "/changes.atom", "/feeds/all", "/topics/ai-hardware.json"} <= set(paths)
    for path in paths:
        assert front.ask(path).status == 200, path
    for kept in ("MISS", "HIT"):
        moved = front.ask("/topics/AI%20Hardware.atom")
        assert (moved.status, moved.headers["location"]) == (301, f"{BASE}/topics/ai-hardware.atom")
        assert moved.headers["x-cache"] == kept
    asked_first = front.ask("/feeds/all.atom", "OPTIONS", Origin="https://page.example")
    assert (asked_first.status, asked_first.headers["access-control-allow-methods"]) == (204, "GET, HEAD")


def test_nothing_else_is(front: Service, services: list[Service]) -> None:
    """Health, metrics and admin cannot be reached, however they are spelt, with the token or without."""
    app = create_app(lambda: None, dict, lambda **_: {}, lambda: BASE, "token", metrics=lambda: b"")
    inner = [rule.rule for rule in app.url_map.iter_rules()]
    assert {"/health", "/metrics", "/admin/reload"} <= set(inner)
    for path in inner:
        assert services[0].ask(path).status != 404
        for spelling in (
            path,
            f"{path}/",
            f"/{path}",
            f"/.{path}",
            f"/feeds/..{path}",
            f"/feeds/%2e%2e{path}",
            f"/feeds/..%2f{path[1:]}",
            f"/x/../feeds/../{path[1:]}",
            path.replace("e", "%65"),
            f"{path}?x=/feeds/",
            f"{path}#/feeds/",
            f"http://localhost{path}",
            f"http://localhost/feeds/..{path}",
        ):
            assert front.ask(spelling).status in {400, 404}, spelling
        # What nginx leaves as it is means nothing to a service either.
        for spelling in (f"/feeds/%252e%252e{path}", f"/feeds/..;{path}", f"/feeds/..%5c{path[1:]}"):
            assert front.ask(spelling).status == 404, spelling
    assert front.ask("/admin/reload", "POST", Authorization=f"Bearer {TOKEN}").status == 405
    assert front.ask("/feeds/all.atom", "POST").status == 405


def test_queries_and_spellings_make_no_entries(front: Service, services: list[Service], tmp_path: Path) -> None:
    """One document is kept once, whatever is written behind its path, or in place of its letters."""
    # Also where the first to ask spells it so: a service is asked for what will be kept.
    assert front.ask("/topics/%2e%2e/feeds/./all%2eatom?x").status == 200
    before, kept = asked(services), entries(tmp_path)
    for path in (
        *(f"/feeds/all.atom?{number}" for number in range(50)),
        "/feeds/all.atom?accept=1&utm_source=x",
        "/feeds/all.atom#top",
        "/feeds/all%2eatom",
        "/%66eeds/all.atom",
        "/topics/../feeds/./all.atom?x",
    ):
        answer = front.ask(path, Cookie=f"who={path}", Authorization="Basic eDp5", Cache_Control="no-cache")
        assert (answer.status, answer.headers["x-cache"]) == (200, "HIT"), path
    assert (asked(services), entries(tmp_path)) == (before, kept)


def test_what_is_not_there_is_not_kept(front: Service, tmp_path: Path) -> None:
    """A feed that is asked for before its first article is there at once when that comes."""
    for path in ("/topics/nothing.atom", "/feeds//all.atom", "/topics/a%3Fb%23c%25.atom", "/feeds/%0d%0aX:%20y"):
        for _ in range(2):
            answer = front.ask(path)
            assert (answer.status, answer.headers["x-cache"]) == (404, "MISS")
            assert answer.headers["content-type"] == "application/problem+json"
    assert entries(tmp_path) == 0


def test_both_services_are_asked_in_turn(front: Service, services: list[Service]) -> None:
    """What is not in the cache is fetched from both, half from each."""
    before = asked(services)
    assert statuses(front, COLD) == [200] * 12
    assert [now - then for now, then in zip(asked(services), before, strict=True)] == [6, 6]


def test_connections_to_services_are_kept(front: Service, services: list[Service]) -> None:
    """Nginx opens none for each request that it sends on."""
    assert not any(is_connected_to(each.port) for each in services)
    assert statuses(front, COLD) == [200] * 12
    assert all(is_connected_to(each.port) for each in services)


def test_many_who_ask_at_once_are_one_request(front: Service, services: list[Service]) -> None:
    """Of fifty readers that ask for what is not in the cache yet, one is sent on; all get the answer."""
    before = asked(services)
    request = b"GET /feeds/all.atom HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n"
    with hanging(*services):
        sockets = [socket.create_connection(("127.0.0.1", front.port), timeout=20) for _ in range(50)]
        for each in sockets:
            each.sendall(request)
        # nginx has seen them all by the time that it has answered as many later ones.
        for _ in sockets:
            assert front.ask("/health").status == 404
    answers = []
    for each in sockets:
        with each, each.makefile("rb") as stream:
            answers.append(stream.read())
    bodies = {answer.partition(b"\r\n\r\n")[2] for answer in answers}
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert len(bodies) == 1
    assert sum(asked(services)) == sum(before) + 1


def test_a_service_that_hangs_is_waited_for_by_few(front: Service, services: list[Service]) -> None:
    """While one of two takes requests and answers none, few readers wait for it; others are sent to the other. For
    one it cannot be, since nginx's processes learn of each other's requests a moment late.
    """
    request = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as opened:
        streams = []
        with hanging(services[0]):
            waiting = 0
            for path in COLD:
                each = opened.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=20))
                streams.append(opened.enter_context(each.makefile("rb")))
                each.sendall(request % path.encode())
                # Who waits goes on doing so, and so the next are sent to the other.
                answered, _, _ = select.select([each], [], [], 1)
                waiting += not answered
            assert is_connected_to(services[0].port)
        assert 1 <= waiting <= 3
        assert all(stream.read().startswith(b"HTTP/1.1 200 ") for stream in streams)


def test_what_is_stale_is_shown_while_it_is_fetched_anew(tmp_path: Path) -> None:
    """A reader never waits for what it could be shown: it gets what is kept; behind its back a service is asked
    with the tag, and answers 304 where nothing changed. What changed is what the next readers get.
    """
    articles = shutil.copytree(SEEDS, tmp_path / "articles")
    with two_services(tmp_path, articles, "{max_age: 1s}") as services, fronting(tmp_path, services) as front:
        path = "/feeds/all.atom"
        first = front.ask(path, Accept_Encoding="br")
        seen = set()

        def is_revalidated() -> bool:
            answer = front.ask(path, Accept_Encoding="br")
            seen.add(answer.headers["x-cache"])
            assert answer.body == first.body
            return sum(asked(services, 'status="304"')) > 0

        wait_for(is_revalidated, "nginx to ask whether it changed")
        assert seen <= {"HIT", "STALE", "UPDATING"}
        assert seen & {"STALE", "UPDATING"}
        assert sum(asked(services, 'status="200"')) == 1

        write_article(articles, "new.md", title="It is new", updatedDateTime="2021-12-14T00:50:00Z")
        for service in services:
            service.reload()
        seen.clear()

        def shows_it() -> bool:
            answer = front.ask(path, Accept_Encoding="br")
            seen.add(answer.headers["x-cache"])
            return b"It is new" in answer.content

        wait_for(shows_it, "the new article")
        assert seen <= {"HIT", "STALE", "UPDATING"}


def test_without_services_the_cache_answers(tmp_path: Path) -> None:
    """One service is enough for all. Without any, what was ever asked for is answered from the cache, stale, whole
    and in each coding, with 304 too, also by an nginx that is started then, and for longer than the service said;
    what was not is 503 for a moment. Once a service is back, what it does not have any more is gone.
    """
    # As in deploy/compose.yaml, but for the hour in which what is kept is shown while it is fetched anew.
    brief = "{max_age: 1s, stale_while_revalidate: 0s, stale_if_error: 0s}"
    with two_services(tmp_path, SEEDS, brief) as services, fronting(tmp_path, services) as front:
        kept = {
            (path, coding): front.ask(path, Accept_Encoding=coding)
            for path in PATHS
            for coding in ("br", "gzip", "identity")
        }
        services[0].stop()
        for ending in (".atom", ".rss", ".json"):
            assert front.ask(f"/topics/ai-hardware{ending}").status == 200
        services[1].stop()

        def is_stale() -> bool:
            return front.ask("/feeds/all.atom").headers["x-cache"] == "STALE"

        wait_for(is_stale, "what is kept to be no longer fresh")
        _shows(front, kept)
        front.stop()
        with fronting(tmp_path, services) as again:
            _shows(again, kept)
            missing = again.ask("/providers/techcrunch.rss")
            assert (missing.status, missing.headers["content-type"]) == (503, "application/problem+json")
            assert (missing.headers["retry-after"], missing.headers["cache-control"]) == ("5", "no-store")
            without_pages = tmp_path / "without_pages.yaml"
            without_pages.write_text(f"pages: false\nbase_url: {BASE}\n", "utf-8")
            with running(tmp_path, SEEDS, "--config", str(without_pages), port=services[0].port):
                assert again.ask("/providers/techcrunch.rss").status == 200
                assert again.ask("/topics/ai", Accept_Encoding="br").status == 404


def _shows(front: Service, kept: dict[tuple[str, str], Answer]) -> None:
    for (path, coding), before in kept.items():
        tag = before.headers["etag"]
        answer = front.ask(path, Accept_Encoding=coding)
        assert (answer.status, answer.headers["etag"]) == (200, tag), (path, coding)
        assert answer.body == before.body
        assert answer.headers["x-cache"] in {"HIT", "STALE"}
        assert front.ask(path, Accept_Encoding=coding, If_None_Match=tag).status == 304
