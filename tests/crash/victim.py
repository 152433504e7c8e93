"""A process that publishes, to be killed: the real publisher and store, without a server in front of them.

It is forked from one that has imported everything, so that a start costs milliseconds. Its clock is the test's, so
that what it publishes can be compared to the byte with what one publishes that is never killed.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from service import PATIENCE_SECONDS, environment
from support import ROOT

from feedsvc.config import load_settings
from feedsvc.publisher import Publisher
from feedsvc.reload import State
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from feedsvc.articles.library import LoadRules
    from feedsvc.documents.snapshot import Snapshot
    from feedsvc.feeds.memory import Event
    from feedsvc.settings import Settings
    from feedsvc.store.store import Remembered

# Each document's validator, its date, and its bytes by their digest.
Documents: TypeAlias = dict[str, tuple[str, datetime, str]]
# Imported, and not run as a program: what it tells must be of this module's classes.
_PROGRAM = "import sys; from crash.victim import main; main(*sys.argv[1:])"
Stage: TypeAlias = Literal["saving", "saved", "served", "done"]


@dataclass(frozen=True)
class Place:
    """Where a victim lives: its articles, a configuration and a memory."""

    root: Path

    @property
    def articles(self) -> Path:
        """The directory of articles."""
        return self.root / "articles"

    @contextmanager
    def away(self) -> Iterator[None]:
        """The articles are gone and an empty directory is there, as at a mount point while its disk is away."""
        aside = self.root / "aside"
        self.articles.rename(aside)
        self.articles.mkdir()
        yield
        self.articles.rmdir()
        aside.rename(self.articles)

    @property
    def database(self) -> Path:
        """The memory's file."""
        return self.root / "memory.db"

    @property
    def url(self) -> str:
        """The memory's URL."""
        return f"sqlite:///{self.database}"

    def settings(self) -> Settings:
        """So few entries a feed that there are archives; no pages, which tell the day."""
        empty = self.root / "empty.yaml"
        empty.touch()
        flags = {"articles": str(self.articles), "feeds.entries": "4", "pages": "false", "feeds.changes": "true"}
        return load_settings(empty, {}, flags)


@dataclass(frozen=True)
class Told:
    """What a victim tells: how far it is, and what a reader would get from now on."""

    stage: Stage
    documents: Documents | None = None
    archives: dict[str, str] | None = None
    error: str | None = None


def documents_of(snapshot: Snapshot) -> Documents:
    """Every document that is made before it is asked for."""
    return {
        path: (document.etag, document.last_modified, hashlib.sha256(document.content).hexdigest())
        for path, document in snapshot.documents.items()
    }


def archives_of(snapshot: Snapshot) -> dict[str, str]:
    """Every archive document, by its bytes' digest."""
    assert snapshot.archives
    found = {path: snapshot.document(path) for path in snapshot.archives.paths()}
    return {path: hashlib.sha256(each.content).hexdigest() for path, each in found.items() if each}


class _TellingStore(DatabaseStore):
    """Tells when it begins to write, and when that is done."""

    def __init__(self, url: str, tell: Callable[[Told], None]) -> None:
        super().__init__(url, write=True)
        self._tell = tell

    def save(self, before: Remembered, after: Remembered, events: Sequence[Event], rules: LoadRules) -> None:
        self._tell(Told("saving"))
        super().save(before, after, events, rules)
        self._tell(Told("saved"))


class _WatchedPublisher(Publisher):
    """Tells what a reader gets from the very moment on at which the first reader could get it."""

    tell: Callable[[Told], None] | None = None
    _told: Snapshot | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "state" and self.tell and isinstance(value, State) and value.snapshot is not self._told:
            self._told = value.snapshot
            assert value.snapshot
            self.tell(Told("served", documents_of(value.snapshot)))


def _live(place: Place, settings: Settings, wire: Connection) -> None:
    """Carry out orders: each is a moment at which to reload."""
    moment = datetime.min.replace(tzinfo=UTC)

    def clock() -> datetime:
        return moment

    store = _TellingStore(place.url, wire.send)
    publisher = _WatchedPublisher(settings, clock, store)
    publisher.tell = wire.send
    while True:
        moment = wire.recv()
        outcome = publisher.reload()
        snapshot = publisher.snapshot
        archives = archives_of(snapshot) if snapshot else None
        documents = documents_of(snapshot) if snapshot else None
        wire.send(Told("done", documents, archives, outcome.forgetting or outcome.error))


def main(root: str, address: str) -> None:
    """Fork one victim after the other, whenever a line is read, each once the last one is dead."""
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            place = Place(Path(root))
            # Before anyone knows of it: once it is connected, its articles may be moved away.
            settings = place.settings()
            with Client(address) as wire, suppress(EOFError):
                _live(place, settings, wire)
            os._exit(0)
        _say(str(pid))
        os.waitpid(pid, 0)
        _say("dead")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


class Nursery:
    """Where victims come from: a process that has imported everything, and nothing else."""

    def __init__(self, place: Place) -> None:
        """Start it."""
        self._living: Victim | None = None
        self._listener = Listener()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(place.root), str(self._listener.address)],
            cwd=ROOT,
            env=environment(PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'tests'}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def victim(self, place: Place) -> Victim:
        """A new one; the last one must be dead."""
        assert self._process.stdin
        self._process.stdin.write("another\n")
        self._process.stdin.flush()
        pid = int(self._line())
        self._living = Victim(place, pid, self._listener.accept(), self._line)
        return self._living

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def close(self) -> None:
        """End it, and who lives."""
        if self._living:
            self._living.kill()
        self._process.communicate("")
        self._listener.close()


class Victim:
    """Such a process, seen from outside."""

    def __init__(self, place: Place, pid: int, wire: Connection, dead: Callable[[], str]) -> None:
        self._place = place
        self._pid = pid
        self._wire = wire
        self._dead = dead

    def order(self, moment: datetime) -> None:
        """Have it reload at a moment, and do not wait."""
        self._wire.send(moment)

    def wait(self, stage: Stage) -> Told:
        """What it tells at a stage."""
        while self._wire.poll(PATIENCE_SECONDS):
            told: Told = self._wire.recv()
            if told.stage == stage:
                return told
        raise TimeoutError(stage)

    def reload(self, moment: datetime) -> Told:
        """Have it reload, and wait until that is done."""
        self.order(moment)
        return self.wait("done")

    def kill(self) -> list[Told]:
        """Kill it outright; what it had told until then, and nobody has heard yet."""
        heard: list[Told] = []
        if self._wire.closed:
            return heard
        os.kill(self._pid, signal.SIGKILL)
        assert self._dead() == "dead\n"
        with self._wire:
            try:
                while True:
                    heard.append(self._wire.recv())
            except (EOFError, OSError):
                # Perhaps in the middle of a word.
                return heard
