"""Selection: which articles are published at a moment, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feedsvc.articles.article import Article
    from feedsvc.feeds.memory import Sighting

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
    """The rules. An article that lacks what a rule asks for does not pass it; None and () ask for nothing."""

    publish_missing: bool = False
    min_quality: float | None = None
    min_heat: float | None = None
    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected articles, newest first (ties by id), and the reason for each of the others by its identity.

    `hidden` are the addresses of those others, but for what is an address of a selected one too.
    `next_change` is when the passing of time alone will change the selection, if it ever will. `at` is the moment
    for which it was made.
    """

    articles: tuple[Article, ...] = ()
    held: Mapping[str, Reason] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    next_change: datetime | None = None
    at: datetime | None = None


def select(
    articles: Iterable[Article],
    rules: SelectionRules,
    now: datetime,
    sightings: Mapping[str, Sighting] = MappingProxyType({}),
) -> Selection:
    """Select from one revision of each article.

    Args:
        articles: the revisions that count.
        rules: what is configured.
        now: the moment. For an article that readers have since a later one, the clock went back: it stays at that
            one, or what has come for them would be taken away, and brought again a day later.
        sightings: what readers were told, by identity.
    """
    selected: list[Article] = []
    held: dict[str, Reason] = {}
    hidden: set[str] = set()
    changes: list[datetime] = []
    for article in articles:
        seen = sightings.get(article.identity)
        at = max(now, seen.last_moment) if seen and not seen.withdrawn_at else now
        reason = held_by(article, rules, at)
        if reason is None:
            if article.updated_at and article.updated_at > at:
                # An update that is still to come is none yet.
                changes.append(article.updated_at)
                article = replace(article, updated_at=None)  # noqa: PLW2901 - the same article, as of now
            selected.append(article)
            if rules.max_age is not None:
                changes.append(article.published_at + rules.max_age + timedelta(seconds=1))
        else:
            held[article.identity] = reason
            hidden.update(article.addresses)
            if reason == "scheduled":
                changes.append(article.published_at)
    selected.sort(key=lambda article: article.id)
    selected.sort(key=lambda article: article.published_at, reverse=True)
    hidden.difference_update(*(article.addresses for article in selected))
    return Selection(tuple(selected), held, frozenset(hidden), min(changes, default=None), now)


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
