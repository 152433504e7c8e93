"""The publisher: reloads one after the other, and what is served whatever goes wrong."""

from __future__ import annotations

import json
import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from support import NOW, make_settings, write_article

from feedsvc.publisher import Publisher
from feedsvc.reload import advance, read, sort

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from feedsvc.outcome import Outcome


class Clock:
    """A clock that the test sets; it can fail, count, and hold up who asks it."""

    def __init__(self) -> None:
        self.now = NOW
        self.calls = 0
        self.fails = False
        self.asked = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def __call__(self) -> datetime:
        """The present, as the test set it."""
        self.calls += 1
        self.asked.set()
        assert self.go.wait(10)
        if self.fails:
            raise RuntimeError("the clock is broken")
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at NOW."""
    return Clock()


@pytest.fixture
def publisher(articles: Path, clock: Clock) -> Publisher:
    """A publisher that has read one article."""
    write_article(articles)
    made = Publisher(make_settings(articles), clock)
    assert made.snapshot is None
    assert made.reload().error is None
    return made


def titles(publisher: Publisher, path: str = "/feeds/all") -> list[str]:
    """The titles in a feed that is served."""
    assert publisher.snapshot
    return [entry.title for entry in publisher.snapshot.feeds[path].entries]


def test_first_reload(publisher: Publisher) -> None:
    """After the first reload the articles are served, and the outcome tells of it."""
    assert titles(publisher) == ["A title"]
    assert publisher.last
    assert (publisher.last.number, publisher.last.state) == (1, publisher.state)
    assert publisher.state.reloaded_at == NOW
    assert publisher.state.problems == ()


def test_an_unmounted_directory(publisher: Publisher, articles: Path) -> None:
    """While the directory is gone the last snapshot stays; when it is back, the next reload reads it."""
    before = publisher.state
    away = articles.rename(articles.with_name("away"))
    outcome = publisher.reload()
    assert outcome.error
    assert "cannot be read" in outcome.error
    assert publisher.state is before
    away.rename(articles)
    write_article(articles, title="New")
    assert publisher.reload().error is None
    assert titles(publisher) == ["New"]


def test_a_first_reload_that_fails(articles: Path) -> None:
    """Where even the first reload fails there is no snapshot, and a later one makes it."""
    settings = make_settings(articles)
    articles.rmdir()
    publisher = Publisher(settings)
    assert publisher.reload().error
    assert publisher.snapshot is None
    articles.mkdir()
    assert publisher.reload().error is None
    assert publisher.snapshot


def test_an_unexpected_error_is_contained(publisher: Publisher, clock: Clock) -> None:
    """An error that nobody thought of ends the reload, not the service: the state stays, the next reload runs."""
    before = publisher.state
    clock.fails = True
    outcome = publisher.reload()
    assert outcome.error
    assert "broken" not in outcome.error
    assert publisher.state is before
    clock.fails = False
    assert publisher.reload().error is None


def test_a_broken_file_keeps_its_last_good_state(publisher: Publisher, articles: Path) -> None:
    """A bad save takes nothing away: the article stays as it was, the problem is named, others go on."""
    (articles / "a.md").write_text("---\ntitle: [\n---\n", "utf-8")
    write_article(articles, "b.md", title="Other", webUrl="https://example.org/b")
    assert publisher.reload().error is None
    assert sorted(titles(publisher)) == ["A title", "Other"]
    assert [problem.path for problem in publisher.state.problems] == ["a.md"]
    (articles / "a.md").unlink()
    publisher.reload()
    assert titles(publisher) == ["Other"]


def test_a_log_that_counts_problems_says_how_to_see_them(
    publisher: Publisher, articles: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a reload finds some; where it finds none, there is nothing to see."""
    caplog.set_level(logging.INFO, "feedsvc")
    for name, title in (("x.md", "Fine"), ("y.md", None)):
        write_article(articles, name, webUrl=f"https://example.org/{name}", title=title)
        publisher.reload()
    told = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "reloaded"]
    assert [(each["problems"], each.get("hint")) for each in told] == [
        (0, None),
        (1, "feedsvc check names the problems"),
    ]


def test_an_edit_that_no_reader_sees(publisher: Publisher, articles: Path, clock: Clock) -> None:
    """An edit that changes only a score leaves every document object as it is."""
    before = publisher.snapshot
    clock.now += timedelta(hours=1)
    write_article(articles, heat="99", quality="12")
    outcome = publisher.reload()
    assert outcome.state.library.parsed == 1
    assert outcome.state.snapshot
    assert before
    assert outcome.state.snapshot.rendered == 0
    assert all(outcome.state.snapshot.documents[path] is each for path, each in before.documents.items())


def test_feeds_that_do_not_show_a_change(publisher: Publisher, articles: Path) -> None:
    """A new article makes new documents for the feeds that show it, and for no other."""
    before = publisher.snapshot
    write_article(
        articles, "b.md", webUrl="https://example.org/b", topics="[Chips]", provider="{name: B, domain: b.example}"
    )
    publisher.reload()
    after = publisher.snapshot
    assert before
    assert after
    for path in ("/topics/ai", "/topics/ai.atom", "/topics/ai.rss", "/providers/example.atom"):
        assert before.document(path) is after.document(path)
    for path in ("/feeds/all", "/feeds/all.atom", "/feeds/all.rss", "/"):
        assert before.document(path) is not after.document(path)


def test_a_lost_topic(publisher: Publisher, articles: Path) -> None:
    """A topic that lost its last article keeps an empty feed at its address, and its slug."""
    write_article(articles, topics="['A.I.']")
    publisher.reload()
    assert titles(publisher, "/topics/ai") == []
    assert titles(publisher, "/topics/a-i") == ["A title"]
    write_article(articles, topics="['a-i', 'C++', 'A.I.']")
    publisher.reload()
    assert publisher.state.memory.topic_slugs["a.i.",] == "a-i"
    assert publisher.state.memory.topic_slugs["a-i",] != "a-i"


def test_an_article_appears_at_its_date(publisher: Publisher, articles: Path, clock: Clock) -> None:
    """An article of the future is held until its date, and appears then without an edit."""
    write_article(articles, publishedDateTime="2022-01-01T00:00:10Z")
    publisher.reload()
    assert titles(publisher) == []
    assert publisher.state.held == {"scheduled": 1}
    assert publisher.state.selection.next_change == NOW + timedelta(seconds=10)
    clock.now += timedelta(seconds=10)
    publisher.reload()
    assert titles(publisher) == ["A title"]
    assert publisher.state.selection.next_change is None


def test_rules_of_the_settings(articles: Path) -> None:
    """What the settings say of selecting reaches the selection."""
    write_article(articles, published=None, category="news", type="x", quality="5", heat="5")
    flags = {
        "selection__missing_published": "publish",
        "selection__min_quality": "5",
        "selection__min_heat": "5",
        "selection__categories": "news",
        "selection__types": "x",
        "selection__max_age": "365d",
    }
    publisher = Publisher(make_settings(articles, **flags), lambda: NOW)
    assert len(publisher.reload().state.selection.articles) == 1
    for flag, value, reason in (
        ("selection__missing_published", "hold", "missing_published"),
        ("selection__min_quality", "6", "quality"),
        ("selection__min_heat", "6", "heat"),
        ("selection__categories", "other", "category"),
        ("selection__types", "other", "type"),
        ("selection__max_age", "1d", "age"),
    ):
        other = Publisher(make_settings(articles, **(flags | {flag: value})), lambda: NOW)
        assert other.reload().state.held == {reason: 1}


def test_the_largest_max_age_that_is_configurable(articles: Path) -> None:
    """Whatever `selection.max_age` the configuration takes, a reload works with it."""
    write_article(articles)
    publisher = Publisher(make_settings(articles, selection__max_age="36500d"), lambda: NOW)
    assert publisher.reload().error is None


def test_no_topic_can_stop_the_service(publisher: Publisher, articles: Path) -> None:
    """Topics made to use up another topic's slugs do not make the reload fail."""
    digest = "bb7208bc9b5d7c04f1236a82a0093a5e33f40423d5ba8d4266f7092c3ba43b62"  # SHA-256 of "!"
    write_article(articles, topics=f"['!', x-{digest[:8]}, {digest}]")
    assert publisher.reload().error is None


def test_concurrent_callers_share_a_reload(publisher: Publisher, clock: Clock) -> None:
    """Callers that come while a reload runs share one that starts after they came."""
    clock.go.clear()
    clock.asked.clear()
    calls = clock.calls
    outcomes: list[Outcome] = []
    first = threading.Thread(target=lambda: outcomes.append(publisher.reload()))
    first.start()
    assert clock.asked.wait(10)
    ready = threading.Barrier(6)

    def late() -> None:
        ready.wait(10)
        outcomes.append(publisher.reload())

    others = [threading.Thread(target=late) for _ in range(5)]
    for thread in others:
        thread.start()
    ready.wait(10)
    # Those that are late to call still come before the first is done, or get a reload of their own.
    threading.Event().wait(0.1)
    clock.go.set()
    for thread in [first, *others]:
        thread.join(10)
    assert len(outcomes) == 6
    assert sorted(outcome.number for outcome in outcomes) == [2, 3, 3, 3, 3, 3]
    assert clock.calls == calls + 2


def test_progress(articles: Path) -> None:
    """Whoever asks is told how many files of how many are done."""
    write_article(articles)
    write_article(articles, "b.md", webUrl="https://example.org/b")
    told: list[tuple[int, int]] = []
    Publisher(make_settings(articles)).reload(lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_advance_is_the_same_everywhere(articles: Path, tmp_path: Path) -> None:
    """The same files make the same documents, wherever and in whichever order they were read."""
    other = tmp_path / "elsewhere" / "articles"
    write_article(articles, "a.md", topics="[AI, ai, 'C#']")
    write_article(articles, "b.md", topics="[Ai, c-sharp]", webUrl="https://example.org/b")
    write_article(other, "b.md", topics="[Ai, c-sharp]", webUrl="https://example.org/b")
    write_article(other, "a.md", topics="[AI, ai, 'C#']")
    here, there = (
        Publisher(make_settings(directory), lambda: NOW).reload().state.snapshot for directory in (articles, other)
    )
    assert here
    assert there
    assert {path: each.content for path, each in here.documents.items()} == {
        path: each.content for path, each in there.documents.items()
    }


def test_advance_leaves_the_old_state_alone(publisher: Publisher, articles: Path) -> None:
    """The next state is a new one; the last is as it was."""
    before = publisher.state
    write_article(articles, title="New")
    settings = make_settings(articles)
    after = advance(before, sort(read(settings, before.library, NOW), settings, before.memory, NOW), settings)
    assert before.selection.articles[0].title == "A title"
    assert after.selection.articles[0].title == "New"


def test_without_pages_it_is_a_pure_feed_server(articles: Path) -> None:
    """With the pages off there is none, and feeds lead people to the site's own home page."""
    write_article(articles)
    for flags, home in (
        ({}, "https://f.example/"),
        ({"site__url": "https://example.org/news"}, "https://example.org/news"),
    ):
        settings = make_settings(articles, base_url="https://f.example", pages="false", **flags)
        snapshot = Publisher(settings, lambda: NOW).reload().state.snapshot
        assert snapshot is not None
        assert {snapshot.document(path) for path in ("/", "/feeds/all", "/topics/ai")} == {None}
        assert all(path.endswith((".atom", ".rss", ".json", ".opml")) for path in snapshot.paths())
        atom, rss, opml = (
            etree.fromstring(snapshot.documents[path].content)
            for path in ("/topics/ai.atom", "/topics/ai.rss", "/feeds.opml")
        )
        assert atom.xpath("a:link[@rel='alternate']/@href", namespaces={"a": "http://www.w3.org/2005/Atom"}) == [
            home
        ]
        assert rss.findtext("channel/link") == home
        assert {each.get("htmlUrl") for each in opml.iter("outline")} == {home, None}
        feed = json.loads(snapshot.documents["/topics/ai.json"].content)
        assert feed["home_page_url"] == home
        link = dict(snapshot.documents["/topics/ai.json"].variants["identity"].headers)["Link"]
        assert f'<{home}>; rel="alternate"' in link
