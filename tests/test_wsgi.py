"""Documents over HTTP: the whole application, as a reader meets it."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import brotli
import pytest
from support import NOW, Answer, ask, make_settings, write_article

from feedsvc.documents.shelf import MAX_WAITING
from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.service import make_application

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIApplication

PATH = "/topics/ai.atom"


class Service:
    """The whole application over a directory, with a clock that the test sets."""

    def __init__(self, articles: Path) -> None:
        self.articles = articles
        self.now = NOW
        self.settings = make_settings(articles, base_url="https://feeds.example/base")
        self.publisher = Publisher(self.settings, lambda: self.now)
        self.schedule = Schedule(self.publisher.reload, timedelta(minutes=1), lambda: self.now)
        self.application: WSGIApplication = make_application(self.publisher, self.schedule, self.settings, None)

    def reload(self, seconds: int = 0) -> None:
        """Let time pass, and reload."""
        self.now += timedelta(seconds=seconds)
        assert self.publisher.reload().error is None

    def ask(self, path: str = PATH, method: str = "GET", **headers: str) -> Answer:
        """One request."""
        return ask(self.application, path, method, **headers)


@pytest.fixture
def service(articles: Path) -> Service:
    """A service with one article."""
    write_article(articles, body="<p>" + "body text " * 100 + "</p>")
    made = Service(articles)
    made.reload()
    return made


def test_a_feed(service: Service) -> None:
    """A feed's own URL answers 200 directly, with its type, validators and caching, and sets no cookie."""
    answer = service.ask()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert (
        answer.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
    )
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["last-modified"] == "Sat, 01 Jan 2022 00:00:00 GMT"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert not answer.headers["etag"].startswith("W/")
    assert "set-cookie" not in answer.headers
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/feeds/all", "/topics/ai", "/providers/example"])
def test_a_page(service: Service, path: str) -> None:
    """A page is HTML that may load nothing but pictures."""
    answer = service.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_codings(service: Service) -> None:
    """Each coding is answered as asked for, has a tag of its own, and is the same content."""
    plain, zipped, small = (
        service.ask(),
        service.ask(accept_encoding="gzip"),
        service.ask(accept_encoding="gzip, br"),
    )
    assert gzip.decompress(zipped.body) == brotli.decompress(small.body) == plain.body
    assert (zipped.headers["content-encoding"], small.headers["content-encoding"]) == ("gzip", "br")
    assert len({each.headers["etag"] for each in (plain, zipped, small)}) == 3
    refused = service.ask(accept_encoding="gzip;q=0, br;q=0, identity;q=0")
    assert (refused.status, refused.body) == (200, plain.body)


@pytest.mark.parametrize("coding", ["", "gzip", "br"])
def test_not_modified(service: Service, coding: str) -> None:
    """A 304 carries what the 200 would (PUBLISHING 23), without a body and the headers that tell of one."""
    whole = service.ask(accept_encoding=coding)
    answer = service.ask(accept_encoding=coding, if_none_match=whole.headers["etag"])
    assert (answer.status, answer.body) == (304, b"")
    for name in ("etag", "vary", "cache-control", "last-modified", "access-control-allow-origin"):
        assert answer.headers[name] == whole.headers[name]
    assert not {name for name in answer.headers if name.startswith("content-")}
    assert not {"link", "x-content-type-options"} & answer.headers.keys()


def test_a_tag_of_another_coding(service: Service) -> None:
    """A tag holds for its own coding only: the bytes that it stands for are others."""
    zipped = service.ask(accept_encoding="gzip").headers["etag"]
    assert service.ask(if_none_match=zipped).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '""'}, 200),
        ({"if_none_match": '"x"', "if_modified_since": "Fri, 31 Dec 2100 00:00:00 GMT"}, 200),
        ({"if_modified_since": "Sat, 01 Jan 2022 00:00:00 GMT"}, 304),
        ({"if_modified_since": "Sun, 02 Jan 2022 00:00:00 GMT"}, 304),
        ({"if_modified_since": "Fri, 31 Dec 2021 23:59:59 GMT"}, 200),
        ({"if_modified_since": "nonsense"}, 200),
        ({"accept": "application/rss+xml"}, 200),
        ({"a_im": "feed"}, 200),
        ({"range": "bytes=0-1"}, 200),
    ],
)
def test_conditions(service: Service, headers: dict[str, str], status: int) -> None:
    """Conditions are kept as RFC 9110 says; nothing makes it 406, 226 or 206."""
    assert service.ask(**headers).status == status


def test_lists_of_tags(service: Service) -> None:
    """A list of tags, weak or strong, with the right one in it, is a match."""
    tag = service.ask().headers["etag"]
    assert service.ask(if_none_match=f'"x", W/{tag}').status == 304


def test_head(service: Service) -> None:
    """HEAD is GET without a body."""
    for headers in ({}, {"accept_encoding": "br"}, {"if_none_match": "*"}):
        full, head = service.ask(**headers), service.ask(method="HEAD", **headers)
        assert (head.status, head.headers, head.body) == (full.status, full.headers, b"")


def modified(service: Service) -> datetime:
    """When the feed was last modified, as a header says."""
    return datetime.strptime(service.ask().headers["last-modified"], "%a, %d %b %Y %H:%M:%S %Z")  # noqa: DTZ007 - only compared


def test_withdrawing_an_article(service: Service) -> None:
    """A reader that asks by date alone is told that an article was withdrawn, also within the same second."""
    write_article(service.articles, "b.md", webUrl="https://example.org/b", title="Second")
    service.reload(60)
    since = service.ask().headers["last-modified"]
    before = modified(service)
    assert b"Second" in service.ask().body
    (service.articles / "b.md").unlink()
    service.reload()
    answer = service.ask(if_modified_since=since)
    assert answer.status == 200
    assert b"Second" not in answer.body
    assert modified(service) == before + timedelta(seconds=1)


def test_a_touch_changes_nothing(service: Service) -> None:
    """A file that is touched, or whose score changes, leaves every reader at 304."""
    tag = service.ask().headers["etag"]
    write_article(service.articles, body="<p>" + "body text " * 100 + "</p>", heat="77")
    service.reload(60)
    assert service.ask(if_none_match=tag).status == 304
    assert service.ask(if_modified_since="Sat, 01 Jan 2022 00:00:00 GMT").status == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_documents_can_only_be_read(service: Service, method: str) -> None:
    """Another method is 405, with what is allowed, as a problem."""
    for path in (PATH, "/", "/topics/ai"):
        answer = service.ask(path, method)
        assert answer.status == 405
        assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))
        assert answer.headers["content-type"] == "application/problem+json"


def test_preflight(service: Service) -> None:
    """A page elsewhere that wants to ask conditionally is given leave."""
    answer = service.ask(method="OPTIONS", access_control_request_headers="if-none-match")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert service.ask("/topics/ai", "OPTIONS").status == 405


def test_unknown(service: Service) -> None:
    """An unknown path is 404, short, as a problem, and does not repeat what was asked for."""
    answer = service.ask("/topics/<script>secret")
    problem = json.loads(answer.body)
    assert (answer.status, problem["status"], problem["title"]) == (404, 404, "Not Found")
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"secret" not in answer.body
    assert "set-cookie" not in answer.headers
    head = service.ask("/topics/none", "HEAD")
    assert (head.status, head.body) == (404, b"")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/topics/AI.atom", "/topics/ai.atom"),
        ("/topics/ai/", "/topics/ai"),
        ("/providers/example.org", "/providers/example"),
        ("/providers/example.org.rss", "/providers/example.rss"),
        ("/Providers/EXAMPLE", "/providers/example"),
    ],
)
def test_redirects(service: Service, path: str, target: str) -> None:
    """Another name for a feed is moved to its URL below the configured base, whatever host was asked."""
    answer = service.ask(path, host="evil.example", x_forwarded_host="evil.example")
    assert answer.status == 301
    assert answer.headers["location"] == f"https://feeds.example/base{target}"
    assert b"evil" not in answer.body
    assert service.ask(target).status == 200
    assert "set-cookie" not in answer.headers


def test_redirect_of_a_name_beyond_ascii(service: Service) -> None:
    """A name in any script leads to its feed; a server hands on its bytes as Latin-1 (PEP 3333)."""
    write_article(service.articles, topics="[Künstliche Intelligenz]")
    service.reload()
    path = "/topics/Künstliche Intelligenz.rss".encode().decode("latin-1")
    answer = service.ask(path)
    assert answer.status == 301
    assert answer.headers["location"] == "https://feeds.example/base/topics/kunstliche-intelligenz.rss"
    assert service.ask("/topics/\xff\xfe").status == 404


def test_a_shared_domain(service: Service) -> None:
    """A domain that holds several providers answers as a feed of its own."""
    write_article(
        service.articles, "b.md", webUrl="https://example.org/b", provider="{name: Second, domain: example.org}"
    )
    service.reload()
    answer = service.ask("/providers/example.org.atom")
    assert answer.status == 200
    assert answer.body.count(b"<entry>") == 2


def test_before_the_first_snapshot(articles: Path) -> None:
    """Before the articles were read, everything is 503 with the advice to come again; live is not ready."""
    service = Service(articles)
    answer = service.ask()
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.ask("/health/live").status == 200
    assert service.ask("/health/ready").status == 503
    assert service.ask("/health").status == 503


def test_health(service: Service) -> None:
    """A service that serves is ready, and tells what it serves."""
    assert service.ask("/health/ready").status == 200
    answer = service.ask("/health")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/health+json")
    assert json.loads(answer.body)["selected"] == 1


def test_a_broken_service_still_serves(service: Service) -> None:
    """While the directory cannot be read, the last good state is served and health warns."""
    tag = service.ask().headers["etag"]
    service.articles.rename(service.articles.with_name("away"))
    assert service.publisher.reload().error
    assert service.ask(if_none_match=tag).status == 304
    report = json.loads(service.ask("/health").body)
    assert report["status"] == "warn"
    assert "cannot be read" in report["output"]


def test_who_crawls_too_fast_comes_again_and_nobody_else_waits(service: Service) -> None:
    """PROMISE 6: while enough pages are waited for, another is 503 with Retry-After; feeds are there as ever."""
    assert service.publisher.snapshot
    assert service.publisher.snapshot.pages
    service.publisher.snapshot.pages.shelf.waiting = MAX_WAITING
    for path in ("/topics/ai", "/topics/AI/"):
        answer = service.ask(path)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1"), path
    assert service.ask().status == 200
    assert service.ask("/health").status == 200
    service.publisher.snapshot.pages.shelf.waiting = 0
    assert service.ask("/topics/ai").status == 200
