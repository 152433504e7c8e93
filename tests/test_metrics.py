"""Metrics: what Prometheus reads, as its own parser understands it."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import NOW, ROOT, Answer, ask, make_settings, write_article

from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.service import make_application
from feedsvc.web.counts import Counts

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIApplication


LABELS = ("kind", "format", "status", "encoding", "result", "phase", "state", "reason")


class Site:
    """A whole application over a directory."""

    def __init__(self, articles: Path, **flags: str) -> None:
        settings = make_settings(articles, **flags)
        self.publisher = Publisher(settings, lambda: NOW)
        schedule = Schedule(self.publisher.reload, timedelta(minutes=1), lambda: NOW)
        self.application: WSGIApplication = make_application(self.publisher, schedule, settings, None)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request."""
        return ask(self.application, path, method, **headers)

    def metrics(self) -> dict[str, float]:
        """Every sample by its name and labels, as the official parser reads them."""
        answer = self.ask("/metrics")
        assert answer.status == 200
        return {
            " ".join(
                [sample.name, *(sample.labels[name] for name in LABELS if name in sample.labels)]
            ): sample.value
            for family in text_string_to_metric_families(answer.body.decode())
            for sample in family.samples
        }


@pytest.fixture
def site(articles: Path) -> Site:
    """One with an article, one that is held, and one file that is broken."""
    write_article(articles, body="word " * 500)
    write_article(articles, "b.md", webUrl="https://example.org/b", published="false", heat="warm")
    (articles / "c.md").write_text("---\ntitle: [\n---\n", "utf-8")
    made = Site(articles)
    made.publisher.reload()
    return made


def test_what_is_found_is_told(site: Site) -> None:
    """Files, articles, problems and feeds, by what they are."""
    found = site.metrics()
    assert (found["feedsvc_files usable"], found["feedsvc_files broken"]) == (2, 1)
    assert (found["feedsvc_articles_selected"], found["feedsvc_articles_held unpublished"]) == (1, 1)
    assert (found["feedsvc_problems fatal"], found["feedsvc_problems field"]) == (1, 1)
    assert found["feedsvc_feeds"] == 3
    assert found["feedsvc_snapshot_age_seconds"] > 0
    assert found["process_resident_memory_bytes"] > 10_000_000


def test_requests_are_counted(site: Site) -> None:
    """Each once, by what was answered, with the bytes that were sent."""
    answer = site.ask("/feeds/all.atom", accept_encoding="gzip")
    site.ask("/feeds/all.atom", if_none_match=answer.headers["etag"], accept_encoding="gzip")
    site.ask("/feeds/all.rss", "HEAD")
    site.ask("/topics/ai")
    site.ask("/feeds.opml")
    site.ask("/nothing")
    site.ask("/feeds/all.json", "POST")
    site.metrics()
    found = site.metrics()
    assert found["feedsvc_requests_total document atom 200 gzip"] == 1
    assert found["feedsvc_response_bytes_total document atom 200 gzip"] == len(answer.body)
    assert found["feedsvc_requests_total document atom 304 gzip"] == 1
    assert found["feedsvc_response_bytes_total document atom 304 gzip"] == 0
    assert found["feedsvc_requests_total document rss 200 identity"] == 1
    assert found["feedsvc_response_bytes_total document rss 200 identity"] == 0
    assert found["feedsvc_requests_total document html 200 identity"] == 1
    assert found["feedsvc_requests_total document opml 200 identity"] == 1
    assert found["feedsvc_requests_total other  404 identity"] == 1
    assert found["feedsvc_requests_total other  405 identity"] == 1
    assert found["feedsvc_requests_total other  200 identity"] == 1


def test_archives_are_counted_by_themselves(articles: Path) -> None:
    """Who walks chains of archives is told from who polls."""
    for number in range(3):
        write_article(articles, f"{number}.md", webUrl=f"https://example.org/{number}")
    site = Site(articles, feeds__entries="1")
    site.publisher.reload()
    site.ask("/feeds/all/archive/1.atom")
    assert site.metrics()["feedsvc_requests_total archive atom 200 identity"] == 1


def test_reloads_are_counted(site: Site, articles: Path) -> None:
    """By how they ended, with the time of each phase."""
    site.publisher.reload()
    articles.rename(articles.parent / "gone")
    site.publisher.reload()
    found = site.metrics()
    assert [found[f"feedsvc_reloads_total {result}"] for result in ("ok", "failed", "held")] == [2, 1, 0]
    for phase in ("recall", "read", "select", "render", "keep"):
        assert found[f"feedsvc_reload_seconds_total {phase}"] >= 0
    assert found["feedsvc_reload_seconds_total read"] > 0


def test_before_the_first_reload(articles: Path) -> None:
    """There is nothing to tell the age of, and all the rest."""
    found = Site(articles).metrics()
    assert found["feedsvc_feeds"] == 0
    assert "feedsvc_snapshot_age_seconds" not in found


def test_metrics_can_be_off(articles: Path) -> None:
    """Where nobody wants them, there is no such address."""
    site = Site(articles, metrics="false")
    site.publisher.reload()
    assert site.ask("/metrics").status == 404


def test_every_metric_is_documented(site: Site) -> None:
    """Each stands in docs/operations.md, and no other does."""
    site.ask("/feeds/all.atom")
    operations = (ROOT / "docs/operations.md").read_text("utf-8")
    told = {name.partition(" ")[0] for name in site.metrics()}
    documented = set(re.findall(r"`(feedsvc_[a-z_]+)`", operations))
    # Those that tests/test_replicas.py looks for.
    of_replicas = {
        f"feedsvc_{name}" for name in ("generation", "store_generation", "store_age_seconds", "publisher")
    }
    assert documented - of_replicas == {name for name in told if name.startswith("feedsvc_")}


def test_many_threads_count() -> None:
    """No answer is lost, whoever counts at the same time."""
    counts = Counts()

    def work() -> None:
        for _ in range(10_000):
            counts.add(("document", "atom", "200", "br"), 3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.totals() == {("document", "atom", "200", "br"): (40_000, 120_000)}
