"""Health: what is told of the state, and when it warns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support import NOW, compose_all, make_article, make_settings, write_article

from feedsvc.articles.article import Provider
from feedsvc.feeds.selection import Selection
from feedsvc.health import count_of, report, served, summary
from feedsvc.outcome import Outcome
from feedsvc.publisher import Publisher
from feedsvc.reload import State

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = timedelta(minutes=1)


@pytest.fixture
def publisher(articles: Path) -> Publisher:
    """A publisher that has read a shown, a held, a superseded and a broken file."""
    write_article(articles, "a.md")
    write_article(articles, "b.md", webUrl="https://example.org/b", published=None)
    write_article(articles, "c.md", webUrl="https://example.org/c", publishedDateTime="2023-01-01")
    write_article(articles, "0.md", published="false")
    write_article(articles, "d.md", title=None)
    made = Publisher(make_settings(articles), lambda: NOW)
    made.reload()
    return made


def test_before_the_first_reload() -> None:
    """Before the first snapshot the state is fail, with the error of the reload where there was one."""
    assert report(State(), None, MINUTE, NOW)["status"] == "fail"
    told = report(State(), Outcome(1, State(), 0.0, "no directory"), MINUTE, NOW)
    assert (told["status"], told["output"]) == ("fail", "no directory")
    assert told["reloaded_at"] is told["content_changed_at"] is told["reload_age_seconds"] is None


def test_pass(publisher: Publisher) -> None:
    """A current state passes, and all that matters is told."""
    told = report(publisher.state, publisher.last, MINUTE, NOW + MINUTE)
    assert "output" not in told
    assert (
        told
        | {
            "status": "pass",
            "reloaded_at": "2022-01-01T00:00:00Z",
            "reload_age_seconds": 60,
            "reload_every_seconds": 60,
            "content_changed_at": "2022-01-01T00:00:00Z",
            "files": 5,
            "articles": 3,
            "selected": 1,
            "held": {"missing_published": 1, "scheduled": 1},
            "next_change_at": "2023-01-01T00:00:00Z",
            "superseded": [{"file": "0.md", "by": "a.md"}],
            "superseded_count": 1,
            "problems": 1,
            "feeds": 3,
        }
        == told
    )


def test_problems_of_files_do_not_change_the_state(publisher: Publisher) -> None:
    """A file that cannot be used is counted, and is no reason to warn."""
    told = report(publisher.state, publisher.last, MINUTE, NOW)
    assert (told["problems"], told["status"]) == (1, "pass")


def test_a_failed_reload(publisher: Publisher, articles: Path) -> None:
    """After a reload that failed the state is warn and says why; when it was last read well is told."""
    articles.rename(articles.with_name("away"))
    publisher.reload()
    told = report(publisher.state, publisher.last, MINUTE, NOW + MINUTE)
    assert told["status"] == "warn"
    assert "cannot be read" in str(told["output"])
    assert told["reloaded_at"] == "2022-01-01T00:00:00Z"


@pytest.mark.parametrize(("seconds", "status"), [(240, "pass"), (241, "warn"), (-5, "pass")])
def test_a_silent_stop(publisher: Publisher, seconds: int, status: str) -> None:
    """Where no reload has ended for longer than three intervals and a minute, the state is warn."""
    told = report(publisher.state, publisher.last, MINUTE, NOW + timedelta(seconds=seconds))
    assert told["status"] == status
    assert told["reload_age_seconds"] == max(0, seconds)


@pytest.mark.parametrize(
    ("every", "seconds", "status"), [(1, 10, "pass"), (1, 11, "warn"), (3600, 300, "pass"), (3600, 301, "warn")]
)
def test_a_reload_that_does_not_end(publisher: Publisher, every: int, seconds: int, status: str) -> None:
    """Since when a reload runs is told; after ten intervals or five minutes it looks as if it never ended."""
    running, interval = timedelta(seconds=seconds), timedelta(seconds=every)
    told = report(publisher.state, publisher.last, interval, NOW, running=running)
    since = (NOW - running).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (told["status"], told["reload_running_since"]) == (status, since)
    assert (since in str(told.get("output"))) == (status == "warn")
    # Where what is served is that of before the start, and where nothing is served.
    told = report(State(), None, interval, NOW, opening=True, running=running)
    assert (told["status"], "stalled" in str(told["output"])) == ("warn", status == "warn")
    assert report(State(), None, interval, NOW, running=running)["status"] == "fail"


def test_no_reload_runs(publisher: Publisher) -> None:
    """After a reload, none runs."""
    assert publisher.tally.running is None
    assert report(publisher.state, publisher.last, MINUTE, NOW)["reload_running_since"] is None


def test_reading_and_changing_are_told_apart(publisher: Publisher, articles: Path) -> None:
    """A reload that finds nothing new moves the time of reading and not that of the content."""
    later = Publisher(make_settings(articles), iter([NOW, NOW + MINUTE]).__next__)
    later.reload()
    later.reload()
    told = report(later.state, later.last, MINUTE, NOW + MINUTE)
    assert (told["reloaded_at"], told["content_changed_at"]) == ("2022-01-01T00:01:00Z", "2022-01-01T00:00:00Z")
    assert publisher.state.snapshot


def test_lines(publisher: Publisher) -> None:
    """The lines of the start say what was found and what is served."""
    assert summary(publisher.state) == (
        "5 files: 3 articles, 1 selected, 2 held (1 missing published, 1 scheduled), 1 problem"
    )
    assert summary(State()) == "0 files: 0 articles, 0 selected, 0 held, 0 problems"
    assert publisher.snapshot
    assert (
        served(publisher.snapshot.feeds, pages=True)
        == "3 feeds as Atom, RSS, JSON and page: all articles, 1 topic, 1 provider"
    )
    assert served({}, pages=False).startswith("0 feeds as Atom, RSS and JSON: ")
    two = [make_article(name, provider=Provider(name, "e.org")) for name in ("a", "b")]
    feeds = {feed.path: feed for feed in compose_all(Selection(tuple(two))).feeds}
    assert served(feeds, pages=True).endswith(": all articles, 0 topics, 2 providers, 1 domain")
    assert [count_of(number, "file") for number in (0, 1, 2, 1000)] == [
        "0 files",
        "1 file",
        "2 files",
        "1,000 files",
    ]
