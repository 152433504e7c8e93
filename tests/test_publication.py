"""Publication: whoever follows what is published has all of it, whenever it asks and whatever it missed."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest
from followers import GONE_NOW, NOTHING, Follower, clear, documents, follow, made, put
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from support import NOW

from feedsvc.documents.document import Dated
from feedsvc.store import publication
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import DeposedError, StoreError
from feedsvc.store.publication import begin_generation, fetch, keep, load_documents, load_marks, load_rare, publish
from feedsvc.store.tables import DOCUMENTS, GONE, ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import Connection


# What is gone is remembered for so many generations here.
REMEMBERED = 4
DOCUMENT = st.builds(
    Dated,
    st.sampled_from(['"1"', '"2"']),
    st.sampled_from([NOW, NOW.replace(year=1000), NOW.replace(year=9998)]),
    *[st.none() | st.binary(max_size=2)] * 4,
    media_type=st.sampled_from(["text/html", "application/atom+xml"]),
    length=st.sampled_from([0, 2**40]),
    headers=st.lists(st.sampled_from([("Link", "<a>; b:c"), ("Content-Language", "de"), ("Vary", "")])).map(tuple),
)
# What becomes of some paths.
COMMON = st.dictionaries(st.sampled_from(["/a", "/b", "/ü"]), st.just(GONE_NOW) | DOCUMENT, max_size=3)
ALL = st.fixed_dictionaries(dict.fromkeys(["/a", "/b", "/ü"], DOCUMENT))
RARE = st.dictionaries(st.sampled_from(["/p/1", "/p/2"]), st.just(GONE_NOW) | DOCUMENT, max_size=2)
LEADING = st.dictionaries(
    st.sampled_from(["/a", "/b", "/x"]), st.sampled_from([GONE_NOW, GONE_NOW, None, "/a", "/b"]), max_size=2
)


class Publications(RuleBasedStateMachine):
    """One publishes, and two follow, each when it likes to."""

    def __init__(self, url: str, directory: Path) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.store = self.stack.enter_context(closing(DatabaseStore(url, write=True)))
        self.reader = self.stack.enter_context(closing(DatabaseStore(url, write=False)))
        caches = [f"sqlite:///{directory}/{number}.db" for number in range(2)]
        self.followers = [
            Follower(self.stack.enter_context(closing(DatabaseStore(cache, write=True)))) for cache in caches
        ]
        self.births = self.generation = 0

    def teardown(self) -> None:
        """Let go of all."""
        self.stack.close()

    @initialize(documents=ALL)
    def begin(self, documents: dict[str, Any]) -> None:
        """Something is published, and nobody has it."""
        for follower in self.followers:
            with follower.cache.writing() as connection:
                clear(connection, "", 0)
            follower.restart()
        self.bear(0, documents)

    @precondition(lambda self: self.births < 3)
    @rule(generation=st.integers(0, 12), documents=COMMON)
    def bear(self, generation: int, documents: dict[str, Any]) -> None:
        """Another database is there, which may have had any number of generations, and has some documents."""
        self.births += 1
        self.generation = generation
        self.common: dict[str, Dated] = {}
        self.rare: dict[str, Dated] = {}
        self.routes: dict[str, str | None] = {}
        # The generation since which each is as it is, and since which it is gone.
        self.since: dict[tuple[str, str], int] = {}
        self.gone: dict[tuple[str, str], int] = {}
        with self.store.writing() as connection:
            clear(connection, f"birth {self.births}", generation)
        self.publish_one(documents, dict.fromkeys(documents, "/somewhere"))

    @rule(reloads=st.lists(st.tuples(COMMON, LEADING), min_size=1, max_size=REMEMBERED))
    def publish(self, reloads: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        """Publish some reloads, each of which may have changed nothing."""
        for changes, routes in reloads:
            self.publish_one(changes, routes)

    def publish_one(self, documents: dict[str, Any], routes: dict[str, Any]) -> None:
        """Publish one of them."""
        common, led = self.common, self.routes
        self.common, self.routes = made(common, documents), made(led, routes)
        with self.store.writing() as connection:
            number = begin_generation(connection)
            done = publish(connection, number, common, self.common, led, self.routes)
        self.note(done, [(DOCUMENTS.name, common, self.common), (ROUTES.name, led, self.routes)])

    @rule(documents=RARE)
    def publish_rare(self, documents: dict[str, Any]) -> None:
        """Publish pages and archives, of which nothing may have changed."""
        rare = self.rare
        self.rare = made(rare, documents)
        with self.store.writing() as connection:
            number = begin_generation(connection)
            done = publish(connection, number, rare, self.rare, {}, {}, rare=True)
        self.note(done, [(DOCUMENTS.name, rare, self.rare)])

    def note(self, done: bool, changes: list[tuple[str, Mapping[str, object], Mapping[str, object]]]) -> None:
        """A generation is what changed something, and counts one; it stays so of what is as it was."""
        assert done == any(old != new for _, old, new in changes)
        self.generation += done
        for of, old, new in changes:
            for path in old.keys() | new.keys():
                if path not in new:
                    self.gone[of, path] = self.generation
                    del self.since[of, path]
                elif path not in old or old[path] != new[path]:
                    self.since[of, path] = self.generation
        oldest = self.generation - REMEMBERED
        if done:
            self.gone = {key: generation for key, generation in self.gone.items() if generation >= oldest}

    @rule(number=st.integers(0, 1), kept=st.booleans())
    def follow(self, number: int, kept: bool) -> None:
        """One asks for what is new, and keeps that for its next start; or it is killed before it could."""
        follower = self.followers[number]
        since = follower.generation
        same = follower.birth == f"birth {self.births}"
        with self.reader.reading() as connection:
            delta = fetch(connection, follower.birth, since)
        follower.take(delta)
        assert (follower.documents, follower.routes) == (self.common | self.rare, self.routes)
        assert (follower.birth, follower.generation) == (f"birth {self.births}", self.generation)
        if same and since and self.generation - since < REMEMBERED:
            # Only what is newer is sent.
            newer = {path for (of, path), at in self.since.items() if of == DOCUMENTS.name and at > since}
            assert (delta.whole, set(delta.documents)) == (False, newer)
        if kept:
            with follower.cache.writing() as connection:
                keep(connection, delta)
            again = Follower(follower.cache)
            again.restart()
            assert again == follower
        else:
            follower.restart()

    @invariant()
    def nothing_is_written_twice(self) -> None:
        """What is as it was is in the generation in which it became so; what is gone is remembered for a while."""
        with self.reader.reading() as connection:
            rows = {
                (table.name, path): at
                for table in (DOCUMENTS, ROUTES)
                for path, at in connection.execute(select(table.c.path, table.c.generation))
            }
            gone = {(of, path): at for of, path, at in connection.execute(select(GONE))}
            assert (rows, gone) == (self.since, self.gone)
            assert load_documents(connection) == self.common
            told = {path: (each.etag, each.last_modified, each.source) for path, each in self.rare.items()}
            found = load_rare(connection)
        assert {path: (each.etag, each.last_modified, each.source) for path, each in found.items()} == told


def test_followers_have_what_is_published(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is published, and whenever somebody asks for it: who has asked has all of it, with every field, and
    so it has after a restart from what it kept; a new database is followed as a whole.
    """
    monkeypatch.setattr(publication, "_REMEMBERED", REMEMBERED)

    examples = 10 if "postgresql" in url else 60

    class Here(Publications):
        def __init__(self) -> None:
            super().__init__(url, tmp_path)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            suppress_health_check=[HealthCheck.too_slow],
            deadline=None,
        ),
    )


def test_a_follower_sees_one_moment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is published while somebody reads is not seen by half: it has what was there when it began."""
    first, second = documents("/a", "/b"), documents("/b", "/c", etag='"2"')

    def load(connection: Connection, since: int, *, rare: bool | None) -> dict[str, Dated]:
        put(store, first, second)
        return load_documents(connection, since, rare=rare)

    with closing(DatabaseStore(url, write=True)) as store, closing(DatabaseStore(url, write=False)) as reader:
        put(store, {}, first)
        with monkeypatch.context() as patch, reader.reading() as connection:
            patch.setattr(publication, "load_documents", load)
            delta = fetch(connection, "", 0)
        assert (delta.standing.generation, delta.documents, delta.gone) == (1, first, frozenset())
        assert delta.routes == {"to/a": "/a", "to/b": "/b"}
        with reader.reading() as connection:
            delta = fetch(connection, delta.standing.birth, 1)
        assert (delta.whole, delta.documents, delta.gone) == (False, second, frozenset({"/a"}))
        assert (dict(delta.routes), set(delta.closed)) == ({"to/c": "/c"}, {"to/a"})


def test_what_fails_publishes_nothing(url: str) -> None:
    """A transaction that breaks off, or is of a term that has ended, leaves generation and rows as they were."""
    first = documents("/a")
    broken = documents("/b") | {"/c": Dated(None, NOW)}  # type: ignore[arg-type]  # what no table takes
    with closing(DatabaseStore(url, write=True)) as store, closing(DatabaseStore(url, write=False)) as reader:
        put(store, {}, first)
        with pytest.raises(StoreError):
            put(store, first, broken)
        with pytest.raises(DeposedError):
            put(store, first, documents("/b"), term=7)
        assert store.deposed
        with reader.reading() as connection:
            delta = fetch(connection, "", 0)
    assert (delta.standing.generation, delta.documents) == (1, first)


def test_who_is_far_behind_compares_all(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is gone is told to all who are not further behind than it is remembered; they and all others end with
    the same, in memory and in what they keep.
    """
    monkeypatch.setattr(publication, "_REMEMBERED", REMEMBERED)
    # With each generation, one is gone and another comes.
    paths = [f"/{number}" for number in range(2 * REMEMBERED + 3)]
    windows = [documents(*paths[start : start + 3]) for start in range(2 * REMEMBERED)]
    with ExitStack() as stack:
        store = stack.enter_context(closing(DatabaseStore(url, write=True)))
        caches = [DatabaseStore(f"sqlite:///{tmp_path}/{number}.db", write=True) for number in range(len(windows))]
        followers = [Follower(stack.enter_context(closing(cache))) for cache in caches]
        for follower, old, new in zip(followers, [NOTHING, *windows], windows, strict=False):
            put(store, old, new)
            assert follow(store, follower)
        wholes = [follow(store, follower) for follower in followers]
        assert wholes == [True] * REMEMBERED + [False] * REMEMBERED
        for follower in followers:
            assert follower.documents == windows[-1]
            assert follower.routes == {f"to{path}": path for path in windows[-1]}
        for cache in caches:
            # However many there have been, it does not grow.
            with cache.reading() as connection:
                assert len(load_marks(connection, 0)) == REMEMBERED + 1


@pytest.mark.parametrize("generation", [0, 1, 5])
def test_another_database_is_followed_as_a_whole(url: str, tmp_path: Path, generation: int) -> None:
    """Whatever number it has come to, what was there before has nothing to do with it."""
    cache = DatabaseStore(f"sqlite:///{tmp_path}/cache.db", write=True)
    with closing(cache), closing(DatabaseStore(url, write=True)) as store:
        put(store, {}, documents("/a", "/b"))
        follower = Follower(cache)
        follow(store, follower)
        with store.writing() as connection:
            clear(connection, "another", generation)
        put(store, {}, documents("/c"))
        assert follow(store, follower)
        assert (follower.generation, follower.documents) == (generation + 1, documents("/c"))
