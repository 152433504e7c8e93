"""Restarts: what was given to readers once is kept, whatever happens in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from restarts import Site
from support import make_settings, write_article

from feedsvc import health
from feedsvc.explain import explain
from feedsvc.feeds.addresses import refused_slugs
from feedsvc.rules import catalog

if TYPE_CHECKING:
    from pathlib import Path

    from feedsvc.reload import State


def configured(articles: Path, text: str) -> str:
    """A file with this configuration, where settings of tests have theirs."""
    (articles.parent / "empty.yaml").write_text(text, "utf-8")
    return text


def leads(state: State, path: str) -> str | None:
    """Where a path leads that has no document of its own."""
    assert state.snapshot
    return None if state.snapshot.document(path) else state.snapshot.redirect(path)


def test_a_slug_that_is_configured_later_leaves_the_old_one_leading_there(articles: Path, url: str) -> None:
    """Who subscribed at the old address is led to the new one, for ever, and nobody else gets the old one."""
    write_article(articles, topics="[Machine Learning]")
    site = Site(articles, url)
    site.run()
    for slug, former in (("ml", ["machine-learning"]), ("learning", ["ml", "machine-learning"])):
        configured(articles, f"topics:\n  Machine Learning: {{slug: {slug}}}\n")
        state = site.run()
        assert state.snapshot
        assert f"/topics/{slug}" in state.snapshot.feeds
        for each in former:
            assert leads(state, f"/topics/{each}.atom") == f"/topics/{slug}.atom"
    configured(articles, "")
    write_article(articles, "b.md", webUrl="https://example.org/b", topics="[ML, machine-learning]")
    state = site.run()
    assert state.snapshot
    assert state.snapshot.feeds["/topics/learning"].total == 1
    assert leads(state, "/topics/ml.rss") == "/topics/learning.rss"
    assert {feed.name for path, feed in state.snapshot.feeds.items() if path.startswith("/topics/ml-")} == {"ML"}
    # Back to the first: it is no redirect then.
    configured(articles, "topics:\n  Machine Learning: {slug: machine-learning}\n")
    state = site.run()
    assert state.snapshot
    assert state.snapshot.feeds["/topics/machine-learning"].total == 1
    assert leads(state, "/topics/learning.json") == "/topics/machine-learning.json"


def test_a_slug_that_another_had_is_not_given(articles: Path, url: str) -> None:
    """Whoever subscribed to one topic never gets another, whatever is configured, and the order of names decides
    nothing; the start says which slugs are not given.
    """
    write_article(articles, topics="[Alpha, Beta]")
    site = Site(articles, url)
    site.run()
    configured(articles, "topics: {Alpha: {slug: beta}, Beta: {slug: beta-two}}")
    state = site.run()
    assert leads(state, "/topics/beta.atom") == "/topics/beta-two.atom"
    assert list(refused_slugs(state.memory, catalog(make_settings(articles)))) == [("Alpha", "beta", "alpha")]
    # Nor one that it was led from, nor each the other's.
    configured(articles, "topics: {Alpha: {slug: beta}, Beta: {slug: alpha}}")
    state = site.run()
    assert state.snapshot
    assert {path for path in state.snapshot.feeds if path.startswith("/topics/")} == {
        "/topics/alpha",
        "/topics/beta-two",
    }
    assert leads(state, "/topics/beta.atom") == "/topics/beta-two.atom"


@pytest.mark.parametrize("name", ["topics", "providers"])
def test_a_name_that_had_a_feed_is_renamed(articles: Path, url: str, name: str) -> None:
    """An alias leads from the address that the old name really had; its articles are the new one's."""
    fields = {"topics": "[C, C++, 'c++ x']"} if name == "topics" else {"provider": "{name: C, domain: c.example}"}
    write_article(articles, **fields)
    site = Site(articles, url)
    old = site.run()
    assert old.snapshot
    paths = [path for path in old.snapshot.feeds if path.startswith(f"/{name}/c")]
    configured(articles, f"{name}:\n  C: {{alias: See}}\n")
    state = site.run()
    assert state.snapshot
    assert f"/{name}/c" in paths
    assert f"/{name}/c" not in state.snapshot.feeds
    assert leads(state, f"/{name}/c.atom") == f"/{name}/see.atom"
    assert state.snapshot.feeds[f"/{name}/see"].total == 1


def test_a_renamed_topic_leads_on_from_the_slug_that_it_really_had(articles: Path, url: str) -> None:
    """Where another topic had the slug that its name would make, it was at an address of its own."""
    write_article(articles, topics="[C-sharp, C sharp]")
    site = Site(articles, url)
    old = site.run()
    assert old.snapshot
    (path,) = (path for path, feed in old.snapshot.feeds.items() if feed.name == "C sharp")
    assert path != "/topics/c-sharp"
    configured(articles, "topics:\n  C sharp: {alias: CSharp}\n")
    assert leads(site.run(), f"{path}.atom") == "/topics/csharp.atom"


@pytest.mark.parametrize("name", ["topics", "providers"])
def test_a_name_that_had_a_feed_is_retired(articles: Path, url: str, name: str) -> None:
    """What is given up is gone from its address, though it had a feed before."""
    write_article(articles, topics="[Old, New]", provider="{name: Old, domain: old.example}")
    site = Site(articles, url)
    site.run()
    configured(articles, f"{name}:\n  Old: {{retired: true}}\n")
    state = site.run()
    assert state.snapshot
    assert f"/{name}/old" not in state.snapshot.feeds
    assert state.snapshot.is_retired(f"/{name}/old.atom")
    assert leads(state, f"/{name}/old.atom") is None


def test_spelling_moves_no_feed(articles: Path, url: str) -> None:
    """A topic that changes its spelling, or whose slug another claims, stays where it is."""
    write_article(articles, topics="[AI Chips]")
    site = Site(articles, url)
    site.run()
    write_article(articles, topics="[ai chips]")
    write_article(articles, "b.md", webUrl="https://example.org/b", topics="[ai-chips]")
    state = site.run()
    assert state.snapshot
    assert state.snapshot.feeds["/topics/ai-chips"].name == "ai chips"
    assert sum(path.startswith("/topics/ai-chips") for path in state.snapshot.feeds) == 2


@pytest.mark.parametrize("broken", ["", "---\ntitle: [\n---\n", "---\ntitle: half", "\0"])
def test_a_broken_file_says_since_when(articles: Path, url: str, broken: str) -> None:
    """Empty, broken or half written, a file keeps its last good state, over restarts, and says since when."""
    path = write_article(articles, title="Good")
    site = Site(articles, url)
    site.run()
    path.write_text(broken, "utf-8")
    for _ in range(3):
        state = site.run(reloads=2)
        assert [article.title for article in state.selection.articles] == ["Good"]
        assert "(since 2022-01-01T02:00:00Z; its last good state stands)" in str(state.problems[0])
        assert health.report(state, None, site.every, site.now)["broken"] == [
            {"file": "a.md", "since": "2022-01-01T02:00:00Z"}
        ]
        told = "\n".join(explain(state, articles, path))
        assert "its last good state stands, since 2022-01-01T02:00:00Z" in told
    write_article(articles, title="Better")
    state = site.run()
    assert ([article.title for article in state.selection.articles], state.problems) == (["Better"], ())
    path.write_text(broken, "utf-8")
    assert "(since 2022-01-01T09:00:00Z" in str(site.run(reloads=2).problems[0])
    path.unlink()
    assert site.run().selection.articles == ()


def test_a_file_that_was_never_good_says_nothing_of_a_last_state(articles: Path, url: str) -> None:
    """Where no good state stands for it, none is spoken of."""
    (articles / "a.md").write_text("---\ntitle: [\n---\n", "utf-8")
    state = Site(articles, url).run(reloads=3)
    assert state.problems
    assert "since" not in str(state.problems[0])


def test_coverage_that_is_no_longer_held_back_is_a_change(articles: Path, url: str) -> None:
    """An entry shows related coverage from the moment when that is published here: who shows it has changed."""
    write_article(articles, related="[{webUrl: 'https://example.org/b', title: B}]")
    write_article(articles, "b.md", webUrl="https://example.org/b", published="false")
    site = Site(articles, url)
    site.run(reloads=2)
    with site.running() as publisher:
        publisher.reload()
        write_article(articles, "b.md", webUrl="https://example.org/b")
        events = publisher.reload().state.events
    assert {(event.happening, event.path, event.parts) for event in events} == {
        ("arrived", "b.md", ()),
        ("changed", "a.md", ("related",)),
    }


def test_an_article_is_known_to_be_in_a_feed_that_comes_later(articles: Path, url: str) -> None:
    """A domain has a feed of its own from its second provider on; its articles are in it, and leave it."""
    write_article(articles, provider="{name: One, domain: e.example}")
    site = Site(articles, url, feeds__tombstones="true")
    with site.running() as publisher:
        publisher.reload()
        write_article(articles, "b.md", webUrl="https://example.org/b", provider="{name: Two, domain: e.example}")
        publisher.reload()
        (articles / "a.md").unlink()
        state = publisher.reload().state
    assert state.snapshot
    assert len(state.snapshot.feeds["/providers/e.example"].departed) == 1


def test_an_article_that_returns_is_who_it_was(articles: Path, url: str) -> None:
    """Withdrawn and back, over restarts: the same id, the same first sight, and its place."""
    write_article(articles)
    site = Site(articles, url)
    first = site.run()
    (identity,) = first.memory.sightings
    write_article(articles, published="false")
    assert site.run().memory.sightings[identity].withdrawn_at
    (articles / "a.md").unlink()
    site.run()
    write_article(articles, "elsewhere/b.md")
    state = site.run()
    assert state.memory.sightings[identity].first_seen == first.memory.sightings[identity].first_seen
    assert state.memory.sightings[identity].withdrawn_at is None
    assert [event.happening for event in state.events] == ["returned"]
    assert state.snapshot
    assert first.snapshot
    assert [each.id for each in state.snapshot.feeds["/feeds/all"].entries] == [
        each.id for each in first.snapshot.feeds["/feeds/all"].entries
    ]


def test_order_by_arrival_over_a_restart(articles: Path, url: str) -> None:
    """Who came first stays first, also of articles that came while the service was away."""
    site = Site(articles, url, feeds__order="arrived")
    for name, day in (("a", 10), ("b", 5), ("c", 1), ("d", 7)):
        url, date = f"https://example.org/{name}", f"2021-12-{day:02}"
        write_article(articles, f"{name}.md", webUrl=url, title=name, publishedDateTime=date)
        site.run()
    assert site.state
    assert site.state.snapshot
    assert [entry.title for entry in site.state.snapshot.feeds["/feeds/all"].entries] == ["d", "c", "b", "a"]


def test_what_is_excluded_since_is_forgotten(articles: Path, url: str) -> None:
    """A file that the configuration excludes from now on is not among those that are remembered."""
    write_article(articles)
    write_article(articles, "drafts/b.md", webUrl="https://example.org/b")
    site = Site(articles, url)
    assert set(site.run().library.files) == {"a.md", "drafts/b.md"}
    for pattern in ("drafts", "drafts/*", "b.*"):
        configured(articles, f"exclude: ['{pattern}']")
        state = site.run()
        assert (set(state.library.files), len(state.selection.articles)) == ({"a.md"}, 1)
        configured(articles, "exclude: []")
        assert len(site.run().selection.articles) == 2


def test_a_link_to_what_the_configuration_holds_goes_and_comes_back(articles: Path, url: str) -> None:
    """What the configuration holds back since a restart is linked no more, and is again when it is gone. Nobody
    edited who linked it: a score that is rewritten then tells readers nothing.
    """
    link = "[{title: B, webUrl: 'https://example.org/b'}]"
    write_article(articles, quality="9", related=link)
    write_article(articles, "b.md", webUrl="https://example.org/b", quality="2")
    site = Site(articles, url)
    site.run()
    assert b'rel="related"' in site.document("/feeds/all.atom")
    configured(articles, "selection: {min_quality: 5}")
    state = site.run(reloads=2)
    held = site.document("/feeds/all.atom")
    assert b'rel="related"' not in held
    assert [event.happening for event in state.changes] == ["withdrawn", "arrived", "arrived"]
    with site.running() as publisher:
        site.hours += 1
        write_article(articles, quality="10", related=link)
        publisher.reload()
        (articles / "b.md").unlink()
        assert publisher.state.changes == state.changes
        snapshot = publisher.snapshot
        assert snapshot
        document = snapshot.document("/feeds/all.atom")
        assert document
        assert document.content == held
        site.hours += 1
        publisher.reload()
    running = site.document("/feeds/all.atom")
    assert b'rel="related"' in running
    site.run()
    assert site.document("/feeds/all.atom") == running
