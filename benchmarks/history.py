"""What readers are told over a long history of edits, of which nearly all change nothing that they see.

Usage: python benchmarks/history.py

Replays 2,500 commits of a publisher with 700 article files, in the proportions of a real one: of 6,282 edits of
files, 156 change something that a reader sees; the others rewrite a score or another field that no feed shows. A
real directory and a real database, one reload a commit; every 50 commits, a new process has to go on from the
database, and finds a commit that was made while there was none.

What was visible in the main feed is counted where the edits are made, by nothing but what is edited: news comes to
its top, and other edits fall either upon its newest articles or upon those long out of it. The exit status is 1
unless the service told of each such change, in every format and by both validators, and of no other.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from synthetic import Newsroom, walk, write

from feedsvc.config import load_settings
from feedsvc.documents.format import FORMATS
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synthetic import Story

    from feedsvc.settings import Settings

FILES = 700
# There when the history begins.
FIRST_FILES = 500
COMMITS = 2500
# In so many of them come new articles.
NEWS = 171
EDITS = 6282
# Edits that readers see: of an article in the main feed, and of one that is only in archives by now.
SEEN_EDITS = 116
OLD_EDITS = 40
RESTART_EVERY = 50
# The newest so many articles are in the main feed, which shows 50; those behind so many are not.
SURELY_SHOWN = 20
SURELY_OLD = 200

BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
# Three years of them.
BETWEEN_COMMITS = timedelta(hours=10, minutes=30)
MAIN_FEED = "/feeds/all"

Action: TypeAlias = Literal["news", "seen", "old", "invisible"]


@dataclass(slots=True)
class Commit:
    """The stories whose files change, at a moment, and whether the main feed changes for its readers."""

    at: datetime
    stories: list[Story] = field(default_factory=list)
    visible: bool = False


class Publishing:
    """A publisher's work of three years. What its readers see of it in the main feed is decided here."""

    def __init__(self) -> None:
        self._newsroom = Newsroom(topics=30, providers=60)
        self._chance = self._newsroom.chance
        # The newest first.
        self._stories: list[Story] = []
        self.edits = self.invisible = 0

    def commits(self) -> Iterator[Commit]:
        """One after the other. The first has all files of the beginning, and is the first version of the feed."""
        first = Commit(BEGIN)
        for number in range(FIRST_FILES):
            self._write_news(first, BEGIN - (FIRST_FILES - number) * BETWEEN_COMMITS)
        yield first
        for number, actions in enumerate(self._plan(), 1):
            commit = Commit(BEGIN + number * BETWEEN_COMMITS)
            for action in actions:
                self._act(action, commit)
            yield commit

    def _plan(self) -> list[list[Action]]:
        """What is done in each commit but the first; in each at least something."""
        plan: list[list[Action]] = [[] for _ in range(COMMITS - 1)]
        with_news = self._chance.sample(plan, NEWS)
        for number in range(FILES - FIRST_FILES):
            with_news[number % NEWS].append("news")
        invisible = EDITS - SEEN_EDITS - OLD_EDITS
        numbers: dict[Action, int] = {"seen": SEEN_EDITS, "old": OLD_EDITS, "invisible": invisible}
        edits = [action for action, count in numbers.items() for _ in range(count)]
        for action in edits[:-COMMITS]:
            self._chance.choice(plan).append(action)
        # The last ones, all of them invisible, go first of all to where there is nothing yet.
        places = [actions for actions in plan if not actions]
        places += self._chance.choices(plan, k=COMMITS - len(places))
        for actions, action in zip(places, edits[-COMMITS:], strict=True):
            actions.append(action)
        return plan

    def _act(self, action: Action, commit: Commit) -> None:
        if action == "news":
            self._write_news(commit, commit.at - timedelta(minutes=len(commit.stories)))
            return
        shown = [story for story in self._stories if story.published]
        candidates = {"seen": shown[:SURELY_SHOWN], "old": shown[SURELY_OLD:]}.get(action, self._stories)
        story = self._chance.choice([each for each in candidates if each not in commit.stories])
        if action == "invisible":
            self._rewrite_unseen(story)
            self.invisible += 1
        elif story.published and self._chance.random() < 0.8:
            story.title = self._newsroom.words(9)
        else:
            story.published = False
        self.edits += 1
        commit.stories.append(story)
        commit.visible |= action == "seen"

    def _write_news(self, commit: Commit, at: datetime) -> None:
        story = self._newsroom.story(len(self._stories), at)
        self._stories.insert(0, story)
        commit.stories.append(story)
        commit.visible = True

    def _rewrite_unseen(self, story: Story) -> None:
        """Nearly always it is a score."""
        kind = self._chance.random()
        if kind < 0.9:
            story.heat += self._chance.choice((-3, -2, -1, 1, 2, 3))
        elif kind < 0.96:
            story.quality += self._chance.choice((-1, 1))
        elif kind < 0.98:
            story.cached = not story.cached
        else:
            story.note += 1


@dataclass(slots=True)
class Told:
    """What the service told of one document: how often each validator moved; and where that was wrong."""

    etag: str = ""
    last_modified: datetime | None = None
    etags: int = 0
    dates: int = 0
    missed: int = 0
    spurious: int = 0


class Service:
    """A process of the service, and the next ones; with a clock of its own."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._store: DatabaseStore | None = None
        self._publisher: Publisher | None = None
        self.now = BEGIN
        self.told = {f"{MAIN_FEED}{ending}": Told() for ending in FORMATS}
        # Wall and CPU seconds.
        self.reloads: list[tuple[float, float]] = []
        self.starts: list[tuple[float, float]] = []

    def stop(self) -> None:
        """End the process."""
        if self._store:
            self._store.close()
        self._store = self._publisher = None

    def reload(self, *, visible: bool) -> None:
        """Read the directory, in a new process if there is none, and note what its main feed tells."""
        times = self.reloads if self._publisher else self.starts
        begin, begin_cpu = time.perf_counter(), time.process_time()
        if self._publisher is None:
            self._store = DatabaseStore(self._url, write=True)
            self._publisher = Publisher(self._settings, lambda: self.now, self._store)
        outcome = self._publisher.reload()
        times.append((time.perf_counter() - begin, time.process_time() - begin_cpu))
        if outcome.error or outcome.forgetting:
            sys.exit(outcome.error or outcome.forgetting)
        for path, told in self.told.items():
            document = outcome.state.snapshot.documents[path] if outcome.state.snapshot else None
            if document is None:
                sys.exit(f"{path} is not served")
            moved = document.etag != told.etag
            told.missed += visible and not moved
            told.spurious += moved and not visible
            told.etags += moved
            told.dates += told.last_modified is None or document.last_modified > told.last_modified
            told.etag, told.last_modified = document.etag, document.last_modified


def replay(root: Path, publishing: Publishing, service: Service) -> tuple[int, int]:
    """Commit by commit; how many commits there were, and in how many the main feed changed for its readers."""
    commits = visible = 0
    for commits, commit in enumerate(publishing.commits(), 1):
        for story in commit.stories:
            write(root, story, commit.at)
        visible += commit.visible
        service.now = commit.at
        service.reload(visible=commit.visible)
        if commits % RESTART_EVERY == 0:
            service.stop()
        if sys.stderr.isatty():
            print(f"commit {commits:,} of {COMMITS:,}", end="\r", file=sys.stderr, flush=True)
    service.stop()
    return commits, visible


def times(title: str, seconds: list[tuple[float, float]], least: float) -> None:
    """Print how long something takes, in milliseconds; wall first, then CPU."""
    print(f"{title:24} {'median':>8} {'min':>8} {'max':>8} {'p95':>8} {'median / walk':>14}")
    for name, each in zip(("wall", "CPU"), zip(*seconds, strict=True), strict=True):
        middle, slow = statistics.median(each), statistics.quantiles(each, n=20)[-1]
        figures = "".join(f" {figure * 1000:8.1f}" for figure in (middle, min(each), max(each), slow))
        print(f"    {name:20}{figures} {middle / least:14.1f}")


def main() -> None:
    """Replay, and print what was told."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made) / "articles"
        root.mkdir()
        publishing = Publishing()
        service = Service(load_settings(None, {}, {"articles": str(root)}), f"sqlite:///{made}/memory.db")
        commits, visible = replay(root, publishing, service)
        least = min(walk(root) for _ in range(5))
    print(f"{commits:,} commits, one reload each, {len(service.starts):,} of them the first of a process")
    print(f"{publishing.edits:,} edits of files, {publishing.invisible:,} of them seen by no reader")
    print(f"{'main feed, told anew':24} {'times':>8}")
    print(f"    {'visible changes':20} {visible:8,}")
    for path, told in service.told.items():
        wrong = f"   {told.missed:,} missed, {told.spurious:,} spurious" if told.missed or told.spurious else ""
        print(f"    {path:20} {told.etags:8,} ETags, {told.dates:,} Last-Modified{wrong}")
    print(f"    {'going by file times':20} {commits:8,}")
    times("milliseconds a reload", service.reloads, least)
    times("the first of a process", service.starts, least)
    right = all(
        (told.etags, told.dates, told.missed, told.spurious) == (visible, visible, 0, 0)
        for told in service.told.values()
    )
    print("each visible change was told, and nothing else" if right else "NOT what readers saw")
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
