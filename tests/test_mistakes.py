"""Mistakes: what would take much away from readers is held back, loudly, and goes through when it is meant."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from service import running, wait_for
from support import NOW, make_article, make_settings, rewrite, write_article

from feedsvc import health
from feedsvc.feeds.catalog import Catalog
from feedsvc.feeds.groups import group, places_of
from feedsvc.feeds.losses import MANY, Loss, LossRules, loss_of
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection, SelectionRules, select
from feedsvc.feeds.sightings import observe
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from feedsvc.articles.article import Article
    from feedsvc.outcome import Outcome

MINUTE = timedelta(minutes=1)


def lost(before: Iterable[Article], after: Iterable[Article], **rules: float) -> Loss | None:
    """What would be lost if these articles were served in place of those."""
    served = Selection(tuple(before))
    grouping = group(served, Memory(), Catalog())
    memory, _ = observe(grouping.memory, served, places_of(grouping), NOW, Selection())
    next_one = group(Selection(tuple(after)), memory, Catalog())
    return loss_of(memory, next_one, LossRules(**rules))  # type: ignore[arg-type]  # the fields are what the test says


def test_an_edit_is_looked_at_alone() -> None:
    """Where it is known what changed since the last reload, that alone tells what would be lost: a feed that loses
    all it had, whether its articles go or get another topic, and as much as everything together would tell.
    """
    others = [make_article(f"other{number}", topics=("C++",)) for number in range(1_200)]
    before = [*some(12, topics=("AI",)), *others]
    served = select(before, SelectionRules(), NOW)
    first = group(served, Memory(), Catalog())
    memory, _ = observe(first.memory, served, places_of(first), NOW, Selection())
    moved = [rewrite(article, topics=("C++",)) for article in before[:11]]
    for after in ([*moved, *others], others, [*before[:11], *others], [*before[:1], *others], before):
        now = select(after, SelectionRules(), NOW, memory.sightings, served)
        quick, anew = group(now, first.memory, Catalog(), first), group(now, first.memory, Catalog())
        for rules in (LossRules(), LossRules(0, 1)):
            assert loss_of(memory, quick, rules) == loss_of(memory, anew, rules)
        assert (loss_of(memory, quick, LossRules()) is None) == (before[0] in after)
        assert quick.difference


def some(count: int, **fields: object) -> list[Article]:
    """So many articles."""
    return [make_article(f"{number}", **fields) for number in range(count)]


@pytest.mark.parametrize(
    ("before", "after", "rules", "held"),
    [
        (20, 10, {}, False),
        (20, 9, {}, True),
        (18, 9, {}, False),
        (19, 9, {}, True),
        (9, 0, {}, False),
        (10, 0, {}, True),
        (10, 0, {"minimum": 11, "share": 0}, False),
        (20, 15, {"share": 0.2}, False),
        (20, 10, {"share": 0.2}, True),
        (20, 10, {"share": 1}, False),
        (0, 0, {}, False),
        (0, 100, {}, False),
    ],
)
def test_how_much_is_too_much(before: int, after: int, rules: dict[str, float], held: bool) -> None:
    """More than a share of the served articles, and no fewer than a minimum."""
    loss = lost(some(before), some(after), **rules)
    assert (loss is not None) is held
    if loss:
        assert (len(loss.withdrawn), loss.served) == (before - after, before)
        assert str(loss).startswith(f"{before - after} of {before} articles would be withdrawn")


@pytest.mark.parametrize("count", [MANY, MANY + 1])
def test_a_feed_with_many_articles_is_not_emptied(count: int) -> None:
    """However few they are of all, the last articles of a feed that had more than 10 are a loss."""
    others = [make_article(f"other {number}") for number in range(100)]
    loss = lost([*others, *some(count, topics=("AI",))], others)
    assert (loss is not None) is (count > MANY)
    assert loss is None or loss.emptied == ("/topics/ai",)
    assert loss is None or str(loss).endswith("; /topics/ai would be empty")
    # Renamed, no article is lost, and yet nobody who subscribed sees them.
    renamed = lost(some(count, topics=("AI",)), some(count, topics=("A.I.",)))
    assert (renamed is not None) is (count > MANY)


@pytest.fixture
def many(articles: Path) -> Path:
    """A directory of 30 articles."""
    for number in range(30):
        name = f"{number:02}"
        write_article(articles, f"{name}.md", webUrl=f"https://example.org/{name}", title=f"Article {name}")
    return articles


class Clock:
    """The time, as the test says."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The present."""
        return self.now


def unpublish(articles: Path) -> None:
    """What a script does that writes `published: false` everywhere."""
    for path in articles.glob("*.md"):
        path.write_text(path.read_text("utf-8").replace("published: true", "published: false"), "utf-8")


def check_out_half(articles: Path) -> None:
    """What somebody sees who looks while git rewrites the directory."""
    for path in sorted(articles.glob("*.md"))[:20]:
        path.unlink()


def replace_by_another(articles: Path) -> None:
    """A directory that is another one, with one article of its own."""
    shutil.rmtree(articles)
    articles.mkdir()
    write_article(articles, "other.md", webUrl="https://example.org/other")


@pytest.mark.parametrize("mistake", [unpublish, check_out_half, replace_by_another])
def test_a_mistake_is_held_until_it_is_undone(
    many: Path, mistake: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """What was served stays, health says what would be lost and what to do, once is logged; undone, it is over."""
    clock = Clock()
    publisher = Publisher(make_settings(many), clock)
    publisher.reload()
    good = many.parent / "good"
    shutil.copytree(many, good)
    before = publisher.snapshot
    caplog.set_level(logging.WARNING)
    mistake(many)
    for _ in range(3):
        clock.now += MINUTE
        outcome = publisher.reload()
        assert outcome.error
        assert outcome.held
        assert publisher.snapshot is before
    report = health.report(publisher.state, publisher.last, MINUTE, clock.now)
    assert report["status"] == "warn"
    output = str(report["output"])
    assert "of 30 articles would be withdrawn" in output
    assert "published at 2022-01-01T00:11:00Z" in output
    assert "feedsvc reload --accept" in output
    assert [record.getMessage() for record in caplog.records] == ["a reload is held back"]
    shutil.rmtree(many)
    shutil.copytree(good, many)
    outcome = publisher.reload()
    assert (outcome.error, outcome.held) == (None, None)
    assert publisher.snapshot
    assert before
    assert publisher.snapshot.documents == before.documents
    assert health.report(publisher.state, publisher.last, MINUTE, clock.now)["status"] == "pass"


def test_what_fails_behind_a_mistake_is_a_failure(many: Path) -> None:
    """Where the directory is gone after something was held back, that is told, and nothing is said to be held."""
    publisher = Publisher(make_settings(many), Clock())
    publisher.reload()
    check_out_half(many)
    assert publisher.reload().held
    shutil.rmtree(many)
    outcome = publisher.reload()
    assert (outcome.error is None, outcome.held) == (False, None)
    assert publisher.tally.results == {"ok": 1, "held": 1, "failed": 1}


def test_what_stands_for_a_while_is_meant(many: Path) -> None:
    """The same loss is published when it has stood for the settling time; another one starts anew."""
    clock = Clock()
    publisher = Publisher(make_settings(many), clock)
    publisher.reload()
    check_out_half(many)
    assert publisher.reload().held
    clock.now += 9 * MINUTE
    assert publisher.reload().held
    (many / "29.md").unlink()
    assert publisher.reload().held
    clock.now += 9 * MINUTE
    assert publisher.reload().held
    # What comes meanwhile does not matter: the same would be lost.
    write_article(many, "new.md", webUrl="https://example.org/new")
    clock.now += MINUTE
    outcome = publisher.reload()
    assert (outcome.error, outcome.held) == (None, None)
    assert len(outcome.state.selection.articles) == 10
    assert [event.happening for event in outcome.state.events].count("withdrawn") == 21


def test_a_clock_that_goes_back_does_not_settle_anything_for_ever(many: Path) -> None:
    """Set back while something is held, the clock begins the settling time anew."""
    clock = Clock()
    publisher = Publisher(make_settings(many), clock)
    publisher.reload()
    unpublish(many)
    assert publisher.reload().held
    clock.now -= timedelta(days=1)
    assert publisher.reload().held
    clock.now += 10 * MINUTE
    assert publisher.reload().error is None


def test_what_is_too_old_is_no_mistake(many: Path) -> None:
    """Articles that `max_age` takes away, all at once too, are gone as they should be."""
    clock = Clock()
    publisher = Publisher(make_settings(many, selection__max_age="60d"), clock)
    assert len(publisher.reload().state.selection.articles) == 30
    clock.now += timedelta(days=60)
    outcome = publisher.reload()
    assert (outcome.error, outcome.state.selection.articles) == (None, ())


def test_a_file_that_comes_back_broken_is_as_it_was(many: Path) -> None:
    """What was missing from a reading that was held keeps its last good state, if it comes back half written."""
    publisher = Publisher(make_settings(many), lambda: NOW)
    publisher.reload()
    kept = {path: path.read_text("utf-8") for path in many.iterdir()}
    check_out_half(many)
    assert publisher.reload().held
    for path, text in kept.items():
        path.write_text(text if path.name != "05.md" else "---\ntitle: half", "utf-8")
    outcome = publisher.reload()
    assert (outcome.error, outcome.state.events, len(outcome.state.selection.articles)) == (None, (), 30)


def test_an_empty_directory_is_accepted_by_whoever_means_it(many: Path) -> None:
    """One that took the place of another is an error until somebody says that it is right."""
    publisher = Publisher(make_settings(many), lambda: NOW)
    publisher.reload()
    many.rename(many.parent / "old")
    many.mkdir()
    error = publisher.reload().error
    assert error
    assert "feedsvc reload --accept" in error
    outcome = publisher.reload(accept=True)
    assert (outcome.error, outcome.state.selection.articles) == (None, ())
    assert publisher.reload().error is None


def test_what_is_accepted_is_published_at_once(many: Path) -> None:
    """Whoever says that it is meant need not wait; the next mistake is one again."""
    publisher = Publisher(make_settings(many), lambda: NOW)
    publisher.reload()
    check_out_half(many)
    assert publisher.reload().held
    outcome = publisher.reload(accept=True)
    assert (outcome.error, outcome.held, len(outcome.state.selection.articles)) == (None, None, 10)
    unpublish(many)
    assert publisher.reload().held


def test_the_guard_can_be_switched_off(many: Path) -> None:
    """Where nothing need settle, nothing is held."""
    publisher = Publisher(make_settings(many, guard__settle="0s"), lambda: NOW)
    publisher.reload()
    unpublish(many)
    assert publisher.reload().error is None


def test_while_something_is_held_files_are_not_read_again(many: Path) -> None:
    """A reload that is held costs the next one no more than one that is not."""
    publisher = Publisher(make_settings(many), lambda: NOW)
    publisher.reload()
    unpublish(many)
    for path in many.iterdir():
        os.utime(path, (1, 1))
    assert publisher.reload().held
    opened: list[object] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]).endswith(".md"):
            opened.append(arguments[0])

    sys.addaudithook(watch)
    assert publisher.reload().held
    assert opened == []
    os.utime(many / "00.md", (2, 2))
    assert publisher.reload().held
    watching = False
    assert len(opened) == 1


def test_what_is_served_stays_over_a_restart(many: Path, tmp_path: Path) -> None:
    """A restart in the middle of a mistake serves what was served before it, from memory."""
    url = f"sqlite:///{tmp_path}/memory.db"
    settings = make_settings(many)
    store = DatabaseStore(url, write=True)
    publisher = Publisher(settings, lambda: NOW, store)
    publisher.reload()
    before = publisher.snapshot
    unpublish(many)
    assert publisher.reload().held
    store.close()
    store = DatabaseStore(url, write=True)
    publisher = Publisher(settings, lambda: NOW + MINUTE, store)
    outcome = publisher.reload()
    store.close()
    assert outcome.held
    assert before
    assert publisher.snapshot
    assert {path: (each.content, each.last_modified) for path, each in publisher.snapshot.documents.items()} == {
        path: (each.content, each.last_modified) for path, each in before.documents.items()
    }


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_a_disk_that_is_gone_at_the_start(many: Path, tmp_path: Path, how: str) -> None:
    """A service that starts while its directory is not there serves what it remembers, and says why."""
    url = f"sqlite:///{tmp_path}/memory.db"
    settings = make_settings(many)
    store = DatabaseStore(url, write=True)
    Publisher(settings, lambda: NOW, store).reload()
    store.close()
    many.rename(tmp_path / "elsewhere")
    if how == "empty":
        many.mkdir()
    store = DatabaseStore(url, write=True)
    publisher = Publisher(settings, lambda: NOW + MINUTE, store)
    outcome = publisher.reload()
    assert outcome.error
    assert publisher.snapshot
    assert publisher.snapshot.feeds["/feeds/all"].total == 30
    report = health.report(publisher.state, publisher.last, MINUTE, NOW + MINUTE)
    assert report["status"] == "warn"
    assert "the last good state is served" in str(report["output"])
    if how == "empty":
        many.rmdir()
    (tmp_path / "elsewhere").rename(many)
    assert publisher.reload().error is None
    store.close()


def test_a_real_service_holds_a_mistake(many: Path, tmp_path: Path) -> None:
    """Over HTTP: the reload is refused with the reason, readers keep what they had, accepting lets it through."""
    with running(tmp_path, many, "--reload-every", "1h") as service:
        before = service.ask("/feeds/all.atom")
        unpublish(many)
        report = service.reload()
        assert report["http_status"] == 503
        assert "30 of 30 articles would be withdrawn" in report["error"]
        assert service.health()["status"] == "warn"
        assert service.ask("/feeds/all.atom", If_None_Match=before.headers["etag"]).status == 304
        assert service.reload("?accept=1")["http_status"] == 200
        assert service.health()["status"] == "pass"
        wait_for(lambda: b"<entry>" not in service.ask("/feeds/all.atom").body, "the feed to be empty")


class Runs:
    """A service that is started again and again with one memory."""

    def __init__(self, directory: Path) -> None:
        self.url = f"sqlite:///{directory}/memory.db"
        self.clock = Clock()

    def run(self, articles: Path, **flags: str) -> Outcome:
        """Start, reload once, and stop; an hour later than the last time."""
        self.clock.now += timedelta(hours=1)
        with closing(DatabaseStore(self.url, write=True)) as store:
            return Publisher(make_settings(articles, **flags), self.clock, store).reload()


def test_a_new_configuration_may_withdraw_what_it_likes(many: Path, tmp_path: Path) -> None:
    """Whoever excludes files, or asks for more of them, means it; and readers that ask by date are told."""
    for flags in ({"exclude": "0?.md,1?.md"}, {"selection__min_heat": "5"}, {"selection__max_age": "1d"}):
        runs = Runs(tmp_path / next(iter(flags)))
        before = runs.run(many).state.snapshot
        outcome = runs.run(many, **flags)
        assert outcome.error is None
        assert len(outcome.state.selection.articles) <= 10
        assert before
        assert outcome.state.snapshot
        dates = [each.documents["/feeds/all.atom"].last_modified for each in (before, outcome.state.snapshot)]
        assert dates[1] - dates[0] >= timedelta(hours=1)


def test_a_changed_title_is_dated_by_the_restart(many: Path, tmp_path: Path) -> None:
    """What the configuration changes is as new as the start that has it, for readers that ask by date alone."""
    runs = Runs(tmp_path)
    runs.run(many)
    snapshot = runs.run(many, site__title="Another").state.snapshot
    assert snapshot
    assert snapshot.documents["/feeds/all.atom"].last_modified == runs.clock.now


def test_a_memory_of_another_directory(many: Path, tmp_path: Path) -> None:
    """Of files elsewhere nothing is served; with no article in common, nothing is remembered either."""
    runs = Runs(tmp_path)
    runs.run(many)
    other = tmp_path / "other"
    write_article(other, "00.md", webUrl="https://example.com/other", topics="[Cats]")
    (other / "01.md").write_text("---\ntitle: [\n---\n", "utf-8")
    outcome = runs.run(other)
    assert outcome.error is None
    assert [article.url for article in outcome.state.selection.articles] == ["https://example.com/other"]
    assert outcome.state.snapshot
    assert set(outcome.state.snapshot.feeds) == {"/feeds/all", "/topics/cats", "/providers/example"}


def test_a_directory_that_moved(many: Path, tmp_path: Path) -> None:
    """The same articles elsewhere are the same: nobody is told of anything."""
    runs = Runs(tmp_path)
    runs.run(many)
    many.rename(tmp_path / "moved")
    outcome = runs.run(tmp_path / "moved")
    assert (outcome.error, outcome.state.events) == (None, ())


def test_a_held_reading_after_an_upgrade(many: Path, tmp_path: Path) -> None:
    """Read again by other rules while something is held, the articles changed no more than without that."""
    for path in many.iterdir():
        path.write_text(path.read_text("utf-8").replace("00:50:00Z", "00:50:00"), "utf-8")
    runs = Runs(tmp_path)
    runs.run(many)
    gone = {path: path.read_text("utf-8") for path in sorted(many.iterdir())[:20]}
    with closing(DatabaseStore(runs.url, write=True)) as store:
        publisher = Publisher(make_settings(many, timezone="Europe/Berlin"), runs.clock, store)
        for path in gone:
            path.unlink()
        assert publisher.reload().held
        for path, text in gone.items():
            path.write_text(text, "utf-8")
        outcome = publisher.reload()
    assert (outcome.error, outcome.state.events) == (None, ())


def test_a_damaged_record_and_a_mistake_at_once(many: Path, tmp_path: Path) -> None:
    """While a reading is held, what can be read of the memory is served."""
    runs = Runs(tmp_path)
    runs.run(many)
    with closing(sqlite3.connect(tmp_path / "memory.db", isolation_level=None)) as other:
        other.execute("UPDATE files SET record = 'nonsense' WHERE path = CAST('25.md' AS BLOB)")
    kept = {path: path.read_text("utf-8") for path in many.iterdir()}
    check_out_half(many)
    with closing(DatabaseStore(runs.url, write=True)) as store:
        publisher = Publisher(make_settings(many), runs.clock, store)
        assert publisher.reload().held
        assert publisher.snapshot
        assert publisher.snapshot.feeds["/feeds/all"].total == 29
        for path, text in kept.items():
            path.write_text(text, "utf-8")
        outcome = publisher.reload()
    assert (outcome.error, outcome.state.events, len(outcome.state.selection.articles)) == (None, (), 30)
