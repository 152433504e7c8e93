"""Several files may hold revisions of one article: which of them counts."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feedsvc.articles.article import Article

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Superseded:
    """A file whose revision of an article another file's stands before."""

    path: str
    by: str


def choose(revisions: Iterable[Article], *, publish_missing: bool) -> tuple[list[Article], list[Superseded]]:
    """One revision of each article, and the others.

    A published one stands before a held one, then the newest `updatedDateTime`, then the last path in byte
    order: file times differ between machines.

    Args:
        revisions: every file's article.
        publish_missing: a revision that does not say whether it is published counts as published.
    """

    def rank(article: Article) -> tuple[bool, datetime, bytes]:
        published = publish_missing if article.published is None else article.published
        shown = published and not article.removed and not article.deleted
        return shown, article.updated_at or _LONG_AGO, os.fsencode(article.path)

    given = list(revisions)
    # Nearly all articles have one revision, and are asked for nothing but their identity.
    best = dict(zip(map(attrgetter("identity"), given), given, strict=True))
    if len(best) == len(given):
        return given, []
    several = Counter(article.identity for article in given)
    rivals: dict[str, list[Article]] = defaultdict(list)
    for article in given:
        if several[article.identity] > 1:
            rivals[article.identity].append(article)
    others = []
    for identity, those in rivals.items():
        winner = best[identity] = max(those, key=rank)
        others += [Superseded(loser.path, winner.path) for loser in those if loser is not winner]
    return list(best.values()), sorted(others, key=lambda each: os.fsencode(each.path))
