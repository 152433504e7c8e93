"""The tables of the memory, and how an older database is brought up to them.

Moments are whole seconds since 1970 in UTC. Every table but `events` and `meta` is a mapping of `feeds.memory`.
"""

from __future__ import annotations

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
    # Which article stands where in a feed's full archive documents.
    Column("path", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("identity", Text, nullable=False),
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
    Column("at", BigInteger, nullable=False, index=True),
    Column("happening", Text, nullable=False),
    Column("identity", Text, nullable=False, index=True),
    Column("id", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("path", Text, nullable=False),
    # Names with commas.
    Column("parts", Text, nullable=False),
    # Paths of feeds, with a line break before and behind each.
    Column("places", Text, nullable=False),
)


def _add_making(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE meta ADD COLUMN making TEXT"))


# Each makes of the version that is its place in the list the next one. They name tables and columns by themselves,
# and never through this module: it will change, and they must not.
MIGRATIONS: Sequence[Callable[[Connection], None]] = (_add_making,)
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
