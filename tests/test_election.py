"""Election: of all who could publish, one does, whatever becomes of it, and nobody after it is hindered."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, closing, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from keeper import keeper
from service import PATIENCE_SECONDS, wait_for
from support import NOW, tamper

from feedsvc.articles.library import LoadRules
from feedsvc.store import place, postgres, shared
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import AloneError, BusyError, DeposedError, StoreError
from feedsvc.store.place import lock_of, path_of
from feedsvc.store.store import Remembered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    import psycopg

RULES = LoadRules()
# Who is silent has lost it after so long.
MOST_SECONDS = 10


def stands(store: DatabaseStore, name: str = "name") -> bool:
    """Whether it is elected now; a database that is busy is asked again."""
    try:
        return shared.stand(store, name)
    except StoreError:
        store.close()
        return False


def elect(store: DatabaseStore, name: str = "name") -> None:
    """Wait until it is elected: PostgreSQL takes a moment to notice that a session has ended."""
    wait_for(lambda: stands(store, name), f"{name} to be elected")


def save(store: DatabaseStore, making: str) -> None:
    """Publish something."""
    store.save(Remembered(), Remembered(making=making), [], RULES)


def made(url: str) -> str:
    """What was published last."""
    with closing(DatabaseStore(url, write=False)) as store:
        return store.load(RULES).making


def lock_file(url: str) -> Path:
    """By which an SQLite file is claimed."""
    path = path_of(url)
    assert path
    return lock_of(path)


def grow_old(url: str) -> None:
    """Let time pass for the lock of an SQLite file, by which silence is known there."""
    long_ago = time.time() - place.SILENCE_SECONDS - 1
    os.utime(lock_file(url), (long_ago, long_ago))


def test_one_is_elected_at_a_time(url: str) -> None:
    """While one is elected, nobody else is; when it lets go, the next one is, in a later term."""
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(DatabaseStore(url, write=True))) for _ in range(3)]
        for turn, store in enumerate(stores * 2, 1):
            elect(store, f"process {turn}")
            assert store.term == turn
            assert store.place.holds()
            assert tamper(url, "SELECT term, publisher FROM meta") == [(turn, f"process {turn}")]
            assert not any(shared.stand(other, "another") for other in stores if other is not store)
            assert store.place.holds()
            save(store, f"of term {turn}")
            assert made(url) == f"of term {turn}"
            store.close()
            assert not store.place.holds()


def test_who_is_killed_is_followed_at_once(url: str) -> None:
    """The lock of a process that is dead is free long before its silence would be noticed."""
    with keeper(url) as dead, closing(DatabaseStore(url, write=True)) as store:
        assert dead.ask("save") == "save"
        assert not shared.stand(store, "another")
        dead.process.send_signal(signal.SIGKILL)
        dead.process.wait(PATIENCE_SECONDS)
        since = time.monotonic()
        elect(store)
        assert time.monotonic() - since < postgres.SILENCE_SECONDS
        assert store.term == dead.term + 1
        save(store, "of the next")
    assert made(url) == "of the next"


def test_who_is_silent_loses_it(url: str) -> None:
    """A process that is frozen, on PostgreSQL amid a transaction, is followed within ten seconds; awake again, it
    publishes nothing.
    """
    with keeper(url) as frozen, closing(DatabaseStore(url, write=True)) as store:
        assert frozen.ask("save") == "save"
        if url.startswith("postgresql"):
            assert frozen.ask("begin") == "begin"
        assert not shared.stand(store, "another")
        frozen.process.send_signal(signal.SIGSTOP)
        since = time.monotonic()
        if url.startswith("sqlite"):
            grow_old(url)
        elect(store)
        assert time.monotonic() - since < MOST_SECONDS
        assert store.term == frozen.term + 1
        # Waiting for it when it wakes up.
        frozen.tell("save")
        frozen.process.send_signal(signal.SIGCONT)
        assert frozen.said() == "DeposedError"
        assert frozen.ask("holds") == "False"
        assert store.place.holds()
        save(store, "of the next")
    assert made(url) == "of the next"


def test_who_is_deposed_writes_nothing(url: str) -> None:
    """Whatever one of before would still write is refused, and it knows then."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(closing(DatabaseStore(url, write=True))) for _ in range(2))
        assert shared.stand(first, "first")
        save(first, "of the first")
        depose(url)
        elect(second)
        writes: list[Callable[[], None]] = [
            lambda: save(first, "too late"),
            lambda: shared.publish_rare(first, {}, {}),
            lambda: shared.report(first, NOW, None, "https://late.example"),
        ]
        for write in writes:
            first.deposed = False
            with pytest.raises(DeposedError):
                write()
            assert first.deposed
        assert not first.place.holds()
        assert second.place.holds()
    assert made(url) == "of the first"
    assert tamper(url, "SELECT base_url FROM meta") == [(None,)]


def test_who_was_not_elected_publishes_nothing(database: str) -> None:
    """On a server, where no lock is in the way, who stood for no election is refused, also when nobody is elected
    any more.
    """
    with (
        closing(DatabaseStore(database, write=True)) as elected,
        closing(DatabaseStore(database, write=True)) as other,
    ):
        elect(elected)
        save(elected, "of the elected")
        for _ in range(2):
            other.deposed = False
            with pytest.raises(DeposedError, match="was not elected"):
                save(other, "of another")
            elected.close()
    assert made(database) == "of the elected"


def test_who_loses_the_election_at_once_begins_no_term(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is elected, and sleeps until another one is, deposes nobody when it wakes up."""
    with ExitStack() as stack:
        sleeper, next_one = (stack.enter_context(closing(DatabaseStore(url, write=True))) for _ in range(2))
        standing = sleeper.place.stand

        def sleep() -> bool:
            elected = standing()
            depose(url)
            elect(next_one)
            return elected

        monkeypatch.setattr(sleeper.place, "stand", sleep)
        with pytest.raises(StoreError, match="lost again"):
            shared.stand(sleeper, "the one that sleeps")
        assert sleeper.term is None
        assert next_one.place.holds()
        save(next_one, "of the next")
    assert made(url) == "of the next"


def depose(url: str) -> None:
    """Take the lock from whoever has it, as its silence does."""
    if url.startswith("sqlite"):
        grow_old(url)
    else:
        tamper(url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")


def test_a_lost_session_is_not_taken_for_a_new_one(database: str) -> None:
    """Who lost its session may have another a moment later, to wait for something: it holds nothing by that."""
    with closing(DatabaseStore(database, write=True)) as store:
        assert shared.stand(store, "name")
        depose(database)
        with pytest.raises(StoreError):
            store.place.wait(PATIENCE_SECONDS)
        store.place.wait(0)
        assert not store.place.holds()
        elect(store)
        assert store.place.holds()


def test_who_is_waited_for_too_long_is_ended_and_nobody_else() -> None:
    """A connection whose time is over is ended, also where its number has become that of another meanwhile, which
    goes on; one that was called off is not.
    """
    with ExitStack() as stack:
        ours, theirs, other, others = (stack.enter_context(end) for _ in range(2) for end in socket.socketpair())
        number = ours.fileno()
        theirs.settimeout(PATIENCE_SECONDS)
        others.settimeout(PATIENCE_SECONDS)
        connection = cast("psycopg.Connection[Any]", SimpleNamespace(fileno=lambda: number))
        postgres._end_after(connection, 0.1)
        os.dup2(other.fileno(), number)
        assert theirs.recv(1) == b""
        for thread in [each for each in threading.enumerate() if isinstance(each, threading.Timer)]:
            thread.join(PATIENCE_SECONDS)
        os.write(number, b"1")
        assert others.recv(1) == b"1"
        call_off = postgres._end_after(connection, PATIENCE_SECONDS)
        call_off()
        os.write(number, b"2")
        assert others.recv(1) == b"2"


def test_who_stand_together_are_not_elected_together(url: str) -> None:
    """Of many who stand in the same moment one is elected, again and again."""
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(DatabaseStore(url, write=True))) for _ in range(6)]
        for turn in range(1, 6):
            elected = together(stores)
            assert [(store.term, store.place.holds()) for store in elected] == [(turn, True)]
            save(elected[0], f"of turn {turn}")
            elected[0].close()


def together(stores: list[DatabaseStore]) -> list[DatabaseStore]:
    """Those who are elected of some who stand in the same moment, again and again until somebody is."""
    elected: list[DatabaseStore] = []

    def run(store: DatabaseStore, barrier: threading.Barrier) -> None:
        barrier.wait(PATIENCE_SECONDS)
        if stands(store):
            elected.append(store)

    def try_all() -> bool:
        barrier = threading.Barrier(len(stores))
        threads = [threading.Thread(target=run, args=(store, barrier)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return bool(elected)

    wait_for(try_all, "one to be elected")
    return elected


def test_who_find_the_same_silence_cannot_both_publish(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two who notice in the same moment that the publisher is silent may take its lock; they are of
    different terms, and at most the later one can publish. A moment later, one can.
    """
    barrier, is_silent = threading.Barrier(2), place._is_silent

    def seen_by_both(lock: IO[str]) -> bool:
        found = is_silent(lock)
        if found:
            barrier.wait(PATIENCE_SECONDS)
        return found

    with ExitStack() as stack:
        silent, *others = (stack.enter_context(closing(DatabaseStore(file, write=True))) for _ in range(3))
        assert shared.stand(silent, "silent")
        grow_old(file)
        with monkeypatch.context() as patch:
            patch.setattr(place, "_is_silent", seen_by_both)
            elected = together(others)
        terms = sorted(store.term or 0 for store in elected)
        assert terms in ([2], [2, 3])
        assert published_by(elected) in ([], [terms[-1]])
        assert published_by([silent]) == []
        # As each does that finds that it is not the one any more.
        for store in others:
            if store.deposed or not store.place.holds():
                store.close()
                store.deposed = False
        wait_for(lambda: any(stands(store) for store in others), "one to be elected")
        assert len(published_by([store for store in others if store.place.holds()])) == 1


def published_by(stores: list[DatabaseStore]) -> list[int | None]:
    """The terms of those who can publish."""
    published = []
    for store in stores:
        with suppress(DeposedError):
            save(store, f"of term {store.term}")
            published.append(store.term)
    return published


def test_a_service_alone_goes_on_where_others_were_elected(file: str) -> None:
    """It needs no election, and while it runs nobody is elected, however old its lock is, but told which process
    has it; who is elected next goes on from what it kept.
    """
    with closing(DatabaseStore(file, write=True)) as elected:
        assert shared.stand(elected, "elected")
        save(elected, "of the elected")
        with pytest.raises(BusyError), closing(DatabaseStore(file, write=True)) as alone:
            alone.open()
    grow_old(file)
    with closing(DatabaseStore(file, write=True)) as alone:
        assert alone.load(RULES).making == "of the elected"
        save(alone, "of the one alone")
        grow_old(file)
        with closing(DatabaseStore(file, write=True)) as other:
            with pytest.raises(AloneError, match=f"process {os.getpid()} publishes .* for itself alone; stop it"):
                shared.stand(other, "another")
            with pytest.raises(BusyError, match=rf"stop it \(process {os.getpid()}\)"):
                other.open()
        save(alone, "of the one alone, later")
    with closing(DatabaseStore(file, write=True)) as elected:
        assert shared.stand(elected, "elected")
        assert (elected.term, elected.load(RULES).making) == (2, "of the one alone, later")
        save(elected, "of the elected again")


@pytest.mark.parametrize("is_old", [True, False])
def test_a_lock_that_was_left_hinders_nobody(file: str, is_old: bool) -> None:
    """The file that a process left that was killed while it was elected is nobody's, whatever it says."""
    with keeper(file) as dead:
        pass
    assert dead.process.returncode == -signal.SIGKILL
    assert lock_file(file).read_text("ascii") == "elected\n"
    if is_old:
        grow_old(file)
    with closing(DatabaseStore(file, write=True)) as alone:
        save(alone, "of the one alone")
    with keeper(file) as dead:
        assert dead.term == 2
    if is_old:
        grow_old(file)
    with closing(DatabaseStore(file, write=True)) as store:
        assert shared.stand(store, "name")
        save(store, "of the elected")
