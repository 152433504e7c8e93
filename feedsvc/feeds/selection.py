"""Selection: which articles are published at a moment, and why the others are not."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from feedsvc.feeds.differences import Difference, difference_of, differing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feedsvc.articles.article import Article
    from feedsvc.feeds.memory import Sighting
    from feedsvc.feeds.privacy import Privacy

Reason: TypeAlias = Literal[
    "removed",
    "deleted",
    "unpublished",
    "missing_published",
    "scheduled",
    "category",
    "type",
    "quality",
    "heat",
    "age",
]

REASONS: Mapping[Reason, str] = {
    "removed": "it is marked `removed`",
    "deleted": "it is marked `deleted`",
    "unpublished": "it says `published: false`",
    "missing_published": "it does not say `published: true` (see selection.missing_published)",
    "scheduled": "its date is in the future",
    "category": "its category is not among selection.categories",
    "type": "its type is not among selection.types",
    "quality": "its quality is below selection.min_quality, or missing",
    "heat": "its heat is below selection.min_heat, or missing",
    "age": "it is older than selection.max_age",
}


@dataclass(frozen=True, slots=True)
class SelectionRules:
    """The rules. An article that lacks what a rule asks for does not pass it; None and () ask for nothing.

    What `privacy` covers is selected like any other, and hidden from all others.
    """

    publish_missing: bool = False
    min_quality: float | None = None
    min_heat: float | None = None
    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    max_age: timedelta | None = None
    privacy: Privacy | None = None

    def is_private(self, article: Article) -> bool:
        """Whether an article is private."""
        return self.privacy is not None and self.privacy.covers(article)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a selection was made of."""

    articles: tuple[Article, ...]
    rules: SelectionRules
    now: datetime
    sightings: Mapping[str, Sighting]


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected articles, newest first (ties by id), and the reason for each of the others by its identity.

    `hidden` are the addresses of those others and of private ones, but for what is an address of a public one too.
    `next_change` is when the passing of time alone will change the selection, if it ever will. `at` is the moment
    for which it was made, `basis` what it was made of.
    """

    articles: tuple[Article, ...] = ()
    held: Mapping[str, Reason] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    next_change: datetime | None = None
    at: datetime | None = None
    basis: Basis | None = field(default=None, compare=False, repr=False)


class _Fate(NamedTuple):
    """The reason that holds an article back, or None; the article as of now; when time changes that first."""

    reason: Reason | None
    article: Article
    change: datetime | None


def select(
    articles: Iterable[Article],
    rules: SelectionRules,
    now: datetime,
    sightings: Mapping[str, Sighting] = MappingProxyType({}),
    last: Selection | None = None,
) -> Selection:
    """Select from one revision of each article.

    Args:
        articles: the revisions that count.
        rules: what is configured.
        now: the moment. For an article that readers have since a later one, the clock went back: it stays at that
            one, or what has come for them would be taken away, and brought again a day later.
        sightings: what readers were told, by identity.
        last: the last selection. Nothing is asked again of the articles that have not changed since.
    """
    basis = Basis(tuple(articles), rules, now, sightings)
    if last and (selection := _edited(last, basis)):
        return selection
    selected: list[Article] = []
    held: dict[str, Reason] = {}
    changes: set[datetime] = set()
    for each in basis.articles:
        reason, article, change = _fate(each, basis)
        if change:
            changes.add(change)
        if reason is None:
            selected.append(article)
        else:
            held[article.identity] = reason
    ordered = _in_order(selected)
    return Selection(ordered, held, _hidden(basis, held, ordered), min(changes, default=None), now, basis)


def seen(selection: Selection, sightings: Mapping[str, Sighting]) -> Selection:
    """The selection as one that was made with these sightings, where it would be the same."""
    before = selection.basis
    if before is None or before.sightings is sightings:
        return selection
    basis = replace(before, sightings=sightings)
    return replace(selection, basis=basis) if _stands(selection, before, basis) else selection


def _fate(article: Article, basis: Basis) -> _Fate:
    rules = basis.rules
    at = _moment(basis.sightings.get(article.identity), basis.now)
    reason = held_by(article, rules, at)
    if reason:
        return _Fate(reason, article, article.published_at if reason == "scheduled" else None)
    change = None
    if article.updated_at and article.updated_at > at:
        # An update that is still to come is none yet.
        change = article.updated_at
        article = replace(article, updated_at=None)
    if rules.max_age is not None:
        too_old = article.published_at + rules.max_age + timedelta(seconds=1)
        change = min(change, too_old) if change else too_old
    return _Fate(None, article, change)


def _moment(sighting: Sighting | None, now: datetime) -> datetime:
    """The moment that counts for an article of which this is remembered."""
    return now if sighting is None or sighting.withdrawn_at else max(now, sighting.last_moment)


def _edited(last: Selection, basis: Basis) -> Selection | None:
    """What a few edits make of the last selection; None where more has happened than that."""
    before = last.basis
    if before is None or not _stands(last, before, basis):
        return None
    difference = difference_of(before.articles, basis.articles)
    if not difference.is_small(len(basis.articles)):
        return None
    gone = [_fate(article, before) for article in difference.gone]
    if any(fate.change == last.next_change for fate in gone if fate.change):
        return None
    came = [_fate(article, basis) for article in difference.came]
    changes = (last.next_change, *(fate.change for fate in came))
    out = {fate.article.identity for fate in gone}
    held = {identity: reason for identity, reason in last.held.items() if identity not in out}
    held |= {fate.article.identity: fate.reason for fate in came if fate.reason}
    selected = exchange(last.articles, Difference(_selected(came), _selected(gone)))
    same = Counter(_hides(fate, basis) for fate in came) == Counter(_hides(fate, before) for fate in gone)
    hidden = last.hidden if same else _hidden(basis, held, selected)
    return Selection(selected, held, hidden, min(filter(None, changes), default=None), basis.now, basis)


def _stands(selection: Selection, before: Basis, after: Basis) -> bool:
    """Whether what is the same in both is selected as it was: nothing that time changes has come due."""

    def due(then: datetime, now: datetime) -> bool:
        change = selection.next_change
        return now < then or (change is not None and change <= now)

    if before.rules != after.rules or due(before.now, after.now):
        return False
    return not any(
        due(_moment(before.sightings.get(each), before.now), _moment(after.sightings.get(each), after.now))
        for each in differing(before.sightings, after.sightings)
    )


def _selected(fates: Iterable[_Fate]) -> tuple[Article, ...]:
    return tuple(fate.article for fate in fates if fate.reason is None)


def _hides(fate: _Fate, basis: Basis) -> tuple[bool, tuple[str, ...]]:
    return fate.reason is None and not basis.rules.is_private(fate.article), fate.article.addresses


def _hidden(basis: Basis, held: Mapping[str, Reason], selected: Iterable[Article]) -> frozenset[str]:
    """The addresses of those that are held or private, but for what is an address of a public one too."""
    rules = basis.rules
    if not held and not rules.privacy:
        return frozenset()
    withheld = [each for each in basis.articles if each.identity in held or rules.is_private(each)]
    public = selected if not rules.privacy else (each for each in selected if not rules.is_private(each))
    hidden = {address for article in withheld for address in article.addresses}
    hidden.difference_update(chain.from_iterable(map(attrgetter("addresses"), public)))
    return frozenset(hidden)


# Later than every article.
_LAST = datetime.max.replace(tzinfo=UTC)


def order_of(article: Article) -> tuple[timedelta, str]:
    """By this, a selection is ordered: the newest first, ties by id."""
    return _LAST - article.published_at, article.id


def _in_order(articles: list[Article]) -> tuple[Article, ...]:
    """As `order_of` has them, without an id for those that need none."""
    dates = Counter(map(attrgetter("published_at"), articles))
    if len(dates) < len(articles):
        articles.sort(key=lambda article: article.id if dates[article.published_at] > 1 else "")
    articles.sort(key=attrgetter("published_at"), reverse=True)
    return tuple(articles)


def exchange(articles: Sequence[Article], difference: Difference) -> tuple[Article, ...]:
    """Articles in this order after some went, by their identities, and others came."""
    if not difference.came and not difference.gone:
        return tuple(articles)
    after = list(articles)
    for article in difference.gone:
        place = bisect_left(after, order_of(article), key=order_of)
        if place < len(after) and after[place].identity == article.identity:
            del after[place]
    for article in difference.came:
        insort(after, article, key=order_of)
    return tuple(after)


def held_by(  # noqa: C901, PLR0911 - one line a rule reads best
    article: Article, rules: SelectionRules, now: datetime
) -> Reason | None:
    """The first rule that holds an article back, or None where it is selected."""
    if article.removed:
        return "removed"
    if article.deleted:
        return "deleted"
    if article.published is False:
        return "unpublished"
    if article.published is None and not rules.publish_missing:
        return "missing_published"
    if rules.categories and article.category not in rules.categories:
        return "category"
    if rules.types and article.type not in rules.types:
        return "type"
    if _below(article.quality, rules.min_quality):
        return "quality"
    if _below(article.heat, rules.min_heat):
        return "heat"
    # Time comes last, so that "scheduled" promises that the article will appear.
    if article.published_at > now:
        return "scheduled"
    if rules.max_age is not None and now - article.published_at > rules.max_age:
        return "age"
    return None


def _below(value: float | None, least: float | None) -> bool:
    return least is not None and (value is None or value < least)
