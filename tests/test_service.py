"""The service as its users meet it: a real process, real files, a real socket, feedparser as the reader."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import feedparser
import pytest
from service import PATIENCE_SECONDS, command, environment, free_port, running, wait_for
from support import ROOT, SEEDS, write_article

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service import Service

ENDINGS = (".atom", ".rss")
SEED_FEEDS = (
    "/feeds/all",
    "/topics/ai",
    "/topics/ai-hardware",
    "/providers/techcrunch",
    "/providers/techwireasia-com",
)
TECHCRUNCH = "https://techcrunch.com/2021/12/12/chinas-ai-giant-sensetime-postpones-ipo-after-us-blacklisting/"
TECHWIREASIA = (
    "https://techwireasia.com/2021/12/the-us-is-looking-to-shut-all-doors-for-chinese-chip-manufacturer-ai-giant/"
)
ALL_FEED_PATHS = tuple(path + ending for path in SEED_FEEDS for ending in ENDINGS)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The five real articles, served as `make serve` does; no test changes them."""
    with running(tmp_path_factory.mktemp("seeds"), SEEDS) as service:
        yield service


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the five real articles that a test may change."""
    return shutil.copytree(SEEDS, tmp_path / "copy")


def links(service: Service, path: str) -> list[str]:
    """What an independent reader finds in a feed, which must be one it takes without complaint."""
    answer = service.ask(path)
    assert answer.status == 200, path
    parsed = feedparser.parse(answer.body)
    assert parsed.bozo == 0, path
    return [entry.link for entry in parsed.entries]


def etags(service: Service) -> dict[str, str]:
    """The entity tag of every feed of the seeds."""
    return {path: service.ask(path).headers["etag"] for path in ALL_FEED_PATHS}


def contents(service: Service) -> list[tuple[bytes, str]]:
    """The bytes and the entity tag of every feed of the seeds."""
    answers = [service.ask(path) for path in ALL_FEED_PATHS]
    return [(answer.body, answer.headers["etag"]) for answer in answers]


def edit(path: Path, old: str, new: str) -> None:
    """Change a file as a publisher's script does."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_seed_feeds_hold_exactly_the_published_articles(seeds: Service) -> None:
    """Of the seeds, two articles are published; each feed holds those of its topic or provider, newest first."""
    for ending in ENDINGS:
        assert links(seeds, f"/feeds/all{ending}") == [TECHWIREASIA, TECHCRUNCH]
        assert links(seeds, f"/topics/ai{ending}") == [TECHWIREASIA, TECHCRUNCH]
        assert links(seeds, f"/topics/ai-hardware{ending}") == [TECHWIREASIA]
        assert links(seeds, f"/providers/techcrunch{ending}") == [TECHCRUNCH]
        assert links(seeds, f"/providers/techwireasia-com{ending}") == [TECHWIREASIA]


def test_domain_of_one_provider_redirects(seeds: Service) -> None:
    """A domain with one provider leads to that provider's page and feeds, for ever."""
    page = seeds.ask("/providers/techcrunch.com")
    assert (page.status, page.headers["location"]) == (301, f"{seeds.base_url}/providers/techcrunch")
    feed = seeds.ask("/providers/techcrunch.com.atom")
    assert (feed.status, feed.headers["location"]) == (301, f"{seeds.base_url}/providers/techcrunch.atom")


def test_provider_with_only_held_articles_is_unknown(seeds: Service) -> None:
    """A provider none of whose articles was ever published is 404, in every form."""
    for path in ("/providers/reuters", "/providers/reuters.atom", "/providers/reuters.com"):
        assert seeds.ask(path).status == 404


def test_nothing_secured_leaves(seeds: Service) -> None:
    """No part of a `secured` field is in anything that is served, in any coding."""
    secrets = [
        match[start : start + 12]
        for file in SEEDS.iterdir()
        for match in re.findall(r'secured: "([^"]+)"', file.read_text("utf-8"))
        for start in range(0, len(match) - 12, 12)
    ]
    assert len(secrets) > 100
    pages = ("/", "/health", "/health/ready", "/nowhere", *SEED_FEEDS, *ALL_FEED_PATHS)
    served = "".join(seeds.ask(path).body.decode() for path in pages)
    assert not [secret for secret in secrets if secret in served]


def test_health_of_the_seeds(seeds: Service) -> None:
    """Health counts files, articles, selected and held ones, and names the superseded revision."""
    answer = seeds.ask("/health")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/health+json"
    report = seeds.health()
    assert report["status"] == "pass"
    assert (report["files"], report["articles"], report["selected"]) == (5, 4, 2)
    assert report["held"] == {"unpublished": 2}
    assert report["problems"] == 0
    assert report["superseded"] == [
        {"file": "000_5f820907c64a49d9.txt", "by": "001_ead6f760b060af40.txt"},
    ]
    assert report["reload_age_seconds"] < 120


def test_start_says_in_three_lines_what_where(seeds: Service) -> None:
    """The start says what was found, what is served, and where; nothing else."""
    lines = seeds.log.read_text("utf-8").splitlines()[:3]
    assert "found 5 files: 4 articles, 2 selected, 2 held (2 unpublished), 0 problems" in lines[0]
    assert "serving 5 feeds" in lines[1]
    assert f"listening on {seeds.base_url}/" in lines[2]


def test_subscribing_and_polling(seeds: Service) -> None:
    """A reader that polls with what it was given is answered 304, in every coding; HEAD is GET without a body."""
    for path in ALL_FEED_PATHS:
        for coding in ("identity", "gzip", "br"):
            first = seeds.ask(path, Accept_Encoding=coding)
            assert first.status == 200
            head = seeds.ask(path, "HEAD", Accept_Encoding=coding)
            assert head.body == b""
            assert {**head.headers, "date": ""} == {**first.headers, "date": ""}
            for condition in (
                {"If_None_Match": first.headers["etag"]},
                {"If_Modified_Since": first.headers["last-modified"]},
            ):
                again = seeds.ask(path, Accept_Encoding=coding, **condition)
                assert (again.status, again.body) == (304, b"")
                for name in ("etag", "last-modified", "vary", "cache-control", "date"):
                    assert name == "date" or again.headers[name] == first.headers[name]


def test_codings_hold_the_same_document(seeds: Service) -> None:
    """What is sent compressed is the plain document."""
    plain = seeds.ask("/topics/ai.atom")
    packed = seeds.ask("/topics/ai.atom", Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body)


@pytest.mark.parametrize("path", ["//topics/ai.atom", "/topics/../feeds/all.atom", "/%2e%2e/etc/passwd", "/a%00b"])
def test_path_tricks_are_not_found(seeds: Service, path: str) -> None:
    """A path is what it is: nothing is tidied up, and nothing but a document is found."""
    answer = seeds.ask(path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_publishing_an_article_shows_it_within_one_interval(copy: Path, tmp_path: Path) -> None:
    """An article that becomes published appears by the interval alone; feeds without it are not touched."""
    with running(tmp_path, copy, "--reload-every", "1s") as service:
        before = etags(service)
        edit(copy / "003_efb2269f08c59097.txt", "published: false", "published: true")
        wait_for(lambda: service.ask("/providers/reuters.atom").status == 200, "the article to appear")
        assert len(links(service, "/providers/reuters.atom")) == 1
        assert len(links(service, "/topics/ai.rss")) == 3
        after = etags(service)
        # TechCrunch's article names it among its related coverage, now that it is not held back.
        showing = ("/feeds/all", "/topics/ai.", "/providers/techcrunch.")
        untouched = [path for path in ALL_FEED_PATHS if not path.startswith(showing)]
        assert {path: after[path] for path in untouched} == {path: before[path] for path in untouched}
        assert all(after[path] != before[path] for path in ALL_FEED_PATHS if path not in untouched)


def test_changing_a_score_changes_nothing(copy: Path, tmp_path: Path) -> None:
    """Publishers touch files far more often than they change articles: a poll after that is still 304."""
    with running(tmp_path, copy) as service:
        before = etags(service)
        edit(copy / "001_ead6f760b060af40.txt", "heat: 94", "heat: 12")
        report = service.reload()
        assert (report["parsed"], report["rendered"]) == (1, 0)
        assert etags(service) == before


def test_withdrawing_an_article(copy: Path, tmp_path: Path) -> None:
    """An article that is held back again leaves its feeds, and a reader that asks only by date is told."""
    with running(tmp_path, copy) as service:
        before = service.ask("/topics/ai.atom")
        edit(copy / "004_71654b3a5fabec81.txt", "published: true", "published: false")
        service.reload()
        assert links(service, "/topics/ai.atom") == [TECHWIREASIA]
        since = before.headers["last-modified"]
        assert service.ask("/topics/ai.atom", If_Modified_Since=since).status == 200
        assert links(service, "/providers/techcrunch.atom") == []


def test_breaking_a_file(copy: Path, tmp_path: Path) -> None:
    """A file that breaks keeps its last good state and is named; nothing else is held up."""
    with running(tmp_path, copy) as service:
        before = etags(service)
        (copy / "004_71654b3a5fabec81.txt").write_text("---\ntitle: [half\n", "utf-8")
        write_article(copy, "new.md", title="New", topics="[Fresh]")
        report = service.reload()
        assert report["ok"]
        assert report["problem_count"] == 1
        assert report["problems"][0].startswith("004_71654b3a5fabec81.txt:")
        assert service.health()["status"] == "pass"
        assert links(service, "/topics/fresh.rss") == ["https://example.org/a"]
        assert service.ask("/providers/techcrunch.atom").headers["etag"] == before["/providers/techcrunch.atom"]


def test_losing_the_directory(copy: Path, tmp_path: Path) -> None:
    """Without its directory the service serves the last snapshot, says so, and recovers by itself."""
    with running(tmp_path, copy) as service:
        before = etags(service)
        copy.rename(tmp_path / "away")
        assert service.reload()["http_status"] == 503
        report = service.health()
        assert report["status"] == "warn"
        assert "cannot be read" in report["output"]
        assert service.ask("/health/ready").status == 200
        assert etags(service) == before
        (tmp_path / "away").rename(copy)
        assert service.reload()["ok"]
        assert service.health()["status"] == "pass"
        assert etags(service) == before


def test_restart_gives_the_same_bytes(copy: Path, tmp_path: Path) -> None:
    """A restart, also in another place and with other file times, changes no byte and no entity tag."""
    port = free_port()
    with running(tmp_path, copy, port=port) as service:
        before = contents(service)
    moved = tmp_path / "elsewhere"
    copy.rename(moved)
    for file in moved.iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    with running(tmp_path, moved, port=port) as service:
        after = contents(service)
    assert after == before


def test_dated_article_appears_by_itself(articles: Path, tmp_path: Path) -> None:
    """A future article appears at its time, without an edit, a restart, or the interval."""
    due = datetime.now(UTC) + timedelta(seconds=4)
    write_article(articles, publishedDateTime=due.strftime("%Y-%m-%dT%H:%M:%SZ"), topics="[Later]")
    with running(tmp_path, articles, "--reload-every", "1h") as service:
        if datetime.now(UTC) < due - timedelta(seconds=1.5):
            assert service.ask("/topics/later.atom").status == 404
            assert service.health()["held"] == {"scheduled": 1}
        wait_for(lambda: service.ask("/topics/later.atom").status == 200, "the article to be released")
        assert datetime.now(UTC) >= due.replace(microsecond=0)


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_stop_is_clean_and_lets_requests_finish(articles: Path, tmp_path: Path, with_signal: int) -> None:
    """A signal ends it within 5 s with status 0, and whoever was being answered gets the whole answer."""
    body = " ".join(f"word{number}" for number in range(15_000))
    for number in range(40):
        write_article(articles, f"{number}.md", body, webUrl=f"https://example.org/{number}")
    with running(tmp_path, articles) as service:
        size = int(service.ask("/feeds/all.atom", "HEAD").headers["content-length"])
        assert size > 4_000_000
        with socket.create_connection(("127.0.0.1", service.port)) as reader:
            reader.sendall(b"GET /feeds/all.atom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            received = reader.recv(1000)
            begin = time.monotonic()
            stopper = threading.Thread(target=service.stop, args=(with_signal,))
            stopper.start()
            while chunk := reader.recv(1_000_000):
                received += chunk
            stopper.join(PATIENCE_SECONDS)
        assert time.monotonic() - begin < 5
        assert service.process.returncode == 0
        assert len(received.partition(b"\r\n\r\n")[2]) == size
        assert "Traceback" not in service.log.read_text("utf-8")


def test_killed_supervisor_takes_the_port_along(articles: Path, tmp_path: Path) -> None:
    """Even kill -9 leaves nothing behind that would keep the port."""
    with running(tmp_path, articles) as service:
        service.stop(signal.SIGKILL)

        def port_is_free() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", service.port)) != 0

        wait_for(port_is_free, "the port to be free again")
    with running(tmp_path, articles, port=service.port) as again:
        assert again.health()["status"] == "pass"


def test_busy_port_is_said_in_one_line(seeds: Service) -> None:
    """A second service on the same port ends with status 1 and one line that says what to do."""
    second = subprocess.run(
        command("serve", "--port", str(seeds.port)),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr == (
        f"feedsvc: cannot listen on 127.0.0.1 port {seeds.port}: Address already in use; "
        "stop what runs there, or choose another with --port\n"
    )


def test_host_header_reaches_nothing(seeds: Service) -> None:
    """Whatever host a client names, redirects and documents name the configured one."""
    answer = seeds.ask("/providers/techcrunch.com", Host="evil.example")
    assert answer.headers["location"].startswith(seeds.base_url)
    assert b"evil" not in seeds.ask("/topics/ai", Host="evil.example").body


def test_port_is_taken_from_the_first_moment(articles: Path) -> None:
    """While the first reload of a service still runs, no second one takes its port."""
    for number in range(300):
        write_article(articles, f"{number}.md", "[" * 20_000, webUrl=f"https://example.org/{number}")
    port = free_port()
    arguments = command("serve", "--articles", str(articles), "--port", str(port))
    first = subprocess.Popen(arguments, cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL)
    try:

        def is_taken() -> bool:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return True
                return False

        wait_for(is_taken, "the port to be claimed")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, "the first reload ended too early for this test"
        second = subprocess.run(
            arguments,
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert second.returncode == 1
        assert "Address already in use" in second.stderr
    finally:
        first.terminate()
        first.wait(PATIENCE_SECONDS)
    assert first.returncode == 0


def test_release_that_falls_due_without_the_directory_is_made_up_for(articles: Path, tmp_path: Path) -> None:
    """A dated article that falls due while the directory is gone costs one failed reload, and no storm of them."""
    due = datetime.now(UTC) + timedelta(seconds=3)
    write_article(articles, publishedDateTime=due.strftime("%Y-%m-%dT%H:%M:%SZ"), topics="[Later]")
    with running(tmp_path, articles, "--reload-every", "2s") as service:
        articles.rename(tmp_path / "away")
        wait_for(lambda: datetime.now(UTC) > due + timedelta(seconds=1), "the moment to pass")
        assert service.log.read_text("utf-8").count("reload failed") < 10
        (tmp_path / "away").rename(articles)
        wait_for(lambda: service.ask("/topics/later.atom").status == 200, "the interval to make up for it")
