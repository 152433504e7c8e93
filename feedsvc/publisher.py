"""The publisher: one reload after the other, from the directory to the snapshot that is served.

Whatever goes wrong in a reload, the last snapshot stays and the next reload starts from where the last good one
ended. Here is the only state of the service that changes; each part of it is immutable and replaced whole.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from feedsvc.articles.directory import DirectoryError
from feedsvc.articles.library import Library, LoadRules, Progress, load
from feedsvc.articles.revisions import Superseded, choose
from feedsvc.clock import Clock
from feedsvc.clock import now as present
from feedsvc.documents.snapshot import Snapshot, cache_control, publish
from feedsvc.feeds.addresses import Memory
from feedsvc.feeds.catalog import Catalog, Listing
from feedsvc.feeds.compose import compose
from feedsvc.feeds.feed import Site, View
from feedsvc.feeds.selection import Selection, SelectionRules, select
from feedsvc.log import fields, logger
from feedsvc.text import fold

if TYPE_CHECKING:
    from datetime import datetime

    from feedsvc.articles.article import Article, Problem
    from feedsvc.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """What the last good reload made of the directory."""

    library: Library = field(default_factory=Library)
    articles: tuple[Article, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    selection: Selection = field(default_factory=Selection)
    memory: Memory = field(default_factory=Memory)
    snapshot: Snapshot | None = None
    reloaded_at: datetime | None = None

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong with the files."""
        return list(self.library.problems())

    @property
    def held(self) -> dict[str, int]:
        """How many articles are held back, by reason."""
        return dict(sorted(Counter(self.selection.held.values()).items()))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reload ended: the state it left, and the error that ended it early, if one did."""

    number: int
    state: State
    seconds: float
    error: str | None = None


class Publisher:
    """Reloads on demand, never twice at once, and holds what is served."""

    def __init__(self, settings: Settings, clock: Clock = present) -> None:
        self._settings = settings
        self._clock = clock
        self._turn = threading.Lock()
        self._started = 0
        self.state = State()
        self.last: Outcome | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """What is served; None until the first reload has succeeded."""
        return self.state.snapshot

    def reload(self, progress: Progress | None = None) -> Outcome:
        """Bring the snapshot up to date with the directory as it is when this is called, or later.

        Callers that come while a reload runs wait for it, and then share one reload that starts after they came.
        Never raises: an error is told by the outcome, and the state stays as it was.
        """
        wanted = self._started + 1
        with self._turn:
            if self.last is not None and self.last.number >= wanted:
                return self.last
            self._started += 1
            self.last = self._reload(self._started, progress)
            return self.last

    def _reload(self, number: int, progress: Progress | None) -> Outcome:
        begin = time.perf_counter()
        error = None
        try:
            self.state = advance(self.state, self._settings, self._clock(), progress)
        except DirectoryError as failure:
            error = str(failure)
            logger.warning("reload failed", extra=fields(error=error))
        except Exception:  # noqa: BLE001 - logged, and told by the outcome
            # Promise: whatever fails, the last good state is served, and the next reload runs.
            error = "an internal error; the log has it"
            logger.exception("reload failed")
        outcome = Outcome(number, self.state, time.perf_counter() - begin, error)
        if error is None:
            _report(outcome)
        return outcome


def advance(state: State, settings: Settings, now: datetime, progress: Progress | None = None) -> State:
    """The next state: everything from the directory to the snapshot.

    Raises:
        DirectoryError: the directory as a whole cannot be read.
    """
    rules = settings.selection
    library = load(settings.articles, load_rules(settings), state.library, progress)
    articles, superseded = choose(library.articles(), publish_missing=rules.missing_published == "publish")
    selection = select(articles, selection_rules(settings), now)
    composition = compose(selection, site(settings), state.memory, view(settings), catalog(settings))
    http = settings.http
    caching = cache_control(http.max_age, http.stale_while_revalidate, http.stale_if_error)
    snapshot = publish(composition, caching, state.snapshot, now, with_pages=settings.pages)
    return State(library, tuple(articles), tuple(superseded), selection, composition.memory, snapshot, now)


def load_rules(settings: Settings) -> LoadRules:
    """What the configuration says of reading files."""
    return LoadRules(settings.exclude, ZoneInfo(settings.timezone), settings.limits.file_bytes)


def selection_rules(settings: Settings) -> SelectionRules:
    """What the configuration says of selecting articles."""
    rules = settings.selection
    return SelectionRules(
        publish_missing=rules.missing_published == "publish",
        min_quality=rules.min_quality,
        min_heat=rules.min_heat,
        categories=rules.categories,
        types=rules.types,
        max_age=rules.max_age,
    )


def site(settings: Settings) -> Site:
    """What the configuration says of all feeds."""
    each = settings.site
    home = None if settings.pages else each.url or f"{settings.public_url}/"
    return Site(settings.public_url, each.title, each.description, each.language, each.id, home)


def view(settings: Settings) -> View:
    """What the configuration says of how feeds show articles."""
    feeds = settings.feeds
    return View(feeds.entries, feeds.content == "full", feeds.related, feeds.title, feeds.description)


def catalog(settings: Settings) -> Catalog:
    """What the configuration says of single topics and providers."""
    return Catalog(
        topics={fold(name): Listing(name, **dict(each)) for name, each in settings.topics.items()},
        providers={fold(name): Listing(name, **dict(each)) for name, each in settings.providers.items()},
    )


def _report(outcome: Outcome) -> None:
    state = outcome.state
    rendered = state.snapshot.rendered if state.snapshot else 0
    # A reload that changed nothing is no event, and the first is told by the lines of the start.
    news = outcome.number > 1 and (state.library.parsed or rendered)
    level = logger.info if news else logger.debug
    level(
        "reloaded",
        extra=fields(
            files=len(state.library.files),
            parsed=state.library.parsed,
            selected=len(state.selection.articles),
            rendered=rendered,
            problems=len(state.problems),
            seconds=round(outcome.seconds, 3),
        ),
    )
