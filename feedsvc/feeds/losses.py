"""Losses: what readers would lose by a reload, where that looks like somebody's mistake."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedsvc.feeds.privacy import is_private, privacy_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from feedsvc.feeds.groups import Grouping
    from feedsvc.feeds.memory import Memory

# A feed that had more than so many is not emptied without a question.
MANY = 10


@dataclass(frozen=True, slots=True)
class LossRules:
    """More than this share of the served articles, and at least so many, are too many to withdraw at once."""

    share: float = 0.5
    minimum: int = 10


@dataclass(frozen=True, slots=True)
class Loss:
    """What would be lost: articles by their identity, of how many that are served, and feeds that become empty."""

    withdrawn: frozenset[str]
    served: int
    emptied: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.withdrawn):,} of {self.served:,} articles would be withdrawn"]
        if self.emptied:
            # Whoever asks for the health reads this.
            named = [path for path in self.emptied if not is_private(path)][:3]
            others = len(self.emptied) - len(named)
            counted = [f"{others:,} {'other ' * bool(named)}feed{'s' * (others != 1)}"] if others else []
            parts.append(f"{' and '.join([', '.join(named)] * bool(named) + counted)} would be empty")
        return "; ".join(parts)


def loss_of(
    memory: Memory, grouping: Grouping, rules: LossRules, refused: Collection[str] = frozenset()
) -> Loss | None:
    """What the articles of a grouping lack that readers have; None where nobody would think of a mistake.

    What is too old by now is none: that is what `max_age` is for. Nor do public feeds lose what is private now, or
    could be.

    Args:
        memory: knows what is served.
        grouping: what would be served.
        rules: how much is too much.
        refused: the identities of articles of which it is not known whether they are private.
    """
    empty = {each.path for each in grouping.groups if not each.articles}
    difference = grouping.difference
    if difference:
        # Only who is another now can have left.
        there = dict.fromkeys(article.identity for article in difference.gone)
        gone = there.keys() - {article.identity for article in difference.came}
    else:
        there = dict.fromkeys(memory.sightings)
        gone = there.keys() - {article.identity for article in grouping.selection.articles}
    sightings, held = memory.sightings, grouping.selection.held

    def served(identity: str) -> bool:
        seen = sightings.get(identity)
        counts = held.get(identity) != "age" and identity not in refused
        return seen is not None and not seen.withdrawn_at and counts

    withdrawn = frozenset(filter(served, gone))
    had: Counter[str] = Counter()
    if empty:
        private = _private(grouping)
        had.update(
            path
            for each in filter(served, there)
            for path in sightings[each].places
            # Who makes an article private takes it from public feeds, and must not be kept waiting.
            if path in empty and (is_private(path) or each not in private)
        )
    emptied = tuple(each.path for each in grouping.groups if had[each.path] > MANY)
    if len(withdrawn) < rules.minimum and not emptied:
        return None
    total = sum(map(served, sightings))
    too_many = len(withdrawn) >= rules.minimum and len(withdrawn) > rules.share * total
    return Loss(withdrawn, total, emptied) if too_many or emptied else None


def _private(grouping: Grouping) -> set[str]:
    """The identities of private articles, among those that are others now, or among all."""
    privacy, difference = privacy_of(grouping.catalog), grouping.difference
    articles = difference.came if difference else grouping.selection.articles
    return {each.identity for each in articles if privacy.covers(each)} if privacy else set()
