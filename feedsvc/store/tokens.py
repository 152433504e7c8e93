"""Tokens: who may read private feeds. The database has a digest of each, from which nobody finds the token."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import delete, insert, select, update

from feedsvc.feeds.privacy import PRIVATE
from feedsvc.store.publication import moment, seconds
from feedsvc.store.tables import DOCUMENTS, TOKENS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from feedsvc.store.database import DatabaseStore


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom a token was made for, and the paths of the feeds that it opens; none stands for all private ones."""

    name: str
    feeds: tuple[str, ...]
    made_at: datetime


# By the digest of the token.
Grants: TypeAlias = "Mapping[str, Grant]"


def digest_of(token: str) -> str:
    """What is kept of a token. It is random and long: nobody can try them all, and so it needs no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def load_grants(connection: Connection) -> Grants:
    """All that were not revoked, in the order of their names, by the digests of the tokens."""
    rows = connection.execute(select(TOKENS).order_by(TOKENS.c.name))
    return {row.digest: Grant(row.name, tuple(row.feeds.split()), moment(row.made_at)) for row in rows}


def keep_grants(connection: Connection, grants: Grants) -> None:
    """Have these and no others."""
    connection.execute(delete(TOKENS))
    for digest, grant in grants.items():
        _insert(connection, digest, grant)


def _insert(connection: Connection, digest: str, grant: Grant) -> None:
    row = {"name": grant.name, "digest": digest, "feeds": "\n".join(grant.feeds)}
    connection.execute(insert(TOKENS).values(**row, made_at=seconds(grant.made_at)))


def follow(connection: Connection, moves: Mapping[str, str]) -> None:
    """Have tokens open the feeds that they were made for, where these are now, and not what takes their place."""
    for digest, each in load_grants(connection).items() if moves else ():
        feeds = tuple(moves.get(path, path) for path in each.feeds)
        if feeds != each.feeds:
            connection.execute(update(TOKENS).where(TOKENS.c.digest == digest).values(feeds="\n".join(feeds)))


def grants_in(store: DatabaseStore) -> Grants:
    """All that were not revoked.

    Raises:
        StoreError: the database cannot be read.
    """
    with store.reading() as connection:
        return load_grants(connection)


def private_feeds(store: DatabaseStore) -> tuple[str, ...]:
    """The paths of the private feeds that are published.

    Raises:
        StoreError: the database cannot be read.
    """
    query = select(DOCUMENTS.c.path).where(DOCUMENTS.c.path.startswith(PRIVATE)).order_by(DOCUMENTS.c.path)
    with store.reading() as connection:
        return tuple(dict.fromkeys(path.rpartition(".")[0] for path in connection.scalars(query)))


def grant(store: DatabaseStore, token: str, given: Grant) -> bool:
    """Let a token open feeds, beside whoever publishes; whether nobody of this name has one already.

    Raises:
        StoreError: the database cannot be written.
    """
    with store.visiting() as connection:
        if connection.scalar(select(TOKENS.c.name).where(TOKENS.c.name == given.name)) is not None:
            return False
        _insert(connection, digest_of(token), given)
    return True


def revoke(store: DatabaseStore, name: str) -> bool:
    """Let the token of this name open nothing any more; whether there was one.

    Raises:
        StoreError: the database cannot be written.
    """
    with store.visiting() as connection:
        return bool(connection.execute(delete(TOKENS).where(TOKENS.c.name == name)).rowcount)
