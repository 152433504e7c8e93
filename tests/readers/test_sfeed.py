"""The reader sfeed: it takes Atom and RSS, and no JSON Feed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from needs import need

from readers.corpus import FEEDS, XML_ENDINGS, Story
from readers.home import Home

if TYPE_CHECKING:
    from pathlib import Path

    from readers.recorder import Recorder

# What sfeed's README recommends to whoever wants to save bandwidth.
FETCH = """\
fetch() {
    etag="$HOME/.sfeed/etags/$(basename "$3")"
    curl -L --max-redirs 0 -H "User-Agent:" -f -s -m 15 --compressed \\
        --etag-save "${etag}" --etag-compare "${etag}" -z "${etag}" "$2" 2>/dev/null
}
"""


@pytest.fixture
def sfeed(tmp_path: Path) -> Home:
    """The home of somebody who reads with sfeed."""
    need("sfeed", package="sfeed")
    need("curl", package="curl")
    (tmp_path / ".sfeed/etags").mkdir(parents=True)
    return Home(tmp_path)


def subscribe(sfeed: Home, url: str, fetch: str = "") -> None:
    """Follow one feed, called `feed`."""
    sfeed.write(".sfeed/sfeedrc", f'{fetch}feeds() {{\n    feed "feed" "{url}"\n}}\n')


def seen(sfeed: Home, name: str = "feed") -> list[Story]:
    """What sfeed has of a feed."""
    stories = []
    for line in (sfeed.path / ".sfeed/feeds" / name).read_text("utf-8").splitlines():
        seconds, title, link, *_ = line.split("\t")
        stories.append(Story(title, link, datetime.fromtimestamp(int(seconds), UTC)))
    return stories


@pytest.mark.parametrize("ending", XML_ENDINGS)
@pytest.mark.parametrize("path", FEEDS)
def test_sfeed_shows_the_articles(path: str, ending: str, sfeed: Home, recorder: Recorder) -> None:
    """In sfeed, a feed has its published articles, each once, with title, link and date."""
    subscribe(sfeed, f"{recorder.base_url}{path}{ending}")
    sfeed.run("sfeed_update")
    stories = seen(sfeed)
    assert set(stories) == FEEDS[path]
    assert len(stories) == len(FEEDS[path])


@pytest.mark.parametrize("ending", XML_ENDINGS)
def test_sfeed_asks_for_news_only(ending: str, sfeed: Home, recorder: Recorder) -> None:
    """With the `fetch` of its README, sfeed's second poll is answered 304, and it loses nothing."""
    subscribe(sfeed, f"{recorder.base_url}/feeds/all{ending}", FETCH)
    sfeed.run("sfeed_update")
    sfeed.run("sfeed_update")
    polls = recorder.take()
    assert [poll.status for poll in polls] == [200, 304]
    assert "if-none-match" in polls[-1].asked
    assert set(seen(sfeed)) == FEEDS["/feeds/all"]


def test_sfeed_imports_the_opml(sfeed: Home, opml: Path, listed: list[str], recorder: Recorder) -> None:
    """All feeds of the OPML are imported and read by sfeed."""
    sfeedrc = sfeed.run("sfeed_opml_import", stdin=opml.read_text("utf-8")).stdout
    sfeed.write(".sfeed/sfeedrc", sfeedrc)
    sfeed.run("sfeed_update")
    assert sorted(f"{recorder.base_url}{poll.path}" for poll in recorder.take()) == sorted(listed)
    assert set(listed) == {f"{recorder.base_url}{path}.atom" for path in FEEDS}
    assert set(seen(sfeed, "feedsvc")) == FEEDS["/feeds/all"]
    assert set(seen(sfeed, "R&D · feedsvc")) == FEEDS["/topics/r-and-d"]
