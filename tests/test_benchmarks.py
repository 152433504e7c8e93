"""The benchmarks run: nothing here is timed, but what they claim of bytes and counts must hold in small too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from service import PATIENCE_SECONDS, environment
from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured")

# What docs/performance.md has to compare, with which peer, and how much of the peer's the service may take.
COMPARED = (
    ("200 gzip of a 50 KB feed, a request", "nginx", "CPU", "1.6"),
    ("304, a request", "nginx", "CPU", "2"),
    ("p99 at 64 connections, 200 gzip", "nginx", "time", "2"),
    ("cold load to all feeds served, medium", "Hugo", "time", "0.9"),
    ("cold load to all feeds served, big", "Hugo", "time", "0.8"),
    ("cold load to all feeds served, big", "Hugo", "memory", "0.15"),
    ("restart with unchanged files, to ready, big", "stat walk", "time", "5"),
    ("reload with nothing changed, big", "stat walk", "time", "1.5"),
    ("edit seen over HTTP, medium", "Hugo", "time", "0.3"),
    ("resident memory, shared pages counted once, big", "Hugo's peak", "memory", "0.1"),
)
GROWING = (
    "stat walk",
    "cold load to all feeds served",
    "restart with unchanged files, to ready",
    "restart, until the articles have been read",
    "reload with nothing changed",
    "reload of one edit",
    "resident memory",
    "poll, 200 gzip",
    "poll, 304",
)


def rows_of(page: str, title: str) -> list[list[str]]:
    """The cells of all rows below a title, without the heads of the tables."""
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [row for row in rows if row[0] != "work"]


def compared(page: str) -> list[tuple[str, str, str, str]]:
    """What a page compares; corpora are medium or big, whatever their sizes."""
    sizes = {"1,000": "medium", "10,000": "medium", "100,000": "big"}
    if "quick run" in page:
        sizes["10,000"] = "big"
    return [
        (re.sub(r", ([\d,]+) small, \d+ feeds$", lambda size: f", {sizes[size[1]]}", work), peer, what, rest[3])
        for work, peer, what, *rest in rows_of(page, "Beside others")
    ]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Path]:
    """The page that the benchmarks write where no peer is installed, what they warn of, and their cache."""
    cache = tmp_path_factory.mktemp("cache")
    page = cache / "performance.md"
    arguments = "--only growth edits --files 20 20 --articles 20 --feeds --runs 1".split()
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks/performance.py"), *arguments),
            *("--cache", str(cache), "--document", str(page)),
        ],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT), PATH=os.devnull),
        capture_output=True,
        text=True,
        timeout=6 * PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return page.read_text("utf-8"), done.stderr, cache


def test_the_page_compares_all_that_has_a_limit() -> None:
    """docs/performance.md has a row for everything that is compared with a peer, with its limit."""
    assert compared((ROOT / "docs/performance.md").read_text("utf-8")) == list(COMPARED)


def test_the_page_tells_how_costs_grow() -> None:
    """docs/performance.md tells them of several numbers of articles, and of several numbers of feeds."""
    page = (ROOT / "docs/performance.md").read_text("utf-8")
    works = [work for work, *costs in rows_of(page, "How cost grows") if len(costs) > 1 and all(costs)]
    assert all(works.count(work) == 2 for work in GROWING), works


def test_a_measurement_without_peers_says_so(measured: tuple[str, str, Path]) -> None:
    """Whoever lacks a peer is told so at once and on the page, and gets all other figures."""
    page, warnings, _ = measured
    for peer in ("Hugo", "wrk"):
        assert f"*** {peer} is not installed" in warnings
        assert f"**{peer} is not installed" in page
    of_peers = [row for row in rows_of(page, "Beside others") if "small" in row[0] and row[1] != "stat walk"]
    assert of_peers
    for row in of_peers:
        assert re.match(r"[\d.]+ (s|ms|MB) \(", row[3]), row
        assert row[4] == "not measured", row


def test_a_measurement_tells_every_work(measured: tuple[str, str, Path]) -> None:
    """Each work is told, of the least directory too, and its feeds were counted."""
    page, _, _ = measured
    works = {work: cost for work, *cost in rows_of(page, "How cost grows")}
    assert works.keys() >= set(GROWING)
    assert all(re.match(r"[\d.]+ (s|ms|µs|MB)$", cost) for costs in works.values() for cost in costs), works
    # All, 20 topics and 20 providers.
    assert "- 20 small, 41 feeds: feedsvc: 41 feeds with " in page


def test_the_articles_are_left_as_they_were(measured: tuple[str, str, Path]) -> None:
    """An edit that was measured is taken back, its time too, so that the next run finds the same articles."""
    _, _, cache = measured
    files = sorted(cache.rglob("*.md"), key=lambda path: path.name)
    articles = [path for path in files if "articles" in path.parts]
    assert len(articles) == 20
    assert not any("Edition" in path.read_text("utf-8") for path in articles)
    assert len({path.stat().st_mtime for path in articles}) == 20
    assert max(path.stat().st_mtime for path in articles) < datetime(2025, 1, 1, tzinfo=UTC).timestamp()


def printed(benchmark: str, *arguments: str) -> str:
    """What a benchmark prints that ends well."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / benchmark), *arguments],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_benchmark_of_restarts_runs() -> None:
    """With few files: no file is parsed by the restart, and the bytes and tags are the same; else it says so."""
    assert "the same bytes and ETags as before" in printed("restart.py", "50")


def test_the_benchmark_of_polls_compares_like_with_like() -> None:
    """The service, and every other server that is installed, answer each kind of request rightly."""
    told = printed("polls.py", "0")
    assert "feedsvc, granian alone" in told
    assert "answer as they should" in told


def test_the_benchmark_of_slow_clients_runs() -> None:
    """The service answers polls alone, and beside 500 slow connections."""
    rows = [line.split() for line in printed("slow.py", "0.3").splitlines()]
    alone, beside = (row for row in rows if row[0] == "feedsvc")
    assert [alone[4], beside[4]] == ["0", "500"]
    assert min(int(alone[1]), int(beside[1])) > 1


def test_the_benchmark_of_tokens_runs() -> None:
    """Each kind of wrong URL of a private feed is answered 404, while the right one is answered."""
    rows = printed("tokens.py", "5").splitlines()
    assert len(rows) == 6
    assert rows[1].startswith("no such token, no such feed")
