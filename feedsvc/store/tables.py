"""The tables.

Moments are whole seconds since 1970 in UTC. `files` to `former` and `events` are what one publisher remembers;
`documents`, `routes`, `gone` and `generations` are what replicas follow, and `tokens` what whoever serves does.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
)

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
    # Counts the changes of what is published, since `birth`, which no other database has.
    Column("generation", BigInteger, nullable=False, server_default="0"),
    Column("birth", Text),
    # Counts those who became the publisher; who it is, when the directory was last read without error, and what
    # stands against it.
    Column("term", BigInteger, nullable=False, server_default="0"),
    Column("publisher", Text),
    Column("reloaded_at", BigInteger),
    Column("error", Text),
    # What the URLs of all documents begin with.
    Column("base_url", Text),
    # Whether pages and archives have been published too, however long ago.
    Column("whole", Integer, nullable=False, server_default="0"),
)

FILES = Table(
    "files",
    METADATA,
    # Bytes, as the file system has them.
    Column("path", LargeBinary, nullable=False),
    Column("size", BigInteger),
    Column("mtime_ns", BigInteger),
    Column("inode", BigInteger),
    Column("digest", LargeBinary, nullable=False),
    Column("record", LargeBinary, nullable=False),
    PrimaryKeyConstraint("path").ddl_if(dialect="sqlite"),
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
    # A URL.
    Column("identity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("print", LargeBinary, nullable=False),
    # Paths of feeds, a line each.
    Column("places", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("changed_at", BigInteger),
    Column("withdrawn_at", BigInteger),
    PrimaryKeyConstraint("identity").ddl_if(dialect="sqlite"),
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
    # Only where gzip does not make them smaller; else their number is enough.
    Column("plain", LargeBinary),
    Column("media_type", Text, nullable=False, server_default=""),
    Column("length", BigInteger, nullable=False, server_default="0"),
    # A line each: the name, a colon, the value.
    Column("headers", Text, nullable=False, server_default=""),
    # Whether it is one that a service without replicas makes when it is asked for.
    Column("rare", Integer, nullable=False, server_default="0"),
    # Since when it is so.
    Column("generation", BigInteger, nullable=False, server_default="0"),
)

ROUTES = Table(
    "routes",
    METADATA,
    # Where a path in folded form leads; NULL for a feed that was given up.
    Column("path", Text, primary_key=True),
    Column("target", Text),
    Column("generation", BigInteger, nullable=False),
)

GONE = Table(
    "gone",
    METADATA,
    # What is in one of the two tables above no more, and since when.
    Column("of", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("generation", BigInteger, nullable=False),
)

GENERATIONS = Table(
    "generations",
    METADATA,
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    # Drawn at random: after an older copy of the database was brought back, new generations have other ones.
    Column("mark", Text, nullable=False),
)

REQUESTS = Table(
    "requests",
    METADATA,
    # Reloads that replicas asked for; once it is answered, how it ended.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("accept", Integer, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("answer", Text),
    Column("generation", BigInteger),
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

TOKENS = Table(
    "tokens",
    METADATA,
    # Of whoever reads private feeds; the token itself is nowhere.
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    # The paths of the feeds that it opens, a line each; none for all.
    Column("feeds", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

# Paths of files and URLs may be long. To a primary key of PostgreSQL's, 2,704 bytes are too long; not to this one.
for _table, _key in ((FILES, "path"), (SIGHTINGS, "identity")):
    _statement = f"ALTER TABLE {_table.name} ADD EXCLUDE USING hash ({_key} WITH =)"
    _once = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    event.listen(_table, "after_create", _once.execute_if(dialect="postgresql"))
