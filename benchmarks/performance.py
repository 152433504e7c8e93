"""All that docs/performance.md tells: measures the service beside its peers, in turns, and writes the page.

Usage: python benchmarks/performance.py [--quick] [--runs N] [--only PART ...], and more with --help
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import corpora
import edits
import hugo
import lives
import machine
from document import POLLED, Page, write
from figures import Figure
from lives import name
from results import Results
from subject import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from corpora import Corpus

Measured: TypeAlias = tuple[list[Figure], dict[str, str]]

QUICK = (
    "This is a quick run, which shows the form: smaller directories than the limits are meant for, fewer runs, "
    "and perhaps a machine that did other work too. What counts is `make bench` without `--quick`."
)


def polls(arguments: argparse.Namespace) -> Measured:
    """What a request takes, beside nginx."""
    figures = []
    for work, servers in importlib.import_module("polls").measure(arguments.runs).items():
        for server, figure in servers.items():
            figures.append(Figure(name(work, POLLED, server), figure.wall, figure.cpu))
            if figure.p99:
                figures.append(Figure(name(f"p99 of {work}", POLLED, server), figure.p99))
    return figures, {}


def loads(arguments: argparse.Namespace) -> Measured:
    """Loads, restarts, reloads and memory, beside Hugo."""
    medium, big = corpora_of(arguments)
    others = [corpora.plan(arguments.cache, "seed-like", medium.files)]
    return live(dict.fromkeys((medium, *others, big)), arguments, peer=arguments.hugo)


def seen(arguments: argparse.Namespace) -> Measured:
    """Edits, beside Hugo's live server."""
    medium, _ = corpora_of(arguments)
    corpora.make(medium, with_content=arguments.hugo)
    return edits.watch(medium, arguments.cache, arguments.runs, progress, peer=arguments.hugo), {}


def growth(arguments: argparse.Namespace) -> Measured:
    """Other numbers of articles, and of feeds; the service alone."""
    planned = [corpora.plan(arguments.cache, "small", files) for files in arguments.articles]
    for feeds in arguments.feeds:
        topics = max(1, feeds // 10)
        # The feed of all is one, too.
        providers = feeds - topics - 1
        planned.append(corpora.plan(arguments.cache, "small", arguments.feed_files, topics, providers))
    return live(planned, arguments, peer=False)


def live(planned: Iterable[Corpus], arguments: argparse.Namespace, *, peer: bool) -> Measured:
    """The lives of the service with each of them."""
    figures: list[Figure] = []
    notes: dict[str, str] = {}
    for corpus in planned:
        corpora.make(corpus, with_content=peer)
        more, noted = lives.live(corpus, arguments.cache, arguments.runs, progress, peer=peer)
        figures += more
        notes |= noted
    return figures, notes


def corpora_of(arguments: argparse.Namespace) -> tuple[Corpus, Corpus]:
    """Those that stand beside Hugo's work."""
    medium, big = (corpora.plan(arguments.cache, "small", files) for files in arguments.files)
    return medium, big


PARTS: dict[str, Callable[[argparse.Namespace], Measured]] = {
    "polls": polls,
    "loads": loads,
    "edits": seen,
    "growth": growth,
}


def progress(line: str) -> None:
    """Say what is going on."""
    now = datetime.now(UTC).strftime("%H:%M:%S")
    print(f"{now} {line}", file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Measures feedsvc beside its peers, and writes docs/performance.md."
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a tenth of the articles, 3 runs; the page says so")
    add("--runs", type=int, help="how often each is measured; 5 unless quick")
    add(
        "--only",
        nargs="*",
        choices=list(PARTS),
        metavar="PART",
        help=f"of {', '.join(PARTS)}; none: the page alone",
    )
    add("--files", type=int, nargs=2, help="articles beside Hugo: 10000 and 100000 unless quick")
    add("--articles", type=int, nargs="*", help="articles for growth, beside those: 1000 unless quick")
    add("--feeds", type=int, nargs="*", help="feeds for growth: 10 100 1000 10000 unless quick")
    add("--feed-files", type=int, help="articles of these: 20000 unless quick")
    add("--cache", type=Path, default=ROOT / "var/bench", help="where articles and figures are kept: var/bench")
    add("--document", type=Path, default=ROOT / "docs/performance.md", help="the page")
    arguments = parser.parse_args()
    quick = arguments.quick
    defaults = {
        "runs": 3 if quick else 5,
        "files": [1_000, 10_000] if quick else [10_000, 100_000],
        "articles": [] if quick else [1_000],
        "feeds": [10, 100, 1_000] if quick else [10, 100, 1_000, 10_000],
        "feed_files": 2_000 if quick else 20_000,
    }
    for key, value in defaults.items():
        if getattr(arguments, key) is None:
            setattr(arguments, key, value)
    arguments.cache = arguments.cache.resolve()
    arguments.hugo = hugo.version() is not None
    return arguments


def missing() -> list[str]:
    """What cannot be measured here, in words."""
    lacks = [
        f"{peer} is not installed: nothing is measured beside it."
        for peer, version in machine.describe().items()
        if version == machine.MISSING
    ]
    if importlib.util.find_spec("polls") is None:
        lacks.append("Polls are not measured: benchmarks/polls.py is not there.")
    return lacks


def main() -> None:
    """Measure, and write the page."""
    arguments = parse()
    # Whoever ends this ends what it started, and the edited articles are put back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments.cache.mkdir(parents=True, exist_ok=True)
    lacks = missing()
    for each in lacks:
        print(f"*** {each}", file=sys.stderr)
    kept = arguments.cache / f"results{'-quick' if arguments.quick else ''}.json"
    results = Results() if arguments.only is None else Results.load(kept)
    for part in PARTS if arguments.only is None else arguments.only:
        if part != "polls" or importlib.util.find_spec("polls"):
            results.add(*PARTS[part](arguments), datetime.now(UTC).date())
            results.save(kept)
    page = write(
        results,
        Page(
            *corpora_of(arguments),
            arguments.feed_files,
            machine.describe(),
            [QUICK, *lacks] if arguments.quick else lacks,
        ),
    )
    arguments.document.write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
