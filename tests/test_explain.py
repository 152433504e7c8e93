"""Explain: the story of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support import NOW, make_settings, write_article

from feedsvc.explain import ExplainError, explain
from feedsvc.publisher import Publisher

if TYPE_CHECKING:
    from pathlib import Path


def story(articles: Path, file: Path, **flags: str) -> str:
    """The lines of the story."""
    publisher = Publisher(make_settings(articles, **flags), lambda: NOW)
    return "\n".join(explain(publisher.reload().state, articles, file))


def test_what_was_read(articles: Path) -> None:
    """The story tells what was read of the file, and which feeds carry it, where."""
    path = write_article(articles, updatedDateTime="2021-12-15", body="text")
    write_article(articles, "b.md", webUrl="https://example.org/b", publishedDateTime="2021-12-31", topics="[X]")
    lines = story(articles, path).splitlines()
    for line in (
        "file        a.md",
        "title       A title",
        "identity    https://example.org/a",
        "link        https://example.org/a",
        "date        2021-12-14T00:50:00Z",
        "updated     2021-12-15T00:00:00Z",
        "provider    Example (example.org)",
        "topics      AI",
        "content     body, 11 characters of HTML",
        "carried by  /feeds/all (entry 2)",
        "carried by  /topics/ai (entry 1)",
        "carried by  /providers/example (entry 2)",
    ):
        assert line in lines


def test_a_bare_file(articles: Path) -> None:
    """What a file does not have is said or left out."""
    lines = story(articles, write_article(articles, topics=None, provider="Someone")).splitlines()
    assert "topics      none" in lines
    assert "provider    Someone (no domain)" in lines
    assert "content     the excerpt" in lines
    assert "provider" not in story(articles, write_article(articles, topics=None, provider=None))


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"published": "false"}, "held back: it says `published: false`"),
        ({"published": None}, "held back: it does not say `published: true`"),
        ({"removed": "true"}, "held back: it is marked `removed`"),
        ({"publishedDateTime": "2022-02-01"}, "held back until 2022-02-01T00:00:00Z: its date is in the future"),
    ],
)
def test_held_back(articles: Path, fields: dict[str, Any], result: str) -> None:
    """The rule that holds a file back is named, and until when where time will release it."""
    assert f"result      {result}" in story(articles, write_article(articles, **fields))


def test_superseded(articles: Path) -> None:
    """A file whose article another file holds a better revision of is told which."""
    old = write_article(articles, "old.md", published="false")
    write_article(articles, "new.md")
    assert "result      no feed by itself: new.md holds a revision" in story(articles, old)


def test_a_broken_file(articles: Path) -> None:
    """A file that cannot be used is in no feed, and its problems are listed."""
    told = story(articles, write_article(articles, title=None))
    assert "problem     a.md:1: title: found nothing, expected text of at most 20000 characters" in told
    assert "result      no feed: the file cannot be used" in told


def test_a_broken_file_with_a_good_past(articles: Path) -> None:
    """Where the last good state of a broken file stands, that is said, and which feeds carry it."""
    path = write_article(articles)
    publisher = Publisher(make_settings(articles), lambda: NOW)
    publisher.reload()
    path.write_text("broken")
    told = "\n".join(explain(publisher.reload().state, articles, path))
    assert "note        the file cannot be used as it is; its last good state stands" in told
    assert "carried by  /feeds/all (entry 1)" in told


def test_newer_ones_fill_the_place(articles: Path) -> None:
    """A selected article that no feed has room for is told so."""
    old = write_article(articles)
    write_article(articles, "b.md", webUrl="https://example.org/b", publishedDateTime="2021-12-31")
    assert "newer articles fill the place" in story(articles, old, feeds__entries="1")


def test_ways_to_name_a_file(articles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is named relative to the articles, to the working directory, or absolutely."""
    path = write_article(articles, "sub/a.md")
    monkeypatch.chdir(articles / "sub")
    for name in (path, path.relative_to(articles), path.relative_to(articles / "sub"), articles / "x/../sub/a.md"):
        assert story(articles, name).startswith("file        sub/a.md\n")


def test_files_that_were_not_read(articles: Path, tmp_path: Path) -> None:
    """A file that is passed over, lies elsewhere or does not exist is said to be so."""
    write_article(articles, ".hidden.md")
    outside = write_article(tmp_path, "outside.md")
    for name in (articles / ".hidden.md", outside):
        with pytest.raises(ExplainError, match="passed over"):
            story(articles, name)
    with pytest.raises(ExplainError, match="no such file"):
        story(articles, articles / "none.md")
