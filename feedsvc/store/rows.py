"""Rows: what is remembered, as the tables have it."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from feedsvc.articles.directory import size_time_inode, stamp_of
from feedsvc.articles.library import FileState, Library, is_outdated, outdated
from feedsvc.feeds.addresses import private_moves
from feedsvc.feeds.changes import MAX_CHANGES
from feedsvc.feeds.memory import Departure, Event, Memory, Roll, Sighting
from feedsvc.store.publication import begin_generation, load_documents, load_routes, moment, publish, seconds
from feedsvc.store.records import decode, encode
from feedsvc.store.store import Remembered
from feedsvc.store.tables import ARCHIVED, EVENTS, FILES, FORMER, META, NAMES, ROLLS, SIGHTINGS
from feedsvc.store.tokens import follow
from feedsvc.store.writing import changes_of, delete_rows, insert_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, Table

    from feedsvc.documents.document import Dated


def load_all(connection: Connection, read_by: str) -> Remembered:
    """Everything that was kept; files that were read by another program or by other rules are to be read again."""
    meta = connection.execute(select(META)).one()
    changes = connection.execute(select(EVENTS).order_by(EVENTS.c.number.desc()).limit(MAX_CHANGES))
    with _uncollected():
        library, whole = _load_library(connection, meta, read_by)
        memory, documents = _load_memory(connection, library), load_documents(connection)
        routes = load_routes(connection)
    return Remembered(library, memory, documents, tuple(map(event_of, changes)), whole, meta.making or "", routes)


def documents_made(connection: Connection, making: str, root: str) -> dict[str, Dated]:
    """The documents that were made under the same conditions, of the same directory."""
    meta = connection.execute(select(META)).one()
    same = meta.making == making and os.fsdecode(meta.root_path or b"") == root
    return load_documents(connection) if same else {}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make what will stay, and hardly anything else: looking for garbage meanwhile takes as long as making it."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def save_all(  # noqa: PLR0913, PLR0917 - each comes from elsewhere
    connection: Connection,
    before: Remembered,
    after: Remembered,
    events: Sequence[Event],
    read_by: str,
    term: int | None,
) -> int | None:
    """Write what is different from before, and what happened; the new generation, where readers see any of it.

    Raises:
        DeposedError: since this term, another process has become the publisher.
    """
    if before is after and not events:
        return None
    generation = begin_generation(connection, term)
    if before.making != after.making:
        connection.execute(update(META).values(making=after.making))
    _save_library(connection, before.library, after.library, read_by)
    old, new = before.memory, after.memory
    _save(connection, NAMES, _names(old), _names(new), lambda key, value: (*key, *value))
    follow(connection, private_moves(old, new))
    _save(connection, FORMER, old.former, new.former, lambda key, value: (key, value))
    _save(connection, SIGHTINGS, old.sightings, new.sightings, _sighting_row)
    _save(connection, ROLLS, old.rolls, new.rolls, _roll_row)
    _save(connection, ARCHIVED, _archives(old.rolls, new.rolls), _archives(new.rolls, old.rolls), _archive_row)
    insert_rows(connection, EVENTS, map(_event_row, events))
    documents, routes = (before.documents, after.documents), (before.routes, after.routes)
    return generation if publish(connection, generation, *documents, *routes) else None


def _save(
    connection: Connection,
    table: Table,
    old: Mapping[Any, Any],
    new: Mapping[Any, Any],
    row: Callable[[Any, Any], tuple[Any, ...]],
) -> None:
    """Write what is different."""
    changed, gone = changes_of(old, new)
    delete_rows(connection, table, (*gone, *(key for key in changed if key in old)))
    # One that SQLite keeps in the order of the key is written page after page.
    ordered = changed if table.dialect_options["sqlite"]["with_rowid"] else sorted(changed)
    insert_rows(connection, table, (row(key, new[key]) for key in ordered))


def event_of(row: Row[Any]) -> Event:
    """An event as it was."""
    parts = tuple(filter(None, row.parts.split(",")))
    places = tuple(row.places.split())
    return Event(moment(row.at), row.happening, row.identity, row.title, row.path, parts, places)


def _event_row(event: Event) -> tuple[Any, ...]:
    places = "".join(f"\n{place}\n" for place in event.places)
    at, parts = seconds(event.at), ",".join(event.parts)
    return (at, event.happening, event.identity, event.id, event.title, event.path, parts, places)


def _moment_or_none(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def _load_library(connection: Connection, meta: Row[Any], read_by: str) -> tuple[Library, bool]:
    """The files, and whether all of them are as they were."""
    files = {}
    whole = True
    same = meta.reading == read_by
    # In the byte order of the paths, as a library has them.
    for name, size, mtime_ns, inode, digest, record in connection.execute(select(FILES).order_by(FILES.c.path)):
        path = os.fsdecode(name)
        stamp = None if size is None else stamp_of(size, mtime_ns, inode)
        try:
            article, problems = decode(record, path)
        except ValueError:
            # It is read again, which costs time and nothing else.
            whole = readable = False
            article, problems = None, ()
        else:
            readable = same
        state = FileState(stamp, digest, article, problems)
        files[path] = state if readable else outdated(state)
    root = None if meta.root_device is None else (meta.root_device, meta.root_inode)
    return Library(files, root, path=os.fsdecode(meta.root_path or b"")), whole


def _save_library(connection: Connection, old: Library, new: Library, read_by: str) -> None:
    if old.is_as(new):
        return
    device, inode = _fitting(*new.root) if new.root else (None, None)
    root = {"root_device": device, "root_inode": inode, "root_path": os.fsencode(new.path)}
    same = connection.scalar(select(META.c.reading)) == read_by
    connection.execute(update(META).values(reading=read_by, **root))
    changed, gone = changes_of(old.files, new.files)
    if not same:
        # What could not be read again yet must not be taken for what these rules made.
        behind = {path for path, state in new.files.items() if is_outdated(state)}
        changed = [*changed, *behind.difference(changed)]
    if old.files:
        # One that changed may be there though it is not known: its record could not be read.
        delete_rows(connection, FILES, [os.fsencode(path) for path in (*gone, *changed)])
    else:
        # What was read otherwise, if anything.
        connection.execute(delete(FILES))
    insert_rows(connection, FILES, (_file_row(path, new.files[path]) for path in changed))


def _file_row(path: str, state: FileState) -> tuple[Any, ...]:
    stamp = _fitting(*size_time_inode(state.stamp)) if state.stamp else (None,) * 3
    return (os.fsencode(path), *stamp, state.digest, encode(state.article, state.problems))


def _fitting(*numbers: int) -> tuple[int | None, ...]:
    """The numbers, or none of them where a file system has one that SQLite has no room for."""
    return numbers if all(-(2**63) <= number < 2**63 for number in numbers) else (None,) * len(numbers)


def _load_memory(connection: Connection, library: Library) -> Memory:
    topics: dict[tuple[str], tuple[str, str]] = {}
    providers: dict[tuple[str, str], tuple[str, str]] = {}
    for kind, key, domain, name, slug in connection.execute(select(NAMES)):
        if kind == "topic":
            topics[key,] = (name, slug)
        else:
            providers[key, domain] = (name, slug)
    sightings = _load_sightings(connection, library)
    return Memory(
        topics={key: name for key, (name, _) in topics.items()},
        topic_slugs={key: slug for key, (_, slug) in topics.items()},
        providers={key: name for key, (name, _) in providers.items()},
        provider_slugs={key: slug for key, (_, slug) in providers.items()},
        former={row.path: row.now for row in connection.execute(select(FORMER))},
        sightings=sightings,
        rolls=_load_rolls(connection, sightings),
    )


def _names(memory: Memory) -> dict[tuple[str, str, str], tuple[str, str]]:
    return {
        **{("topic", key[0], ""): (name, memory.topic_slugs[key]) for key, name in memory.topics.items()},
        **{("provider", *key): (name, memory.provider_slugs[key]) for key, name in memory.providers.items()},
    }


def _load_sightings(connection: Connection, library: Library) -> dict[str, Sighting]:
    """What was served, in the very strings of the articles, where they are the same."""
    articles = {article.identity: article for article in library.articles()}
    shared: dict[str, tuple[str, ...]] = {}

    def sighting(row: tuple[Any, ...]) -> tuple[str, Sighting]:
        identity, title, path, seen_as, places, first_seen, changed_at, withdrawn_at = row
        if article := articles.get(identity):
            identity = article.identity
            title = article.title if article.title == title else title
            path = article.path if article.path == path else path
        if (where := shared.get(places)) is None:
            where = shared[places] = tuple(places.split())
        changed, withdrawn = _moment_or_none(changed_at), _moment_or_none(withdrawn_at)
        return identity, Sighting(title, path, seen_as, where, moment(first_seen), changed, withdrawn)

    return dict(sighting(row) for row in connection.execute(select(SIGHTINGS)))


def _sighting_row(identity: str, seen: Sighting) -> tuple[Any, ...]:
    moments = seconds(seen.first_seen), seconds(seen.changed_at), seconds(seen.withdrawn_at)
    return (identity, seen.title, seen.path, seen.print, "\n".join(seen.places), *moments)


def _load_rolls(connection: Connection, sightings: Mapping[str, Sighting]) -> dict[str, Roll]:
    # The strings of the sightings.
    shared = dict(zip(sightings, sightings, strict=True))
    archived: dict[str, list[str]] = defaultdict(list)
    query = select(ARCHIVED).order_by(ARCHIVED.c.path, ARCHIVED.c.number)
    for path, _, lines in connection.execute(query):
        identities = lines.split("\n")
        archived[path] += map(shared.get, identities, identities)
    return {
        path: Roll(
            entries,
            _moment_or_none(moved_at),
            size,
            tuple(archived[path]),
            tuple(_departure(line) for line in departed.splitlines()),
        )
        for path, entries, moved_at, size, departed in connection.execute(select(ROLLS))
    }


def _roll_row(path: str, roll: Roll) -> tuple[Any, ...]:
    departed = "\n".join(f"{each.id} {seconds(each.at)}" for each in roll.departed)
    return (path, roll.entries, seconds(roll.moved_at), roll.size, departed)


def _departure(line: str) -> Departure:
    name, _, at = line.rpartition(" ")
    return Departure(name, moment(int(at)))


def _archives(rolls: Mapping[str, Roll], others: Mapping[str, Roll]) -> dict[tuple[str, int], tuple[str, ...]]:
    """The full archive documents of all feeds but those that have the very same in the others."""
    return {
        (path, number): roll.archived[start : start + roll.size]
        for path, roll in rolls.items()
        if not (path in others and others[path].archived is roll.archived and others[path].size == roll.size)
        for number, start in enumerate(range(0, len(roll.archived), roll.size))
    }


def _archive_row(key: tuple[str, int], identities: tuple[str, ...]) -> tuple[Any, ...]:
    return (*key, "\n".join(identities))
