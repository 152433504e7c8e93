"""Several files may hold revisions of one article: which of them counts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
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

    best: dict[str, Article] = {}
    superseded: dict[str, list[Article]] = {}
    for article in revisions:
        first = best.setdefault(article.identity, article)
        if first is article:
            continue
        winner, loser = sorted((first, article), key=rank, reverse=True)
        best[article.identity] = winner
        superseded.setdefault(article.identity, []).append(loser)
    others = [
        Superseded(loser.path, best[identity].path) for identity, losers in superseded.items() for loser in losers
    ]
    return list(best.values()), sorted(others, key=lambda each: os.fsencode(each.path))
