"""Reload: the way of the data once, from the directory to the snapshot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from feedsvc import rules
from feedsvc.articles.library import Library, Progress, load
from feedsvc.articles.revisions import Superseded, choose
from feedsvc.documents.snapshot import Snapshot, publish
from feedsvc.feeds.changes import MAX_CHANGES, compose_changes, public_changes
from feedsvc.feeds.compose import Composition, compose
from feedsvc.feeds.groups import Grouping, group, places_of
from feedsvc.feeds.memory import Event, Memory
from feedsvc.feeds.selection import Selection, seen, select
from feedsvc.feeds.sightings import observe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from feedsvc.articles.article import Article, Problem
    from feedsvc.documents.document import Dated
    from feedsvc.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """What the last good reload made of the directory.

    `events` are what it told readers; `changes` are the last ones, the newest first, also of reloads before.

    `reloaded_at` is when the directory was last read: never, where this was made of what is remembered.
    """

    library: Library = field(default_factory=Library)
    articles: tuple[Article, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    selection: Selection = field(default_factory=Selection)
    memory: Memory = field(default_factory=Memory)
    events: tuple[Event, ...] = ()
    changes: tuple[Event, ...] = ()
    composition: Composition | None = None
    snapshot: Snapshot | None = None
    reloaded_at: datetime | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong with the files."""
        return self.library.problems

    @property
    def held(self) -> dict[str, int]:
        """How many articles are held back, by reason."""
        return dict(sorted(Counter(self.selection.held.values()).items()))


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in the directory, before anybody is told of it."""

    library: Library
    articles: tuple[Article, ...]
    superseded: tuple[Superseded, ...]
    grouping: Grouping
    at: datetime


def read(
    settings: Settings, known: Library, now: datetime, progress: Progress | None = None, *, accept: bool = False
) -> Library:
    """Read the directory.

    Args:
        settings: what is configured.
        known: the files of the last time.
        now: the moment.
        progress: is told how many files of how many are done.
        accept: an empty directory may take the place of one that was not.

    Raises:
        DirectoryError: the directory as a whole cannot be read.
    """
    return load(settings.articles, rules.load_rules(settings), known, progress, now, accept=accept)


def is_current(state: State, library: Library, now: datetime) -> bool:
    """Whether what was read would make the state that there is: no file changed, and no date has come due.

    On a new day, pages count other days. After the clock went back, what readers were told just now may be of a
    later moment than the one for which was selected: then what has come due by that is not selected yet.
    """
    due, basis = state.selection.next_change, state.selection.basis
    return (
        library.files is state.library.files
        and (due is None or now < due)
        and basis is not None
        and basis.sightings is state.memory.sightings
        and state.reloaded_at is not None
        and now.date() == state.reloaded_at.date()
    )


def sort(
    library: Library, settings: Settings, memory: Memory, now: datetime, last: Composition | None = None
) -> Reading:
    """Find what belongs into which feed, of files that were read.

    Args:
        library: the files.
        settings: what is configured.
        memory: what is remembered.
        now: the moment.
        last: what was made of them the last time.
    """
    missing = settings.selection.missing_published == "publish"
    chosen, superseded = choose(library.articles(), publish_missing=missing)
    articles = tuple(chosen)
    selection = select(
        articles,
        rules.selection_rules(settings),
        now,
        memory.sightings,
        last.grouping.selection if last else None,
    )
    grouping = group(selection, memory, rules.catalog(settings), last.grouping if last else None)
    return Reading(library, articles, tuple(superseded), grouping, now)


def advance(state: State, reading: Reading, settings: Settings, dated: Mapping[str, Dated] | None = None) -> State:
    """The next state: what was read, as documents.

    Args:
        state: the last one.
        reading: what was read since.
        settings: what is configured.
        dated: what is remembered of documents, for the first state.
    """
    now = _dated(reading.at, state.changes)
    grouping = replace(reading.grouping, selection=replace(reading.grouping.selection, at=now))
    memory, events = observe(
        grouping.memory,
        grouping.selection,
        places_of(grouping),
        now,
        state.selection,
        difference=grouping.difference,
        reread=reading.library.reread,
    )
    # What was told of them now changes nothing for the next selection, and what was known before can be let go.
    grouping = replace(grouping, selection=seen(grouping.selection, memory.sightings))
    composition = compose(grouping, rules.site(settings), memory, rules.view(settings), state.composition)
    caching = rules.caching(settings)
    changes = (*reversed(events), *state.changes)[:MAX_CHANGES]
    told = tuple(public_changes(changes, grouping.selection))
    if told:
        composition = replace(composition, told_at=told[0].at)
    if settings.feeds.changes:
        urls = {article.identity: article.url for article in grouping.selection.articles}
        composition = replace(composition, changes=compose_changes(told, composition.feeds[0].site, urls))
    # Whatever else changes, such as a title of the configuration, changes now.
    snapshot = publish(
        composition, caching, state.snapshot or dated, now if events else reading.at, with_pages=settings.pages
    )
    return State(
        reading.library,
        reading.articles,
        reading.superseded,
        grouping.selection,
        composition.memory,
        tuple(events),
        changes,
        composition,
        snapshot,
        reading.at,
    )


def _dated(now: datetime, changes: Sequence[Event]) -> datetime:
    """The moment of what happens now: after what happened last, also in one second, or if the clock went back."""
    last = changes[0].at if changes else None
    return now if last is None or last < now else last + timedelta(seconds=1)
