"""Who publishes and who follows, without a service around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, update
from support import NOW

from feedsvc.documents.document import Dated
from feedsvc.store.publication import begin_generation, fetch, keep, publish
from feedsvc.store.tables import META, METADATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from feedsvc.store.database import DatabaseStore
    from feedsvc.store.publication import Delta

NOTHING: dict[str, Any] = {}
# Among changes: what was there is there no more.
GONE_NOW = "gone now"


def made(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is there after some changes."""
    return {path: each for path, each in {**before, **changes}.items() if each != GONE_NOW}


@dataclass
class Follower:
    """Who follows: what it has in memory, and where it keeps that."""

    cache: DatabaseStore
    birth: str = ""
    generation: int = 0
    documents: dict[str, Dated] = field(default_factory=dict)
    routes: dict[str, str | None] = field(default_factory=dict)

    def take(self, delta: Delta) -> None:
        """Have what is different, or all of it."""
        documents, routes = (NOTHING, NOTHING) if delta.whole else (self.documents, self.routes)
        self.documents = made(documents, {**dict.fromkeys(delta.gone, GONE_NOW), **delta.documents})
        self.routes = made(routes, {**dict.fromkeys(delta.closed, GONE_NOW), **delta.routes})
        self.birth, self.generation = delta.standing.birth, delta.standing.generation

    def restart(self) -> None:
        """Have nothing but what was kept."""
        self.documents, self.routes = {}, {}
        with self.cache.reading() as connection:
            self.take(fetch(connection, "", 0))


def clear(connection: Connection, birth: str, generation: int) -> None:
    """What a new database has."""
    for table in METADATA.sorted_tables:
        if table is not META:
            connection.execute(delete(table))
    connection.execute(update(META).values(birth=birth, generation=generation))


def put(store: DatabaseStore, old: Mapping[str, Dated], new: Mapping[str, Dated], term: int | None = None) -> None:
    """Publish these documents, and for each a route of its name."""
    with store.writing() as connection:
        number = begin_generation(connection, term)
        publish(connection, number, old, new, {f"to{path}": path for path in old}, {f"to{p}": p for p in new})


def documents(*paths: str, etag: str = '"1"') -> dict[str, Dated]:
    """Some documents."""
    return {path: Dated(etag, NOW) for path in paths}


def follow(reader: DatabaseStore, follower: Follower) -> bool:
    """Have what is new, and keep it; whether that was all."""
    with reader.reading() as connection:
        delta = fetch(connection, follower.birth, follower.generation)
    follower.take(delta)
    with follower.cache.writing() as connection:
        keep(connection, delta)
    again = Follower(follower.cache)
    again.restart()
    assert again == follower
    return delta.whole
