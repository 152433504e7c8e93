"""Rolls: whom each feed shows, who stands in its archives, and who left it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from feedsvc.articles.article import id_of
from feedsvc.feeds.memory import Departure, Roll

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feedsvc.articles.article import Article
    from feedsvc.feeds.feed import Entry
    from feedsvc.feeds.memory import Sighting

# For how long a feed tells who left it, and of how many.
DEPARTED_FOR = timedelta(days=30)
MAX_DEPARTED = 500
_DIGEST_BYTES = 8
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Cut:
    """The articles that a feed shows, newest first, and those of each archive document, the oldest document first.

    `archived` are the identities of what full documents hold, gone or not.
    """

    shown: tuple[Article, ...]
    archives: tuple[tuple[Article, ...], ...]
    archived: tuple[str, ...]


def cut(articles: Sequence[Article], size: int, roll: Roll | None, sightings: Mapping[str, Sighting]) -> Cut:
    """Cut a feed's articles into what it shows and its archive documents (RFC 5005 §4).

    What a full document holds, it holds for ever: who is withdrawn, or gets another date, leaves a gap. Who comes
    late with an old date goes to the last one, which is not full yet, after all that came before. Only where so
    many of the newest were withdrawn that the feed would be half empty is the last full document opened again.

    Args:
        articles: all of the feed, in its order.
        size: how many a feed shows, and a document holds.
        roll: what is remembered of the feed; cut into other sizes, it counts for nothing.
        sightings: when each article came.
    """
    archived = list(roll.archived) if roll and roll.size == size else []
    full = len(archived) // size
    # The document that each is in; behind all that are full stand the feed and what waits.
    document_of = {identity: place // size for place, identity in enumerate(archived)}
    places = [document_of.get(article.identity, full) for article in articles]
    present = Counter(places)
    left = present[full]
    while full and left < max(1, size // 2):
        full -= 1
        left += present[full]
    del archived[full * size :]
    free = [article for article, place in zip(articles, places, strict=True) if place >= full]

    def arrival(article: Article) -> tuple[datetime, datetime, str]:
        seen = sightings.get(article.identity)
        return seen.first_seen if seen else article.published_at, article.published_at, article.id

    waiting = sorted(free[size:], key=arrival)
    filled = len(waiting) // size * size
    archived += [article.identity for article in waiting[:filled]]
    if not archived and not waiting:
        return Cut(tuple(free), (), ())
    order = {article.identity: position for position, article in enumerate(articles)}
    documents = [archived[start : start + size] for start in range(0, len(archived), size)]
    documents.append([article.identity for article in waiting[filled:]])
    archives = tuple(
        tuple(articles[place] for place in sorted(order[each] for each in document if each in order))
        for document in documents
    )
    return Cut(tuple(free[:size]), archives, tuple(archived))


def call_roll(last: Roll | None, entries: Sequence[Entry], made: Cut, size: int, now: datetime | None) -> Roll:
    """What is remembered of a feed now: whom it shows, and when that changed, never dated before the last time.

    Args:
        last: what was remembered of it.
        entries: whom it shows.
        made: how it was cut.
        size: into what.
        now: the moment, where there is one.
    """
    digest = blake2b("\n".join(entry.id for entry in entries).encode(), digest_size=_DIGEST_BYTES).digest()
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
        for path, roll in told.items():
            if not self._redated.isdisjoint(roll.archived):
                # A gap that stays keeps all others where they are.
                places = tuple("" if each in self._redated else each for each in roll.archived)
                told[path] = replace(roll, archived=places)
        return told
