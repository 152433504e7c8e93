"""The store: what is remembered over restarts, whatever becomes of the file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha512
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, make_url
from support import NOW, front_matter, make_article, make_settings, tamper, write_article

from feedsvc import health
from feedsvc.articles.article import Article, Author, Coverage, Details, Image, Link, Problem, Provider, pack
from feedsvc.articles.library import Library, LoadRules
from feedsvc.documents.document import Dated
from feedsvc.documents.format import FORMATS
from feedsvc.feeds.catalog import Catalog
from feedsvc.feeds.changes import MAX_CHANGES
from feedsvc.feeds.compose import compose
from feedsvc.feeds.feed import Site, View
from feedsvc.feeds.groups import group, places_of
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection
from feedsvc.feeds.sightings import observe, print_of
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import BusyError, StoreError
from feedsvc.store.migrations import VERSION
from feedsvc.store.records import decode, encode
from feedsvc.store.store import Remembered
from feedsvc.store.tables import TOKENS
from feedsvc.store.tokens import Grant, grant, grants_in, load_grants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feedsvc.documents.draft import Draft
    from feedsvc.feeds.memory import Event

# Text as parsing leaves it, and moments as dates are read.
st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
st.register_type_strategy(
    datetime,
    st.datetimes(datetime(1000, 1, 2), datetime(9999, 1, 1)).map(lambda each: each.replace(tzinfo=UTC)),  # noqa: DTZ001 - it gets its zone here
)
RULES = LoadRules()
HOUR = timedelta(hours=1)
SITE = Site("https://f.example", "Site", "d", "en", "f.example")


def open_store(url: str, *, write: bool) -> DatabaseStore:
    """A store that is open."""
    store = DatabaseStore(url, write=write)
    store.open()
    return store


def lived(*names: str, before: Remembered | None = None, hours: int = 0) -> tuple[Remembered, list[Event]]:
    """What is remembered after a reload with these articles."""
    memory = before.memory if before else Memory()
    articles = tuple(
        make_article(name, topics=(name,), provider=Provider(name, f"{name}.example")) for name in names
    )
    selection = Selection(articles, at=NOW + hours * HOUR)
    grouping = group(selection, memory, Catalog())
    moment = NOW + hours * HOUR
    memory, events = observe(grouping.memory, selection, places_of(grouping), moment, Selection())
    memory = compose(grouping, SITE, memory, View(limit=1)).memory
    documents = {f"/{name}": Dated(f'"{name}"', NOW + hours * HOUR) for name in names}
    changes = (*reversed(events), *(before.changes if before else ()))[:MAX_CHANGES]
    return Remembered(Library(), memory, documents, changes), events


def test_what_is_kept_is_there_again(url: str) -> None:
    """Names, slugs, sightings, rolls, documents' dates and events outlive the process, step by step."""
    before = Remembered()
    events: list[Event] = []
    for hours, names in enumerate(("", "ab", "abc", "c", "ac")):
        now, happened = lived(*names, before=before, hours=hours)
        with closing(open_store(url, write=True)) as store:
            assert store.load(RULES) == before
            store.save(before, now, happened, RULES)
        before, events = now, [*happened[::-1], *events]
    with closing(open_store(url, write=False)) as store:
        assert store.load(RULES) == before
        assert sorted(map(repr, store.history(None, 100))) == sorted(map(repr, events))
        assert [event.happening for event in store.history("a.md", 100)] == ["returned", "withdrawn", "arrived"]
        assert store.history(make_article("a").id, 100) == store.history("a.md", 100)
        assert [event.happening for event in store.history("a.md", 1)] == ["returned"]
        assert store.history("nobody", 100) == []


def test_who_writes_takes_turns(url: str) -> None:
    """Whoever reads in a transaction before writing still can write, whoever else wants to meanwhile."""
    given = Grant("Ada", (), NOW)
    with closing(DatabaseStore(url, write=True)) as owner, closing(DatabaseStore(url, write=False)) as visitor:
        owner.open()
        begun = threading.Event()

        def visit() -> None:
            begun.set()
            assert grant(visitor, "a token", given)

        thread = threading.Thread(target=visit)
        with owner.writing() as connection:
            assert load_grants(connection) == {}
            thread.start()
            assert begun.wait(20)
            # Where it does not wait for its turn, it has had it by now.
            thread.join(0.5)
            connection.execute(insert(TOKENS).values(name="Bob", digest="another", feeds="", made_at=0))
        thread.join()
        assert sorted(each.name for each in grants_in(owner).values()) == ["Ada", "Bob"]


def test_who_only_reads_leaves_nothing_behind(file: str, tmp_path: Path) -> None:
    """Where there is no file, a reader sees an empty memory, and makes none."""
    with closing(open_store(file, write=False)) as store:
        assert store.load(RULES) == Remembered()
    assert not (tmp_path / "var").exists()


def test_who_only_reads_makes_no_tables(database: str) -> None:
    """Where nobody has written a database, a reader is told so, and leaves it empty."""
    with pytest.raises(StoreError, match="no publisher has written it yet; start one"):
        open_store(database, write=False)
    assert tamper(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_who_only_reads_cannot_write(url: str) -> None:
    """What is opened to be read cannot be written."""
    open_store(url, write=True).close()
    now, events = lived("a")
    with closing(open_store(url, write=False)) as store:
        with pytest.raises(StoreError, match=r"read-?only"):
            store.save(Remembered(), now, events, RULES)
        assert store.load(RULES) == Remembered()


def test_one_process_writes(file: str) -> None:
    """A second writer is refused, also in this process; a reader is not; the first gone, the next may write."""
    with closing(open_store(file, write=True)):
        with pytest.raises(BusyError, match="another process writes"):
            open_store(file, write=True)
        open_store(file, write=False).close()
    open_store(file, write=True).close()


def test_a_killed_writer_leaves_its_last_word(url: str) -> None:
    """What was saved before a process was killed is there, and the file is free."""
    script = (
        "import os, sys; sys.path.insert(0, 'tests'); from test_store import *;"
        "store = open_store(sys.argv[1], write=True); now, events = lived('a');"
        "store.save(Remembered(), now, events, RULES); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, url], check=False)
    with closing(open_store(url, write=True)) as store:
        assert store.load(RULES) == lived("a")[0]


@pytest.mark.parametrize("damage", [b"no database at all, but text", b"SQLite format 3\0" + b"x" * 4000])
def test_a_damaged_file_is_put_aside(file: str, tmp_path: Path, damage: bytes) -> None:
    """A file that is no database, or no whole one, is kept under another name, and a new one begun."""
    path = tmp_path / "var/memory.db"
    path.parent.mkdir()
    path.write_bytes(damage)
    with closing(open_store(file, write=True)) as store:
        assert store.load(RULES) == Remembered()
    assert (tmp_path / "var/memory.db.damaged").read_bytes() == damage


def test_a_file_of_the_future_is_left_alone(url: str) -> None:
    """What a newer feedsvc wrote is neither read nor written: the error says what to do."""
    open_store(url, write=True).close()
    tamper(url, "UPDATE meta SET version = :version", version=VERSION + 1)
    with pytest.raises(StoreError, match="update feedsvc"):
        open_store(url, write=True)
    with pytest.raises(StoreError, match="update feedsvc"):
        # The first has let go of it.
        open_store(url, write=True)


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """Where the file cannot be, the error says where, why, and what to do."""
    (tmp_path / "file").touch()
    for directory in ("file", "file/below"):
        with pytest.raises(StoreError, match="its directory is a file; remove that"):
            open_store(f"sqlite:///{tmp_path}/{directory}/memory.db", write=True)


def test_a_save_is_all_or_nothing(url: str) -> None:
    """What cannot be kept whole is not kept at all, and can be kept later."""
    now, events = lived("a", "b")
    with closing(open_store(url, write=True)) as store:
        broken = replace(now, documents={"/a": Dated(None, NOW)})  # type: ignore[arg-type]  # what no table takes
        with pytest.raises(StoreError):
            store.save(Remembered(), broken, events, RULES)
        assert store.load(RULES) == Remembered()
        store.save(Remembered(), now, events, RULES)
        assert store.load(RULES) == now
        assert len(store.history(None, 100)) == 2


# --- with a publisher


def publisher_of(articles: Path, url: str, hours: float = 0) -> tuple[Publisher, DatabaseStore]:
    """A service that begins at a moment."""
    store = open_store(url, write=True)
    return Publisher(make_settings(articles), lambda: NOW + hours * HOUR, store), store


def test_a_restart_tells_nobody_anything(articles: Path, url: str) -> None:
    """PUBLISHING 24: after a restart, days later, every document has the bytes, the tag and the date it had."""
    write_article(articles, "a.md")
    write_article(articles, "b.md", webUrl="https://example.org/b", topics="[Chips]")
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    write_article(articles, "a.md", title="Another")
    publisher.reload()
    before = publisher.snapshot
    store.close()
    publisher, store = publisher_of(articles, url, hours=100)
    outcome = publisher.reload()
    store.close()
    assert before
    assert outcome.state.snapshot
    assert outcome.state.events == ()
    for path, document in before.documents.items():
        again = outcome.state.snapshot.documents[path]
        assert (again.content, again.etag, again.last_modified) == (
            document.content,
            document.etag,
            document.last_modified,
        )


def test_what_changed_during_a_restart_is_told(articles: Path, url: str) -> None:
    """PUBLISHING 22: what was withdrawn while the service was down moves Last-Modified of its feeds alone."""
    write_article(articles, "a.md")
    gone = write_article(articles, "b.md", webUrl="https://example.org/b", topics="[Chips]")
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    gone.unlink()
    publisher, store = publisher_of(articles, url, hours=1)
    state = publisher.reload().state
    assert [event.happening for event in state.events] == ["withdrawn"]
    assert [(event.happening, event.path) for event in store.history(None, 10)][:1] == [("withdrawn", "b.md")]
    store.close()
    assert state.snapshot
    dates = {path: document.last_modified for path, document in state.snapshot.documents.items()}
    assert dates["/topics/ai.atom"] == NOW
    assert dates["/feeds/all.rss"] == NOW + HOUR
    # It lost its last article, and is still there.
    assert dates["/topics/chips.atom"] == NOW + HOUR


def test_slugs_are_kept(articles: Path, url: str) -> None:
    """A slug once given is kept, whatever other names come that would have had it first."""
    write_article(articles, "a.md", topics="[C-sharp]")
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    write_article(articles, "a.md", topics="['c sharp', C-sharp]")
    publisher, store = publisher_of(articles, url)
    state = publisher.reload().state
    store.close()
    assert state.snapshot
    assert state.snapshot.feeds["/topics/c-sharp"].name == "C-sharp"


def test_a_store_that_fails_stops_nothing(articles: Path, url: str) -> None:
    """While the store cannot be written, what changes is served, and health warns; later, all of it is kept."""
    write_article(articles, "a.md")
    publisher, store = publisher_of(articles, url)
    assert publisher.reload().forgetting is None
    tamper(url, "ALTER TABLE events RENAME TO hidden")
    write_article(articles, "a.md", title="Another")
    outcome = publisher.reload()
    assert outcome.error is None
    assert outcome.forgetting
    assert outcome.state.snapshot
    assert b"Another" in outcome.state.snapshot.documents["/feeds/all.atom"].content
    report = health.report(outcome.state, outcome, HOUR, NOW)
    assert report["status"] == "warn"
    assert "not kept over a restart" in str(report["output"])
    tamper(url, "ALTER TABLE hidden RENAME TO events")
    outcome = publisher.reload()
    assert outcome.forgetting is None
    assert health.report(outcome.state, outcome, HOUR, NOW)["status"] == "pass"
    assert [event.happening for event in store.history(None, 10)] == ["changed", "arrived"]
    store.close()


def test_files_that_did_not_change_are_not_read_again(articles: Path, url: str) -> None:
    """After a restart, only what changed while the service was away is read, and rendered."""
    for name in "abc":
        age(write_article(articles, f"{name}.md", webUrl=f"https://example.org/{name}", body="Some *text*."))
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    age(write_article(articles, "b.md", webUrl="https://example.org/b", title="Another"), seconds=50)
    publisher, store = publisher_of(articles, url, hours=1)
    state = publisher.reload().state
    store.close()
    assert state.library.parsed == 1
    assert [(event.happening, event.path) for event in state.events] == [("changed", "b.md")]


def age(path: Path, seconds: int = 100) -> Path:
    """Make a file older than the clock of any file system is coarse."""
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))
    return path


def topical(articles: Path, sentences: int = 4000) -> None:
    """Some articles that make some feeds; with so many sentences, each of more than one page of JSON Feed."""
    for name in "abc":
        text = f"Some *text* of {name}. " * sentences
        age(write_article(articles, f"{name}.md", webUrl=f"https://example.org/{name}", topics="[AI]", body=text))


def test_a_restart_makes_no_document_again(articles: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no feed changed, a restart takes over the finished bytes in every coding, with all headers."""
    topical(articles)
    publisher, store = publisher_of(articles, url)
    first = publisher.reload().state.snapshot
    store.close()

    def refuse(draft: Draft, _last: Sequence[bytes]) -> tuple[bytes, ...]:
        raise AssertionError(draft.feed.path)

    for ending, form in FORMATS.items():
        monkeypatch.setitem(FORMATS, ending, replace(form, render=refuse))
    publisher, store = publisher_of(articles, url, hours=1)
    outcome = publisher.reload()
    store.close()
    assert outcome.error is None
    assert first
    assert outcome.state.snapshot
    assert "/topics/ai/part/2.json" in first.documents
    assert outcome.state.snapshot.documents == first.documents


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET source = :zero",
        "UPDATE documents SET br = NULL",
        "UPDATE documents SET br = :zero",
        "UPDATE documents SET gzip = :zero",
        "UPDATE documents SET gzip = (SELECT gzip FROM documents ORDER BY length(gzip) DESC LIMIT 1)",
        "UPDATE documents SET br = (SELECT br FROM documents ORDER BY length(br) DESC LIMIT 1)",
        "DELETE FROM documents WHERE path LIKE '%.json' AND path NOT LIKE '%/part/%'",
    ],
)
def test_what_is_not_whole_is_made_again(articles: Path, url: str, damage: str) -> None:
    """Documents that another program made, or that are damaged or missing, are made again, as they were."""
    topical(articles, 4000 if "part" in damage else 100)
    publisher, store = publisher_of(articles, url)
    first = publisher.reload().state.snapshot
    store.close()
    tamper(url, damage, **({"zero": b"\0"} if ":zero" in damage else {}))
    publisher, store = publisher_of(articles, url)
    outcome = publisher.reload()
    store.close()
    assert outcome.error is None
    assert first
    assert outcome.state.snapshot
    assert outcome.state.snapshot.documents == first.documents


def test_files_are_read_again_by_other_rules(articles: Path, url: str) -> None:
    """What was read by other rules, such as another time zone, is read again; that changed no article."""
    age(write_article(articles, publishedDateTime="2021-12-14 00:50"))
    age(write_article(articles, "b.md", webUrl="https://example.org/b", publishedDateTime="2021-12-14 00:50"))
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    write_article(articles, "b.md", webUrl="https://example.org/b", publishedDateTime="2021-12-14 00:40")
    store = open_store(url, write=True)
    publisher = Publisher(make_settings(articles, timezone="Europe/Berlin"), lambda: NOW + HOUR, store)
    state = publisher.reload().state
    assert state.library.parsed == 2
    assert [(event.path, event.parts) for event in state.events] == [("b.md", ("published",))]
    assert state.snapshot
    entries = {entry.title + entry.url[-1]: entry for entry in state.snapshot.feeds["/feeds/all"].entries}
    assert entries["A titlea"].published.hour == 23
    assert entries["A titlea"].updated == entries["A titlea"].published
    assert entries["A titleb"].updated == NOW + HOUR
    # From then on, it is as it was read now.
    age(write_article(articles, publishedDateTime="2021-12-14 00:45"))
    assert [(event.path, event.parts) for event in publisher.reload().state.events] == [("a.md", ("published",))]
    store.close()


def test_another_program_keeps_the_last_good_state(articles: Path, url: str) -> None:
    """A file that is broken while the program is replaced is served as the old one read it."""
    path = age(write_article(articles, title="Good"))
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    tamper(url, "UPDATE meta SET reading = 'another program'")
    path.write_text("---\ntitle: [\n---\n", "utf-8")
    publisher, store = publisher_of(articles, url, hours=1)
    for _ in range(2):
        state = publisher.reload().state
        assert [article.title for article in state.selection.articles] == ["Good"]
        assert state.events == ()
        assert state.problems[0].since == NOW + HOUR
    store.close()


def test_a_record_that_cannot_be_read_is_made_anew(articles: Path, url: str) -> None:
    """One record that is nonsense costs the reading of one file."""
    for name in "ab":
        age(write_article(articles, f"{name}.md", webUrl=f"https://example.org/{name}"))
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    tamper(url, "UPDATE files SET record = :record WHERE path = :path", record=b"nonsense", path=b"a.md")
    for parsed in (1, 0):
        publisher, store = publisher_of(articles, url)
        outcome = publisher.reload()
        store.close()
        assert (outcome.state.library.parsed, outcome.forgetting) == (parsed, None)
        assert outcome.state.events == ()
        assert [event.happening for event in outcome.state.changes] == ["arrived", "arrived"]


def test_a_broken_file_keeps_its_last_good_state_over_a_restart(articles: Path, url: str) -> None:
    """A file that broke while the service was away is served as it was, and named as a problem."""
    path = age(write_article(articles))
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    path.write_text("---\ntitle: [\n---\n", "utf-8")
    publisher, store = publisher_of(articles, url)
    state = publisher.reload().state
    store.close()
    assert [article.title for article in state.selection.articles] == ["A title"]
    assert [problem.path for problem in state.problems] == ["a.md"]
    assert state.events == ()


def test_names_that_are_no_text_are_kept(articles: Path, url: str) -> None:
    """A file whose name is no UTF-8 is remembered by its bytes."""
    path = Path(os.fsdecode(os.fsencode(articles) + b"/\xff.md"))
    path.write_text(front_matter(), "utf-8")
    age(path)
    publisher, store = publisher_of(articles, url)
    publisher.reload()
    store.close()
    publisher, store = publisher_of(articles, url)
    state = publisher.reload().state
    store.close()
    assert (len(state.library.files), state.library.parsed) == (1, 0)


def test_who_is_connected_is_not_told_to_connect(database: str) -> None:
    """An error says what to do about connecting where it is about that, and not where a statement failed."""
    with closing(open_store(database, write=True)) as store:
        with pytest.raises(StoreError) as caught, store.writing() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(9)")
        assert str(caught.value) == f"{store.place.name}: canceling statement due to statement timeout"
        with pytest.raises(StoreError, match="is it running"), store.writing() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def test_what_a_server_refuses_is_told_with_what_to_do(database: str) -> None:
    """Who may not make or read tables is told what to grant; who is not let in, that the server is running."""
    role = f"weak_{token_hex(4)}"
    weak = make_url(database).set(username=role).render_as_string(hide_password=False)
    tamper(database, f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(
            StoreError, match=f"GRANT CREATE, USAGE ON SCHEMA public TO {role}; who publishes must own"
        ):
            open_store(weak, write=True)
        open_store(database, write=True).close()
        with pytest.raises(StoreError, match=f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}$"):
            open_store(weak, write=False)
    finally:
        tamper(database, f"DROP ROLE {role}")
    with pytest.raises(StoreError, match=r"it is running, but does not let us in$"):
        open_store(weak, write=False)


def test_long_names_are_kept(articles: Path, url: str) -> None:
    """URLs and paths may be as long as files may have them, and are known again."""
    # What cannot be compressed.
    name = "/".join(sha512(bytes([number])).hexdigest() for number in range(27))
    happened = []
    for title in ("One", "Another"):
        write_article(articles, f"{name}/a.md", webUrl=f"https://example.org/{name}", title=title)
        publisher, store = publisher_of(articles, url)
        outcome = publisher.reload()
        store.close()
        assert (outcome.error, outcome.forgetting) == (None, None)
        happened = [event.happening for event in outcome.state.changes]
    assert happened == ["changed", "arrived"]
    tables = ["SELECT count(*) FROM files", "SELECT count(*) FROM sightings"]
    assert [tamper(url, table) for table in tables] == [[(1,)], [(1,)]]


TEXTS = st.from_type(str)
MOMENTS = st.from_type(datetime)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PICTURES = st.builds(Image, TEXTS, st.none() | st.integers(1, 9999), st.none() | st.integers(1, 9999))
ARTICLE_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "path": TEXTS,
    "identity": TEXTS,
    "title": TEXTS,
    "url": TEXTS,
    "published_at": MOMENTS,
    "updated_at": st.none() | MOMENTS,
    "type": TEXTS,
    "category": TEXTS,
    "quality": st.none() | NUMBERS,
    "heat": st.none() | NUMBERS,
    "published": st.none() | st.booleans(),
    "removed": st.booleans(),
    "deleted": st.booleans(),
    "provider": st.none()
    | st.builds(
        Provider, TEXTS, TEXTS, st.lists(st.builds(Author, TEXTS), max_size=2).map(tuple), st.none() | PICTURES
    ),
    "topics": st.lists(TEXTS, max_size=3).map(tuple),
    "aliases": TEXTS,
}
DETAILS_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "excerpt": TEXTS,
    "body": TEXTS | st.integers(1, 500).map(lambda count: "<p>Some text.</p>" * count),
    "length": TEXTS,
    "featured": st.none() | TEXTS,
    "amp_url": st.none() | TEXTS,
    "images": st.lists(PICTURES, max_size=2).map(tuple),
    "related": st.lists(
        st.builds(Coverage, st.lists(TEXTS, max_size=2).map(tuple), st.builds(Link, TEXTS, TEXTS, TEXTS)),
        max_size=2,
    ).map(tuple),
}
ARTICLES = st.builds(Article, **ARTICLE_FIELDS, packed=st.builds(Details, **DETAILS_FIELDS).map(pack))
PROBLEMS = st.builds(
    Problem, TEXTS, st.none() | st.integers(1), st.none() | TEXTS, TEXTS, TEXTS, st.booleans(), st.none() | MOMENTS
)


def test_every_field_of_an_article_is_recorded() -> None:
    """No field of an article is left to its default by the test below, but for what can be made of the others."""
    assert {each.name for each in fields(Article)} == ARTICLE_FIELDS.keys() | {"packed", "print"}
    assert {each.name for each in fields(Details)} == DETAILS_FIELDS.keys()


@given(ARTICLES, st.lists(PROBLEMS, max_size=2))
def test_a_record_is_what_was_recorded(article: Article, problems: list[Problem]) -> None:
    """Whatever a file was made of, its record is read as the very same."""
    assert decode(encode(article, tuple(problems))) == (article, tuple(problems))
    assert decode(encode(None, tuple(problems))) == (None, tuple(problems))
    assert print_of(decode(encode(article, ()))[0] or article) == print_of(article)


@pytest.mark.parametrize("name", ["with space %20.db", "100%.db", "ü.db"])
def test_any_name_is_a_file(tmp_path: Path, name: str) -> None:
    """A path in the URL is the path of the file, whatever it has."""
    url = f"sqlite:///{tmp_path}/{name}"
    now, events = lived("a")
    with closing(open_store(url, write=True)) as store:
        store.save(store.load(RULES), now, events, RULES)
    assert (tmp_path / name).is_file()
    with closing(open_store(url, write=False)) as store:
        assert store.load(RULES) == now


def test_a_link_to_a_file_is_that_file(tmp_path: Path, file: str) -> None:
    """By whatever path it is reached, one process writes it."""
    with closing(open_store(file, write=True)):
        (tmp_path / "link.db").symlink_to(tmp_path / "var/memory.db")
        with pytest.raises(BusyError):
            open_store(f"sqlite:///{tmp_path}/link.db", write=True)


def test_text_that_is_none_is_damage(tmp_path: Path, file: str) -> None:
    """Bytes that are no text where text should be are damage like any other: the file is put aside."""
    now, events = lived("a")
    with closing(open_store(file, write=True)) as store:
        store.save(Remembered(), now, events, RULES)
    with closing(sqlite3.connect(tmp_path / "var/memory.db", isolation_level=None)) as other:
        other.execute("UPDATE names SET name = CAST(x'ff41' AS TEXT)")
    with closing(open_store(file, write=True)) as store:
        assert store.load(RULES) == Remembered()
    assert (tmp_path / "var/memory.db.damaged").is_file()
