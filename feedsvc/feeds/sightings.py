"""Sightings: what readers see of an article, and what happened to that since the last reload."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from feedsvc.articles.article import covering
from feedsvc.feeds.entries import shown_coverage
from feedsvc.feeds.memory import Event, Memory, Sighting
from feedsvc.feeds.rolls import Departures

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from feedsvc.articles.article import Article, Details
    from feedsvc.feeds.differences import Difference
    from feedsvc.feeds.memory import Happening
    from feedsvc.feeds.selection import Selection

# What a reader sees of an article, given the addresses of what is held back. A field that is not here changes no
# document: `feeds.entries` makes entries of these and of nothing else. Where a part is added or taken away, prints
# of other versions are known by their length.
PARTS: Mapping[str, Callable[[Article, Details, Collection[str]], object]] = {
    "title": lambda article, _details, _hidden: article.title,
    "link": lambda article, _details, _hidden: article.url,
    "published": lambda article, _details, _hidden: article.published_at.isoformat(),
    "updated": lambda article, _details, _hidden: article.updated_at and article.updated_at.isoformat(),
    "summary": lambda _article, details, _hidden: details.excerpt,
    "content": lambda _article, details, _hidden: details.body,
    "type": lambda article, _details, _hidden: article.type,
    "length": lambda _article, details, _hidden: details.length,
    "player": lambda _article, details, _hidden: details.featured,
    "amp": lambda _article, details, _hidden: details.amp_url,
    "provider": lambda article, _details, _hidden: (
        article.provider and (article.provider.name, article.provider.domain, article.provider.authors)
    ),
    "topics": lambda article, _details, _hidden: article.topics,
    "picture": lambda _article, details, _hidden: details.images[:1],
    "related": lambda _article, details, hidden: shown_coverage(details, hidden),
}
# Each with whether many articles have it in common.
_PARTS = tuple((part, name in {"type", "provider", "topics"}) for name, part in PARTS.items())
_PART_BYTES = 8
# A copy of one that has been set up is had sooner than another.
_BLANK = blake2b(digest_size=_PART_BYTES)


def print_of(article: Article, hidden: Collection[str] = ()) -> bytes:
    """What a reader sees of an article, as a few bytes for each part of it."""
    return _printed(article, article.details, hidden)


def note(article: Article, details: Details) -> bytes:
    """The same, for whoever reads the article and has its details; what is held back is not known there."""
    return _printed(article, details, ())


def _printed(article: Article, details: Details, hidden: Collection[str]) -> bytes:
    return b"".join(
        [
            _known_digest(value) if shared or not value else _digest(value)
            for part, shared in _PARTS
            for value in [part(article, details, hidden)]
        ]
    )


def _print_of(article: Article, hidden: Collection[str], covers: Callable[[Article], bool]) -> bytes:
    """The same, as whoever read the article noted it, unless that knew too little."""
    return article.print if article.print and not covers(article) else print_of(article, hidden)


def _digest(value: object) -> bytes:
    digest = _BLANK.copy()
    digest.update(repr(value).encode("utf-8", "surrogatepass"))
    return digest.digest()


_known_digest = lru_cache(maxsize=4096)(_digest)


def changed_parts(before: bytes, after: bytes) -> tuple[str, ...]:
    """The parts in which two prints differ; none where they were made by different versions of this program."""
    if len(before) != len(after):
        return ()
    starts = range(0, len(after), _PART_BYTES)
    return tuple(
        name
        for name, start in zip(PARTS, starts, strict=True)
        if before[start : start + _PART_BYTES] != after[start : start + _PART_BYTES]
    )


def as_seen(selection: Selection, memory: Memory) -> Selection:
    """The remembered selection without articles whose newest `updated` readers were not told.

    A change that they were told of while the clock was set back may itself have made another one due.
    """
    covers = covering(selection.hidden)

    def is_news(article: Article) -> bool:
        seen = memory.sightings.get(article.identity)
        if article.updated_at is None or seen is None or seen.changed_at is None:
            return False
        return "updated" in changed_parts(seen.print, _print_of(article, selection.hidden, covers))

    return replace(selection, articles=tuple(each for each in selection.articles if not is_news(each)))


def observe(  # noqa: PLR0913 - each comes from elsewhere
    memory: Memory,
    selection: Selection,
    places: Mapping[str, tuple[str, ...]],
    now: datetime,
    last: Selection,
    *,
    difference: Difference | None = None,
    reread: Collection[str] = (),
) -> tuple[Memory, list[Event]]:
    """The memory after a reload, and what happened.

    Args:
        memory: before it.
        selection: what is served from now on.
        places: the paths of the feeds that each of its articles is in; of those that came, with a difference.
        now: dates what happened; if the clock went back, it is dated after what happened before.
        last: the selection of the last reload; an article that is the same object has not changed.
        difference: between the two, where it is known, and that all others are in the same feeds as then.
        reread: the identities of articles that another program, or other rules, may have read otherwise: nobody
            changed them.
    """
    rolls = Departures(now)
    uncovered = selection.hidden ^ last.hidden
    covers, hides = covering(uncovered), covering(selection.hidden)
    known = {} if difference else {article.identity: article for article in last.articles}
    sightings = dict(memory.sightings)
    events: list[Event] = []

    def note(happening: Happening, identity: str, parts: tuple[str, ...] = (), left: tuple[str, ...] = ()) -> None:
        seen = sightings[identity]
        where = tuple(dict.fromkeys([*seen.places, *left])) if left else seen.places
        events.append(Event(now, happening, identity, seen.title, seen.path, parts, where))

    for article in _to_look_at(selection, difference, covers if uncovered else None):
        identity = article.identity
        seen = sightings.get(identity)
        where = places.get(identity, seen.places if seen else ())
        if seen is None:
            seen_as = _print_of(article, selection.hidden, hides)
            sightings[identity] = Sighting(article.title, article.path, seen_as, where, now)
            note("arrived", identity)
            continue
        same = known.get(identity) is article and not covers(article)
        if same and not seen.withdrawn_at and seen.places == where:
            continue
        seen_as = _print_of(article, selection.hidden, hides)
        parts = () if identity in reread else changed_parts(seen.print, seen_as)
        changed_at = max(now, seen.last_moment) if parts else seen.changed_at
        sightings[identity] = Sighting(article.title, article.path, seen_as, where, seen.first_seen, changed_at)
        rolls.move(identity, () if seen.withdrawn_at else seen.places, where)
        if "published" in parts:
            rolls.redate(identity)
        if seen.withdrawn_at:
            note("returned", identity, parts)
        elif parts:
            note("changed", identity, parts, seen.places)
    # In an order that does not tell whether the memory was read from a store meanwhile.
    for identity in sorted(_withdrawn(memory, selection, difference)):
        seen = memory.sightings[identity]
        sightings[identity] = replace(seen, withdrawn_at=max(now, seen.last_moment))
        rolls.move(identity, seen.places, ())
        note("withdrawn", identity)
    if sightings == memory.sightings:
        return memory, []
    return replace(memory, sightings=sightings, rolls=rolls.told(memory.rolls)), events


def _to_look_at(
    selection: Selection, difference: Difference | None, covers: Callable[[Article], bool] | None
) -> Iterable[Article]:
    """All that may not be as they were, in the order of the selection."""
    if difference is None:
        return selection.articles
    if covers is None:
        return difference.came
    came = {article.identity for article in difference.came}
    return [each for each in selection.articles if each.identity in came or covers(each)]


def _withdrawn(memory: Memory, selection: Selection, difference: Difference | None) -> set[str]:
    """The identities of those who were there and are no more."""
    if difference:
        return {each.identity for each in difference.gone} - {each.identity for each in difference.came}
    there = {identity for identity, seen in memory.sightings.items() if not seen.withdrawn_at}
    return there - {article.identity for article in selection.articles}
