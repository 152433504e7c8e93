"""The library feedparser, which many readers are made with: it takes Atom and RSS, and no JSON Feed."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import feedparser
import pytest

from readers.corpus import FEEDS, XML_ENDINGS, Story

if TYPE_CHECKING:
    from readers.recorder import Recorder


def seen(feed: Any) -> list[Story]:
    """What feedparser found."""
    return [
        Story(entry.title, entry.link, datetime.fromtimestamp(timegm(entry.published_parsed), UTC))
        for entry in feed.entries
    ]


@pytest.mark.parametrize("ending", XML_ENDINGS)
@pytest.mark.parametrize("path", FEEDS)
def test_feedparser_finds_the_articles(path: str, ending: str, recorder: Recorder) -> None:
    """What feedparser finds in a feed is its published articles, newest first, and nothing to complain of."""
    feed = feedparser.parse(f"{recorder.base_url}{path}{ending}")
    assert (feed.status, feed.bozo) == (200, False)
    assert seen(feed) == sorted(FEEDS[path], key=lambda story: story.published_at, reverse=True)


@pytest.mark.parametrize("ending", XML_ENDINGS)
@pytest.mark.parametrize("condition", ["etag", "modified"])
def test_feedparser_asks_for_news_only(condition: str, ending: str, recorder: Recorder) -> None:
    """A poll with the entity tag alone or with the date alone that feedparser was given is answered 304."""
    url = f"{recorder.base_url}/feeds/all{ending}"
    first = feedparser.parse(url)
    again = feedparser.parse(url, **{condition: first[condition]})
    assert (again.status, again.entries) == (304, [])
    header = {"etag": "if-none-match", "modified": "if-modified-since"}[condition]
    assert [header in poll.asked for poll in recorder.take()] == [False, True]
