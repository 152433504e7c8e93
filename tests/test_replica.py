"""Replicas: what follows a store serves what its publisher would serve alone, and never goes back."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from service import wait_for
from sqlalchemy import text
from support import NOW, Answer, ask, make_settings, tamper, write_article

from feedsvc.candidate import Term
from feedsvc.replica import Replica
from feedsvc.service import make_application as alone
from feedsvc.sharing import make_application as shared_application
from feedsvc.sharing import report
from feedsvc.store import shared
from feedsvc.store.copies import Copies
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.store.publication import standing_of
from feedsvc.store.tokens import Grant, grant, revoke

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from feedsvc.settings import Settings
    from feedsvc.store.publication import Delta

HOUR = timedelta(hours=1)
# What may differ: a replica has no brotli of what is seldom asked for, and dates that by the reload.
RARE = {"last-modified"}


@dataclass
class Site:
    """A publisher and its replicas, whose clock the test moves."""

    articles: Path
    url: str
    hours: int = 0
    replicas: list[Replica] = field(default_factory=list)

    def __post_init__(self) -> None:
        flags = {
            "feeds__entries": "2",
            "base_url": "https://f.example",
            "guard__share": "1",
            "guard__settle": "0s",
        }
        self.settings: Settings = make_settings(self.articles, store__url=self.url, **flags)
        self.store = self.elected()
        self.term = Term(self.settings, self.store, lambda: NOW + self.hours * HOUR)

    def elected(self) -> DatabaseStore:
        """The store of who takes over."""
        store = DatabaseStore(self.url, write=True)
        # A server needs a moment to see that the one before is gone.
        wait_for(lambda: shared.stand(store, "a test"), "the election")
        return store

    def close(self) -> None:
        """Let go of everything."""
        self.store.close()
        for replica in self.replicas:
            replica.close()

    def reload(self) -> None:
        """Reload and publish, an hour later."""
        self.hours += 1
        outcome = self.term.reload()
        assert (outcome.error, outcome.forgetting) == (None, None)

    def replica(self, name: str = "one", url: str | None = None) -> Replica:
        """A replica, which keeps what it serves under this name."""
        replica = Replica(url or self.url, self.articles.parent / name, lambda: NOW + self.hours * HOUR)
        replica.open()
        self.replicas.append(replica)
        return replica

    @contextmanager
    def started(self, name: str, hang: threading.Event | None = None) -> Iterator[Replica]:
        """A replica that follows by itself; its store hangs until something has happened."""
        replica = Replica(self.url, self.articles.parent / name, lambda: NOW + self.hours * HOUR)
        if hang:
            connect = replica._store.place.connect

            def late() -> Engine:
                hang.wait(60)
                return connect()

            replica._store.place.connect = late  # type: ignore[method-assign]  # of one alone
        before = set(threading.enumerate())
        replica.start()
        try:
            yield replica
        finally:
            replica.stop()
            if hang:
                hang.set()
            for thread in set(threading.enumerate()) - before:
                if thread.name == "follow":
                    thread.join(20)

    def expected(self) -> dict[str, tuple[Answer, ...]]:
        """What a service alone answers to each path that there is."""
        snapshot = self.term.publisher.state.snapshot
        assert snapshot
        application = alone(self.term.publisher, self.term._schedule, self.settings, None)
        return {path: answers(application, path) for path in [*snapshot.paths(), *OTHERS]}

    def answers_of(self, replica: Replica) -> dict[str, tuple[Answer, ...]]:
        """What a replica answers to each of these, and to all others that it has."""
        snapshot = self.term.publisher.state.snapshot
        assert snapshot
        assert replica.snapshot
        application = shared_application(self.settings, replica, None, None)
        return {
            path: answers(application, path)
            for path in dict.fromkeys([*snapshot.paths(), *OTHERS, *replica.snapshot.documents])
        }


OTHERS = (
    "/topics/Old",
    "/topics/gone",
    "/topics/gone.atom",
    "/nothing",
    "/TOPICS/AI.atom",
    "/topics/ai/archive/99.rss",
)


def answers(application: object, path: str) -> tuple[Answer, ...]:
    """What is told of a path: plain, compressed, and to who has it."""
    found = []
    for coding in ("", "gzip"):
        answer = ask(application, path, accept_encoding=coding)  # type: ignore[arg-type] # a WSGI application
        tag = answer.headers.get("etag", '"none"')
        again = ask(application, path, accept_encoding=coding, if_none_match=tag)  # type: ignore[arg-type] # likewise
        found += [answer, again]
    if "/archive/" in path or found[0].headers.get("content-type", "").startswith("text/html"):
        for each in found:
            for name in RARE & each.headers.keys():
                del each.headers[name]
    return tuple(found)


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, articles: Path) -> Iterator[Site]:
    """A publisher of a few articles."""
    url = f"sqlite:///{articles.parent}/memory.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
    for number in range(9):
        write(articles, number)
    site = Site(articles, url)
    yield site
    site.close()


def write(articles: Path, number: int, title: str = "T", topics: str = "[AI, Old]") -> None:
    """Write an article."""
    date = f"2021-12-{number + 1:02}T00:00:00Z"
    fields = {"webUrl": f"https://example.org/{number}", "publishedDateTime": date, "topics": topics}
    write_article(articles, f"{number}.md", f"Body *{number}*", title=f"{title} {number}", **fields)


def test_a_replica_serves_what_its_publisher_would(site: Site) -> None:
    """Feeds, pages, archives, redirects, errors: the same status, headers and bytes."""
    site.reload()
    replica = site.replica()
    replica.follow()
    expected = site.expected()
    assert len(expected) > 50
    assert site.answers_of(replica) == expected


def test_after_any_edits_all_replicas_serve_the_same(site: Site, articles: Path) -> None:
    """Whatever is added, edited, moved, held back or removed, and whenever a replica looks."""
    random_ = random.Random(7)  # noqa: S311 - the same each time
    always, seldom = site.replica("always"), site.replica("seldom")
    for step in range(12):
        number = random_.randrange(14)
        kind = random_.choice(["write", "topics", "remove", "hold", "write"])
        if kind == "remove":
            (articles / f"{number}.md").unlink(missing_ok=True)
        elif kind == "hold":
            write_article(articles, f"{number}.md", published="false", webUrl=f"https://example.org/{number}")
        else:
            write(articles, number, f"Step {step}", "[Chips, AI]" if kind == "topics" else "[AI, Old]")
        site.reload()
        always.follow()
        assert site.answers_of(always) == site.expected(), (step, kind)
    seldom.follow()
    assert site.answers_of(seldom) == site.expected()
    assert always.snapshot
    assert always.fetched < 12 * len(always.snapshot.documents) / 2


def test_nothing_is_published_where_nothing_changed(site: Site) -> None:
    """A reload that finds nothing new is no generation, nor is the start of a publisher with the same articles."""
    site.reload()
    replica = site.replica()
    replica.follow()
    generation, fetched = replica.served.generation, replica.fetched
    site.reload()
    site.term = Term(site.settings, site.store, lambda: NOW + site.hours * HOUR)
    site.reload()
    replica.follow()
    assert (replica.served.generation, replica.fetched) == (generation, fetched)
    assert replica.standing.reloaded_at == NOW + site.hours * HOUR


def test_an_edit_is_published_as_the_documents_that_show_it(site: Site, articles: Path) -> None:
    """Of thirty feeds, an article that is in four changes these alone: each in all formats, then their pages."""
    for number in range(9, 20):
        write(articles, number, topics=f"[Topic {number}, More {number}]")
    write(articles, 20, topics="[AI, Old]")
    site.reload()
    replica = site.replica()
    replica.follow()
    before = replica.snapshot
    write(articles, 20, "Edited")
    site.reload()
    replica.follow()
    assert before
    assert replica.snapshot
    after = replica.snapshot.documents
    changed = {path for path, each in after.items() if before.documents.get(path) is not each}
    names = ("/feeds/all", "/topics/ai", "/topics/old", "/providers/example")
    feeds = {name + ending for name in names for ending in ("", ".atom", ".rss", ".json")}
    # That one tells when anything changed last.
    assert changed == {*feeds, "/feeds.opml"}
    with site.store.reading() as connection:
        query = "SELECT generation, count(*) FROM documents GROUP BY generation ORDER BY generation"
        assert [count for _, count in connection.execute(text(query))][-2:] == [13, 4]


def test_what_is_still_to_come_is_not_missing(site: Site) -> None:
    """Until the first pages and archives are published, they are answered with 503, and after that with 404 only
    where there is none; so they are by one that begins with what it has on disk.
    """
    site.term.publisher.reload()
    replica = site.replica()
    replica.follow()
    replica.close()
    again = site.replica()
    again.show()
    paths = ["/feeds/all", "/feeds/all/archive/1.atom", "/nothing", "/topics/Old", "/TOPICS/AI/archive/1.rss"]
    for each in (replica, again):
        application = shared_application(site.settings, each, None, None)
        assert ask(application, "/feeds/all.atom").status == 200
        # Where it leads is known already.
        assert ask(application, "/TOPICS/AI.atom").status == 301
        told = [ask(application, path) for path in paths]
        assert [(answer.status, answer.headers["retry-after"]) for answer in told] == [(503, "5")] * len(paths)
    site.reload()
    again.follow()
    application = shared_application(site.settings, again, None, None)
    assert [ask(application, path).status for path in paths] == [200, 200, 404, 301, 301]
    again.close()
    last = site.replica()
    last.show()
    assert site.answers_of(last) == site.expected()


def test_who_was_revoked_does_not_come_back(site: Site) -> None:
    """One that is started while the store is away lets in whom the last of its host let in, whichever file that
    stands in; nobody else reads such a file.
    """
    site.reload()
    assert grant(site.store, "a token", Grant("Bob", (), NOW))
    first, second = site.replica(), site.replica()
    for each in (first, second):
        each.follow()
        assert len(each.grants) == 1
    second.close()
    assert revoke(site.store, "Bob")
    first.follow()
    first.close()
    for each in (site.replica(), site.replica()):
        each.show()
        assert each.snapshot
        assert each.grants == {}
    assert {path.stat().st_mode & 0o777 for path in (site.articles.parent / "one").glob("*.db")} == {0o600}


def test_a_revocation_that_could_not_be_kept_is_kept_later(articles: Path) -> None:
    """Nobody who was revoked comes back with a start, also where the disk could not be written just then."""
    write(articles, 1)
    site = Site(articles, f"sqlite:///{articles.parent}/memory.db")
    site.reload()
    assert grant(site.store, "a token", Grant("Ada", (), NOW))
    replica = site.replica()
    replica.follow()
    (file,) = (articles.parent / "one").glob("*.db")
    refusal = "CREATE TRIGGER full BEFORE DELETE ON tokens BEGIN SELECT RAISE(ABORT, 'no room'); END"
    tamper(f"sqlite:///{file}", refusal)
    assert revoke(site.store, "Ada")
    replica.follow()
    assert replica.grants == {}
    tamper(f"sqlite:///{file}", "DROP TRIGGER full")
    replica.follow()
    replica.close()
    again = site.replica()
    again.show()
    assert (again.snapshot is None, again.grants) == (False, {})
    site.close()


def test_health_tells_what_was_heard_last(site: Site) -> None:
    """Also one that was started anew while the store is away tells who published, and how long ago."""
    site.reload()
    first = site.replica()
    first.follow()
    first.close()
    again = site.replica()
    again.show()
    told = report(again, None, site.settings, NOW + (site.hours + 9) * HOUR)
    assert told["status"] == "warn"
    assert told["store_generation"] == told["generation"]
    publisher = told["publisher"]
    assert isinstance(publisher, dict)
    assert (publisher["name"], publisher["age_seconds"]) == ("a test", 9 * 3600)


def test_a_replica_begins_with_what_it_served(site: Site, tmp_path: Path) -> None:
    """While the store is away, one that is started again serves what it served; with the store, what is new."""
    site.reload()
    first = site.replica()
    first.follow()
    first._copies.close()
    away = f"sqlite:///{tmp_path}/nowhere/memory.db"
    second = site.replica()
    second._store = DatabaseStore(away, write=False)
    assert second.snapshot is None
    second.follow()
    assert second.error is None
    assert site.answers_of(second) == site.expected()
    second._copies.close()
    third = site.replica()
    write(site.articles, 3, "Edited")
    site.reload()
    third.follow()
    assert site.answers_of(third) == site.expected()
    # Of what it had, nothing was asked for again.
    assert third.snapshot
    assert third.fetched < len(third.snapshot.documents) / 2


def test_a_replica_that_starts_asks_the_store_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on disk is older than what the store has: it is never served. Once it begins, it has something."""
    site.reload()
    first = site.replica()
    first.follow()
    first.close()
    write(site.articles, 3, "Edited")
    site.reload()
    shown = []
    show = Replica.show

    def watched(replica: Replica) -> None:
        show(replica)
        shown.append(replica.served.generation)

    monkeypatch.setattr(Replica, "show", watched)
    with site.started("one") as replica:
        assert site.answers_of(replica) == site.expected()
        assert set(shown) == {replica.standing.generation}


def test_a_store_that_hangs_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that starts serves what is on disk after a moment, and what the store has once that answers."""
    monkeypatch.setattr("feedsvc.replica._FIRST_SECONDS", 0.1)
    site.reload()
    first = site.replica()
    first.follow()
    first.close()
    before = site.expected()
    write(site.articles, 3, "Edited")
    hang = threading.Event()
    with site.started("new", hang) as new, site.started("one", hang) as replica:
        assert site.answers_of(replica) == before
        assert new.snapshot is None
        site.reload()
        hang.set()
        for each in (replica, new):
            wait_for(partial(is_current, site, each), "the edit")
            assert site.answers_of(each) == site.expected()


def is_current(site: Site, replica: Replica) -> bool:
    """Whether it serves what is published."""
    with site.store.reading() as connection:
        return replica.served == standing_of(connection)


def test_a_replica_begins_with_the_newest_of_its_host(site: Site) -> None:
    """Whoever served it: that replica may be gone, or still have its file."""
    site.reload()
    replicas = [site.replica() for _ in range(3)]
    for number in range(3):
        for each in replicas[number:]:
            each.follow()
        write(site.articles, 3, f"Edit {number}")
        site.reload()
    replicas[1].follow()
    expected = site.expected()
    replicas[0].close()
    # One has its file still, and another one has none.
    for replica in (site.replica(), site.replica()):
        replica.show()
        assert site.answers_of(replica) == expected
        replica.close()
    replicas[1].close()
    replica = site.replica()
    replica.show()
    assert site.answers_of(replica) == expected


def test_of_two_databases_the_one_that_was_followed_last_is_newer(site: Site) -> None:
    """However many generations the other one had."""
    for title in ("First", "Second", "Third"):
        write(site.articles, 3, title)
        site.reload()
    with site.store.writing() as connection:
        connection.execute(text("UPDATE meta SET generation = 50"))
    old, new = site.replica(), site.replica()
    old.follow()
    new.follow()
    with site.store.writing() as connection:
        connection.execute(text("UPDATE meta SET generation = 7, birth = 'another'"))
    new.follow()
    old.close()
    new.close()
    replica = site.replica()
    replica.show()
    assert (replica.served.birth, replica.served.generation) == ("another", 7)


def damage(file: Path, kind: str) -> None:
    """Change some bytes, or what a program would never have written."""
    statements = {
        "a document": "UPDATE documents SET gzip = substr(gzip, 1, 40) || x'00' || substr(gzip, 42) "
        "WHERE path = '/feeds/all.atom'",
        "a date": "UPDATE documents SET last_modified = 1 WHERE path = '/feeds/all.atom'",
        "a moment": "UPDATE documents SET last_modified = 1 << 62 WHERE path = '/feeds/all.atom'",
        "a text": "UPDATE documents SET media_type = CAST(x'ff' AS TEXT) WHERE path = '/feeds/all.atom'",
        "a row": "DELETE FROM documents WHERE path = '/feeds/all.atom'",
        "a route": "UPDATE routes SET target = '/feeds/al' WHERE path = (SELECT min(path) FROM routes)",
        "the number": "UPDATE meta SET generation = generation + 64",
        "all rows": "DELETE FROM documents",
    }
    if kind in statements:
        with closing(sqlite3.connect(file)) as connection, connection:
            assert connection.execute(statements[kind]).rowcount
        return
    if kind == "the file":
        file.write_bytes(b"garbage" * 1000)
    else:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    for ending in ("-wal", "-shm"):
        Path(f"{file}{ending}").unlink(missing_ok=True)


KINDS = ["a document", "a date", "a moment", "a text", "a row", "a route", "the number", "all rows"]


@pytest.mark.parametrize("kind", [*KINDS, "the file", "half"])
def test_a_damaged_copy_is_none(articles: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it is served; the log says so once, in words of its own, and the next one is whole."""
    write(articles, 1)
    site = Site(articles, f"sqlite:///{articles.parent}/memory.db")
    site.reload()
    replica = site.replica()
    replica.follow()
    replica.close()
    (file,) = (articles.parent / "one").glob("*.db")
    damage(file, kind)
    replica = site.replica()
    replica.show()
    assert replica.snapshot is None
    replica.follow()
    replica.close()
    again = site.replica()
    again.show()
    assert site.answers_of(again) == site.expected()
    warnings = [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
    assert warnings == ["the copy on disk of what replicas serve is damaged; it is made anew"]
    site.close()


def test_a_copy_that_is_damaged_while_it_is_written_is_made_anew(
    articles: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It has all that is served, and not only what was new."""
    write(articles, 1)
    site = Site(articles, f"sqlite:///{articles.parent}/memory.db")
    site.reload()
    replica = site.replica()
    replica.follow()
    (file,) = (articles.parent / "one").glob("*.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = file.read_bytes()
    with file.open("r+b") as stream:
        stream.write(content[:4096] + b"\xff" * (len(content) - 4096))
    write(articles, 1, "Edited")
    site.reload()
    replica.follow()
    assert caplog.text.count("is damaged; it is made anew") == 1
    replica.close()
    again = site.replica()
    again.show()
    assert site.answers_of(again) == site.expected()
    site.close()


def test_a_start_outlives_whatever_is_on_disk(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where what was kept cannot be made sense of, the store has all of it."""
    site.reload()
    first = site.replica()
    first.follow()
    first.close()

    def fail(_replica: Replica, delta: Delta) -> None:
        raise ValueError(f"what is this? {delta.standing.generation}")

    with monkeypatch.context() as patch:
        patch.setattr(Replica, "_have", fail)
        replica = site.replica()
    assert "cannot be read" in caplog.text
    replica.follow()
    assert site.answers_of(replica) == site.expected()


def test_what_is_served_is_on_disk_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is killed in any moment begins with nothing older, even where the store is away."""
    site.reload()
    replica = site.replica()
    replica.follow()
    old = replica.served.generation
    served = []
    keep = Copies.keep

    def kept(copies: Copies, delta: Delta, whole: Callable[[], Delta]) -> None:
        served.append(replica.served.generation)
        keep(copies, delta, whole)

    monkeypatch.setattr(Copies, "keep", kept)
    write(site.articles, 3, "Edited")
    site.reload()
    replica.follow()
    assert (served, replica.served.generation > old) == ([old], True)


def test_several_replicas_on_a_host_have_a_file_each(site: Site) -> None:
    """Those that share a directory do not share a file."""
    site.reload()
    for replica in (site.replica("same"), site.replica("same")):
        replica.follow()
        assert site.answers_of(replica) == site.expected()
    assert len(list((site.articles.parent / "same").glob("*.db"))) == 2


def test_a_replica_that_cannot_keep_what_it_serves_serves(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A file that fails for a while costs a line in the log; once it works, it has everything again."""
    site.reload()
    replica = site.replica()
    replica.follow()
    (path,) = (site.articles.parent / "one").glob("*.db")
    for title in ("First", "Second"):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("ALTER TABLE documents RENAME TO elsewhere")
        write(site.articles, 2, title)
        site.reload()
        replica.follow()
        assert site.answers_of(replica) == site.expected()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("ALTER TABLE elsewhere RENAME TO documents")
    assert caplog.text.count("cannot be kept for a restart") == 1
    write(site.articles, 2, "Third")
    site.reload()
    replica.follow()
    replica._copies.close()
    again = site.replica()
    again.show()
    assert site.answers_of(again) == site.expected()


def test_a_replica_never_goes_back(articles: Path, tmp_path: Path) -> None:
    """Where an older copy of the database takes its place, what is newer is served until somebody publishes there;
    then all is taken over, whatever its number.
    """
    file = tmp_path / "memory.db"
    site = Site(articles, f"sqlite:///{file}")
    write(articles, 1)
    site.reload()
    site.store.close()
    shutil.copy(file, tmp_path / "older.db")
    site = Site(articles, site.url)
    replica = site.replica()
    for title in ("Second", "Third"):
        write(articles, 1, title)
        site.reload()
        replica.follow()
    newest, generation = site.answers_of(replica), replica.served.generation
    site.store.close()
    shutil.copy(tmp_path / "older.db", tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(file)
    # What was written last is not in the copy; SQLite would write it there.
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    replica.follow()
    assert (site.answers_of(replica), replica.standing.generation < generation) == (newest, True)
    site = Site(articles, site.url)
    replica.follow()
    assert site.store.term
    assert replica.served == replica.standing
    assert replica.served.generation < generation
    assert not replica.wait_for(replica.served.generation, "of another", 0)
    assert replica.wait_for(replica.served.generation, replica.served.mark, 0)
    for title in ("Fourth", "Fifth", "Sixth"):
        write(articles, 1, title)
        site.reload()
        replica.follow()
        assert site.answers_of(replica) == site.expected()
    assert site.answers_of(replica) == site.expected()
    site.replicas.append(replica)
    site.close()


def test_who_was_deposed_publishes_nothing(site: Site) -> None:
    """One that wakes up after another has taken over is refused, and knows it."""
    site.reload()
    replica = site.replica()
    late = site.term
    site.store.place.release()
    site.store = site.elected()
    # The new term is a generation of its own.
    replica.follow()
    served = replica.served.generation
    write(site.articles, 1, "Too late")
    outcome = late.publisher.reload()
    assert "another process is the publisher now" in (outcome.forgetting or "")
    assert late.store.deposed
    with pytest.raises(StoreError, match="this process publishes no more"):
        shared.publish_rare(late.store, {}, {})
    late.store.close()
    replica.follow()
    assert replica.served.generation == served
