"""The directory: which files there are, and their bytes."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from feedsvc.articles.directory import (
    DirectoryError,
    ReadError,
    Stamp,
    in_byte_order,
    read_file,
    scan,
    size_time_inode,
    stamp_of,
)


@dataclass(frozen=True)
class Known:
    """What is known of a file."""

    stamp: Stamp | None


def make(root: Path, *names: str) -> None:
    """Files of these names."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")


def listed(root: Path, *exclude: str) -> list[str]:
    """The paths that a scan finds, in order, without anything that could not be read."""
    found = scan(root, exclude)
    assert found.unreadable == {}
    return in_byte_order(found.files)


def dig(root: Path, levels: int) -> str:
    """Directories with names of 200 characters, one in the other, deeper than a path can be long."""
    name = "d" * 200
    descriptor = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    return name


def test_every_ending_of_an_article_is_found(articles: Path) -> None:
    """Files of every ending are found, in any case of letters and at any depth; others are passed over."""
    names = ["a.md", "b.markdown", "c.txt", "d.html", "e.yaml", "f.yml", "g.MD", "x/h.md", "x/y/z/i.txt"]
    make(articles, *names, "j.htm", "k.json", "l", "md", "m.md~", "n.md.bak", "o.md.swp", "#p.md#")
    assert listed(articles) == names


def test_paths_are_in_byte_order(articles: Path) -> None:
    """Paths are in the order of their bytes, which is the same on every machine."""
    names = ["B.md", "a-b.md", "a/b.md", "a.md", "é.md", "Z/a.md", "10.md", "9.md"]
    make(articles, *names)
    assert listed(articles) == sorted(names, key=os.fsencode)


def test_hidden_files_and_directories_are_passed_over(articles: Path) -> None:
    """Names that begin with a dot are passed over, with everything below them."""
    make(articles, "a.md", ".b.md", ".git/c.md", "x/.d.md", "x/.y/e.md", "x/f.md")
    assert listed(articles) == ["a.md", "x/f.md"]


def test_excluded_patterns_are_matched_against_name_and_path(articles: Path) -> None:
    """A pattern passes over what has such a name or path, and with a directory all that is in it."""
    make(articles, "README.md", "x/README.txt", "drafts/a.md", "x/drafts/b.md", "y/c.md", "y/d.md", "readme.md")
    assert listed(articles, "README*", "drafts", "y/c.*") == ["readme.md", "y/d.md"]


def test_an_empty_directory_has_no_files(articles: Path) -> None:
    """An empty directory is no error."""
    assert listed(articles) == []


def test_a_stamp_is_size_time_and_inode(articles: Path) -> None:
    """A file is known by its size, its time and its inode."""
    make(articles, "a.md")
    os.utime(articles / "a.md", ns=(1, 123_456_789))
    assert scan(articles).files == {"a.md": stamp_of(4, 123_456_789, (articles / "a.md").stat().st_ino)}


@pytest.mark.parametrize("moment", [0, -1, 10**18, -(2**63), 2**63 - 1])
def test_a_stamp_tells_what_it_was_made_of(moment: int) -> None:
    """Files may be older than 1970, and have inodes of any number."""
    assert size_time_inode(stamp_of(7, moment, 2**64 - 1)) == (7, moment, 2**64 - 1)


def test_a_stamp_of_any_century_is_one() -> None:
    """A file system may have times beyond what fits: each is told from the next one."""
    assert stamp_of(7, 2**63, 1) != stamp_of(7, 2**63 + 1, 1)


@pytest.mark.parametrize("kind", ["missing", "a file", "a link to nothing"])
def test_a_directory_that_is_none_is_an_error(tmp_path: Path, kind: str) -> None:
    """A directory that is missing or no directory is an error, and no empty list."""
    root = tmp_path / "articles"
    if kind == "a file":
        root.touch()
    elif kind == "a link to nothing":
        root.symlink_to("nowhere")
    with pytest.raises(DirectoryError, match="cannot be read"):
        scan(root)


def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    """The directory itself may be a link."""
    make(tmp_path / "real", "a.md", "x/b.md")
    (tmp_path / "articles").symlink_to("real")
    (tmp_path / "real" / "c.md").symlink_to("x/b.md")
    assert listed(tmp_path / "articles") == ["a.md", "x/b.md"]


def test_a_link_that_leaves_the_directory_is_passed_over(tmp_path: Path, articles: Path) -> None:
    """A link to a file or directory outside is passed over, however it gets there."""
    make(tmp_path, "secret.md", "outside/b.md", "articles-other/c.md")
    make(articles, "a.md")
    (articles / "l1.md").symlink_to(tmp_path / "secret.md")
    (articles / "l2").symlink_to("../outside")
    (articles / "l3.md").symlink_to("l1.md")
    (articles / "l4").symlink_to("../articles-other")
    (articles / "l5.md").symlink_to("/etc/passwd")
    assert listed(articles) == ["a.md"]


def test_a_link_to_what_is_seen_anyway_is_passed_over(articles: Path) -> None:
    """A link to a file or directory that is found without it adds nothing."""
    make(articles, "z/a.md", "z/b.md")
    (articles / "a.md").symlink_to("z/a.md")
    (articles / "l").symlink_to("z")
    assert listed(articles) == ["z/a.md", "z/b.md"]


def test_a_volume_whose_names_link_into_a_hidden_directory_is_read(articles: Path) -> None:
    """Where visible names link into a hidden directory, as in Kubernetes' volumes, they are found."""
    make(articles, "..2021_12/a.md", "..2021_12/x/b.md", "..2021_12/c.json")
    (articles / "..data").symlink_to("..2021_12")
    (articles / "a.md").symlink_to("..data/a.md")
    (articles / "x").symlink_to("..data/x")
    (articles / "c.json").symlink_to("..data/c.json")
    first = scan(articles)
    assert in_byte_order(first.files) == ["a.md", "x/b.md"]
    # What they lead to is read once.
    known = {path: Known(stamp) for path, stamp in first.files.items()}
    again = scan(articles, (), known)
    assert (again.files, sorted(again.unchanged)) == ({}, ["a.md", "x/b.md"])
    make(articles, "..2022_01/a.md", "..2022_01/x/b.md")
    (articles / "..data").unlink()
    (articles / "..data").symlink_to("..2022_01")
    assert in_byte_order(scan(articles, (), known).files) == ["a.md", "x/b.md"]


def test_of_two_links_to_one_file_the_first_counts(articles: Path) -> None:
    """Of two links to one hidden file, the first in byte order counts."""
    make(articles, ".h/f.md")
    for name in ("b.md", "a.md", "c.md"):
        (articles / name).symlink_to(".h/f.md")
    assert listed(articles) == ["a.md"]


def test_links_in_a_circle_end(articles: Path) -> None:
    """Links to the directory itself or a parent are passed over; in a circle or to nothing, they are named."""
    make(articles, "x/a.md", ".h/b.md")
    (articles / "self.md").symlink_to("self.md")
    (articles / "one").symlink_to("two")
    (articles / "two").symlink_to("one")
    (articles / "top").symlink_to(".")
    (articles / "x" / "up").symlink_to("..")
    (articles / "gone.md").symlink_to("nothing.md")
    (articles / "h").symlink_to(".h")
    (articles / ".h" / "again").symlink_to(".")
    found = scan(articles)
    assert in_byte_order(found.files) == ["h/b.md", "x/a.md"]
    assert found.unreadable == dict.fromkeys(["gone.md", "one", "self.md", "two"], "a link that leads nowhere")


def test_what_is_no_regular_file_is_passed_over(articles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes, sockets and directories are passed over, whatever their names; nothing waits for them."""
    make(articles, "a.md", "dir.md/b.md", ".h/x")
    os.mkfifo(articles / "fifo.md")
    os.mkfifo(articles / ".h" / "fifo")
    (articles / "link.md").symlink_to(".h/fifo")
    monkeypatch.chdir(articles)  # A socket's path is short.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.md")
        assert listed(articles) == ["a.md", "dir.md/b.md"]


def test_names_that_are_no_utf_8_are_found(articles: Path) -> None:
    """Names in any bytes are found and can be read."""
    for name in (b"caf\xe9.md", b"new\nline.md", b"\x01.md"):
        Path(os.fsdecode(os.fsencode(articles) + b"/" + name)).write_bytes(name)
    found = in_byte_order(scan(articles).files)
    assert found == ["\x01.md", "caf\udce9.md", "new\nline.md"]
    assert [read_file(articles / name, 100) for name in found] == [b"\x01.md", b"caf\xe9.md", b"new\nline.md"]


def test_a_sub_directory_that_cannot_be_read_is_named(articles: Path) -> None:
    """A sub-directory that cannot be read is named with the reason, and everything beside it is found."""
    make(articles, "a.md", "x/b.md")
    try:
        name = dig(articles, 30)
        found = scan(articles)
    finally:
        shutil.rmtree(articles)
    assert in_byte_order(found.files) == ["a.md", "x/b.md"]
    ((path, reason),) = found.unreadable.items()
    assert path.startswith(f"{name}/")
    assert path.endswith("/")
    assert reason == "File name too long"


def test_a_sub_directory_that_went_away_is_gone(articles: Path) -> None:
    """A sub-directory that went away while the scan was under way is gone, and no error."""
    make(articles, "a.md", "x/b.md")
    listing = scan(articles)
    shutil.rmtree(articles / "x")
    assert in_byte_order(listing.files) == ["a.md", "x/b.md"]
    assert listed(articles) == ["a.md"]


# --- reading


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_a_file_of_up_to_the_limit_is_read(tmp_path: Path, size: int) -> None:
    """A file is read whole where it is no larger than allowed."""
    (tmp_path / "a").write_bytes(b"x" * size)
    assert read_file(tmp_path / "a", 100) == b"x" * size


@pytest.mark.parametrize(
    ("path", "size"), [("/proc/version", 0), ("/sys/kernel/mm/transparent_hugepage/enabled", 4096)]
)
def test_a_file_is_read_whole_whatever_its_size_says(path: str, size: int) -> None:
    """Some file systems tell a size that is not the file's: it is read until its end all the same."""
    file = Path(path)
    if not file.exists() or file.stat().st_size != size:
        pytest.skip(f"NOT TESTED: this system has no {path}, or tells how long it is")
    assert read_file(file, 10_000) == file.read_bytes()


def test_what_a_file_brings_forth_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that gives a few bytes at a time, without end, one byte more is read than is allowed."""
    (tmp_path / "a").write_bytes(b"xx")
    asked: list[int] = []

    def endless(_: int, size: int) -> bytes:
        asked.append(size)
        return b"x" * min(size, 3)

    monkeypatch.setattr(os, "read", endless)
    with pytest.raises(ReadError, match="more than 10 bytes"):
        read_file(tmp_path / "a", 10)
    assert asked == [3, 8, 5, 2]


def test_a_larger_file_is_not_read(tmp_path: Path) -> None:
    """A file larger than allowed is an error that names the limit."""
    (tmp_path / "a").write_bytes(b"x" * 101)
    with pytest.raises(ReadError) as caught:
        read_file(tmp_path / "a", 100)
    assert caught.value.found == "more than 100 bytes"
    assert caught.value.expected == "at most 100 (limits.file_bytes)"


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    """A file of a tebibyte (of holes) is refused at once: no more than the limit of it is read."""
    with (tmp_path / "a").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ReadError, match="more than 1024 bytes"):
        read_file(tmp_path / "a", 1024)


def test_a_file_that_is_gone_is_told_apart(tmp_path: Path) -> None:
    """A file that is gone is no file that cannot be read."""
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "a", 100)


@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_what_took_a_file_s_place_is_no_file(tmp_path: Path, kind: str) -> None:
    """A pipe or directory in a file's place is an error; nothing waits for a writer, and nothing stays open."""
    path = tmp_path / "a.md"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count
    with pytest.raises(ReadError):
        read_file(path, 100)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - a count


def test_a_socket_in_a_file_s_place_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket in a file's place is an error that says why."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(ReadError, match="No such device or address"):
            read_file(tmp_path / "s", 100)


@pytest.mark.parametrize("path", ["/proc/self/mem", "/proc/self/attr/fscreate/x", "a" * 300])
def test_a_file_that_cannot_be_read_says_why(path: str) -> None:
    """A file that the system does not let us read is an error that says why."""
    with pytest.raises(ReadError) as caught:
        read_file(Path("/") / path, 100)
    assert caught.value.found
    assert caught.value.expected == "a file that can be read"


def test_files_that_are_as_they_were_are_told_apart(articles: Path) -> None:
    """What is known of files tells those that are as they were; the others are told anew."""
    make(articles, "a.md", "x/b.md", "c.md", "d.md")
    stamps = scan(articles).files
    known = {path: Known(stamp) for path, stamp in stamps.items()} | {"c.md": Known(None), "gone.md": Known(None)}
    make(articles, "e.md")
    (articles / "d.md").write_text("more", "utf-8")
    found = scan(articles, (), known)
    assert sorted(found.unchanged) == ["a.md", "x/b.md"]
    assert in_byte_order(found.files) == ["c.md", "d.md", "e.md"]


def test_links_lead_to_no_file_a_second_time(articles: Path) -> None:
    """A link to a file that is found without it is passed over, also where the file is as it was, or was found
    behind another link.
    """
    make(articles, "a.md", ".h/b.md")
    (articles / "behind").symlink_to(".h")
    (articles / "to-a.md").symlink_to("a.md")
    (articles / "to-b.md").symlink_to(".h/b.md")
    first = scan(articles)
    assert in_byte_order(first.files) == ["a.md", "behind/b.md"]
    again = scan(articles, (), {path: Known(stamp) for path, stamp in first.files.items()})
    assert (again.files, sorted(again.unchanged)) == ({}, ["a.md", "behind/b.md"])
