"""Migrations: how the tables are made, and those of an older database brought up to date.

Those up to version 4 are SQLite's: no PostgreSQL database is older than that.
"""

from __future__ import annotations

import secrets
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, inspect, select, text, update

from feedsvc.store.errors import UNWRITTEN
from feedsvc.store.tables import META, METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection


def _add_making(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE meta ADD COLUMN making TEXT"))


def _join_rows(connection: Connection) -> None:
    # Records have another form, and are made anew: nothing is told of files that are read again for that.
    connection.execute(text("UPDATE files SET record = x''"))
    for name in ("at", "identity", "id"):
        connection.execute(text(f"DROP INDEX IF EXISTS ix_events_{name}"))
    connection.execute(
        text(
            "CREATE TABLE sightings_3 (identity TEXT NOT NULL, title TEXT NOT NULL, path TEXT NOT NULL, "
            "print BLOB NOT NULL, places TEXT NOT NULL, first_seen BIGINT NOT NULL, changed_at BIGINT, "
            "withdrawn_at BIGINT, PRIMARY KEY (identity)) WITHOUT ROWID"
        )
    )
    columns = "identity, title, path, print, places, first_seen, changed_at, withdrawn_at"
    connection.execute(text(f"INSERT INTO sightings_3 SELECT {columns} FROM sightings ORDER BY identity"))  # noqa: S608 - of ours
    connection.execute(
        text(
            "CREATE TABLE archived_3 (path TEXT NOT NULL, number INTEGER NOT NULL, identities TEXT NOT NULL, "
            "PRIMARY KEY (path, number))"
        )
    )
    query = "SELECT path, place / size, identity FROM archived JOIN rolls USING (path) ORDER BY path, place"
    for (path, number), rows in groupby(connection.execute(text(query)).all(), itemgetter(0, 1)):
        values = {"path": path, "number": number, "identities": "\n".join(identity for _, _, identity in rows)}
        connection.execute(text("INSERT INTO archived_3 VALUES (:path, :number, :identities)"), values)
    for name in ("sightings", "archived"):
        connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text(f"ALTER TABLE {name}_3 RENAME TO {name}"))


def _add_generations(connection: Connection) -> None:
    for column in ("plain BLOB", "media_type TEXT NOT NULL DEFAULT ''", "length BIGINT NOT NULL DEFAULT 0"):
        connection.execute(text(f"ALTER TABLE documents ADD COLUMN {column}"))
    for column in ("headers TEXT NOT NULL DEFAULT ''", "rare INTEGER NOT NULL DEFAULT 0"):
        connection.execute(text(f"ALTER TABLE documents ADD COLUMN {column}"))
    connection.execute(text("ALTER TABLE documents ADD COLUMN generation BIGINT NOT NULL DEFAULT 0"))
    for column in ("generation BIGINT NOT NULL DEFAULT 0", "birth TEXT", "term BIGINT NOT NULL DEFAULT 0"):
        connection.execute(text(f"ALTER TABLE meta ADD COLUMN {column}"))
    connection.execute(text("ALTER TABLE meta ADD COLUMN whole INTEGER NOT NULL DEFAULT 0"))
    for column in ("publisher TEXT", "reloaded_at BIGINT", "error TEXT", "base_url TEXT"):
        connection.execute(text(f"ALTER TABLE meta ADD COLUMN {column}"))
    connection.execute(text("UPDATE meta SET birth = lower(hex(randomblob(8)))"))
    connection.execute(
        text(
            "CREATE TABLE routes (path TEXT NOT NULL, target TEXT, generation BIGINT NOT NULL, PRIMARY KEY (path))"
        )
    )
    connection.execute(
        text(
            'CREATE TABLE gone ("of" TEXT NOT NULL, path TEXT NOT NULL, generation BIGINT NOT NULL, '
            'PRIMARY KEY ("of", path))'
        )
    )
    connection.execute(
        text("CREATE TABLE generations (generation BIGINT NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (generation))")
    )
    connection.execute(
        text(
            "CREATE TABLE requests (number INTEGER NOT NULL, accept INTEGER NOT NULL, asked_at BIGINT NOT NULL, "
            "answer TEXT, generation BIGINT, PRIMARY KEY (number))"
        )
    )


def _add_tokens(connection: Connection) -> None:
    connection.execute(
        text(
            "CREATE TABLE tokens (name TEXT NOT NULL, digest TEXT NOT NULL, feeds TEXT NOT NULL, "
            "made_at BIGINT NOT NULL, PRIMARY KEY (name), UNIQUE (digest))"
        )
    )


# Each makes of the version that is its place in the list the next one. They name tables and columns by themselves,
# and never through this module: it will change, and they must not.
MIGRATIONS: Sequence[Callable[[Connection], None]] = (_add_making, _join_rows, _add_generations, _add_tokens)
VERSION = len(MIGRATIONS) + 1
# Of all locks of a PostgreSQL database, that of who makes the tables; any number that is ours alone.
_MAKING = 0x6665656401


class VersionError(Exception):
    """The database was written by another feedsvc; the message says by which, and what to do."""


def prepare(connection: Connection) -> None:
    """Make the tables, or bring those of an older version up to date, in one transaction.

    Raises:
        VersionError: a newer feedsvc wrote it, and only that one knows how to read it.
    """
    if connection.dialect.name == "postgresql":
        # Several programs may be started at once, and only one can make a table.
        connection.execute(select(func.pg_advisory_xact_lock(_MAKING)))
    METADATA.create_all(connection, tables=[META])
    version = connection.scalar(select(META.c.version))
    if version is None:
        METADATA.create_all(connection)
        connection.execute(insert(META).values(version=VERSION, birth=secrets.token_hex(8)))
        return
    check_known(version)
    for migrate in MIGRATIONS[version - 1 :]:
        migrate(connection)
    connection.execute(update(META).values(version=VERSION))


def check_known(version: int) -> None:
    """See to it that this program goes on with no database that a newer one has brought up to date meanwhile.

    Raises:
        VersionError: it is of a newer one.
    """
    if version > VERSION:
        raise VersionError(
            f"the database is of a newer version, {version}, and this feedsvc knows {VERSION}; update feedsvc"
        )


def check_version(connection: Connection) -> None:
    """Make sure that this program can read the tables, as they are.

    Raises:
        VersionError: they are not as this one would have made them, or not there.
    """
    if not inspect(connection).has_table(META.name):
        raise VersionError(UNWRITTEN)
    version = connection.scalars(select(META.c.version)).one()
    check_known(version)
    if version != VERSION:
        raise VersionError(f"its version is {version}, and this feedsvc reads {VERSION}; start its publisher once")
