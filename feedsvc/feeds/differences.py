"""Differences: what is not the very same object in two collections of nearly the same ones.

After an edit, some hundred thousand objects are those of before. Nothing is asked of these in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, count, islice
from operator import is_, is_not
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feedsvc.articles.article import Article

_Value = TypeVar("_Value")
# Where more of the articles than this share have changed, all is sooner made anew.
_FEW = 0.02


@dataclass(frozen=True, slots=True)
class Difference:
    """Articles that came, and those that went, each in the order of its kind; one that changed did both."""

    came: tuple[Article, ...]
    gone: tuple[Article, ...]

    def is_small(self, total: int) -> bool:
        """Whether it is sooner made good than everything is made anew."""
        return len(self.came) + len(self.gone) <= max(10, _FEW * total)


def difference_of(before: Sequence[Article], after: Sequence[Article]) -> Difference:
    """The articles that are in one of the two alone. Cheap where what both share is in the same order."""
    least = min(len(before), len(after))
    start = _same(before, after, least)
    end = _same(before[::-1], after[::-1], least - start)
    left, right = before[start : len(before) - end], after[start : len(after) - end]
    old, new = set(map(id, left)), set(map(id, right))
    return Difference(
        tuple(article for article in right if id(article) not in old),
        tuple(article for article in left if id(article) not in new),
    )


def _same(before: Sequence[Article], after: Sequence[Article], most: int) -> int:
    """With how many of the same articles both begin."""
    return next(compress(count(), map(is_not, before[:most], after)), most)


def differing(before: Mapping[str, _Value], after: Mapping[str, _Value]) -> set[str]:
    """The keys under which the two do not have the very same value, or one has none."""
    if before is after:
        return set()
    # Nearly always, both have the same keys in the same order, but for some more at the end of the second.
    shared = len(before)
    if len(after) >= shared and all(map(is_, before, after)):
        unlike = compress(after, map(is_not, before.values(), after.values()))
        return {*unlike, *islice(after, shared, None)}
    return {key for key in {**before, **after} if before.get(key) is not after.get(key)}
