"""Faults of the storage, with real files: serving never stops, health says what to do, and it mends itself."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from service import PATIENCE_SECONDS, command, environment, free_port, running
from support import NOW, ROOT, make_settings, write_article

from feedsvc import health, publisher
from feedsvc.articles.directory import stamp_of
from feedsvc.articles.library import LoadRules
from feedsvc.publisher import Publisher
from feedsvc.store import sqlite
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import BusyError
from feedsvc.store.tables import SIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from feedsvc.feeds.memory import Event

pytestmark = pytest.mark.usefixtures("unmeasured")
HOUR = timedelta(hours=1)


class Running:
    """A service's publisher and store, an hour later with every reload."""

    def __init__(self, articles: Path, file: Path, hours: int = 0) -> None:
        self.file = file
        self.store = DatabaseStore(f"sqlite:///{file}", write=True)
        self.hours = hours
        self.publisher = Publisher(make_settings(articles), lambda: NOW + self.hours * HOUR, self.store)

    def reload(self) -> str:
        """Reload; what health warns of, if of anything. Whatever it is, what is served is current."""
        self.hours += 1
        outcome = self.publisher.reload()
        assert outcome.error is None
        report = health.report(outcome.state, outcome, HOUR, NOW + self.hours * HOUR)
        assert report["status"] == ("warn" if outcome.forgetting else "pass")
        return str(report.get("output", ""))

    def execute(self, statement: str) -> None:
        """Run a statement in the connection that writes."""
        with self.store.open().connect() as connection:
            connection.exec_driver_sql(statement)

    def titles(self) -> list[str]:
        """What is served."""
        snapshot = self.publisher.snapshot
        assert snapshot
        return [entry.title for entry in snapshot.feeds["/feeds/all"].entries]

    def documents(self) -> dict[str, tuple[bytes, object]]:
        """Every document's bytes and date."""
        snapshot = self.publisher.snapshot
        assert snapshot
        return {path: (each.content, each.last_modified) for path, each in snapshot.documents.items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the memory is."""
    return tmp_path / "var/memory.db"


@pytest.fixture
def service(articles: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """One that has read two articles and waits for nobody for long."""
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.1)
    write_article(articles, "a.md", title="First")
    write_article(articles, "b.md", title="Other", webUrl="https://example.org/b")
    service = Running(articles, file)
    assert service.reload() == ""
    yield service
    service.store.close()


def told(file: Path) -> list[tuple[str, str]]:
    """The history of the first article, the oldest first."""
    with closing(DatabaseStore(f"sqlite:///{file}", write=False)) as store:
        return [(event.happening, event.title) for event in store.history("a.md", 100)[::-1]]


def restarted(service: Running, articles: Path) -> Running:
    """The next run of a service that ends now."""
    service.store.close()
    return Running(articles, service.file, service.hours)


def assert_kept(service: Running, articles: Path) -> None:
    """The next run serves what this one did."""
    documents = service.documents()
    again = restarted(service, articles)
    assert again.reload() == ""
    assert again.documents() == documents
    again.store.close()


def test_a_locked_database(service: Running, articles: Path, file: Path) -> None:
    """While another program holds the file locked for longer than a writer waits, what is new is served and the
    warning says what to do; afterwards all of it is kept, each event once.
    """
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        # A message that quotes an article is no proof that the file is damaged.
        write_article(articles, "a.md", title="The disk image is malformed or not a database")
        assert "locked; close what else has it open" in service.reload()
        write_article(articles, "a.md", title="Third")
        assert "locked" in service.reload()
        assert "Third" in service.titles()
        other.execute("ROLLBACK")
    assert service.reload() == ""
    titles = ["First", "The disk image is malformed or not a database", "Third"]
    assert told(file) == list(zip(["arrived", "changed", "changed"], titles, strict=True))
    assert not file.with_name("memory.db.damaged").exists()


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        ("PRAGMA max_page_count = 1", "make room on its disk"),
        ("PRAGMA query_only = 1", "make it and its directory"),
    ],
)
def test_a_full_disk_and_a_read_only_file(
    service: Running, articles: Path, file: Path, fault: str, hint: str
) -> None:
    """Where SQLite finds no room, or may not write, the warning says what to do; it is tried again from the
    beginning, so that what was opened while that was so does not stay so.
    """
    service.execute(fault)
    # What cannot be compressed away.
    write_article(articles, "a.md", title="Second", body=" ".join(str(number**5) for number in range(10_000)))
    assert hint in service.reload()
    assert "Second" in service.titles()
    # The next is another connection, for which nothing of that is set.
    assert service.reload() == ""
    assert told(file) == [("arrived", "First"), ("changed", "Second")]
    assert_kept(service, articles)


def test_a_file_system_that_takes_no_more(service: Running, articles: Path, file: Path) -> None:
    """A file that cannot grow, as on a disk that is full, leaves the last state in it, whole; later it is kept."""
    write_article(articles, "a.md", title="Second", body="<p>x</p>" * 20_000)
    with files_up_to(4096):
        assert "see that its disk has room" in service.reload()
    assert "Second" in service.titles()
    assert told(file) == [("arrived", "First")]
    assert service.reload() == ""
    assert told(file) == [("arrived", "First"), ("changed", "Second")]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file can be written beyond this size meanwhile; Python ignores the signal that comes with that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def overwrite(file: Path, start: int, content: bytes) -> None:
    """Write over a part of a file, as a failing disk does."""
    with file.open("r+b") as stream:
        stream.seek(start)
        stream.write(content)


@pytest.mark.parametrize("damage", ["garbage", "truncated", "zeros"])
def test_a_file_damaged_while_the_service_was_away(
    service: Running, articles: Path, file: Path, damage: str
) -> None:
    """Such a file is kept aside, and a new one has all but the history; what is served stays the same."""
    documents = {path: content for path, (content, _) in service.documents().items()}
    service.store.close()
    size = file.stat().st_size
    if damage == "garbage":
        overwrite(file, 0, os.urandom(size))
    elif damage == "truncated":
        os.truncate(file, size // 2)
    else:
        overwrite(file, 4096, bytes(size - 4096))
    damaged = file.read_bytes()
    again = Running(articles, file, service.hours)
    assert again.reload() == ""
    assert file.with_name("memory.db.damaged").read_bytes() == damaged
    assert {path: content for path, (content, _) in again.documents().items()} == documents
    last = restarted(again, articles)
    assert last.reload() == ""
    assert last.documents() == again.documents()
    last.store.close()


def test_a_file_damaged_while_the_service_runs(service: Running, articles: Path, file: Path) -> None:
    """Serving goes on; the damaged file is kept aside as soon as that is seen, and what happened lately is told by
    the new one too.
    """
    service.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(file, 0, os.urandom(file.stat().st_size))
    write_article(articles, "a.md", title="Second")
    # By a connection that has nothing of the file in its cache.
    service.store.disconnect()
    assert service.reload() == ""
    assert "Second" in service.titles()
    assert file.with_name("memory.db.damaged").exists()
    assert told(file) == [("arrived", "First"), ("changed", "Second")]
    assert_kept(service, articles)


def test_rows_that_nobody_wrote(service: Running, articles: Path, file: Path) -> None:
    """What a file was read as, once damaged, is read again, and no more is lost; a memory that makes no sense is
    kept aside.
    """
    service.store.close()
    alter(file, "UPDATE files SET record = 'x'")
    again = Running(articles, file, service.hours)
    assert again.reload() == ""
    assert again.documents() == service.documents()
    assert told(file) == [("arrived", "First")]
    again.store.close()
    alter(file, "UPDATE sightings SET first_seen = 9e15")
    last = Running(articles, file, service.hours)
    assert last.reload() == ""
    assert file.with_name("memory.db.damaged").exists()
    last.store.close()


def alter(file: Path, statement: str) -> None:
    """Change a database behind everybody's back."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_damaged_file_that_cannot_be_put_aside(service: Running, articles: Path, file: Path) -> None:
    """Where a damaged file cannot be moved away, the service goes on without, says so, and mends it later."""
    service.store.close()
    file.write_bytes(b"no database at all, but text")
    aside = file.with_name("memory.db.damaged")
    (aside / "in the way").mkdir(parents=True)
    again = Running(articles, file, service.hours)
    assert "puts it aside" in again.reload()
    assert sorted(again.titles()) == ["First", "Other"]
    (aside / "in the way").rmdir()
    aside.rmdir()
    assert again.reload() == ""
    assert aside.read_bytes() == b"no database at all, but text"
    again.store.close()


@pytest.mark.parametrize("what", ["memory.db*", "*", "memory.db.lock"])
def test_a_file_deleted_while_the_service_runs(service: Running, articles: Path, file: Path, what: str) -> None:
    """What is kept from then on is in a file that is there, all of it, and in nobody else's hands."""
    for each in file.parent.glob(what):
        each.unlink()
    write_article(articles, "a.md", title="Second")
    assert service.reload() == ""
    assert told(file) == [("arrived", "First"), ("changed", "Second")]
    with pytest.raises(BusyError):
        DatabaseStore(f"sqlite:///{file}", write=True).open()
    assert_kept(service, articles)


def test_an_older_file_put_back_while_the_service_runs(service: Running, articles: Path, file: Path) -> None:
    """A backup that somebody puts in the place of the file is brought up to date, and nothing is told twice."""
    service.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = file.read_bytes()
    write_article(articles, "a.md", title="Second")
    service.reload()
    for each in file.parent.glob("memory.db*"):
        each.unlink()
    file.write_bytes(backup)
    write_article(articles, "a.md", title="Third")
    assert service.reload() == ""
    assert told(file) == [("arrived", "First"), ("changed", "Second"), ("changed", "Third")]


def test_a_file_of_a_newer_version(service: Running, articles: Path, file: Path) -> None:
    """What a newer feedsvc wrote is left as it is, and the warning says to update; the service goes on without."""
    service.store.close()
    alter(file, "UPDATE meta SET version = version + 1")
    again = Running(articles, file, service.hours)
    assert "update feedsvc" in again.reload()
    assert sorted(again.titles()) == ["First", "Other"]
    alter(file, "UPDATE meta SET version = version - 1")
    assert again.reload() == ""
    assert told(file) == [("arrived", "First")]
    again.store.close()


def test_a_store_that_can_be_used_later(service: Running, articles: Path, file: Path) -> None:
    """A service that starts without its memory has it as soon as it can be had: who was known did not arrive
    again, what changed meanwhile is told once, and no date that a reader was told goes back.
    """
    service.store.close()
    hidden = file.with_name("hidden")
    file.rename(hidden)
    file.mkdir()
    write_article(articles, "a.md", title="While it was away")
    again = Running(articles, file, service.hours)
    assert "make it and its directory writable" in again.reload()
    write_article(articles, "a.md", title="Without a memory")
    write_article(articles, "c.md", title="New", webUrl="https://example.org/c")
    assert again.reload()
    before = again.documents()
    file.rmdir()
    hidden.rename(file)
    assert again.reload() == ""
    assert told(file) == [("arrived", "First"), ("changed", "Without a memory")]
    assert [(each.happening, each.path) for each in everything(file)] == [
        ("arrived", "a.md"),
        ("arrived", "b.md"),
        ("arrived", "c.md"),
        ("changed", "a.md"),
    ]
    for path, (content, date) in again.documents().items():
        assert date >= before[path][1] if path in before else content  # type: ignore[operator]  # dates
    sightings = again.publisher.state.memory.sightings
    assert sightings["https://example.org/a"].first_seen == NOW + HOUR
    documents = again.documents()
    last = restarted(again, articles)
    assert last.reload() == ""
    assert last.documents() == documents
    last.store.close()


def everything(file: Path) -> list[Event]:
    """All that happened, the oldest first."""
    with closing(DatabaseStore(f"sqlite:///{file}", write=False)) as store:
        return store.history(None, 100)[::-1]


def test_a_reader_sees_one_moment(service: Running, articles: Path, file: Path) -> None:
    """Whoever reads while the service writes sees all of one state, however long they take."""
    with closing(DatabaseStore(f"sqlite:///{file}", write=False)) as store, store.open().connect() as connection:
        before = connection.execute(SIGHTINGS.select()).fetchall()
        write_article(articles, "a.md", title="Second")
        assert service.reload() == ""
        assert connection.execute(SIGHTINGS.select()).fetchall() == before


def test_every_arrival_is_told(articles: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what cannot be kept is bounded: of a larger directory, every arrival is in the history."""
    monkeypatch.setattr(publisher, "MAX_UNTOLD", 2)
    for number in range(5):
        write_article(articles, f"{number}.md", webUrl=f"https://example.org/{number}")
    service = Running(articles, file)
    assert service.reload() == ""
    assert len(everything(file)) == 5
    service.store.close()


def test_numbers_that_sqlite_has_no_room_for(service: Running) -> None:
    """A file with a time far ahead, or an inode of 64 bits, is kept, and read again by the next run."""
    service.reload()
    state = service.publisher.state.library.files["a.md"]
    odd = replace(state, stamp=stamp_of(1, 2**63 - 1, 2**64 - 1))
    kept = service.publisher._kept
    assert kept
    library = replace(kept.library, files={**kept.library.files, "a.md": odd}, root=(2**64 - 1, 1))
    service.store.save(kept, replace(kept, library=library), [], LoadRules())
    loaded = service.store.load(LoadRules())
    assert loaded.library.files["a.md"].stamp is None
    assert loaded.library.root is None


def test_an_error_that_nobody_thought_of(service: Running, articles: Path, file: Path) -> None:
    """Whatever keeping raises, what is new is served, health warns, and it is kept when that is over."""
    save = service.store.save
    service.store.save = None  # type: ignore[method-assign,assignment]  # raises when it is called
    write_article(articles, "a.md", title="Second")
    assert "internal error" in service.reload()
    assert "Second" in service.titles()
    service.store.save = save  # type: ignore[method-assign]  # as it was
    assert service.reload() == ""
    assert told(file) == [("arrived", "First"), ("changed", "Second")]


def test_beside_a_running_service(articles: Path, tmp_path: Path) -> None:
    """A second process that would write the same file is refused with a clear error, and nothing is harmed; who
    only reads is not.
    """
    write_article(articles, "a.md", title="First")
    with running(tmp_path, articles) as service:
        url = f"sqlite:///{tmp_path}/memory-{service.port}.db"

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                command(*arguments, "--store", url),
                cwd=ROOT,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )

        # Who would go on writing is refused; who builds once does so with what is remembered, and keeps nothing.
        writers = {("serve", "--port", str(free_port())): 1, ("build", str(tmp_path / "out")): 0}
        for writing, status in writers.items():
            told = run(*writing, "--articles", str(articles))
            assert told.returncode == status
            assert "another process writes" in told.stderr
            assert "--store" in told.stderr
            assert "Traceback" not in told.stderr
        assert (tmp_path / "out/feeds/all.atom").is_file()
        assert "First" in run("history").stdout
        for reading in (("check",), ("list",), ("explain", str(articles / "a.md"))):
            answer = run(*reading, "--articles", str(articles))
            assert (answer.returncode, answer.stderr) == (0, "")
        write_article(articles, "a.md", title="Second")
        assert service.reload()["error"] is None
        assert service.health()["status"] == "pass"
        assert "Second" in run("history").stdout


def test_a_memory_that_can_only_be_read(articles: Path, tmp_path: Path) -> None:
    """Where the file and its directory cannot be written, what they hold is read all the same: no date moves."""
    url, settings, hours = f"sqlite:///{tmp_path}/var/memory.db", make_settings(articles), 0

    def clock() -> datetime:
        return NOW + timedelta(hours=hours)

    with closing(DatabaseStore(url, write=True)) as store:
        publisher = Publisher(settings, clock, store)
        for hours, title in enumerate(("First", "Second")):  # noqa: B007 - the clock reads it
            write_article(articles, title=title)
            publisher.reload()
    before = publisher.snapshot
    assert before
    hours = 5
    for path in (*(tmp_path / "var").iterdir(), tmp_path / "var"):
        path.chmod(0o555)
    found: list[tuple[str, datetime]] = []

    def read() -> tuple[str, datetime]:
        publisher = Publisher(settings, clock, DatabaseStore(url, write=True))
        outcome = publisher.reload()
        assert outcome.forgetting
        assert "make its directory writable" in outcome.forgetting
        document = outcome.state.snapshot.documents["/feeds/all.atom"]  # type: ignore[union-attr]  # there is one
        return document.etag, document.last_modified

    # Root may write anything; so this is done as somebody else.
    uid = os.geteuid()
    if uid == 0:
        for path in (tmp_path, *tmp_path.parents):
            if path.stat().st_mode & 0o777 == 0o700:
                path.chmod(0o755)
        os.seteuid(65534)
    try:
        found.append(read())
    finally:
        os.seteuid(uid)
        (tmp_path / "var").chmod(0o755)
    document = before.documents["/feeds/all.atom"]
    assert found == [(document.etag, document.last_modified)]
