"""Rows: what is remembered, as the tables have it."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from feedsvc.articles.directory import Stamp
from feedsvc.articles.library import FileState, Library, outdated
from feedsvc.documents.document import Dated
from feedsvc.feeds.changes import MAX_CHANGES
from feedsvc.feeds.memory import Departure, Event, Memory, Roll, Sighting
from feedsvc.store.records import decode, encode
from feedsvc.store.store import Remembered
from feedsvc.store.tables import ARCHIVED, DOCUMENTS, EVENTS, FILES, FORMER, META, NAMES, ROLLS, SIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row, Table


def load_all(connection: Connection, read_by: str) -> Remembered:
    """Everything that was kept; files that were read by another program or by other rules are to be read again."""
    meta = connection.execute(select(META)).one()
    changes = connection.execute(select(EVENTS).order_by(EVENTS.c.number.desc()).limit(MAX_CHANGES))
    with _uncollected():
        library, whole = _load_library(connection, meta, read_by)
        memory, documents = _load_memory(connection), _load_documents(connection)
    return Remembered(library, memory, documents, tuple(map(event_of, changes)), whole, meta.making or "")


def documents_made(connection: Connection, making: str, root: str) -> dict[str, Dated]:
    """The documents that were made under the same conditions, of the same directory."""
    meta = connection.execute(select(META)).one()
    same = meta.making == making and os.fsdecode(meta.root_path or b"") == root
    return _load_documents(connection) if same else {}


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


def save_all(
    connection: Connection, before: Remembered, after: Remembered, events: Sequence[Event], read_by: str
) -> None:
    """Write what is different from before, and what happened."""
    if before.making != after.making:
        connection.execute(update(META).values(making=after.making))
    _save_library(connection, before.library, after.library, read_by)
    for table, old, new in zip(_MAPPINGS, _mappings(before), _mappings(after), strict=True):
        _save_mapping(connection, table, old, new)
    _save_archived(connection, before.memory.rolls, after.memory.rolls)
    if events:
        connection.execute(insert(EVENTS), [_event_row(each) for each in events])


def event_of(row: Row[Any]) -> Event:
    """An event as it was."""
    parts = tuple(filter(None, row.parts.split(",")))
    places = tuple(row.places.split())
    return Event(_moment(row.at), row.happening, row.identity, row.id, row.title, row.path, parts, places)


_MAPPINGS = (NAMES, FORMER, SIGHTINGS, ROLLS, DOCUMENTS)


def _mappings(remembered: Remembered) -> Iterator[Mapping[Any, Any]]:
    """Each table's mapping, in the order of `_MAPPINGS`: keys as columns, to what is not part of the key."""
    memory = remembered.memory
    yield {
        **{("topic", key[0], ""): (memory.topics[key], memory.topic_slugs[key]) for key in memory.topics},
        **{("provider", *key): (memory.providers[key], memory.provider_slugs[key]) for key in memory.providers},
    }
    yield memory.former
    yield memory.sightings
    yield memory.rolls
    yield remembered.documents


def _save_mapping(connection: Connection, table: Table, old: Mapping[Any, Any], new: Mapping[Any, Any]) -> None:
    if old is new:
        return
    changed = [key for key, value in new.items() if (last := old.get(key)) is not value and last != value]
    keys = list(table.primary_key)
    rows = [*(key for key in old if key not in new), *(key for key in changed if key in old)]
    if rows:
        query = delete(table).where(*(column == bindparam(f"key_{column.name}") for column in keys))
        names = [f"key_{column.name}" for column in keys]
        connection.execute(query, [dict(zip(names, _as_tuple(key), strict=True)) for key in rows])
    if changed:
        connection.execute(insert(table), [_row(table, key, new[key]) for key in changed])


def _save_archived(connection: Connection, old: Mapping[str, Roll], new: Mapping[str, Roll]) -> None:
    """Nearly always, some are added at the end."""
    for path, roll in new.items():
        before = old[path].archived if path in old else ()
        if before == roll.archived:
            continue
        same = len(before) if roll.archived[: len(before)] == before else 0
        if same < len(before):
            connection.execute(delete(ARCHIVED).where(ARCHIVED.c.path == path))
        added = enumerate(roll.archived[same:], same)
        rows = [{"path": path, "place": place, "identity": identity} for place, identity in added]
        if rows:
            connection.execute(insert(ARCHIVED), rows)


def _row(table: Table, key: Any, value: Any) -> dict[str, Any]:
    columns = [column.name for column in table.columns]
    keys = _as_tuple(key)
    values = (
        _as_tuple(value)
        if isinstance(value, str | tuple)
        else tuple(getattr(value, name) for name in columns[len(keys) :])
    )
    return {name: _plain(each) for name, each in zip(columns, (*keys, *values), strict=True)}


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _plain(value: Any) -> Any:
    """As a column holds it: moments as seconds, several as lines."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, tuple):
        return "\n".join(f"{each.id} {_plain(each.at)}" if isinstance(each, Departure) else each for each in value)
    return value


def _event_row(happened: Event) -> dict[str, Any]:
    return {
        "at": _plain(happened.at),
        "happening": happened.happening,
        "identity": happened.identity,
        "id": happened.id,
        "title": happened.title,
        "path": happened.path,
        "parts": ",".join(happened.parts),
        "places": "".join(f"\n{place}\n" for place in happened.places),
    }


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _departure(line: str) -> Departure:
    name, _, seconds = line.rpartition(" ")
    return Departure(name, _moment(int(seconds)))


def _moment_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)


def _load_library(connection: Connection, meta: Row[Any], read_by: str) -> tuple[Library, bool]:
    """The files, and whether these are all."""
    files = {}
    whole = True
    for row in connection.execute(select(FILES)):
        try:
            article, problems = decode(row.record)
        except ValueError:
            # It is read again, which costs time and nothing else.
            whole = False
            continue
        stamp = None if row.size is None else Stamp(row.size, row.mtime_ns, row.inode)
        state = FileState(stamp, row.digest, article, problems)
        files[os.fsdecode(row.path)] = state if meta.reading == read_by else outdated(state)
    root = None if meta.root_device is None else (meta.root_device, meta.root_inode)
    # In the byte order of the paths, as a library has them.
    ordered = dict(sorted(files.items(), key=lambda item: os.fsencode(item[0])))
    return Library(ordered, root, path=os.fsdecode(meta.root_path or b"")), whole


def _save_library(connection: Connection, old: Library, new: Library, read_by: str) -> None:
    if old.files is new.files and (old.root, old.path) == (new.root, new.path):
        return
    device, inode = _fitting(*new.root) if new.root else (None, None)
    root = {"root_device": device, "root_inode": inode, "root_path": os.fsencode(new.path)}
    connection.execute(update(META).values(reading=read_by, **root))
    if not old.files:
        # What was read otherwise, if anything.
        connection.execute(delete(FILES))
    known = old.files
    changed = [
        path for path, state in new.files.items() if (last := known.get(path)) is not state and last != state
    ]
    gone = [path for path in old.files if path not in new.files]
    # One that changed may be there though it is not known: its record could not be read.
    if gone or changed:
        connection.execute(
            delete(FILES).where(FILES.c.path == bindparam("key")),
            [{"key": os.fsencode(path)} for path in (*gone, *changed)],
        )
    if changed:
        connection.execute(insert(FILES), [_file_row(path, new.files[path]) for path in changed])


def _file_row(path: str, state: FileState) -> dict[str, Any]:
    stamp = state.stamp
    size, mtime_ns, inode = _fitting(stamp.size, stamp.mtime_ns, stamp.inode) if stamp else (None,) * 3
    return {
        "path": os.fsencode(path),
        "size": size,
        "mtime_ns": mtime_ns,
        "inode": inode,
        "digest": state.digest,
        "record": encode(state.article, state.problems),
    }


def _fitting(*numbers: int) -> tuple[int | None, ...]:
    """The numbers, or none of them where a file system has one that SQLite has no room for."""
    return numbers if all(-(2**63) <= number < 2**63 for number in numbers) else (None,) * len(numbers)


def _load_documents(connection: Connection) -> dict[str, Dated]:
    return {
        row.path: Dated(row.etag, _moment(row.last_modified), row.source, row.br, row.gzip)
        for row in connection.execute(select(DOCUMENTS))
    }


def _load_memory(connection: Connection) -> Memory:
    topics: dict[tuple[str], tuple[str, str]] = {}
    providers: dict[tuple[str, str], tuple[str, str]] = {}
    for row in connection.execute(select(NAMES)):
        if row.kind == "topic":
            topics[row.name_key,] = (row.name, row.slug)
        else:
            providers[row.name_key, row.domain] = (row.name, row.slug)
    shared: dict[str, tuple[str, ...]] = {}
    sightings = {
        row.identity: Sighting(
            row.title,
            row.path,
            row.print,
            shared.setdefault(row.places, tuple(row.places.split())),
            _moment(row.first_seen),
            _moment_or_none(row.changed_at),
            _moment_or_none(row.withdrawn_at),
        )
        for row in connection.execute(select(SIGHTINGS))
    }
    archived: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(select(ARCHIVED).order_by(ARCHIVED.c.path, ARCHIVED.c.place)):
        archived[row.path].append(row.identity)
    rolls = {
        row.path: Roll(
            row.entries,
            _moment_or_none(row.moved_at),
            row.size,
            tuple(archived[row.path]),
            tuple(_departure(line) for line in row.departed.splitlines()),
        )
        for row in connection.execute(select(ROLLS))
    }
    return Memory(
        topics={key: name for key, (name, _) in topics.items()},
        topic_slugs={key: slug for key, (_, slug) in topics.items()},
        providers={key: name for key, (name, _) in providers.items()},
        provider_slugs={key: slug for key, (_, slug) in providers.items()},
        former={row.path: row.now for row in connection.execute(select(FORMER))},
        sightings=sightings,
        rolls=rolls,
    )
