"""Memory: what readers were told before, so that they are told what changed for them, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from feedsvc.articles.identity import id_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from feedsvc.articles.article import ProviderKey

Happening: TypeAlias = Literal["arrived", "changed", "withdrawn", "returned"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is remembered of one article that was served.

    `print` tells what readers saw of it last, `places` are the paths of the feeds that it was in; `first_seen` is
    when it first could be read, `changed_at` when what they saw last changed (None: never), `withdrawn_at` when it
    left (None: it is there). `title` and `path` name it to people when it is gone.
    """

    title: str
    path: str
    print: bytes
    places: tuple[str, ...]
    first_seen: datetime
    changed_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def last_moment(self) -> datetime:
        """The newest of its moments."""
        return max(self.first_seen, self.changed_at or self.first_seen, self.withdrawn_at or self.first_seen)


@dataclass(frozen=True, slots=True)
class Departure:
    """An article that left a feed, by its id (RFC 6721 §3)."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Roll:
    """What is remembered of one feed.

    `entries` tells whom it showed last, `moved_at` when that last changed (None: never). `archived` are the
    identities of all that its full archive documents hold, `size` each, the oldest first. `departed` are those who
    left it lately.
    """

    entries: bytes
    moved_at: datetime | None = None
    size: int = 0
    archived: tuple[str, ...] = ()
    departed: tuple[Departure, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an article for its readers.

    `parts` are those that changed, `places` the paths of the feeds that it happened in.
    """

    at: datetime
    happening: Happening
    identity: str
    title: str
    path: str
    parts: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The entry id of the article."""
        return id_of(self.identity)


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered from one reload to the next, and over restarts.

    Names and slugs of all topics and providers that had a feed; the paths that feeds had under other slugs, and
    where they are now; all articles that were served, by identity; every feed's roll, by its path.
    """

    topics: Mapping[tuple[str], str] = field(default_factory=dict)
    topic_slugs: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    providers: Mapping[ProviderKey, str] = field(default_factory=dict)
    provider_slugs: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    rolls: Mapping[str, Roll] = field(default_factory=dict)
