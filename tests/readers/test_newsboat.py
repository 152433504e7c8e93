"""The reader newsboat: it takes Atom and RSS, and no JSON Feed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from needs import need

from readers.corpus import FEEDS, XML_ENDINGS, Story
from readers.home import Home

if TYPE_CHECKING:
    from pathlib import Path

    from readers.recorder import Recorder


@pytest.fixture
def newsboat(tmp_path: Path) -> Home:
    """The home of somebody who reads with newsboat."""
    need("newsboat", package="newsboat")
    (tmp_path / ".newsboat").mkdir()
    return Home(tmp_path)


def seen(newsboat: Home) -> list[Story]:
    """What newsboat has in its cache."""
    with closing(sqlite3.connect(newsboat.path / ".newsboat/cache.db")) as cache:
        rows = cache.execute("SELECT title, url, pubDate FROM rss_item WHERE unread AND NOT deleted").fetchall()
    return [Story(title, link, datetime.fromtimestamp(seconds, UTC)) for title, link, seconds in rows]


@pytest.mark.parametrize("ending", XML_ENDINGS)
@pytest.mark.parametrize("path", FEEDS)
def test_newsboat_shows_the_articles(path: str, ending: str, newsboat: Home, recorder: Recorder) -> None:
    """In newsboat, a feed has its published articles, each once, with title, link and date."""
    newsboat.write(".newsboat/urls", f"{recorder.base_url}{path}{ending}\n")
    newsboat.run("newsboat", "-x", "reload")
    stories = seen(newsboat)
    assert set(stories) == FEEDS[path]
    assert len(stories) == len(FEEDS[path])


@pytest.mark.parametrize("ending", XML_ENDINGS)
def test_newsboat_asks_for_news_only(ending: str, newsboat: Home, recorder: Recorder) -> None:
    """The third poll of newsboat is answered 304 (it keeps tag and date from the second on); nothing is lost."""
    newsboat.write(".newsboat/urls", f"{recorder.base_url}/feeds/all{ending}\n")
    for _ in range(3):
        newsboat.run("newsboat", "-x", "reload")
    polls = recorder.take()
    assert [poll.status for poll in polls] == [200, 200, 304]
    assert {"if-none-match", "if-modified-since"} <= polls[-1].asked.keys()
    assert set(seen(newsboat)) == FEEDS["/feeds/all"]


def test_newsboat_imports_the_opml(newsboat: Home, opml: Path, listed: list[str], recorder: Recorder) -> None:
    """All feeds of the OPML are imported and read by newsboat, to which an article of several feeds is one."""
    newsboat.run("newsboat", "-i", str(opml))
    lines = (newsboat.path / ".newsboat/urls").read_text("utf-8").splitlines()
    assert [line.split()[0] for line in lines] == listed
    assert set(listed) == {f"{recorder.base_url}{path}.atom" for path in FEEDS}
    newsboat.run("newsboat", "-x", "reload")
    assert sorted(poll.path for poll in recorder.take()) == sorted(f"{path}.atom" for path in FEEDS)
    stories = seen(newsboat)
    assert set(stories) == FEEDS["/feeds/all"]
    assert len(stories) == len(FEEDS["/feeds/all"])
