"""Round trips: whatever can be remembered is remembered the same by each database."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from test_store import ARTICLES, MOMENTS, PROBLEMS, RULES, TEXTS, open_store

from feedsvc.articles.directory import stamp_of
from feedsvc.articles.library import FileState, Library
from feedsvc.documents.document import Dated
from feedsvc.feeds.memory import Departure, Event, Memory, Roll, Sighting
from feedsvc.store.store import Remembered
from feedsvc.store.tables import META, METADATA

if TYPE_CHECKING:
    from feedsvc.store.database import DatabaseStore

# Moments are kept as whole seconds; slugs, paths of feeds and ids have no white space.
SECONDS = MOMENTS.map(lambda each: each.replace(microsecond=0))
WORDS = st.text("abcdefg/-.1234", min_size=1, max_size=12)
IDENTITIES = WORDS.map("https://example.org/{}".format)
PLACES = st.lists(WORDS, max_size=3, unique=True).map(tuple)
BYTES = st.binary(max_size=30)
BIG = st.integers(0, 2**63 - 1)
# Bytes as a file system has them, which may be no text.
NAMES = st.binary(min_size=1, max_size=20).filter(lambda each: b"\0" not in each).map(os.fsdecode)

FILES = st.builds(
    FileState,
    st.none() | st.builds(stamp_of, BIG, BIG, BIG),
    BYTES,
    st.none() | ARTICLES,
    st.lists(PROBLEMS, max_size=1).map(tuple),
)
LIBRARIES = st.builds(
    Library,
    st.dictionaries(NAMES, FILES, max_size=3).map(lambda files: dict(sorted(files.items(), key=in_bytes))),
    st.none() | st.tuples(BIG, BIG),
    path=NAMES,
)
ROLLS = st.builds(
    Roll,
    BYTES,
    st.none() | SECONDS,
    st.integers(1, 3),
    st.lists(IDENTITIES, max_size=5).map(tuple),
    st.lists(st.builds(Departure, WORDS, SECONDS), max_size=2).map(tuple),
)
SIGHTINGS = st.builds(Sighting, TEXTS, TEXTS, BYTES, PLACES, SECONDS, st.none() | SECONDS, st.none() | SECONDS)
HEADERS = st.lists(st.tuples(st.sampled_from(["Link", "X-Robots-Tag"]), WORDS), max_size=2).map(tuple)
DOCUMENTS = st.builds(
    Dated, WORDS, SECONDS, *[st.none() | BYTES] * 4, media_type=WORDS, length=BIG, headers=HEADERS
)
EVENTS = st.builds(
    Event,
    SECONDS,
    st.sampled_from(["arrived", "changed", "withdrawn", "returned"]),
    IDENTITIES,
    TEXTS,
    TEXTS,
    PLACES,
    PLACES,
)


def in_bytes(item: tuple[str, object]) -> bytes:
    """The order of paths in a library."""
    return os.fsencode(item[0])


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    """A memory in which each name has a slug."""
    topics = draw(st.dictionaries(st.tuples(TEXTS), st.tuples(TEXTS, WORDS), max_size=2))
    providers = draw(st.dictionaries(st.tuples(TEXTS, WORDS), st.tuples(TEXTS, WORDS), max_size=2))
    return Memory(
        {key: name for key, (name, _) in topics.items()},
        {key: slug for key, (_, slug) in topics.items()},
        {key: name for key, (name, _) in providers.items()},
        {key: slug for key, (_, slug) in providers.items()},
        draw(st.dictionaries(WORDS, WORDS, max_size=2)),
        draw(st.dictionaries(IDENTITIES, SIGHTINGS, max_size=3)),
        draw(st.dictionaries(WORDS, ROLLS, max_size=2)),
    )


REMEMBERED = st.builds(
    Remembered,
    LIBRARIES,
    memories(),
    st.dictionaries(WORDS, DOCUMENTS, max_size=3),
    making=WORDS,
    routes=st.dictionaries(WORDS, st.none() | WORDS, max_size=3),
)


def clear(store: DatabaseStore) -> None:
    """Forget all."""
    with store.writing() as connection:
        for table in METADATA.sorted_tables:
            if table is not META:
                connection.execute(delete(table))
        nothing = dict.fromkeys(("making", "reading", "root_device", "root_inode", "root_path"))
        connection.execute(update(META).values(nothing))


def test_whatever_is_remembered_is_there_again(url: str) -> None:
    """Each is kept over the one before, which it may have anything in common with; a new process finds all of it,
    as it was, and all that happened.
    """

    @given(st.lists(st.tuples(REMEMBERED, st.lists(EVENTS, max_size=2), st.booleans()), min_size=1, max_size=3))
    @settings(max_examples=15)
    def keep(steps: list[tuple[Remembered, list[Event], bool]]) -> None:
        before, told = Remembered(), list[Event]()
        with closing(open_store(url, write=True)) as store:
            clear(store)
            for after, events, merged in steps:
                documents = {**before.documents, **after.documents} if merged else after.documents
                told[:0] = reversed(events)
                now = replace(after, documents=documents, changes=tuple(told))
                store.save(before, now, events, RULES)
                before = now
        with closing(open_store(url, write=False)) as store:
            found = store.load(RULES)
            assert replace(found, library=Library()) == replace(before, library=Library())
            one, other = found.library, before.library
            assert (one.files, list(one.files), one.root, one.path) == (
                other.files,
                list(other.files),
                other.root,
                other.path,
            )
            assert store.history(None, 100) == told

    keep()
