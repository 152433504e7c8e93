"""The directory: which files there are, and their bytes.

Nothing here waits: only regular files are opened, without blocking, and no more of one is read than allowed.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from dataclasses import dataclass, field
from fnmatch import translate
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SUFFIXES = (".md", ".markdown", ".txt", ".html", ".yaml", ".yml")


# By which a file is known to be unchanged: size, time and inode. Bytes, which are quickly made and compared, as
# every reload does for each file, and of which a hundred thousand take a third of the memory of so many tuples.
Stamp: TypeAlias = bytes
_PACK = struct.Struct("<QQQ").pack
_UNPACK = struct.Struct("<QqQ").unpack
# A file system may have times of any century.
_BITS = 2**64 - 1


def stamp_of(size: int, mtime_ns: int, inode: int) -> Stamp:
    """The stamp of a file with these."""
    return _PACK(size, mtime_ns & _BITS, inode & _BITS)


def size_time_inode(stamp: Stamp) -> tuple[int, int, int]:
    """What a stamp was made of."""
    size, mtime_ns, inode = _UNPACK(stamp)
    return size, mtime_ns, inode


class Stamped(Protocol):
    """What is known of a file; without a stamp, it is not known to be as it was."""

    @property
    def stamp(self) -> Stamp | None:
        """What the file was known by."""


@dataclass(slots=True)
class Scan:
    """The files of a moment, by path relative to the directory, in no order.

    `files` are those that are not known to be as they were, `unchanged` the others. `unreadable` are directories
    (with a slash at the end) and links that could not be followed, with the reason; `root` is what tells the
    directory from another in its place.
    """

    root: tuple[int, int]
    files: dict[str, Stamp] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


class DirectoryError(Exception):
    """The directory as a whole cannot be read."""


class ReadError(Exception):
    """A file could not be read; the message says what was found."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected


def scan(root: Path, exclude: Iterable[str] = (), known: Mapping[str, Stamped] = MappingProxyType({})) -> Scan:
    """List the article files below a directory.

    Hidden names, other endings, excluded patterns (matched against name and path) and what is no regular file
    are passed over. A link counts where it leads to something in the directory that has not been seen without
    it, as in volumes whose visible names all link into a hidden one.

    Args:
        root: the directory.
        exclude: the patterns.
        known: what is known of files that were found by the same patterns.

    Raises:
        DirectoryError: the directory is missing or cannot be read.
    """
    base = os.fspath(root)
    try:
        here = os.stat(base)
        found = Scan((here.st_dev, here.st_ino))
        walk = _Walk(os.path.realpath(base), _any_of(exclude), known, found)
        walk.directory(base, "")
    except OSError as error:
        raise DirectoryError(f"the articles directory cannot be read: {error.strerror}") from error
    walk.links()
    return found


def in_byte_order(paths: Iterable[str]) -> list[str]:
    """Paths in the order of their bytes, which for text in UTF-8 is that of its characters."""
    ordered = sorted(paths)
    try:
        "".join(ordered).encode()
    except UnicodeEncodeError:
        ordered.sort(key=os.fsencode)
    return ordered


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """One expression of all patterns, where there are any: they are tried on every name."""
    expression = "|".join(map(translate, patterns))
    return re.compile(expression) if expression else None


def without_excluded(paths: Iterable[str], exclude: Iterable[str]) -> Iterator[str]:
    """Those of the files that a scan finds with these patterns, of files that one found with others."""
    excluded = _any_of(exclude)
    if excluded is None:
        yield from paths
        return
    for path in paths:
        parts = path.split("/")
        above = ("/".join(parts[: end + 1]) for end in range(len(parts)))
        if not any(excluded.match(part) for part in parts) and not any(map(excluded.match, above)):
            yield path


@dataclass(slots=True)
class _Walk:
    real_root: str
    excluded: re.Pattern[str] | None
    known: Mapping[str, Stamped]
    found: Scan
    # Of each directory, by its path with a slash behind it.
    devices: dict[str, int] = field(default_factory=dict)
    seen: set[tuple[int, int]] = field(default_factory=set)
    pending_links: list[tuple[str, str]] = field(default_factory=list)

    def directory(self, path: str, relative: str) -> None:
        """Walk one directory; raises OSError where this very one cannot be listed."""
        pending = [(path, relative)]
        while pending:
            path, relative = pending.pop()
            try:
                here = os.stat(path)
                with os.scandir(path) as entries:
                    self.devices[relative] = here.st_dev
                    self.seen.add((here.st_dev, here.st_ino))
                    self._entries(entries, relative, pending)
            except FileNotFoundError:
                if not relative:
                    raise
                # It was removed while we walked: its files are gone, as the next scan would say too.
            except OSError as error:
                if not relative:
                    raise
                self.found.unreadable[relative] = error.strerror or "an error"

    def _entries(self, entries: Iterable[os.DirEntry[str]], relative: str, pending: list[tuple[str, str]]) -> None:
        """What one directory holds. Every reload comes by every file here, so that little is called for each."""
        excluded, files, unchanged = self.excluded, self.found.files, self.found.unchanged
        known = self.known.get
        is_regular = stat.S_ISREG
        for entry in entries:
            name = entry.name
            path = relative + name
            before = known(path)
            # What is known was not passed over then, and is not now.
            if before is None and (
                name[0] == "." or (excluded and (excluded.match(name) or excluded.match(path)))
            ):
                continue
            try:
                if before or name.lower().endswith(SUFFIXES):
                    info = entry.stat(follow_symlinks=False)
                    if is_regular(info.st_mode):
                        stamp = _PACK(info.st_size, info.st_mtime_ns & _BITS, info.st_ino & _BITS)
                        if before and before.stamp == stamp:
                            unchanged.append(path)
                        else:
                            files[path] = stamp
                        continue
                if entry.is_symlink():
                    self.pending_links.append((entry.path, path))
                elif entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, f"{path}/"))
            except FileNotFoundError:
                continue

    def links(self) -> None:
        """Follow the links, in byte order, as following one may find more."""
        new = same = 0
        while self.pending_links:
            # Only links ask what was seen: they need not lead there once more.
            for path in islice(self.found.unchanged, same, None):
                self._see(path, self.known[path].stamp)
            for path, stamp in islice(self.found.files.items(), new, None):
                self._see(path, stamp)
            new, same = len(self.found.files), len(self.found.unchanged)
            self.pending_links.sort(key=lambda link: os.fsencode(link[1]), reverse=True)
            path, relative = self.pending_links.pop()
            try:
                target = os.path.realpath(path, strict=True)
                info = os.stat(target)
            except OSError:
                self.found.unreadable[relative] = "a link that leads nowhere"
                continue
            inside = target.startswith(self.real_root.rstrip("/") + "/")
            if not inside or (info.st_dev, info.st_ino) in self.seen:
                continue
            if stat.S_ISDIR(info.st_mode):
                self.directory(target, f"{relative}/")
            elif relative.lower().endswith(SUFFIXES) and stat.S_ISREG(info.st_mode):
                self.seen.add((info.st_dev, info.st_ino))
                stamp = stamp_of(info.st_size, info.st_mtime_ns, info.st_ino)
                before = self.known.get(relative)
                if before and before.stamp == stamp:
                    self.found.unchanged.append(relative)
                else:
                    self.found.files[relative] = stamp

    def _see(self, path: str, stamp: Stamp | None) -> None:
        above, slash, _ = path.rpartition("/")
        # A file that was itself found through a link is known already.
        if stamp and above + slash in self.devices:
            self.seen.add((self.devices[above + slash], size_time_inode(stamp)[-1]))


def read_file(path: Path | str, limit: int) -> bytes:
    """The bytes of a regular file.

    Args:
        path: where it is.
        limit: how many bytes it may have.

    Raises:
        FileNotFoundError: it is gone.
        ReadError: it is larger, is no regular file, changed while it was read, or cannot be read.
    """
    try:
        # A pipe that took a file's place must not make us wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ReadError(error.strerror or "an error", "a file that can be read") from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise ReadError("no regular file", "a regular file")
        content = _read(descriptor, before.st_size, limit + 1)
        after = os.fstat(descriptor)
    except OSError as error:
        raise ReadError(error.strerror or "an error", "a file that can be read") from error
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise ReadError(f"more than {limit} bytes", f"at most {limit} (limits.file_bytes)")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ReadError("a file that changed while it was read", "one that stands still")
    return content


def _read(descriptor: int, size: int, most: int) -> bytes:
    """All of a file that seems to have this size, but no more than so many bytes."""
    # What is asked for is allotted first, and for a small file that took longer than to read it.
    content = os.read(descriptor, min(size + 1, most))
    # One byte fewer than was asked for is the end; where it is not the size, only the end itself can tell.
    while len(content) not in {size, most} and (chunk := os.read(descriptor, most - len(content))):
        content += chunk
    return content
