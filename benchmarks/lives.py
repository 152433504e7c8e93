"""Lives of the service: from an empty store, through reloads and polls, to a restart; in turns with Hugo."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import hugo
from corpora import edited
from processes import Cost, cpu_of, figure, memory_of
from subject import Subject
from synthetic import walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from corpora import Corpus
    from figures import Figure

LOAD = "cold load to all feeds served"
RESTART = "restart with unchanged files, to ready"
RESTART_READ = "restart, until the articles have been read"
UNCHANGED = "reload with nothing changed"
ONE_EDIT = "reload of one edit"
RESIDENT = "resident memory"
RESIDENT_ONCE = "resident memory, shared pages counted once"
RESIDENT_AGAIN = "resident memory after a restart"
POLL = "poll, 200 gzip"
POLL_UNCHANGED = "poll, 304"
# What is told of each size of a corpus, in this order.
WORKS = (
    LOAD,
    RESTART,
    RESTART_READ,
    UNCHANGED,
    ONE_EDIT,
    RESIDENT,
    RESIDENT_ONCE,
    RESIDENT_AGAIN,
    POLL,
    POLL_UNCHANGED,
)

SERVICE, HUGO, WALK = "feedsvc", "Hugo", "stat walk"
POLLS = 2000
# Entries of so many feeds are counted: that asks for every document.
_COUNTED_FEEDS = 1000


def name(work: str, corpus: object, who: str) -> str:
    """How the figure of a work is called."""
    return f"{work}, {corpus}: {who}"


def live(
    corpus: Corpus, cache: Path, runs: int, progress: Callable[[str], None], *, peer: bool
) -> tuple[list[Figure], dict[str, str]]:
    """So many lives, each behind a build of Hugo's if there shall be a peer; and what is to be noted of them."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    notes: dict[str, str] = {}
    _warm(corpus)
    for number in range(runs):
        with tempfile.TemporaryDirectory(dir=cache) as made:
            directory = Path(made)
            if peer:
                progress(f"{corpus}: run {number + 1} of {runs}, Hugo")
                cost, entries = hugo.build(corpus, directory)
                costs[name(LOAD, corpus, HUGO)].append(cost)
                notes[f"{corpus}: {HUGO}"] = f"{corpus.feeds:,} RSS feeds with {entries:,} entries"
            progress(f"{corpus}: run {number + 1} of {runs}, feedsvc")
            for work, cost in _one_life(corpus, directory, notes if number == 0 else None):
                costs[work].append(cost)
    return [figure(each, of) for each, of in costs.items()], notes


def _one_life(corpus: Corpus, directory: Path, notes: dict[str, str] | None) -> list[tuple[str, Cost]]:
    done: list[tuple[str, Cost]] = []

    def add(work: str, cost: Cost, who: str = SERVICE) -> None:
        done.append((name(work, corpus, who), cost))

    first, second = Subject(corpus, directory), Subject(corpus, directory)
    try:
        add(LOAD, first.begin())
        first.settle()
        add(RESIDENT, Cost(0, 0, memory_of(first.pids, "VmRSS")))
        add(RESIDENT_ONCE, Cost(0, 0, memory_of(first.pids, "Pss", "smaps_rollup")))
        # The first of a process does what is done once.
        first.reload()
        add(UNCHANGED, _walk(corpus), WALK)
        cost, report = first.reload()
        if (report["files"], report["feeds"], report["parsed"]) != (corpus.files, corpus.feeds, 0):
            raise RuntimeError(f"{corpus}: nothing changed, and still {report}")
        add(UNCHANGED, cost)
        with edited(corpus.articles, corpus.newest) as editor:
            editor.retitle()
            cost, report = first.reload()
            add(ONE_EDIT, cost)
            if report["parsed"] != 1:
                raise RuntimeError(f"{corpus}: one file was edited, and still {report}")
        first.reload()
        headers = {"Accept-Encoding": "gzip"}
        add(POLL, first.poll(POLLS, headers, 200))
        add(POLL_UNCHANGED, first.poll(POLLS, headers | {"If-None-Match": first.etag(headers)}, 304))
        if notes is not None and corpus.feeds <= _COUNTED_FEEDS:
            notes[f"{corpus}: {SERVICE}"] = (
                f"{corpus.feeds:,} feeds with {first.entries():,} entries, each as Atom, RSS and JSON, compressed"
            )
        first.stop()
        add(RESTART, _walk(corpus), WALK)
        begin = time.perf_counter()
        add(RESTART, second.begin())
        second.finish_reading()
        add(RESTART_READ, Cost(time.perf_counter() - begin, cpu_of(second.pids)))
        second.settle()
        add(RESIDENT_AGAIN, Cost(0, 0, memory_of(second.pids, "VmRSS")))
    finally:
        first.stop()
        second.stop()
    return done


def _walk(corpus: Corpus) -> Cost:
    begin = time.process_time()
    wall = walk(corpus.articles)
    return Cost(wall, time.process_time() - begin)


def _warm(corpus: Corpus) -> None:
    """Have all files in the system's cache, so that the first run finds them as the others do."""
    for directory in (corpus.articles, corpus.content):
        for path in directory.rglob("*.md"):
            path.read_bytes()
