"""Snapshots: what is taken over from the last one, and how what changed is dated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from support import NOW, SITE, compose_all, make_article

from feedsvc.articles.article import Article, Provider
from feedsvc.documents.snapshot import Snapshot, cache_control, publish
from feedsvc.feeds.feed import View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection
from feedsvc.text import fold

if TYPE_CHECKING:
    import pytest

    from feedsvc.feeds.compose import Composition

SECOND = timedelta(seconds=1)


def composed(*articles: Article, before: Composition | None = None) -> Composition:
    """The feeds of these articles, after those of an earlier time."""
    return compose_all(Selection(articles), SITE, before.memory if before else Memory(), View())


def published(composition: Composition, before: Snapshot | None = None, now: datetime = NOW) -> Snapshot:
    """The snapshot of these feeds."""
    return publish(composition, "public", before, now)


def test_every_feed_has_its_documents() -> None:
    """Every feed has an Atom document, an RSS document and a page; beside them is the index."""
    snapshot = published(composed(make_article(topics=("AI",))))
    assert {path: made.media_type for path in snapshot.paths() if (made := snapshot.document(path))} == {
        "/": "text/html; charset=utf-8",
        "/feeds.opml": "text/x-opml; charset=utf-8",
        **{
            path + ending: media_type
            for path in ("/feeds/all", "/topics/ai")
            for ending, media_type in (
                ("", "text/html; charset=utf-8"),
                (".atom", "application/atom+xml; charset=utf-8"),
                (".rss", "application/rss+xml; charset=utf-8"),
                (".json", "application/feed+json; charset=utf-8"),
            )
        },
    }
    assert snapshot.feeds.keys() == {"/feeds/all", "/topics/ai"}
    assert (snapshot.rendered, snapshot.changed_at) == (2, NOW)


def test_nothing_changed() -> None:
    """Where nothing changed for a reader, every document is the very same object."""
    composition = composed(make_article(topics=("AI",), heat=1.0))
    first = published(composition)
    second = published(composed(make_article(topics=("AI",), heat=2.0), before=composition), first, NOW + SECOND)
    assert all(second.documents[path] is document for path, document in first.documents.items())
    assert (second.rendered, second.changed_at) == (0, NOW)


def test_only_what_changed_is_new() -> None:
    """A feed that does not show a change keeps its documents; one that does gets new ones, dated now."""
    composition = composed(make_article("a", topics=("AI",)), make_article("b", topics=("Chips",)))
    first = published(composition)
    changed = composed(
        make_article("a", topics=("AI",), title="new"), make_article("b", topics=("Chips",)), before=composition
    )
    second = published(changed, first, NOW + SECOND)
    kept = {path for path, document in first.documents.items() if second.documents[path] is document}
    assert kept == {
        "/topics/chips.atom",
        "/topics/chips.rss",
        "/topics/chips.json",
        "/feeds.opml",
    }
    assert second.documents["/topics/ai.atom"].last_modified == NOW + SECOND
    assert (second.rendered, second.changed_at) == (2, NOW + SECOND)


def test_withdrawing_is_a_change() -> None:
    """Withdrawing an article moves Last-Modified, though every entry that is left is old."""
    composition = composed(make_article("a", topics=("AI",)), make_article("b", topics=("AI",)))
    first = published(composition)
    second = published(composed(make_article("a", topics=("AI",)), before=composition), first, NOW + SECOND)
    assert second.documents["/topics/ai.atom"].last_modified == NOW + SECOND
    assert second.documents["/topics/ai.atom"].etag != first.documents["/topics/ai.atom"].etag


def test_two_changes_within_a_second() -> None:
    """A second change within one second, or after the clock went back, is dated after the first."""
    snapshot = published(composed(make_article(title="1")))
    for step, now in ((1, NOW), (2, NOW), (3, NOW - timedelta(hours=1))):
        snapshot = published(composed(make_article(title=f"{step}x")), snapshot, now)
        assert snapshot.documents["/feeds/all.atom"].last_modified == NOW + step * SECOND


def test_more_articles_than_are_shown_change_the_page_alone() -> None:
    """An article that only an archive holds changes the count on the page, and no byte of Atom and RSS."""
    articles = tuple(make_article(name, published_at=NOW - timedelta(days=age)) for age, name in enumerate("abcd"))
    first = published(compose_all(Selection(articles[:3]), SITE, Memory(), View(2)))
    second = published(compose_all(Selection(articles), SITE, Memory(), View(2)), first, NOW + SECOND)
    for ending, same in ((".atom", True), (".rss", True), ("", False)):
        path = f"/feeds/all{ending}"
        assert (first.document(path) is second.document(path)) == same


def test_redirects() -> None:
    """A path in another case, with a name or a domain, or a slash at its end, leads to the feed it means."""
    one = make_article(topics=("AI Chips", "Künstlich"), provider=Provider("Big News", "m.example"))
    snapshot = published(composed(one))
    for path, target in {
        "/topics/AI Chips": "/topics/ai-chips",
        "/topics/AI Chips.atom": "/topics/ai-chips.atom",
        "/Topics/AI-Chips.rss": "/topics/ai-chips.rss",
        "/topics/KÜNSTLICH": "/topics/kunstlich",
        "/providers/M.example": "/providers/big-news",
        "/providers/m.example.atom": "/providers/big-news.atom",
        "/feeds/ALL": "/feeds/all",
        "/feeds/all/": "/feeds/all",
        "/feeds/none": None,
        "/topics/": None,
        "": None,
        "//": None,
        ".atom": None,
    }.items():
        assert snapshot.redirect(path) == target, path


def test_a_path_without_end_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """To compare names takes the square of their length: what is too long to be one is none at once."""
    longest = 0

    def noted(path: str) -> str:
        nonlocal longest
        longest = max(longest, len(path))
        return fold(path)

    monkeypatch.setattr("feedsvc.documents.snapshot.fold", noted)
    snapshot = published(composed(make_article(topics=("A" * 200,))))
    long = "/topics/a" + "\u0300\u0327" * 7_000
    assert (snapshot.redirect(long), snapshot.is_retired(long)) == (None, False)
    assert snapshot.redirect(f"/topics/{'A' * 200}.atom")
    assert 200 < longest < 400


def test_redirect_of_an_ending_in_another_case() -> None:
    """An ending in another case leads to the feed's URL like any other part of the path."""
    assert published(composed(make_article())).redirect("/feeds/all.ATOM") == "/feeds/all.atom"


def test_cache_control() -> None:
    """Caches are told how long, in seconds."""
    minute = timedelta(minutes=1)
    assert (
        cache_control(minute, 2 * minute, 3 * minute)
        == "public, max-age=60, stale-while-revalidate=120, stale-if-error=180"
    )


def test_equal_on_every_machine() -> None:
    """The same articles make the same bytes and tags in another process: nothing but the date differs."""
    one, two = (published(composed(make_article(topics=("AI",))), now=NOW + step * SECOND) for step in (0, 5))
    for path in one.paths():
        first, second = one.document(path), two.document(path)
        assert first is not None
        assert second is not None
        assert (second.content, second.etag) == (first.content, first.etag)
