"""The tables of the memory, and how an older database is brought up to them.

Moments are whole seconds since 1970 in UTC. Every table but `events` and `meta` is a mapping of `feeds.memory`.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
    select,
    text,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

METADATA = MetaData()

META = Table(
    "meta",
    METADATA,
    Column("version", Integer, nullable=False),
    # How the files were read, and which directory it was.
    Column("reading", Text),
    Column("root_device", BigInteger),
    Column("root_inode", BigInteger),
    Column("root_path", LargeBinary),
    # What decided, beside the articles, what the documents are.
    Column("making", Text),
)

FILES = Table(
    "files",
    METADATA,
    # Bytes, as the file system has them.
    Column("path", LargeBinary, primary_key=True),
    Column("size", BigInteger),
    Column("mtime_ns", BigInteger),
    Column("inode", BigInteger),
    Column("digest", LargeBinary, nullable=False),
    Column("record", LargeBinary, nullable=False),
)

NAMES = Table(
    "names",
    METADATA,
    # topic or provider; the folded name; a provider's domain.
    Column("kind", Text, primary_key=True),
    Column("name_key", Text, primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False),
)

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("identity", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("print", LargeBinary, nullable=False),
    # Paths of feeds, a line each.
    Column("places", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("changed_at", BigInteger),
    Column("withdrawn_at", BigInteger),
    # SQLite then has them once, in the order of the key, and no index beside.
    sqlite_with_rowid=False,
)

ROLLS = Table(
    "rolls",
    METADATA,
    Column("path", Text, primary_key=True),
    Column("entries", LargeBinary, nullable=False),
    Column("moved_at", BigInteger),
    Column("size", Integer, nullable=False),
    # A line each: the id of who left, and when.
    Column("departed", Text, nullable=False),
)

ARCHIVED = Table(
    "archived",
    METADATA,
    # The articles of a feed's full archive documents, one after the other, a line each.
    Column("path", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("identities", Text, nullable=False),
)

FORMER = Table(
    "former",
    METADATA,
    # The path of a feed that has another one now.
    Column("path", Text, primary_key=True),
    Column("now", Text, nullable=False),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("path", Text, primary_key=True),
    Column("etag", Text, nullable=False),
    Column("last_modified", BigInteger, nullable=False),
    # What it was made of and by which program, as a digest; and its bytes, compressed.
    Column("source", LargeBinary),
    Column("br", LargeBinary),
    Column("gzip", LargeBinary),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    # No index: who asks for those of one article asks by any of its names, and for those of a feed, by no column.
    Column("at", BigInteger, nullable=False),
    Column("happening", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("path", Text, nullable=False),
    # Names with commas.
    Column("parts", Text, nullable=False),
    # Paths of feeds, with a line break before and behind each.
    Column("places", Text, nullable=False),
)


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


# Each makes of the version that is its place in the list the next one. They name tables and columns by themselves,
# and never through this module: it will change, and they must not.
MIGRATIONS: Sequence[Callable[[Connection], None]] = (_add_making, _join_rows)
VERSION = len(MIGRATIONS) + 1


class VersionError(Exception):
    """The database was written by another feedsvc; the message says by which, and what to do."""


def prepare(connection: Connection) -> None:
    """Make the tables, or bring those of an older version up to date, in one transaction.

    Raises:
        VersionError: a newer feedsvc wrote it, and only that one knows how to read it.
    """
    METADATA.create_all(connection, tables=[META])
    version = connection.scalar(select(META.c.version))
    if version is None:
        METADATA.create_all(connection)
        connection.execute(insert(META).values(version=VERSION))
        return
    if version > VERSION:
        raise VersionError(f"its version is {version}, and this feedsvc knows {VERSION}; update feedsvc")
    for migrate in MIGRATIONS[version - 1 :]:
        migrate(connection)
    connection.execute(update(META).values(version=VERSION))


def check_version(connection: Connection) -> None:
    """Whether this program can read the tables, as they are.

    Raises:
        VersionError: another one wrote them.
    """
    version = connection.scalar(select(META.c.version))
    if version != VERSION:
        raise VersionError(f"its version is {version}, and this feedsvc reads {VERSION}; start the newer one once")
