"""Rolls: which articles each feed shows, which stand in its archives, and which have left it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import chain, compress, count
from operator import attrgetter, ne, not_
from typing import TYPE_CHECKING

from feedsvc.articles.identity import id_of
from feedsvc.feeds.memory import Departure, Roll

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from feedsvc.articles.article import Article
    from feedsvc.feeds.feed import Recipe
    from feedsvc.feeds.memory import Sighting

# For how long a feed tells who left it, and of how many.
DEPARTED_FOR = timedelta(days=30)
MAX_DEPARTED = 500
_DIGEST_BYTES = 8
_SECOND = timedelta(seconds=1)
_identity = attrgetter("identity")
_published_at = attrgetter("published_at")


@dataclass(frozen=True, slots=True)
class Cut:
    """The articles that a feed shows, newest first, and those of each archive document, the oldest document first.

    `archived` are the identities of what full documents hold, gone or not.
    """

    shown: tuple[Article, ...]
    archives: tuple[tuple[Article, ...], ...]
    archived: tuple[str, ...]


def cut(  # noqa: PLR0913 - each comes from elsewhere
    articles: Sequence[Article],
    size: int,
    roll: Roll | None,
    sightings: Mapping[str, Sighting],
    *,
    last: Cut | None = None,
    touched: Collection[str] = (),
) -> Cut:
    """Cut a feed's articles into what it shows and its archive documents (RFC 5005 §4).

    What a full document holds, it holds for ever: who is withdrawn, or gets another date, leaves a gap. Who comes
    late with an old date goes to the last one, which is not full yet, after all that came before. Only where so
    many of the newest were withdrawn that the feed would be half empty is the last full document opened again.

    Args:
        articles: all of the feed, in its order; those that came at once and have one date by id.
        size: how many a feed shows, and a document holds.
        roll: what is remembered of the feed; cut into other sizes, it counts for nothing.
        sightings: when each article came.
        last: the last cut, of the same size, whose documents are taken over where they are the same.
        touched: the identities of all articles that are not as they were then.
    """
    archived = roll.archived if roll and roll.size == size else ()
    archived = archived[: len(archived) // size * size]
    free = _others(articles, archived)
    if archived and len(free) < max(1, size // 2):
        archived = _opened(articles, size, archived)
        free = _others(articles, archived)
    waiting = sorted(free[size:], key=_published_at)

    def first_seen(article: Article) -> datetime:
        seen = sightings.get(article.identity)
        return seen.first_seen if seen else article.published_at

    waiting.sort(key=first_seen)
    if filled := len(waiting) // size * size:
        archived = (*archived, *map(_identity, waiting[:filled]))
    if not archived and not waiting:
        return Cut(tuple(free), (), ())
    full = len(archived) // size
    # The documents that are made anew, and which of them each article is in; the last one is not full.
    stale = _stale(archived, size, last, touched) if last else range(full)
    document_of = {
        identity: number for number in stale for identity in archived[number * size : (number + 1) * size]
    }
    document_of |= {article.identity: full for article in waiting[filled:]}
    made: dict[int, list[Article]] = {number: [] for number in (*stale, full)}
    for article in compress(articles, map(document_of.__contains__, map(_identity, articles))):
        made[document_of[article.identity]].append(article)
    kept = last.archives if last else ()
    archives = tuple(tuple(made[number]) if number in made else kept[number] for number in range(full + 1))
    return Cut(tuple(free[:size]), archives, archived)


def _others(articles: Sequence[Article], archived: Collection[str]) -> list[Article]:
    """Those that are in no full document."""
    if not archived:
        return list(articles)
    return list(compress(articles, map(not_, map({*archived}.__contains__, map(_identity, articles)))))


def _opened(articles: Iterable[Article], size: int, archived: tuple[str, ...]) -> tuple[str, ...]:
    """What stays archived where the feed is half empty without the last of it."""
    full = len(archived) // size
    document_of = {identity: place // size for place, identity in enumerate(archived)}
    present = Counter(document_of.get(article.identity, full) for article in articles)
    left = present[full]
    while full and left < max(1, size // 2):
        full -= 1
        left += present[full]
    return archived[: full * size]


def _stale(archived: Sequence[str], size: int, last: Cut, touched: Collection[str]) -> set[int]:
    """The full documents that are not what they were."""
    shared = min(len(archived), len(last.archived))
    others = compress(count(), map(ne, archived, last.archived))
    moved = compress(count(), map(touched.__contains__, archived))
    return {place // size for place in chain(others, moved, range(shared, len(archived)))}


def call_roll(last: Roll | None, shown: Sequence[Recipe], made: Cut, size: int, now: datetime | None) -> Roll:
    """What is remembered of a feed now: whom it shows, and when that changed, never dated before the last time.

    Args:
        last: what was remembered of it.
        shown: whom it shows.
        made: how it was cut.
        size: into what.
        now: the moment, where there is one.
    """
    digest = blake2b("\n".join(each.id for each in shown).encode(), digest_size=_DIGEST_BYTES).digest()
    if last is None or now is None:
        return Roll(digest, None, size, made.archived)
    moved_at = last.moved_at
    if last.entries != digest:
        moved_at = max(now, last.moved_at + _SECOND) if last.moved_at else now
    roll = replace(last, entries=digest, moved_at=moved_at, size=size, archived=made.archived)
    return last if roll == last else roll


class Departures:
    """Who leaves which feed, and who is back, in one reload."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._left: dict[str, dict[str, Departure]] = defaultdict(dict)
        self._back: dict[str, set[str]] = defaultdict(set)
        self._redated: set[str] = set()

    def move(self, identity: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        """An article was in these feeds, and is in those."""
        name = id_of(identity)
        for path in before:
            if path not in after:
                self._left[path][name] = Departure(name, self._now)
        for path in after:
            self._back[path].add(name)

    def redate(self, identity: str) -> None:
        """An article has another date: its place in the archives is no longer its own."""
        self._redated.add(identity)

    def told(self, rolls: Mapping[str, Roll]) -> Mapping[str, Roll]:
        """The rolls with all that.

        What is too long ago goes only when something else moves: time alone must change no document.
        """
        told = dict(rolls)
        for path in self._left.keys() | self._back.keys():
            roll = rolls.get(path)
            if roll is None or not (roll.departed or self._left[path]):
                continue
            gone = {each.id: each for each in roll.departed if each.id not in self._back[path]}
            gone = {name: each for name, each in gone.items() if name not in self._left[path]} | self._left[path]
            if tuple(gone.values()) != roll.departed:
                lately = [each for each in gone.values() if each.at > self._now - DEPARTED_FOR]
                told[path] = replace(roll, departed=tuple(lately[-MAX_DEPARTED:]))
        for path, roll in told.items() if self._redated else ():
            if not self._redated.isdisjoint(roll.archived):
                # A gap that stays keeps all others where they are.
                places = tuple("" if each in self._redated else each for each in roll.archived)
                told[path] = replace(roll, archived=places)
        return told
