"""History: what happened to articles, told by the command line and by a feed of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import feedparser
import pytest
from lxml import etree
from restarts import Site
from support import write_article

from feedsvc.feeds.changes import MAX_CHANGES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(articles: Path) -> Site:
    """A site with a history: one article arrived, changed, was withdrawn and came back; another is there."""
    made = Site(articles, feeds__changes="true")
    write_article(articles, "a.md", webUrl="https://example.org/a")
    made.run()
    write_article(articles, "b.md", webUrl="https://example.org/b", title="B", topics="[Chips]")
    write_article(articles, "a.md", webUrl="https://example.org/a", title="New", excerpt="New.")
    made.run()
    write_article(articles, "a.md", webUrl="https://example.org/a", title="New", excerpt="New.", published="false")
    made.run()
    write_article(articles, "a.md", webUrl="https://example.org/a", title="Newer", excerpt="New.", heat="5")
    made.run()
    write_article(articles, "a.md", webUrl="https://example.org/a", title="Newer", excerpt="New.", heat="6")
    made.run()
    return made


def test_history(site: Site) -> None:
    """Every arrival, change, withdrawal and return is told, the newest first, and what changed; a score is not."""
    assert site.history() == [
        "2022-01-01T04:00:00Z  returned   a.md  Newer (title)",
        "2022-01-01T03:00:00Z  withdrawn  a.md  New",
        "2022-01-01T02:00:00Z  arrived    b.md  B",
        "2022-01-01T02:00:00Z  changed    a.md  New (title, summary)",
        "2022-01-01T01:00:00Z  arrived    a.md  A title",
    ]
    assert len(site.history("--limit", "2")) == 2


@pytest.mark.parametrize(
    ("about", "count"),
    [
        ("a.md", 4),
        ("b.md", 1),
        ("https://example.org/a", 4),
        ("New", 2),
        ("/feeds/all", 5),
        ("/topics/chips", 1),
        ("/topics/ai", 4),
        ("/topics/chips.atom", 1),
        ("/topics/%", 0),
        ("nobody", 0),
    ],
)
def test_history_of_one(site: Site, about: str, count: int) -> None:
    """An article is named by its file, URL, id or title, a feed by its path; who is unknown is said to be."""
    lines = site.history(about)
    assert (lines == ["nothing is known of it"]) is (count == 0)
    assert len(lines) == max(count, 1)


def test_history_of_a_file_by_its_path(site: Site) -> None:
    """A file may be named as the shell completes it."""
    assert len(site.history(str(site.articles / "b.md"))) == 1


def test_history_of_nothing(articles: Path) -> None:
    """Without a memory there is no history, and none is made."""
    site = Site(articles)
    assert site.history() == ["nothing has happened yet"]
    assert not list(articles.parent.glob("memory.db*"))


def test_the_feed_of_changes(site: Site) -> None:
    """It tells the same to a reader: an entry for each, with an id, a moment, and a link if there is one."""
    parsed = feedparser.parse(site.document("/changes.atom"))
    assert parsed.bozo == 0
    assert [entry.title for entry in parsed.entries] == [
        "Returned: Newer",
        "Withdrawn: New",
        "Arrived: B",
        "Changed: New",
        "Arrived: A title",
    ]
    assert len({entry.id for entry in parsed.entries}) == 5
    assert "Changed at 2022-01-01T02:00:00Z: title, summary." in parsed.entries[3].summary
    assert "In /feeds/all, /topics/ai, /providers/example." in parsed.entries[3].summary
    assert {entry.link for entry in parsed.entries} == {"https://example.org/a", "https://example.org/b"}
    assert parsed.feed.links[0].href == "http://localhost:8080/changes.atom"


def test_the_feed_of_changes_leads_nowhere_that_is_gone(site: Site) -> None:
    """What was withdrawn has no address in it any more, also in what was told before."""
    write_article(site.articles, "a.md", webUrl="https://example.org/a", removed="true")
    site.run()
    document = site.document("/changes.atom")
    assert b"https://example.org/a" not in document
    assert etree.fromstring(document).findtext("{http://www.w3.org/2005/Atom}entry/{*}title") == "Withdrawn: Newer"


def test_the_feed_of_changes_is_the_same_after_a_restart(site: Site) -> None:
    """Nothing happened: no byte of it is another."""
    before = site.document("/changes.atom")
    site.run(reloads=2)
    assert site.document("/changes.atom") == before


def test_the_feed_of_changes_holds_the_last(articles: Path) -> None:
    """It holds 50, and is not there where nobody asked for it."""
    for number in range(MAX_CHANGES + 10):
        write_article(articles, f"{number}.md", webUrl=f"https://example.org/{number}")
    site = Site(articles, feeds__changes="true")
    site.run()
    assert len(feedparser.parse(site.document("/changes.atom")).entries) == MAX_CHANGES
    site.flags = {}
    state = site.run()
    assert state.snapshot
    assert state.snapshot.document("/changes.atom") is None
