"""Candidates: who publishes, for how long, and that it is over then."""

from __future__ import annotations

import logging
import re
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from service import wait_for
from sqlalchemy import update
from support import NOW, make_settings, tamper, write_article

from feedsvc.candidate import Candidate
from feedsvc.documents.document import served
from feedsvc.documents.rarities import Rarities
from feedsvc.metrics import make_shared_metrics
from feedsvc.publisher import Publisher
from feedsvc.replica import Replica
from feedsvc.sharing import report
from feedsvc.store import shared
from feedsvc.store.errors import DeposedError, StoreError
from feedsvc.store.publication import load_documents, load_rare, standing_of
from feedsvc.store.tables import META
from feedsvc.web.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from feedsvc.settings import Settings

DATE = "2021-12-12T00:00:00Z"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, articles: Path) -> Settings:
    """Of a directory with an article, and a database that candidates share."""
    write_article(articles, webUrl="https://example.org/a", publishedDateTime=DATE)
    url = f"sqlite:///{articles.parent}/memory.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
    return make_settings(articles, store__url=url, reload__watch="false", workers="2")


@pytest.fixture
def candidates(settings: Settings) -> Iterator[list[Candidate]]:
    """Two, whose threads the test stands for."""
    two = [Candidate(settings, lambda: NOW) for _ in range(2)]
    yield two
    for each in two:
        each._begin_anew()


def is_elected(candidate: Candidate) -> bool:
    """Whether it is, when it looks."""
    candidate.look()
    return candidate.term is not None


def is_published(candidate: Candidate) -> bool:
    """Whether its first reload has been published, with pages and archives, and others may follow."""
    return bool(candidate.term and candidate.term._started)


def hold_reloads(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No reload begins before this is set."""
    go = threading.Event()
    begun = Publisher.reload

    def reload(publisher: Publisher, *rest: object, **named: object) -> object:
        go.wait()
        return begun(publisher, *rest, **named)  # type: ignore[arg-type] # what it was given

    monkeypatch.setattr(Publisher, "reload", reload)
    return go


def test_one_publishes_and_another_takes_over(candidates: list[Candidate]) -> None:
    """Whoever stands first has it, for as long as it says so; then another, in a later term."""
    first, second = candidates
    for _ in range(2):
        first.look()
        second.look()
        assert (first.term is not None, second.term is not None) == (True, False)
    wait_for(lambda: is_published(first), "the first generation")
    assert first.term
    term = first.term.store.term
    first._begin_anew()
    wait_for(lambda: is_elected(second), "the other")
    assert term
    assert second.term
    assert second.term.store.term == term + 1
    wait_for(lambda: is_published(second), "its first reload")


def test_a_term_that_is_over_is_not_gone_on_with(candidates: list[Candidate]) -> None:
    """A reload that still runs, or comes late, when a term is over opens nothing and claims nothing."""
    first, second = candidates
    first.look()
    term = first.term
    assert term
    wait_for(lambda: is_published(first), "the first generation")
    first._begin_anew()
    with pytest.raises(DeposedError):
        term.store.open()
    assert "publishes no more" in (term.reload().forgetting or "")
    wait_for(lambda: is_elected(second), "the other")


def test_a_term_may_end_before_it_has_begun(candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the election is lost during the first reload, nothing goes on, and the candidate stands again."""
    go = hold_reloads(monkeypatch)
    first, _ = candidates
    first.look()
    term = first.term
    assert term
    first._begin_anew()
    go.set()
    wait_for(lambda: not [each for each in threading.enumerate() if each.name == "publish"], "the thread")
    assert not term._started
    wait_for(lambda: is_elected(first), "the next term")
    wait_for(lambda: is_published(first), "its first reload")


def test_a_first_reading_that_never_ends_is_seen(
    candidates: list[Candidate], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metrics tell for how long the articles have not been read, from when this process was elected."""
    go = hold_reloads(monkeypatch)
    first, _ = candidates
    first.look()
    replica = Replica(settings.store.url, tmp_path / "cache", lambda: NOW)
    time = NOW
    scrape = make_shared_metrics(replica, first, Counts(), lambda: time)
    assert b"feedsvc_reload_age_seconds 0.0\n" in scrape()
    time += timedelta(hours=1)
    assert b"feedsvc_reload_age_seconds 3600.0\n" in scrape()
    first._begin_anew()
    go.set()


def test_what_fails_behind_the_feeds_stops_nothing(
    candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in pages or archives is logged; the feeds are there, and the next reload tries again."""

    def batches(*_: object) -> object:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr(Rarities, "batches", batches)
        first, _ = candidates
        first.look()
        wait_for(lambda: is_published(first), "the feeds")
    assert "a mistake of ours" in caplog.text
    assert first.term
    assert first.term.reload().error is None
    with first.term.store.reading() as connection:
        assert load_rare(connection)


def test_what_cannot_be_written_is_told_and_begun_anew(
    candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a reload cannot be published, who asked hears of it, and the next term publishes it."""
    first, _ = candidates
    first.look()
    wait_for(lambda: is_published(first), "the first generation")
    assert first.term
    with monkeypatch.context() as patch:
        patch.setattr(first.term.store.place, "before_writing", ("SELECT * FROM nothing",))
        write_article(
            first.term._settings.articles,
            "b.md",
            title="Late",
            webUrl="https://example.org/b",
            publishedDateTime="2021-12-12T00:00:00Z",
        )
        assert first.term.reload().forgetting
    with pytest.raises(StoreError, match="is not published"):
        first.look()
    first._begin_anew()
    wait_for(lambda: is_elected(first), "the next term")
    term = first.term
    wait_for(lambda: term._started, "its first reload")
    with term.store.reading() as connection:
        assert b"Late" in served(load_documents(connection)["/feeds/all.atom"]).content


def test_a_reload_that_nobody_waits_for_any_more_is_not_made(candidates: list[Candidate]) -> None:
    """What was accepted while nobody published is no answer to what is found much later."""
    first, _ = candidates
    first.look()
    wait_for(lambda: is_published(first), "the first generation")
    assert first.term
    store = first.term.store
    asked = shared.ask(store, NOW - timedelta(minutes=3), accept=True)
    waits = shared.ask(store, NOW - timedelta(seconds=3), accept=False)
    assert asked != waits
    assert shared.asked(store, NOW) == [(waits, False)]


def test_a_reload_that_is_asked_for_is_made_once(
    candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is looked until its answer is written: what somebody accepts is accepted once."""
    first, _ = candidates
    first.look()
    wait_for(lambda: is_published(first), "the first generation")
    assert first.term
    store, accepted, go = first.term.store, list[bool](), threading.Event()
    begun, answer = Publisher.reload, shared.answer

    def reload(publisher: Publisher, *, accept: bool) -> object:
        accepted.append(accept)
        return begun(publisher, accept=accept)

    def answer_late(*rest: object) -> None:
        go.wait()
        answer(*rest)  # type: ignore[arg-type] # what it was given

    monkeypatch.setattr(Publisher, "reload", reload)
    monkeypatch.setattr(shared, "answer", answer_late)
    number = shared.ask(store, NOW, accept=True)
    for _ in range(20):
        first.look()
    go.set()
    wait_for(lambda: shared.answer_of(store, number) is not None, "the answer")
    first.look()
    assert accepted == [True]


def test_a_mistake_of_ours_is_told_and_not_tried_without_end(
    candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps a process from publishing, /health says so, and another may try before it does again."""
    first, _ = candidates
    failures = list[None]()

    def asked(*_: object) -> object:
        failures.append(None)
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(shared, "asked", asked)
    pauses = list[float]()
    monkeypatch.setattr(first._stop, "wait", pauses.append)
    first.start()
    wait_for(lambda: len(failures) >= 3, "the third failure")
    assert first.error == "an internal error; the log has it"
    assert max(pauses) > 1
    first.stop()
    wait_for(lambda: not [each for each in threading.enumerate() if each.name == "stand"], "its end")


def test_who_is_not_the_publisher_any_more_hears_of_it(candidates: list[Candidate]) -> None:
    """Also where it has nothing to publish: the next report is refused."""
    first, _ = candidates
    first.look()
    wait_for(lambda: is_published(first), "the first generation")
    assert first.term
    with first.term.store.writing() as connection:
        connection.execute(update(META).values(term=META.c.term + 1))
    first.term.reload()
    assert first.term.store.deposed


def test_who_takes_over_with_an_empty_directory_publishes_no_loss(
    candidates: list[Candidate], settings: Settings, tmp_path: Path
) -> None:
    """Each has the articles at a path of its own; that of the next may not be filled yet."""
    first, _ = candidates
    first.look()
    wait_for(lambda: is_published(first), "the first generation")
    first._begin_anew()
    (tmp_path / "elsewhere").mkdir()
    next_one = Candidate(settings.model_copy(update={"articles": tmp_path / "elsewhere"}), lambda: NOW)
    wait_for(lambda: is_elected(next_one), "the next term")
    term = next_one.term
    assert term
    wait_for(lambda: term._started, "its first reload")
    with term.store.reading() as connection:
        found = standing_of(connection)
        assert "empty" in (found.error or "")
        assert b"<entry>" in served(load_documents(connection)["/feeds/all.atom"]).content
    next_one._begin_anew()


def test_what_is_private_now_is_in_nothing_that_is_published(
    candidates: list[Candidate], settings: Settings
) -> None:
    """By the configuration of now, in feeds, pages and archives alike, though the articles cannot be read."""
    first, _ = candidates
    for number in range(60):
        fields = {"title": f"Canary {number}", "topics": "[Secret]"}
        write_article(settings.articles, f"{number}.md", webUrl=f"https://example.org/{number}", **fields)
    first.look()
    wait_for(lambda: is_published(first), "the first generation")
    assert first.term
    hidden = re.compile(b"Canary|secret")
    with first.term.store.reading() as connection:
        public = load_documents(connection, rare=None)
    before = {path for path, each in public.items() if hidden.search(served(each).content)}
    assert {"/", "/feeds/all", "/feeds/all.atom", "/feeds/all/archive/1.rss", "/topics/secret"} <= before
    first._begin_anew()
    settings.articles.rename(settings.articles.parent / "away")
    settings.articles.mkdir()
    (settings.articles.parent / "empty.yaml").write_text("topics: {Secret: {access: private}}", "utf-8")
    flags = {"store__url": settings.store.url, "reload__watch": "false", "workers": "2"}
    next_one = Candidate(make_settings(settings.articles, **flags), lambda: NOW)
    wait_for(lambda: is_elected(next_one), "the next term")
    term = next_one.term
    assert term
    wait_for(lambda: term._started, "its first reload")
    with term.store.reading() as connection:
        assert "empty" in (standing_of(connection).error or "")
        documents = load_documents(connection, rare=None)
    public = {path: each for path, each in documents.items() if not path.startswith("/private/")}
    assert {path for path, each in public.items() if hidden.search(served(each).content)} == set()
    assert {"/", "/feeds/all", "/feeds/all.atom"} <= public.keys()
    next_one._begin_anew()


def test_who_is_older_than_the_database_waits(
    candidates: list[Candidate], settings: Settings, tmp_path: Path
) -> None:
    """Once a newer program has changed the tables, an older one publishes and follows nothing more, though it has
    them open; it serves what it has, says so, and goes on when it can.
    """
    first, _ = candidates
    first.look()
    wait_for(lambda: is_published(first), "the first generation")
    replica = Replica(settings.store.url, tmp_path / "cache", lambda: NOW)
    replica.follow()
    served_before = replica.served
    assert first.term
    tamper(settings.store.url, "UPDATE meta SET version = version + 1")
    write_article(settings.articles, "b.md", webUrl="https://example.org/b", publishedDateTime=DATE)
    assert "the database is of a newer version" in (first.term.reload().forgetting or "")
    with pytest.raises(StoreError, match="is of a newer version") as caught:
        replica.follow()
    replica._fail(str(caught.value))
    told = report(replica, None, settings, NOW)
    assert (told["status"], replica.served) == ("warn", served_before)
    assert "update feedsvc" in str(told["output"])
    with pytest.raises(StoreError, match="is of a newer version"):
        wait_for(lambda: is_elected(first), "a refusal")
    tamper(settings.store.url, "UPDATE meta SET version = version - 1")
    first._begin_anew()
    wait_for(lambda: is_elected(first), "the next term")
    wait_for(lambda: is_published(first), "its first reload")
    replica.follow()
    assert replica.served.generation > served_before.generation
    replica._store.close()


def test_a_new_database_is_no_warning(database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At the first start of all, who follows is there before anything is published: that is told, as no fault;
    any other error then is one.
    """
    caplog.set_level(logging.INFO, "feedsvc")
    replica = Replica(database, tmp_path / "cache", lambda: NOW)
    with pytest.raises(StoreError) as caught:
        replica.follow()
    for error in (str(caught.value), str(caught.value), "something else", "something else"):
        replica._fail(error)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
