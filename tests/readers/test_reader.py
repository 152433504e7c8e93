"""The library reader: it takes Atom, RSS and JSON Feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import reader

from readers.corpus import ENDINGS, FEEDS, Story

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from readers.recorder import Recorder


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A library that follows nothing yet."""
    # The feedparser that is part of reader 3.26 imports sgmllib, which newer feedparsers no longer bring along:
    # this makes it take the installed one.
    monkeypatch.setenv("READER_NO_VENDORED_FEEDPARSER", "1")
    with reader.make_reader(str(tmp_path / "reader.sqlite")) as library:
        yield library


def seen(library: Any, url: str) -> list[Story]:
    """What it has of a feed."""
    return [Story(entry.title, entry.link, entry.published) for entry in library.get_entries(feed=url)]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("path", FEEDS)
def test_reader_shows_the_articles(path: str, ending: str, library: Any, recorder: Recorder) -> None:
    """In reader, a feed has its published articles, each once, with title, link and date."""
    url = f"{recorder.base_url}{path}{ending}"
    library.add_feed(url)
    library.update_feed(url)
    stories = seen(library, url)
    assert set(stories) == FEEDS[path]
    assert len(stories) == len(FEEDS[path])


def test_reader_knows_an_article_again_in_all_formats(library: Any, recorder: Recorder) -> None:
    """An article has one id, whatever the format that it is read in."""
    ids = []
    for ending in ENDINGS:
        url = f"{recorder.base_url}/feeds/all{ending}"
        library.add_feed(url)
        library.update_feed(url)
        ids.append({entry.link: entry.id for entry in library.get_entries(feed=url)})
    assert len(ids[0]) == len(FEEDS["/feeds/all"])
    assert ids[0] == ids[1] == ids[2]


@pytest.mark.parametrize("ending", ENDINGS)
def test_reader_asks_for_news_only(ending: str, library: Any, recorder: Recorder) -> None:
    """The second poll of reader is answered 304, and nothing is lost."""
    url = f"{recorder.base_url}/feeds/all{ending}"
    library.add_feed(url)
    library.update_feed(url)
    library.update_feed(url)
    polls = recorder.take()
    assert [poll.status for poll in polls] == [200, 304]
    assert {"if-none-match", "if-modified-since"} <= polls[-1].asked.keys()
    assert set(seen(library, url)) == FEEDS["/feeds/all"]


def test_reader_imports_the_opml(library: Any, opml: Path, listed: list[str], recorder: Recorder) -> None:
    """All feeds of the OPML are imported and read by reader."""
    with opml.open("rb") as file:
        library.import_feeds(file)
    assert sorted(feed.url for feed in library.get_feeds()) == sorted(listed)
    library.update_feeds()
    for path, stories in FEEDS.items():
        assert set(seen(library, f"{recorder.base_url}{path}.atom")) == stories
