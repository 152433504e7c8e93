"""Build: the snapshot as files, and what is never touched."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from support import NOW, make_settings, write_article

from feedsvc.build import MANIFEST, BuildError, Built, build
from feedsvc.publisher import Publisher

if TYPE_CHECKING:
    from pathlib import Path

    from feedsvc.documents.snapshot import Snapshot

FILES = {
    "feeds.opml",
    "index.html",
    *(
        f"{page}{ending}"
        for page in ("feeds/all", "topics/ai", "providers/example")
        for ending in (".atom", ".rss", ".json", ".html")
    ),
}


def snapshot_of(articles: Path) -> Snapshot:
    """The snapshot of a directory."""
    snapshot = Publisher(make_settings(articles), lambda: NOW).reload().state.snapshot
    assert snapshot
    return snapshot


@pytest.fixture
def snapshot(articles: Path) -> Snapshot:
    """The snapshot of one article."""
    write_article(articles)
    return snapshot_of(articles)


def content(snapshot: Snapshot, path: str) -> bytes:
    """The bytes of a document."""
    document = snapshot.document(path)
    assert document
    return document.content


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where to build; not there yet."""
    return tmp_path / "new" / "out"


def files_in(out: Path) -> set[str]:
    """All files but the manifest."""
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} - {MANIFEST}


def forge(out: Path, *names: object) -> None:
    """A manifest that names these, as somebody else could have left it."""
    out.mkdir(parents=True)
    (out / MANIFEST).write_text(json.dumps({"files": names}), "utf-8")


def test_all_documents(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """Every document is a file with its bytes, readable for a web server; pages end in .html."""
    assert build(snapshot, out, articles) == Built(files=14, written=14, removed=0)
    assert files_in(out) == FILES
    assert (out / "topics/ai.atom").read_bytes() == snapshot.documents["/topics/ai.atom"].content
    assert (out / "topics/ai.html").read_bytes() == content(snapshot, "/topics/ai")
    assert (out / "index.html").read_bytes() == content(snapshot, "/")
    assert (out / "index.html").stat().st_mode & 0o777 == 0o644


def test_unchanged_files_are_not_touched(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A second build writes only what changed."""
    build(snapshot, out, articles)
    for path in out.rglob("*.*"):
        os.utime(path, (1, 1))
    assert build(snapshot, out, articles) == Built(files=14, written=0, removed=0)
    assert {path.stat().st_mtime for path in out.rglob("*.*")} == {1}
    write_article(articles, "b.md", webUrl="https://example.org/b", topics="[Chips]", provider=None)
    built = build(snapshot_of(articles), out, articles)
    assert built == Built(files=18, written=10, removed=0)
    assert (out / "topics/ai.atom").stat().st_mtime == 1


def test_files_are_replaced_whole(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A changed file is a new one under the old name: who reads the old one reads it to its end."""
    build(snapshot, out, articles)
    with (out / "feeds/all.atom").open("rb") as reader:
        write_article(articles, title="Changed")
        build(snapshot_of(articles), out, articles)
        assert reader.read() == snapshot.documents["/feeds/all.atom"].content
    assert b"Changed" in (out / "feeds/all.atom").read_bytes()
    assert files_in(out) == FILES


def test_stale_files_are_removed(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """What an earlier build wrote and is no more is removed, with a directory that it leaves empty."""
    build(snapshot, out, articles)
    (articles / "a.md").unlink()
    (out / "feeds" / "mine.txt").write_text("mine")
    assert build(snapshot_of(articles), out, articles) == Built(files=6, written=6, removed=8)
    assert files_in(out) == {
        "feeds.opml",
        "index.html",
        "feeds/all.atom",
        "feeds/all.rss",
        "feeds/all.json",
        "feeds/all.html",
        "feeds/mine.txt",
    }
    assert not (out / "topics").exists()


def test_what_a_killed_build_left_is_removed(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A file that was not whole yet goes, and so do all directories that nothing is left in."""
    forge(out, "topics/old/archive/1.atom")
    (out / "topics/old/archive").mkdir(parents=True)
    (out / "topics/old/archive/1.atom").write_text("old")
    (out / "topics/.feedsvc-unfinished-abc").write_text("ha")
    assert build(snapshot, out, articles).removed == 1
    assert files_in(out) == FILES
    assert not (out / "topics/old").exists()


def test_a_stale_file_that_is_gone_already(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A file that somebody removed is no error."""
    forge(out, "gone/x.atom", "gone.atom")
    assert build(snapshot, out, articles).removed == 2


def test_an_interrupted_build_is_known(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A build that fails half-way leaves a manifest of all that may be ours, so that the next one cleans up."""
    forge(out, "old.atom")
    (out / "old.atom").write_text("old")
    (out / "providers").write_text("a file where a directory has to be")
    with pytest.raises(BuildError, match="providers"):
        build(snapshot, out, articles)
    (out / "providers").unlink()
    assert set(json.loads((out / MANIFEST).read_text())["files"]) == FILES | {"old.atom"}
    assert build(snapshot, out, articles).removed == 1
    assert files_in(out) == FILES


def test_a_foreign_directory_is_refused(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A directory with other things in it stays as it is."""
    out.mkdir(parents=True)
    (out / "index.html").write_text("mine")
    with pytest.raises(BuildError, match="not empty"):
        build(snapshot, out, articles)
    assert files_in(out) == {"index.html"}
    assert (out / "index.html").read_text() == "mine"


@pytest.mark.parametrize("inside", ["", "out", "sub/out"])
def test_the_articles_directory_is_refused(snapshot: Snapshot, articles: Path, inside: str) -> None:
    """The result never lands among the articles, not by a link either."""
    with pytest.raises(BuildError, match="articles"):
        build(snapshot, articles / inside, articles)
    link = articles.parent / "link"
    link.symlink_to(articles)
    with pytest.raises(BuildError, match="articles"):
        build(snapshot, link / inside, articles)
    assert files_in(articles) == {"a.md"}


def test_links_are_refused(snapshot: Snapshot, out: Path, articles: Path, tmp_path: Path) -> None:
    """A link within the result does not lead the writing elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    build(snapshot, out, articles)
    for path in (out / "topics").iterdir():
        path.unlink()
    (out / "topics").rmdir()
    (out / "topics").symlink_to(outside)
    with pytest.raises(BuildError, match="is a link"):
        build(snapshot, out, articles)
    assert not list(outside.iterdir())


def test_a_linked_file_is_replaced(snapshot: Snapshot, out: Path, articles: Path, tmp_path: Path) -> None:
    """A link in a file's place is replaced; what it leads to stays as it was."""
    build(snapshot, out, articles)
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (out / "index.html").unlink()
    (out / "index.html").symlink_to(precious)
    build(snapshot, out, articles)
    assert precious.read_text() == "precious"
    assert not (out / "index.html").is_symlink()


def test_hostile_names_are_never_touched(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A manifest that names files elsewhere does not make us remove them."""
    victim = out.parent / "victim"
    forge(out, "../victim", str(victim), "x/../../victim", "", "..", "/")
    victim.write_text("precious")
    build(snapshot, out, articles)
    assert victim.read_text() == "precious"
    assert files_in(out) == FILES


@pytest.mark.parametrize("names", [["a\0b"], ["\ud800"], ["."], [None], [["x"]]])
def test_impossible_names(snapshot: Snapshot, out: Path, articles: Path, names: list[object]) -> None:
    """Names that no file can have are passed over, or refused with a message."""
    forge(out, *names)
    try:
        build(snapshot, out, articles)
    except BuildError:
        return
    assert files_in(out) == FILES


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "null", "3", '{"files": null}', '{"files": 3}', '{"files": "abc"}', "\ufffd"]
)
def test_a_damaged_manifest(snapshot: Snapshot, out: Path, articles: Path, text: str) -> None:
    """A manifest that cannot be read is refused with a message; nothing is removed for it."""
    out.mkdir(parents=True)
    (out / MANIFEST).write_bytes(b"\xff" if text == "\ufffd" else text.encode())
    (out / "a").write_text("mine")
    with pytest.raises(BuildError, match="damaged"):
        build(snapshot, out, articles)
    assert files_in(out) == {"a"}


def test_a_file_in_the_place(snapshot: Snapshot, out: Path, articles: Path) -> None:
    """A file where the result should go is named in the message."""
    out.parent.mkdir()
    out.write_text("mine")
    with pytest.raises(BuildError, match="out"):
        build(snapshot, out, articles)
    assert out.read_text() == "mine"
