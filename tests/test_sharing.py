"""Processes that serve the same: their roles, what they tell, and how they are asked for a reload."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families
from replicas import Replica
from service import PATIENCE_SECONDS, TOKEN, begin, free_port, running, wait_for
from support import ROOT, write_article

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Answer

DATE = "2021-12-12T00:00:00Z"


def put(articles: Path, title: str) -> None:
    """Write the article."""
    write_article(articles, "a.md", title=title, webUrl="https://example.org/a", publishedDateTime=DATE)


def file_in(directory: Path) -> str:
    """The URL of a file that they share."""
    return f"sqlite:///{directory}/memory.db"


def reload(replica: Replica, query: str = "") -> tuple[int, dict[str, Any]]:
    """Have the publisher reload, through this one; it need not be the publisher."""
    answer = replica.ask(f"/admin/reload{query}", "POST", Authorization=f"Bearer {TOKEN}")
    return answer.status, json.loads(answer.body)


def titles(answer: Answer) -> list[str]:
    """The titles of the entries of an Atom feed."""
    return re.findall(r"<entry>.*?<title>(.*?)</title>", answer.body.decode(), re.DOTALL)


def test_what_is_changed_is_served_by_who_was_asked(tmp_path: Path, articles: Path) -> None:
    """A reload that one asks for is served there when it is answered, whoever it is that publishes."""
    put(articles, "First")
    store = file_in(tmp_path)
    with (
        Replica(tmp_path, "publisher", "publish", store, articles) as publisher,
        Replica(tmp_path, "reader", "serve", store) as reader,
    ):
        wait_for(reader.is_ready, "the first generation")
        assert titles(reader.ask("/feeds/all.atom")) == ["First"]
        for number in range(5):
            put(articles, f"Change {number}")
            status, told = reload(reader)
            assert status == 200, told
            assert (told["ok"], told["selected"]) == (True, 1)
            assert titles(reader.ask("/feeds/all.atom")) == [f"Change {number}"]
            assert reader.health()["generation"] >= told["generation"]
        # It was not told what the URLs begin with.
        wait_for(lambda: moved(reader).startswith(publisher.base_url), "the publisher's word")
        assert reload(publisher)[0] == 200
        # What a publisher alone answers, and what it does not.
        assert [publisher.ask(path).status for path in ("/health", "/health/ready", "/metrics")] == [200] * 3
        assert [publisher.ask(path).status for path in ("/", "/feeds/all.atom", "/feeds.opml")] == [404] * 3


def test_who_serves_waits_for_who_publishes(tmp_path: Path, articles: Path) -> None:
    """Before anything is published, a replica is not ready, says why, and answers for a moment later."""
    store = file_in(tmp_path)
    with Replica(tmp_path, "reader", "serve", store) as reader:
        wait_for(reader.is_up, "the port")
        health = reader.health()
        assert (health["status"], health["generation"]) == ("fail", 0)
        assert "publish" in health["output"]
        answer = reader.ask("/feeds/all.atom")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        put(articles, "First")
        with Replica(tmp_path, "publisher", "publish", store, articles):
            wait_for(reader.is_ready, "the first generation")
        assert titles(reader.ask("/feeds/all.atom")) == ["First"]


def test_health_tells_who_publishes(tmp_path: Path, articles: Path) -> None:
    """Every replica tells its generation, the store's, and who published last; that one knows that it is it."""
    put(articles, "First")
    store = file_in(tmp_path)
    with (
        Replica(tmp_path, "publisher", "publish", store, articles) as publisher,
        Replica(tmp_path, "reader", "serve", store) as reader,
    ):
        wait_for(reader.is_ready, "the first generation")
        wait_for(lambda: is_at_the_newest(reader), "the newest generation")
        found, own = reader.health(), publisher.health()
        assert own["publisher"]["name"] == found["publisher"]["name"]
        assert (own["publisher"]["is_here"], found["publisher"]["is_here"]) == (True, False)
        assert found["publisher"]["age_seconds"] < 30
        assert (own["role"], found["role"]) == ("publish", "serve")


def test_every_metric_of_replicas_is_documented(tmp_path: Path, articles: Path) -> None:
    """Each stands in docs/operations.md; the publisher tells what a service alone tells, and whether it is it."""
    write_article(articles, "b.md", title="Held", webUrl="https://example.org/b", published="false")
    put(articles, "First")
    store = file_in(tmp_path)
    with (
        Replica(tmp_path, "publisher", "publish", store, articles) as publisher,
        Replica(tmp_path, "reader", "serve", store) as reader,
    ):
        wait_for(reader.is_ready, "the first generation")
        for _ in range(2):
            reader.ask("/feeds/all.atom")
        documented = set(re.findall(r"`(feedsvc_[a-z_]+)`", (ROOT / "docs/operations.md").read_text("utf-8")))
        told = [metrics(each) for each in (publisher, reader)]
        assert documented == {name for found in told for name in found if name.startswith("feedsvc_")}
        assert [found["feedsvc_publisher"] for found in told] == [1, 0]
        wait_for(
            lambda: metrics(reader)["feedsvc_generation"] == reader.health()["generation"], "the same of both"
        )


def is_at_the_newest(replica: Replica) -> bool:
    """Whether it is well and serves what is published; a publisher that starts publishes more than once."""
    health = replica.health()
    return bool(health["status"] == "pass" and health["generation"] == health["store_generation"] > 0)


def moved(replica: Replica) -> str:
    """Where another spelling of a feed's path leads."""
    return replica.ask("/FEEDS/ALL.atom").headers["location"]


def metrics(replica: Replica) -> dict[str, float]:
    """What is told, by name; the last of each."""
    families = text_string_to_metric_families(replica.ask("/metrics").body.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_workers_of_one_host_take_over_from_each_other(tmp_path: Path, articles: Path) -> None:
    """One of them publishes; when it is killed another does. All of them end with the service."""
    put(articles, "First")
    with Replica(tmp_path, "host", "both", file_in(tmp_path), articles, FEEDSVC_WORKERS="3") as host:
        wait_for(host.is_ready, "the first generation")
        wait_for(lambda: host.health()["publisher"]["age_seconds"] is not None, "a publisher")
        name = host.health()["publisher"]["name"]
        os.kill(int(name.rpartition("/")[2]), signal.SIGKILL)
        wait_for(lambda: is_published_by_another(host, name), "another publisher")
        put(articles, "Second")
        wait_for(lambda: reloaded(host), "a reload")
        wait_for(lambda: titles(host.ask("/feeds/all.atom")) == ["Second"], "the change")
        workers = set(children(host.process.pid))
        assert len(workers) >= 3
        assert host.stop() == 0
    assert not [each for each in workers if Path(f"/proc/{each}").exists()]


def is_published_by_another(host: Replica, name: str) -> bool:
    """Whether somebody else publishes now."""
    # Who was connected to the one that was killed is cut off, as with any server.
    with suppress(OSError):
        return bool(host.health()["publisher"]["name"] != name)
    return False


def reloaded(host: Replica) -> bool:
    """Whether a reload succeeds."""
    with suppress(OSError):
        return reload(host)[0] == 200
    return False


def children(process: int) -> Iterator[int]:
    """The processes that a process has started."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(status.read_text().rpartition(") ")[2].split()[1]) == process:
                yield int(status.parent.name)


def test_what_one_publishes_for_itself_alone_is_not_shared(tmp_path: Path, articles: Path) -> None:
    """Beside a service that needs no others, none that share its file start, in whatever role, and each says which
    process has to be stopped; those who share it let no such one start; whoever comes after it goes on.
    """
    put(articles, "First")
    port = free_port()
    shares: list[tuple[str, ...]] = [("--workers", "2"), ("--role", "publish"), ("--role", "serve")]
    with running(tmp_path, articles, port=port) as alone:
        store = f"sqlite:///{tmp_path}/memory-{port}.db"
        for flags in shares:
            done = started(tmp_path, store, articles, *flags)
            assert (
                f"process {alone.process.pid} publishes {tmp_path}/memory-{port}.db for itself alone; stop it"
                in done
            )
    with Replica(tmp_path, "publisher", "publish", store, articles) as publisher:
        wait_for(publisher.is_up, "the port")
        wait_for(lambda: bool(publisher.health()["publisher"]["is_here"]), "the election")
        assert "another process writes" in started(tmp_path, store, articles)


def started(directory: Path, store: str, articles: Path, *flags: str) -> str:
    """What a service says that does not start."""
    log = directory / "refused.log"
    given = ("--store", store, "--articles", str(articles), *flags)
    process = begin(free_port(), log, *given)
    try:
        assert process.wait(PATIENCE_SECONDS) == 1
    finally:
        process.kill()
    return log.read_text("utf-8").splitlines()[-1]


def test_who_asks_for_a_reload_is_told_what_hinders_it(tmp_path: Path) -> None:
    """Where the database cannot be reached, a reload is refused at once, with the reason and no password."""
    store = f"postgresql://feedsvc:secret-of-theirs@127.0.0.1:{free_port()}/feedsvc"
    with Replica(tmp_path, "reader", "serve", store) as reader:
        wait_for(reader.is_up, "the port")
        status, told = reload(reader)
        assert (status, told["ok"]) == (503, False)
        assert "is it running" in told["error"]
        assert reader.health()["status"] == "fail"
        said = json.dumps([told, reader.health()]) + reader.log.read_text("utf-8")
        assert "secret-of-theirs" not in said
