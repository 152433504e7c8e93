"""The library: what every file of the directory was last known to say.

A reload compares it with the directory and reads only what changed. A file that can no longer be used keeps its
last good article until it is good again or gone.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from feedsvc.articles.article import Article, Problem
from feedsvc.articles.directory import SUFFIXES, DirectoryError, ReadError, Scan, Stamp, read_file, scan
from feedsvc.articles.parse import Parsed, parse
from feedsvc.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

# A file that was written less than this before it was read may be written again within the same tick of the
# file system's clock, with the same size: it is read once more by the next reload.
_SETTLE_NS = 2_000_000_000

# Before the digest of what has to be parsed again, whatever it is.
_OUTDATED = b"outdated"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LoadRules:
    """How files are read: which are passed over, the zone of dates without one, and the size a file may have."""

    exclude: tuple[str, ...] = ()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    file_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileState:
    """What is known of one file. Without a stamp, it is read again by the next reload."""

    stamp: Stamp | None
    digest: bytes
    article: Article | None
    problems: tuple[Problem, ...]

    @property
    def broken(self) -> bool:
        """The file cannot be used as it stands."""
        return any(problem.fatal for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Library:
    """Every file by its path; the directories and links that could not be read; how many files were parsed.

    `reread` are the identities of articles that were parsed again though their files had not changed.
    `root` tells the directory from another that takes its place, as a mount point does when a disk goes; `path` is
    where it is.
    """

    files: Mapping[str, FileState] = field(default_factory=dict)
    root: tuple[int, int] | None = None
    unreadable: tuple[Problem, ...] = ()
    parsed: int = 0
    reread: frozenset[str] = frozenset()
    path: str = ""

    def articles(self) -> Iterator[Article]:
        """Every file's article, in the byte order of the paths."""
        for state in self.files.values():
            if state.article:
                yield state.article

    def problems(self) -> Iterator[Problem]:
        """Every problem, in the byte order of the paths."""
        yield from self.unreadable
        for state in self.files.values():
            yield from state.problems


def load(  # noqa: PLR0913 - each comes from elsewhere
    root: Path,
    rules: LoadRules,
    known: Library | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
    *,
    accept: bool = False,
) -> Library:
    """Bring the library up to date with the directory.

    Args:
        root: the directory.
        rules: how files are read.
        known: the library of the last time; what has not changed since is not read. Where nothing has, the result
            has the very same mapping of files.
        progress: is told how many files of how many are done.
        now: dates what breaks.
        accept: an empty directory may take the place of one that was not.

    Raises:
        DirectoryError: the directory as a whole cannot be read.
    """
    known = known or Library()
    listing = scan(root, rules.exclude)
    if known.files and not listing.files and listing.root != known.root and not accept:
        raise DirectoryError(
            f"the articles directory was replaced by an empty one; it held {len(known.files)} files; "
            "if that is meant: feedsvc reload --accept"
        )
    lost = _lost(listing, known)
    stamps = _with_unreadable(listing, known)
    files: dict[str, FileState] = {}
    parsed = 0
    reread = set(known.reread)
    for count, (path, stamp) in enumerate(stamps.items(), 1):
        before = known.files.get(path)
        if before and (stamp is None or before.stamp == stamp):
            files[path] = before
        elif stamp:
            after = _read(root, path, stamp, rules, before)
            after = replace(after, problems=_dated(after, before, now)) if after and after.broken else after
            if after:
                files[path] = before if before and before == after else after
                parsed += after.digest not in {b"", before.digest if before else b""}
                if after.article and before and before.digest == _OUTDATED + after.digest:
                    reread.add(after.article.identity)
                elif after.article and before and before.digest != after.digest:
                    reread.discard(after.article.identity)
        if progress:
            progress(count, len(stamps))
    unreadable = tuple(
        Problem(printable(path), None, None, reason, "a file or directory that can be read")
        for path, reason in sorted(lost.items())
    )
    same = len(files) == len(known.files) and all(known.files.get(path) is state for path, state in files.items())
    return Library(
        known.files if same else files,
        listing.root,
        unreadable,
        parsed,
        frozenset(reread),
        os.path.realpath(root),
    )


def outdated(state: FileState) -> FileState:
    """What another program, or other rules, made of a file: to be parsed again, and good enough until then."""
    return replace(state, stamp=None, digest=_OUTDATED + state.digest)


def _lost(listing: Scan, known: Library) -> dict[str, str]:
    """What could not be read and matters: a sub-directory, a link to an article, a link that led to some."""
    return {
        path: reason
        for path, reason in listing.unreadable.items()
        if path.endswith(("/", *SUFFIXES)) or any(each.startswith(f"{path}/") for each in known.files)
    }


def _with_unreadable(listing: Scan, known: Library) -> Mapping[str, Stamp | None]:
    """The stamps by path; files behind what cannot be read stay as they were (None)."""
    if not listing.unreadable:
        return listing.files
    behind = tuple(f"{path.rstrip('/')}/" for path in listing.unreadable)
    stamps: dict[str, Stamp | None] = {
        path: None for path in known.files if path in listing.unreadable or path.startswith(behind)
    }
    return dict(sorted((stamps | listing.files).items(), key=lambda item: os.fsencode(item[0])))


def _read(root: Path, path: str, stamp: Stamp, rules: LoadRules, before: FileState | None) -> FileState | None:
    name = printable(path)
    try:
        content = read_file(root / path, rules.file_bytes)
    except FileNotFoundError:
        return None
    except ReadError as error:
        parsed, digest = Parsed(None, (Problem(name, None, None, error.found, error.expected),)), b""
    else:
        digest = hashlib.blake2b(content, digest_size=16).digest()
        if before and before.digest == digest:
            return replace(before, stamp=_settled(stamp))
        parsed = parse(name, content, rules.zone)
    last_good = before.article if before else None
    # What could not be read is tried again each time; what was read and is wrong is wrong until it changes.
    return FileState(_settled(stamp) if digest else None, digest, parsed.article or last_good, parsed.problems)


def _dated(after: FileState, before: FileState | None, now: datetime | None) -> tuple[Problem, ...]:
    """The problems of a file whose last good state stands, each since that does."""
    since = next((each.since for each in before.problems if each.since), now) if before else None
    return tuple(replace(each, since=since) if after.article else each for each in after.problems)


def _settled(stamp: Stamp) -> Stamp | None:
    return stamp if abs(time.time_ns() - stamp.mtime_ns) > _SETTLE_NS else None
