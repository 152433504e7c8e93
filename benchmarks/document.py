"""The document: docs/performance.md, from what was measured."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Literal, TypeAlias

from corpora import PROVIDERS, TOPICS
from edits import EDIT
from lives import (
    HUGO,
    LOAD,
    POLL,
    POLL_UNCHANGED,
    RESIDENT,
    RESIDENT_AGAIN,
    RESIDENT_ONCE,
    RESTART,
    SERVICE,
    UNCHANGED,
    WALK,
    WORKS,
    name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from corpora import Corpus
    from figures import Figure
    from results import Results

Quantity: TypeAlias = Literal["wall", "cpu", "peak"]
NGINX = "nginx"
# In the place of a corpus: what is polled in comparison with others.
POLLED = "a feed of 50 KB"
_WORDS: dict[Quantity, str] = {"wall": "time", "cpu": "CPU", "peak": "memory"}
_NOT_MEASURED = "not measured"
_TEMPLATE = Path(__file__).with_name("page.md")


@dataclass(frozen=True, slots=True)
class Row:
    """A work of ours beside a peer's, the quantity that is compared, and how much of the peer's ours may be."""

    work: str
    peer: str
    quantity: Quantity
    at_most: float
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Page:
    """What the page tells beside figures: of which corpora the rows are, and what ran where."""

    medium: Corpus
    big: Corpus
    feed_files: int
    machine: Mapping[str, str]
    warnings: Sequence[str]


def rows(medium: Corpus, big: Corpus) -> list[Row]:
    """What has to hold, of a corpus of 10,000 files and of one of 100,000."""
    return [
        _poll("200 gzip of a 50 KB feed, a request", "200 gzip", "cpu", 1.6),
        _poll("304, a request", "304", "cpu", 2.0),
        _poll("p99 at 64 connections, 200 gzip", "p99 of 200 gzip", "wall", 2.0),
        _row(LOAD, medium, HUGO, "wall", 0.9),
        _row(LOAD, big, HUGO, "wall", 0.8),
        _row(LOAD, big, HUGO, "peak", 0.15),
        _row(RESTART, big, WALK, "wall", 5),
        _row(UNCHANGED, big, WALK, "wall", 1.5),
        _row(EDIT, medium, HUGO, "wall", 0.3),
        Row(
            f"{RESIDENT_ONCE}, {big}",
            f"{HUGO}'s peak",
            "peak",
            0.1,
            name(RESIDENT_ONCE, big, SERVICE),
            name(LOAD, big, HUGO),
        ),
    ]


def _poll(title: str, work: str, quantity: Quantity, at_most: float) -> Row:
    return Row(title, NGINX, quantity, at_most, name(work, POLLED, SERVICE), name(work, POLLED, NGINX))


def _row(work: str, corpus: Corpus, peer: str, quantity: Quantity, at_most: float) -> Row:
    return Row(f"{work}, {corpus}", peer, quantity, at_most, name(work, corpus, SERVICE), name(work, corpus, peer))


def write(results: Results, page: Page) -> str:
    """The whole page."""
    figures = results.figures
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        warnings="".join(f"**{each}**\n\n" for each in page.warnings),
        compared="\n".join(_compare(row, figures) for row in rows(page.medium, page.big)),
        made="\n".join(f"- {of}: {what}" for of, what in sorted(results.notes.items(), key=_by_size)),
        topics=TOPICS,
        providers=PROVIDERS,
        by_articles=_grow(figures, "articles", lambda files, feeds: feeds == usual_feeds(files)),
        feed_files=f"{page.feed_files:,}",
        by_feeds=_grow(figures, "feeds", lambda files, _: files == page.feed_files),
        machine="\n".join(f"| {what} | {which} |" for what, which in page.machine.items()),
        figures="\n".join(_list(each, results.days[name]) for name, each in sorted(figures.items(), key=_by_size)),
    )


def usual_feeds(files: int) -> int:
    """How many there are in a corpus of so many articles, unless more topics or providers were asked for."""
    return 1 + min(TOPICS, files) + min(PROVIDERS, files)


def _compare(row: Row, figures: Mapping[str, Figure]) -> str:
    ours, theirs = figures.get(row.ours), figures.get(row.theirs)
    own, other = _runs(ours, row.quantity), _runs(theirs, row.quantity)
    ratio = held = ""
    if own and other:
        share = statistics.median(own) / statistics.median(other)
        ratio, held = f"{share:.2f}", "yes" if share <= row.at_most else "**no**"
    return (
        f"| {row.work} | {row.peer} | {_WORDS[row.quantity]} | {_spread(own, row.quantity)} "
        f"| {_spread(other, row.quantity)} | {ratio} | {row.at_most:g} | {held} "
        f"| {_middle(ours, 'cpu')} | {_middle(theirs, 'cpu')} |"
    )


def _list(figure: Figure, day: str) -> str:
    runs = max(len(figure.wall), len(figure.cpu), len(figure.peak))
    cells = (_spread(_runs(figure, each), each, "") for each in _WORDS)
    return f"| {figure.name} | {runs} | {' | '.join(cells)} | {day} |"


def _grow(figures: Mapping[str, Figure], by: str, concerns: Callable[[int, int], bool]) -> str:
    """A column a size, as far as they were measured."""
    sizes = set()
    for each in figures:
        found = re.fullmatch(rf"{re.escape(LOAD)}, ([\d,]+) small, ([\d,]+) feeds: {SERVICE}", each)
        if found:
            files, feeds = (int(number.replace(",", "")) for number in found.groups())
            if concerns(files, feeds):
                sizes.add((files, feeds))
    columns = [f"{files:,} small, {feeds:,} feeds" for files, feeds in sorted(sizes)]
    if not columns:
        return f"{_NOT_MEASURED}."
    heads = [f"{files if by == 'articles' else feeds:,} {by}" for files, feeds in sorted(sizes)]
    quantities: dict[str, Quantity] = dict.fromkeys((RESIDENT, RESIDENT_ONCE, RESIDENT_AGAIN), "peak")
    quantities |= dict.fromkeys((POLL, POLL_UNCHANGED), "cpu")
    lines = [f"| work | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for work, who in ((WALK, WALK), *((each, SERVICE) for each in WORKS)):
        kind = UNCHANGED if who == WALK else work
        cells = (_middle(figures.get(name(kind, each, who)), quantities.get(work, "wall")) for each in columns)
        lines.append(f"| {work} | {' | '.join(cells)} |")
        if work == LOAD:
            cells = (_middle(figures.get(name(work, each, who)), "peak") for each in columns)
            lines.append(f"| peak of memory at that | {' | '.join(cells)} |")
    return "\n".join(lines)


def _runs(figure: Figure | None, quantity: Quantity) -> tuple[float, ...]:
    return getattr(figure, quantity) if figure else ()


def _middle(figure: Figure | None, quantity: Quantity) -> str:
    runs = _runs(figure, quantity)
    return _amount(statistics.median(runs), quantity) if runs else ""


def _spread(runs: Sequence[float], quantity: Quantity, nothing: str = _NOT_MEASURED) -> str:
    if not runs:
        return nothing
    size, unit = _unit(statistics.median(runs), quantity)
    middle, least, most = (_digits(each / size) for each in (statistics.median(runs), min(runs), max(runs)))
    return f"{middle} {unit} ({least} to {most})"


def _amount(value: float, quantity: Quantity) -> str:
    size, unit = _unit(value, quantity)
    return f"{_digits(value / size)} {unit}"


def _unit(value: float, quantity: Quantity) -> tuple[float, str]:
    units = ((1e9, "GB"), (1e6, "MB")) if quantity == "peak" else ((1, "s"), (1e-3, "ms"), (1e-6, "µs"))
    return next((each for each in units if value >= each[0]), units[-1])


def _digits(value: float) -> str:
    """Three of them, or the whole number."""
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _by_size(item: tuple[str, object]) -> list[tuple[int, str]]:
    """By name, where numbers count as such."""
    parts = re.split(r"(\d[\d,]*)", item[0])
    return [(int(each.replace(",", "")), "") if each[:1].isdigit() else (0, each) for each in parts]
