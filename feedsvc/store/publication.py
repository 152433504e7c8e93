"""What is published, as the tables have it: written by one publisher, followed by any number of replicas.

Each change of it is a generation, whose number only grows. A document or route that is not changed is not written
again, so who has one generation needs of a later one what is newer, and the names of what is gone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from feedsvc.documents.document import Dated
from feedsvc.store.errors import DeposedError
from feedsvc.store.migrations import check_known
from feedsvc.store.tables import DOCUMENTS, GENERATIONS, GONE, META, ROUTES
from feedsvc.store.writing import changes_of, delete_rows, insert_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table

# What is gone is remembered for so many generations. Who is further behind compares all that there is.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Who publishes, and how that stands.

    `birth` is the database's own; `error` is what stands against the last reading of the directory. Until it
    `is_whole`, pages and archives may be still to come.
    """

    birth: str = ""
    generation: int = 0
    term: int = 0
    publisher: str = ""
    reloaded_at: datetime | None = None
    error: str | None = None
    base_url: str = ""
    is_whole: bool = False
    # That of the generation.
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """What is different of a generation, from that which a replica has; or all of it, where it is `whole`.

    `gone` are paths of documents, `closed` those of routes.
    """

    standing: Standing
    whole: bool
    documents: Mapping[str, Dated] = field(default_factory=dict)
    routes: Mapping[str, str | None] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    # Those of the generations since.
    marks: Mapping[int, str] = field(default_factory=dict)


def begin_generation(connection: Connection, term: int | None = None) -> int:
    """The number of the next generation. From here on, nobody else can publish until this transaction has ended.

    Args:
        connection: in a transaction that has written nothing yet.
        term: that of the publisher, where there can be several.

    Raises:
        DeposedError: since then, another process has become the publisher; or there is no term, and on a server,
            where no lock keeps anybody else away, one has been elected.
        VersionError: since it was opened, a newer program has changed the tables.
    """
    connection.execute(update(META).values(generation=META.c.generation))
    row = connection.execute(select(META.c.version, META.c.generation, META.c.term)).one()
    check_known(row.version)
    if term is None and row.term and connection.dialect.name != "sqlite":
        raise DeposedError("this process was not elected to publish here")
    if term is not None and row.term != term:
        raise DeposedError(f"another process is the publisher now, in term {row.term} after {term}")
    return int(row.generation) + 1


def publish(  # noqa: PLR0913, PLR0917 - what was, and what is
    connection: Connection,
    generation: int,
    old: Mapping[str, Dated],
    new: Mapping[str, Dated],
    old_routes: Mapping[str, str | None],
    new_routes: Mapping[str, str | None],
    *,
    rare: bool = False,
) -> bool:
    """Write what is different; whether anything is, and so that is the generation now.

    Args:
        connection: in the transaction in which the generation was begun.
        generation: its number.
        old: the documents of before.
        new: those of now.
        old_routes: where paths led before.
        new_routes: where they lead now.
        rare: whether the documents are such as a service without replicas makes when they are asked for.
    """
    changed, gone = changes_of(old, new)
    _write(connection, DOCUMENTS, gone, [(path, *_values(new[path], rare), generation) for path in changed])
    opened, closed = changes_of(old_routes, new_routes)
    _write(connection, ROUTES, closed, [(path, new_routes[path], generation) for path in opened])
    if not (changed or gone or opened or closed):
        return False
    absent = [(DOCUMENTS.name, path) for path in gone] + [(ROUTES.name, path) for path in closed]
    delete_rows(connection, GONE, absent)
    insert_rows(connection, GONE, ((*each, generation) for each in absent))
    connection.execute(delete(GONE).where(GONE.c.generation < generation - _REMEMBERED))
    advance(connection, generation)
    return True


def advance(connection: Connection, generation: int) -> None:
    """Have this generation be the one that there is now; its mark tells it from all that had this number."""
    mark = secrets.token_hex(8)
    connection.execute(delete(GENERATIONS).where(GENERATIONS.c.generation < generation - _REMEMBERED))
    connection.execute(insert(GENERATIONS).values(generation=generation, mark=mark))
    connection.execute(update(META).values(generation=generation))
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify("feedsvc", str(generation))))


def _write(connection: Connection, table: Table, gone: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    delete_rows(connection, table, (*gone, *(row[0] for row in rows)))
    insert_rows(connection, table, rows)


def fetch(connection: Connection, birth: str, generation: int, mark: str | None = None) -> Delta:
    """What is published now, as far as it is different from a generation.

    Args:
        connection: one that sees one moment.
        birth: of which database that was.
        generation: its number; 0 for none.
        mark: its mark, where that is known: what does not follow from it is fetched as a whole.
    """
    standing = standing_of(connection)
    followed = birth == standing.birth and standing.generation - _REMEMBERED < generation <= standing.generation
    if followed and mark is not None:
        query = select(GENERATIONS.c.mark).where(GENERATIONS.c.generation == generation)
        followed = (connection.scalar(query) or "") == mark
    since = generation if followed else 0
    if followed and since == standing.generation:
        return Delta(standing, whole=False)
    gone = connection.execute(select(GONE.c.of, GONE.c.path).where(GONE.c.generation > since)).all()
    return Delta(
        standing,
        not followed or not since,
        load_documents(connection, since, rare=None),
        load_routes(connection, since),
        frozenset(path for of, path in gone if of == DOCUMENTS.name),
        frozenset(path for of, path in gone if of == ROUTES.name),
        load_marks(connection, since),
    )


def keep(connection: Connection, delta: Delta) -> None:
    """Write what was fetched elsewhere, so that `fetch` finds the same here."""
    standing = delta.standing
    if delta.whole:
        connection.execute(delete(DOCUMENTS))
        connection.execute(delete(ROUTES))
        connection.execute(delete(GENERATIONS))
    rows = [(path, *_values(each, rare=False), standing.generation) for path, each in delta.documents.items()]
    _write(connection, DOCUMENTS, [*delta.gone], rows)
    routes = [(path, target, standing.generation) for path, target in delta.routes.items()]
    _write(connection, ROUTES, [*delta.closed], routes)
    delete_rows(connection, GENERATIONS, [*delta.marks])
    insert_rows(connection, GENERATIONS, delta.marks.items())
    connection.execute(delete(GENERATIONS).where(GENERATIONS.c.generation < standing.generation - _REMEMBERED))
    names = ("birth", "generation", "term", "publisher", "base_url")
    values = {name: getattr(standing, name) for name in names}
    at = seconds(standing.reloaded_at)
    connection.execute(update(META).values(**values, reloaded_at=at, whole=int(standing.is_whole)))


def standing_of(connection: Connection) -> Standing:
    """Who publishes, and how that stands.

    Raises:
        VersionError: since it was opened, a newer program has changed the tables.
    """
    joined = META.outerjoin(GENERATIONS, GENERATIONS.c.generation == META.c.generation)
    row = connection.execute(select(META, GENERATIONS.c.mark).select_from(joined)).one()
    check_known(row.version)
    at = None if row.reloaded_at is None else moment(row.reloaded_at)
    return Standing(
        row.birth or "",
        row.generation,
        row.term,
        row.publisher or "",
        at,
        row.error,
        row.base_url or "",
        bool(row.whole),
        row.mark or "",
    )


def load_documents(connection: Connection, since: int = 0, *, rare: bool | None = False) -> dict[str, Dated]:
    """The documents that are newer than a generation; rare ones or others, or, with None, both."""
    query = select(DOCUMENTS)
    if since:
        query = query.where(DOCUMENTS.c.generation > since)
    if rare is not None:
        query = query.where(DOCUMENTS.c.rare == int(rare))
    return {row.path: _dated(row) for row in connection.execute(query)}


def load_rare(connection: Connection) -> dict[str, Dated]:
    """The rare documents without their bytes."""
    bodies = (DOCUMENTS.c.br, DOCUMENTS.c.gzip, DOCUMENTS.c.plain)
    columns = [column for column in DOCUMENTS.columns if column not in bodies]
    rows = connection.execute(select(*columns).where(DOCUMENTS.c.rare == 1))
    return {row.path: Dated(row.etag, moment(row.last_modified), row.source) for row in rows}


def load_routes(connection: Connection, since: int = 0) -> dict[str, str | None]:
    """Where paths lead, as far as that is newer than a generation."""
    rows = connection.execute(select(ROUTES.c.path, ROUTES.c.target).where(ROUTES.c.generation > since))
    return {row.path: row.target for row in rows}


def load_marks(connection: Connection, since: int) -> dict[int, str]:
    """The marks of the generations that are newer than one."""
    query = select(GENERATIONS).where(GENERATIONS.c.generation > since)
    return {row.generation: row.mark for row in connection.execute(query)}


def _values(document: Dated, rare: bool) -> tuple[Any, ...]:  # noqa: FBT001 - a column
    headers = "\n".join(f"{name}:{value}" for name, value in document.headers)
    return (
        document.etag,
        seconds(document.last_modified),
        document.source,
        document.br,
        document.gzip,
        document.plain,
        document.media_type,
        document.length,
        headers,
        int(rare),
    )


def _dated(row: Any) -> Dated:
    at = moment(row.last_modified)
    bodies = row.br, row.gzip, row.plain
    return Dated(row.etag, at, row.source, *bodies, row.media_type, row.length, _headers(row.headers))


# All documents of a kind have nearly the same.
@lru_cache(maxsize=2**12)
def _headers(lines: str) -> tuple[tuple[str, str], ...]:
    pairs = (line.partition(":") for line in lines.split("\n") if line)
    return tuple((_same(name), _same(value)) for name, _, value in pairs)


@lru_cache(maxsize=2**12)
def _same(text: str) -> str:
    return text


def seconds(at: datetime | None) -> int | None:
    """A moment as the tables have it."""
    return None if at is None else int(at.timestamp())


# Many articles come at once.
@lru_cache(maxsize=2**12)
def moment(at: int) -> datetime:
    """A moment of the tables.

    Raises:
        ValueError: nobody can have written it.
    """
    try:
        return datetime.fromtimestamp(at, UTC)
    except (OSError, OverflowError) as error:
        raise ValueError(f"{at} seconds are no moment") from error
