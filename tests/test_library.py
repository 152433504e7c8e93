"""The library: what every file was last known to say, and reading no more than what changed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from support import front_matter, write_article

from feedsvc.articles.directory import DirectoryError, size_time_inode
from feedsvc.articles.library import Library, LoadRules, load

if TYPE_CHECKING:
    from pathlib import Path

RULES = LoadRules()
OLD = 1_600_000_000_000_000_000
BROKEN = "---\ntitle: [\n---\n"


def settle(path: Path, when: int = OLD) -> None:
    """Give a file a time long past."""
    os.utime(path, ns=(when, when))


def old_article(directory: Path, name: str = "a.md", **fields: str) -> Path:
    """An article that was written long ago."""
    path = write_article(directory, name, **fields)
    settle(path)
    return path


def overwrite(path: Path, text: str) -> None:
    """Other content in the same file: the inode stays."""
    inode = path.stat().st_ino
    path.write_bytes(text.encode())
    assert path.stat().st_ino == inode


def titles(library: Library) -> dict[str, str]:
    """The title of every article by its path."""
    return {article.path: article.title for article in library.articles()}


def test_every_file_of_the_directory_is_loaded(articles: Path) -> None:
    """Every file is parsed the first time, and the articles are in the byte order of their paths."""
    for name in ("b.md", "a/c.md", "B.md"):
        old_article(articles, name, title=name)
    library = load(articles, RULES)
    assert list(titles(library)) == ["B.md", "a/c.md", "b.md"]
    assert library.parsed == 3
    assert list(library.problems) == []


def test_a_file_that_did_not_change_is_not_read(articles: Path) -> None:
    """A file of the same size, time and inode is not read: what it says meanwhile is not seen."""
    path = old_article(articles, title="One")
    first = load(articles, RULES)
    overwrite(path, front_matter(title="Two"))
    settle(path)
    second = load(articles, RULES, first)
    assert titles(second) == {"a.md": "One"}
    assert second.files["a.md"] is first.files["a.md"]
    assert second.parsed == 0


@pytest.mark.parametrize("change", ["size", "time", "inode"])
def test_a_file_that_changed_is_read(articles: Path, change: str) -> None:
    """A file of another size, time or inode is read."""
    path = old_article(articles, title="One")
    first = load(articles, RULES)
    if change == "inode":
        old_article(articles, "b.tmp", title="Two").replace(path)
    else:
        overwrite(path, front_matter(title="Three" if change == "size" else "Two"))
        settle(path, OLD + (1 if change == "time" else 0))
    second = load(articles, RULES, first)
    assert titles(second) == {"a.md": "Three" if change == "size" else "Two"}
    assert second.parsed == 1


def test_the_same_content_is_not_parsed_again(articles: Path) -> None:
    """A file that was written again with the same content is read, and not parsed."""
    path = old_article(articles)
    first = load(articles, RULES)
    settle(path, OLD + 1)
    second = load(articles, RULES, first)
    assert second.parsed == 0
    before, after = first.files["a.md"], second.files["a.md"]
    assert after.article is before.article
    assert after.stamp is not None
    assert size_time_inode(after.stamp)[1] == OLD + 1
    overwrite(path, front_matter(title="B title"))
    settle(path, OLD + 1)
    assert load(articles, RULES, second).files["a.md"] is after


def test_a_file_that_was_written_just_now_is_read_again(articles: Path) -> None:
    """A file that may be written again within one tick of the clock is read once more, without being parsed."""
    path = write_article(articles, title="One")
    first = load(articles, RULES)
    assert first.files["a.md"].stamp is None
    info = path.stat()
    assert load(articles, RULES, first).parsed == 0
    overwrite(path, front_matter(title="Two"))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert titles(load(articles, RULES, first)) == {"a.md": "Two"}


def test_a_file_from_the_future_is_settled(articles: Path) -> None:
    """A time far in the future, as broken clocks give, is as good as one long past."""
    path = old_article(articles)
    settle(path, 4_000_000_000_000_000_000)
    assert load(articles, RULES).files["a.md"].stamp is not None


def test_a_broken_file_keeps_its_last_good_article(articles: Path) -> None:
    """A file that can no longer be used keeps its last good article and is named, until it is good again."""
    path = old_article(articles, title="Good")
    beside = old_article(articles, "b.md", title="Beside", webUrl="https://example.org/b")
    library = load(articles, RULES)
    overwrite(path, BROKEN)
    settle(path)
    library = load(articles, RULES, library)
    assert titles(library) == {"a.md": "Good", "b.md": "Beside"}
    assert library.files["a.md"].broken
    assert [each.path for each in library.problems] == ["a.md"]
    kept = load(articles, RULES, library)
    assert (kept.parsed, titles(kept)) == (0, titles(library))
    assert list(kept.problems) == list(library.problems)
    overwrite(path, front_matter(title="Better"))
    settle(path)
    library = load(articles, RULES, kept)
    assert titles(library) == {"a.md": "Better", "b.md": "Beside"}
    assert list(library.problems) == []
    beside.unlink()
    assert titles(load(articles, RULES, library)) == {"a.md": "Better"}


def test_a_file_that_was_never_good_has_no_article(articles: Path) -> None:
    """A file that never was good is named, and hides none beside it."""
    overwrite(old_article(articles), BROKEN)
    old_article(articles, "b.md", title="Good")
    library = load(articles, RULES)
    assert titles(library) == {"b.md": "Good"}
    assert library.files["a.md"].broken


def test_a_wrong_field_does_not_break_a_file(articles: Path) -> None:
    """A field that cannot be used is named, and the file is not broken by it."""
    old_article(articles, quality="high")
    library = load(articles, RULES)
    assert [each.field for each in library.problems] == ["quality"]
    assert not library.files["a.md"].broken


def test_a_broken_file_that_is_gone_is_gone(articles: Path) -> None:
    """A file that is gone takes its article and its problems with it."""
    path = old_article(articles)
    library = load(articles, RULES)
    overwrite(path, BROKEN)
    library = load(articles, RULES, library)
    path.unlink()
    library = load(articles, RULES, library)
    assert (library.files, list(library.problems)) == ({}, [])


def test_a_file_that_became_too_large_keeps_its_article(articles: Path) -> None:
    """A file larger than allowed is named and keeps its article; it counts as not parsed, and is tried again."""
    path = old_article(articles, title="Good")
    rules = LoadRules(file_bytes=1024)
    library = load(articles, rules)
    overwrite(path, front_matter(title="Large") + "x" * 1024)
    settle(path)
    library = load(articles, rules, library)
    assert titles(library) == {"a.md": "Good"}
    (problem,) = library.problems
    assert (problem.path, problem.line, problem.found) == ("a.md", None, "more than 1024 bytes")
    assert problem.fatal
    assert library.files["a.md"].stamp is None
    assert titles(load(articles, RULES, library)) == {"a.md": "Large"}


def test_a_file_that_could_not_be_read_is_not_counted_as_parsed(articles: Path) -> None:
    """Only what was parsed is counted as parsed; what could not be read was not."""
    path = old_article(articles)
    first = load(articles, RULES)
    overwrite(path, front_matter() + "x" * 1024)
    assert load(articles, LoadRules(file_bytes=1024), first).parsed == 0
    assert load(articles, LoadRules(file_bytes=1024)).parsed == 0


def test_a_missing_directory_is_an_error(articles: Path) -> None:
    """A directory that is missing is an error: nothing is forgotten."""
    old_article(articles)
    library = load(articles, RULES)
    shutil.rmtree(articles)
    with pytest.raises(DirectoryError):
        load(articles, RULES, library)


def test_files_below_a_sub_directory_that_cannot_be_read_stay(tmp_path: Path, articles: Path) -> None:
    """What is below a sub-directory that cannot be read stays as it was, and the sub-directory is named."""
    deep = "/".join(["d" * 200] * 16) + "/a.md"
    old_article(articles, deep, title="Deep")
    gone = old_article(articles, "gone.md")
    old_article(articles, "z.md", title="Beside")
    first = load(articles, RULES)
    assert first.parsed == 3
    # The same directory below so long a path that the system refuses what is deep in it.
    far = tmp_path.joinpath(*["r" * 200] * 5)
    far.mkdir(parents=True)
    gone.unlink()
    articles.rename(far / "articles")
    try:
        second = load(far / "articles", RULES, first)
    finally:
        (far / "articles").rename(articles)
    assert list(titles(second).items()) == [(deep, "Deep"), ("z.md", "Beside")]
    assert second.files[deep] is first.files[deep]
    (problem,) = second.problems
    assert deep.startswith(problem.path)
    assert (problem.found, problem.expected) == ("File name too long", "a file or directory that can be read")
    assert problem.fatal
    assert list(load(articles, RULES, second).problems) == []


def test_excluded_files_are_not_loaded(articles: Path) -> None:
    """What is excluded is not loaded."""
    old_article(articles)
    old_article(articles, "README.md")
    assert set(load(articles, RULES).files) == {"a.md", "README.md"}
    assert set(load(articles, LoadRules(exclude=("README*",))).files) == {"a.md"}


def test_the_zone_of_the_rules_holds(articles: Path) -> None:
    """A date without a zone is taken in the zone of the rules."""
    old_article(articles, publishedDateTime="2021-12-14 09:00")
    (article,) = load(articles, LoadRules(zone=ZoneInfo("Asia/Tokyo"))).articles()
    assert article.published_at.hour == 0


def test_a_name_that_is_no_utf_8_is_told_in_words(articles: Path) -> None:
    """A name with bytes that are no text, or a line break, is told on one line of plain characters."""
    for name, title in ((b"caf\xe9.md", "a"), (b"new\nline.md", "b")):
        path = os.fsencode(articles) + b"/" + name
        with open(path, "wb") as file:  # noqa: PTH123 - a path in bytes
            file.write(front_matter(title=title, quality="high").encode())
    library = load(articles, RULES)
    assert titles(library) == {"caf\\udce9.md": "a", "new\\nline.md": "b"}
    assert [each.path for each in library.problems] == ["caf\\udce9.md", "new\\nline.md"]


def test_progress_is_told(articles: Path) -> None:
    """Progress says how many of the files that have to be read are done: all at first, then those that changed."""
    for name in ("a.md", "b.md", "c.md"):
        old_article(articles, name)
    told: list[tuple[int, int]] = []
    library = load(articles, RULES, None, lambda done, of: told.append((done, of)))
    write_article(articles, "b.md", title="Another")
    load(articles, RULES, library, lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3), (1, 1)]


def test_an_empty_directory_in_the_place_of_a_full_one_is_an_error(tmp_path: Path, articles: Path) -> None:
    """A mount point without its disk, or a checkout that is not there yet, withdraws nothing."""
    old_article(articles)
    library = load(articles, RULES)
    articles.rename(tmp_path / "away")
    articles.mkdir()
    with pytest.raises(DirectoryError, match="replaced by an empty one; it held 1 files"):
        load(articles, RULES, library)


def test_the_last_file_of_a_directory_can_be_deleted(articles: Path) -> None:
    """A directory that was emptied file by file is empty, and nothing of it is held."""
    path = old_article(articles)
    library = load(articles, RULES)
    path.unlink()
    assert load(articles, RULES, library).files == {}


def test_what_stood_behind_a_link_that_leads_nowhere_stays(articles: Path) -> None:
    """While a link is broken, as in the middle of a volume's change, the files behind it stay as they were."""
    old_article(articles, ".v1/a.md", title="File")
    old_article(articles, ".v1/d/b.md", title="Below")
    (articles / ".data").symlink_to(".v1")
    (articles / "a.md").symlink_to(".data/a.md")
    (articles / "d").symlink_to(".data/d")
    (articles / "other").symlink_to("nowhere")
    first = load(articles, RULES)
    assert titles(first) == {"a.md": "File", "d/b.md": "Below"}
    (articles / ".data").unlink()
    second = load(articles, RULES, first)
    assert titles(second) == titles(first)
    assert [str(problem) for problem in second.problems] == [
        f"{name}: the file: found a link that leads nowhere, expected a file or directory that can be read"
        for name in ("a.md", "d")
    ]
