"""What processes that share a database do with it, beside what one alone does: publish in turns, and ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from feedsvc.store.errors import DeposedError, StoreError
from feedsvc.store.publication import advance, begin_generation, publish, seconds
from feedsvc.store.tables import GENERATIONS, META, REQUESTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from feedsvc.documents.document import Dated
    from feedsvc.store.database import DatabaseStore

# For so long, who asked for a reload waits for its answer.
ANSWER_SECONDS = 120
# What was asked so long ago is of no use to anybody.
_FORGOTTEN_SECONDS = 3600


def stand(store: DatabaseStore, name: str) -> bool:
    """Become the publisher, if there is none: of all processes that have this database, the only one.

    A new term begins with it: what one of before begins to write from now on is refused, however late it wakes up.

    Args:
        store: one that is opened to be written.
        name: tells people which process it is.

    Raises:
        StoreError: the database cannot be asked, or what was won was lost meanwhile.
    """
    if not store.place.stand():
        return False
    with store.writing() as connection:
        connection.execute(update(META).values(term=META.c.term + 1, publisher=name))
        row = connection.execute(select(META.c.term, META.c.generation)).one()
        if row.generation:
            # Replicas see by it whether what they serve is what this term goes on from.
            advance(connection, row.generation + 1)
        # Who slept since must not depose the next one.
        if not store.place.holds():
            raise StoreError(f"{store.place.name}: the election was lost again before the term began")
    store.term = row.term
    store.place.settle()
    return True


def publish_rare(store: DatabaseStore, old: Mapping[str, Dated], new: Mapping[str, Dated]) -> None:
    """Publish documents that a service without replicas makes when they are asked for.

    Args:
        store: that of the publisher.
        old: what is published of them.
        new: what they are now.

    Raises:
        StoreError: it cannot be written; nothing is.
    """
    with store.writing() as connection:
        generation = begin_generation(connection, store.term)
        changed = publish(connection, generation, old, new, {}, {}, rare=True)
    store.tell(generation if changed else None)


def report(store: DatabaseStore, reloaded_at: datetime | None, error: str | None, base_url: str) -> None:
    """Tell replicas how the publisher fares, once the pages and archives are published too.

    Args:
        store: that of the publisher.
        reloaded_at: when the directory was last read without error.
        error: what stands against the last reading.
        base_url: what the URLs of all documents begin with.

    Raises:
        DeposedError: another process has become the publisher.
        StoreError: it cannot be written.
    """
    values = {"reloaded_at": seconds(reloaded_at), "error": error, "base_url": base_url}
    with store.writing() as connection:
        told = update(META).where(META.c.term == store.term).values(**values)
        row = connection.execute(told.returning(META.c.generation, META.c.whole)).one_or_none()
        if row is None:
            raise DeposedError("another process is the publisher now")
        if row.generation and not row.whole and reloaded_at and not error:
            # Replicas are to hear of it.
            connection.execute(update(META).values(whole=1))
            advance(connection, row.generation + 1)


def ask(store: DatabaseStore, at: datetime, *, accept: bool) -> int:
    """Ask the publisher for a reload; the number of the request.

    Raises:
        StoreError: it cannot be asked.
    """
    values = {"accept": int(accept), "asked_at": seconds(at)}
    with store.visiting() as connection:
        query = insert(REQUESTS).values(**values).returning(REQUESTS.c.number)
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_notify("feedsvc_asked", "")))
        return int(connection.execute(query).scalar_one())


def answer_of(store: DatabaseStore, number: int) -> tuple[dict[str, Any], int, str] | None:
    """How a reload that was asked for ended, and which generation has it, with its mark; None while it has not.

    Raises:
        StoreError: that cannot be read.
    """
    with store.reading() as connection:
        row = connection.execute(select(REQUESTS).where(REQUESTS.c.number == number)).one_or_none()
        if not (row and row.answer):
            return None
        query = select(GENERATIONS.c.mark).where(GENERATIONS.c.generation == row.generation)
        mark = connection.scalar(query) or ""
    return json.loads(row.answer), row.generation, mark


def asked(store: DatabaseStore, now: datetime) -> list[tuple[int, bool]]:
    """The reloads that somebody waits for, and whether each accepts a loss.

    Raises:
        StoreError: they cannot be read.
    """
    # What was accepted when nobody published must not be taken for an answer to something else.
    long_ago = int(now.timestamp()) - ANSWER_SECONDS
    columns = REQUESTS.c.number, REQUESTS.c.accept
    query = select(*columns).where(REQUESTS.c.answer.is_(None), REQUESTS.c.asked_at >= long_ago)
    with store.reading() as connection:
        return [(row.number, bool(row.accept)) for row in connection.execute(query)]


def answer(store: DatabaseStore, numbers: list[int], report_: dict[str, object], now: datetime) -> None:
    """Answer those who asked for a reload; what was asked long ago is forgotten.

    Raises:
        StoreError: they cannot be answered.
    """
    with store.writing() as connection:
        generation = connection.scalar(select(META.c.generation))
        values = {"answer": json.dumps(report_), "generation": generation}
        connection.execute(update(REQUESTS).where(REQUESTS.c.number.in_(numbers)).values(**values))
        long_ago = int(now.timestamp()) - _FORGOTTEN_SECONDS
        connection.execute(delete(REQUESTS).where(REQUESTS.c.asked_at < long_ago))
