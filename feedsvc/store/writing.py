"""Writing: what is different of two mappings, and many rows at once."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import bindparam, delete, insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Dialect, Table

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

# So many are compared at a time, or made into rows: those of all would be larger than what is remembered.
_BATCH = 1000
# What no value is equal to, None included.
_ABSENT = object()


def changes_of(old: Mapping[_Key, _Value], new: Mapping[_Key, _Value]) -> tuple[list[_Key], list[_Key]]:
    """The keys of what is new or has changed, and of what is gone.

    Of a hundred thousand nearly all are the very same objects in the same order: batches of them are compared in a
    fraction of the time that it takes to look each up. Only in a batch that differs is each
    looked up; the next batches of both begin with the same key again.
    """
    changed: list[_Key] = []
    gone: list[_Key] = []
    if old is new:
        return changed, gone
    keys, values = iter(new), iter(new.values())
    last_keys, last_values = iter(old), iter(old.values())
    # By how many keys that both have the new one is ahead.
    ahead = 0
    while True:
        size, last_size = _BATCH + max(0, -ahead), _BATCH + max(0, ahead)
        names, now = list(islice(keys, size)), list(islice(values, size))
        last_names, last = list(islice(last_keys, last_size)), list(islice(last_values, last_size))
        if names == last_names:
            if not names:
                return changed, gone
            if now != last:
                changed += (name for name, one, other in zip(names, now, last, strict=True) if one != other)
            continue
        changed += (name for name, value in zip(names, now, strict=True) if old.get(name, _ABSENT) != value)
        gone += (left := [name for name in last_names if name not in new])
        ahead += sum(name in old for name in names) - (len(last_names) - len(left))


def insert_rows(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows that have the values of all columns that are not numbered by the database, in their order."""
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        # SQLAlchemy would make a dictionary of each, and a tuple of that: half of the time that writing takes.
        connection.exec_driver_sql(_insertion(table, connection.dialect), batch)


@lru_cache(maxsize=2**6)
def _insertion(table: Table, dialect: Dialect) -> str:
    names = [column.name for column in table.columns if column.autoincrement is not True]
    return str(insert(table).compile(dialect=dialect, column_keys=names))


def delete_rows(connection: Connection, table: Table, keys: Sequence[object]) -> None:
    """Delete the rows that have these values, or tuples of them, for a primary key."""
    if not keys:
        return
    columns = list(table.primary_key)
    names = [f"key_{column.name}" for column in columns]
    rows = [dict(zip(names, key if isinstance(key, tuple) else (key,), strict=True)) for key in keys]
    matches = (column == bindparam(name) for column, name in zip(columns, names, strict=True))
    connection.execute(delete(table).where(*matches), rows)
