"""Candidates: who publishes, for how long, and that it is over then."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from service import wait_for
from support import NOW, make_settings, write_article

from feedsvc.candidate import Candidate
from feedsvc.documents.rarities import Rarities
from feedsvc.publisher import Publisher
from feedsvc.store.errors import DeposedError
from feedsvc.store.publication import load_rare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from feedsvc.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, articles: Path) -> Settings:
    """Of a directory with an article, and a database that candidates share."""
    write_article(articles, webUrl="https://example.org/a", publishedDateTime="2021-12-12T00:00:00Z")
    url = f"sqlite:///{articles.parent}/memory.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
    return make_settings(articles, store__url=url, reload__watch="false")


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
    go = threading.Event()
    begun = Publisher.reload

    def reload(publisher: Publisher, *rest: object, **named: object) -> object:
        go.wait()
        return begun(publisher, *rest, **named)  # type: ignore[arg-type] # what it was given

    monkeypatch.setattr(Publisher, "reload", reload)
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
