"""The directory: which files there are, and their bytes.

Nothing here waits: only regular files are opened, without blocking, and no more of one is read than allowed.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from fnmatch import translate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# An expression that matches no name.
_NOTHING = "(?!)"
SUFFIXES = (".md", ".markdown", ".txt", ".html", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which a file is known to be unchanged."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(slots=True)
class Scan:
    """The files of a moment, by path relative to the directory.

    `unreadable` are sub-directories (with a slash at the end) and links that could not be followed, with the
    reason; `root` is what tells the directory from another in its place.
    """

    root: tuple[int, int]
    files: dict[str, Stamp] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


class DirectoryError(Exception):
    """The directory as a whole cannot be read."""


class ReadError(Exception):
    """A file could not be read; the message says what was found."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected


def scan(root: Path, exclude: Iterable[str] = ()) -> Scan:
    """List the article files below a directory, in the byte order of their paths.

    Hidden names, other endings, excluded patterns (matched against name and path) and what is no regular file
    are passed over. A link counts where it leads to something in the directory that has not been seen without
    it, as in volumes whose visible names all link into a hidden one.

    Raises:
        DirectoryError: the directory is missing or cannot be read.
    """
    base = os.fspath(root)
    try:
        here = os.stat(base)
        found = Scan((here.st_dev, here.st_ino))
        walk = _Walk(os.path.realpath(base), _any_of(exclude), found)
        walk.directory(base, "")
    except OSError as error:
        raise DirectoryError(f"the articles directory cannot be read: {error.strerror}") from error
    walk.links()
    found.files = dict(sorted(found.files.items(), key=lambda item: os.fsencode(item[0])))
    return found


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression of all patterns: they are tried on every name."""
    return re.compile("|".join(map(translate, patterns)) or _NOTHING)


def without_excluded(paths: Iterable[str], exclude: Iterable[str]) -> Iterator[str]:
    """Those of the files that a scan finds with these patterns, of files that one found with others."""
    excluded = _any_of(exclude)
    for path in paths:
        parts = path.split("/")
        above = ("/".join(parts[: end + 1]) for end in range(len(parts)))
        if not any(excluded.match(part) for part in parts) and not any(map(excluded.match, above)):
            yield path


@dataclass(slots=True)
class _Walk:
    real_root: str
    excluded: re.Pattern[str]
    found: Scan
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
                    self.seen.add((here.st_dev, here.st_ino))
                    for entry in entries:
                        self._entry(entry, relative + entry.name, pending)
            except FileNotFoundError:
                if not relative:
                    raise
                # It was removed while we walked: its files are gone, as the next scan would say too.
            except OSError as error:
                if not relative:
                    raise
                self.found.unreadable[relative] = error.strerror or "an error"

    def _entry(self, entry: os.DirEntry[str], relative: str, pending: list[tuple[str, str]]) -> None:
        if entry.name.startswith(".") or self._excluded(entry.name, relative):
            return
        try:
            if entry.is_symlink():
                self.pending_links.append((entry.path, relative))
            elif entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, f"{relative}/"))
            elif entry.name.lower().endswith(SUFFIXES):
                self._file(relative, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            return

    def _excluded(self, name: str, relative: str) -> bool:
        return bool(self.excluded.match(name) or self.excluded.match(relative))

    def _file(self, relative: str, info: os.stat_result) -> None:
        if stat.S_ISREG(info.st_mode):
            self.seen.add((info.st_dev, info.st_ino))
            self.found.files[relative] = Stamp(info.st_size, info.st_mtime_ns, info.st_ino)

    def links(self) -> None:
        """Follow the links, in byte order, as following one may find more."""
        while self.pending_links:
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
            elif relative.lower().endswith(SUFFIXES):
                self._file(relative, info)


def read_file(path: Path, limit: int) -> bytes:
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
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)  # A directory cannot be made a file object that would close it.
        raise ReadError("no regular file", "a regular file")
    with open(descriptor, "rb", buffering=0) as file:
        content = b""
        try:
            while len(content) <= limit and (chunk := file.read(limit + 1 - len(content))):
                content += chunk
        except OSError as error:
            raise ReadError(error.strerror or "an error", "a file that can be read") from error
        after = os.fstat(descriptor)
    if len(content) > limit:
        raise ReadError(f"more than {limit} bytes", f"at most {limit} (limits.file_bytes)")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ReadError("a file that changed while it was read", "one that stands still")
    return content
