"""What a reader sees: feeds and their entries, with every field that reaches a document, and no other.

Two equal feeds make the same documents; a field of an article that is not here cannot change one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from feedsvc.articles.article import Image, Link

Kind: TypeAlias = Literal["all", "topic", "provider", "domain"]


@dataclass(frozen=True, slots=True)
class Category:
    """A topic, and the page of its feed."""

    term: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry was first published (RFC 4287 §4.2.11)."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as a feed shows it. `summary` is text, `content` is HTML; both may be "".

    `type` is what the publisher calls it (article, video, course), `length` an ISO 8601 duration, `featured` the
    page where what the article embeds is played.
    """

    id: str
    title: str
    url: str
    published: datetime
    updated: datetime
    authors: tuple[str, ...]
    source: Source | None
    categories: tuple[Category, ...]
    summary: str
    content: str
    picture: Image | None
    related: tuple[Link, ...]
    type: str = ""
    length: str = ""
    featured: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """What all feeds share; `base_url` has no slash at its end."""

    base_url: str
    title: str
    description: str
    language: str
    id: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A named, ordered list of selected articles.

    `path` is that of its page; the path of a format has the format's ending behind it. `total` counts the
    articles that the feed would hold without a limit, `newest` is the date of the first.
    """

    kind: Kind
    name: str
    path: str
    id: str
    title: str
    description: str
    updated: datetime
    entries: tuple[Entry, ...]
    total: int
    site: Site
    icon: Image | None = None

    @property
    def newest(self) -> datetime | None:
        """The date of the newest entry."""
        return self.entries[0].published if self.entries else None


def latest(entries: Sequence[Entry], fallback: datetime) -> datetime:
    """When the newest change among the entries was."""
    return max((entry.updated for entry in entries), default=fallback)
