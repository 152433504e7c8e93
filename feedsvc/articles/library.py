"""The library: what every file of the directory was last known to say.

A reload compares it with the directory and reads only what changed. A file that can no longer be used keeps its
last good article until it is good again or gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from feedsvc.articles.article import Article, Problem
from feedsvc.articles.directory import (
    SUFFIXES,
    DirectoryError,
    Scan,
    Stamp,
    in_byte_order,
    scan,
    size_time_inode,
    without_excluded,
)
from feedsvc.articles.readers import read_all
from feedsvc.articles.reading import How, Reading, Wanted
from feedsvc.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from feedsvc.articles.parse import Note
    from feedsvc.articles.reserved import Reserved

# Before the digest of what has to be parsed again, whatever it is.
_OUTDATED = b"outdated"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LoadRules:
    """How files are read: which are passed over, the zone of dates without one, and the size a file may have.

    `note` makes what is noted of each article, and decides nothing else. `reserved` are the names of what is
    private.
    """

    exclude: tuple[str, ...] = ()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    file_bytes: int = 1024 * 1024
    note: Note | None = None
    reserved: Reserved | None = None


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


@dataclass(frozen=True)
class Library:
    """Every file by its path; the directories and links that could not be read; how many files were parsed.

    `reread` are the identities of articles that were parsed again though their files had not changed; `refused`
    those of articles whose last good state does not stand, as it is not known whether it is private.
    `root` tells the directory from another that takes its place, as a mount point does when a disk goes; `path` is
    where it is.
    """

    files: Mapping[str, FileState] = field(default_factory=dict)
    root: tuple[int, int] | None = None
    unreadable: tuple[Problem, ...] = ()
    parsed: int = 0
    reread: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    path: str = ""

    def is_as(self, other: Library) -> bool:
        """Whether both have the very same files of the very same directory."""
        return self.files is other.files and (self.root, self.path) == (other.root, other.path)

    def articles(self) -> Iterator[Article]:
        """Every file's article, in the byte order of the paths."""
        for state in self.files.values():
            if state.article:
                yield state.article

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem, in the byte order of the paths. Looked for when it is asked for: most reloads do not."""
        return (*self.unreadable, *(problem for state in self.files.values() for problem in state.problems))


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
        known: the library of the last time, found by the same patterns; what has not changed since is not read.
            Where nothing has, the result has the very same mapping of files.
        progress: is told how many of the files that have to be read are done, and how many these are.
        now: dates what breaks.
        accept: an empty directory may take the place of one that was not.

    Raises:
        DirectoryError: the directory as a whole cannot be read.
    """
    known = known or Library()
    listing = scan(root, rules.exclude, known.files)
    empty = not (listing.files or listing.unchanged)
    if known.files and empty and listing.root != known.root and not accept:
        raise DirectoryError(
            f"the articles directory was replaced by an empty one; it held {len(known.files)} files; "
            "if that is meant: feedsvc reload --accept"
        )
    lost = _lost(listing, known)
    changed = {path: listing.files[path] for path in in_byte_order(listing.files)}
    read: dict[str, FileState | None] = {}
    reread, refused = set(known.reread), set(known.refused)
    parsed = 0
    for path, state in _read_all(root, changed, rules, known, progress):
        before = known.files.get(path)
        after = read[path] = state and _after(state, before, now)
        if after is None:
            continue
        if before and before.article and after.article is None:
            refused.add(before.article.identity)
        parsed += after.digest not in {b"", before.digest if before else b""}
        if after.article and before and before.digest == _OUTDATED + after.digest:
            reread.add(after.article.identity)
        elif after.article and before and before.digest != after.digest:
            reread.discard(after.article.identity)
    unreadable = tuple(
        Problem(printable(path), None, None, reason, "a file or directory that can be read")
        for path, reason in sorted(lost.items())
    )
    kept = list(listing.unchanged)
    for path in _behind_unreadable(listing, known):
        before = known.files[path]
        if before.article and rules.reserved and is_outdated(before):
            refused.add(before.article.identity)
            read[path] = replace(before, article=None)
        else:
            kept.append(path)
    files = _merged(known.files, kept, read)
    path = os.path.realpath(root)
    return Library(files, listing.root, unreadable, parsed, frozenset(reread), frozenset(refused), path)


def _read_all(
    root: Path,
    stamps: Mapping[str, Stamp],
    rules: LoadRules,
    known: Library,
    progress: Progress | None,
) -> Iterator[tuple[str, FileState | None]]:
    """What these files say now, in this order; None for one that is gone."""

    def wanted(path: str) -> Wanted:
        before = known.files.get(path)
        _, mtime_ns, _ = size_time_inode(stamps[path])
        return Wanted(path, mtime_ns, before.digest if before else b"")

    how = How(os.fspath(root), rules.zone, rules.file_bytes, rules.note, rules.reserved)
    readings = read_all(how, list(stamps), wanted)
    for count, (path, reading) in enumerate(zip(stamps, readings, strict=True), 1):
        before = known.files.get(path)
        yield path, reading and _state(reading, stamps[path], before, has_private=rules.reserved is not None)
        if progress:
            progress(count, len(stamps))


def _state(reading: Reading, stamp: Stamp, before: FileState | None, *, has_private: bool) -> FileState:
    # What could not be read is tried again each time; what was read and is wrong is wrong until it changes.
    settled = stamp if reading.settled else None
    if reading.parsed is None and before:
        return replace(before, stamp=settled)
    article, problems = (reading.parsed.article, reading.parsed.problems) if reading.parsed else (None, ())
    last_good = before.article if before else None
    if before and is_outdated(before) and has_private:
        # Nobody has looked yet whether it means something that is private now.
        last_good = None
    return FileState(settled, reading.digest, article or last_good, problems)


def _after(state: FileState, before: FileState | None, now: datetime | None) -> FileState:
    """The very state of before, where it is the same."""
    if state.broken:
        state = replace(state, problems=_dated(state, before, now))
    return before if before and before == state else state


def _merged(
    known: Mapping[str, FileState], kept: Collection[str], read: Mapping[str, FileState | None]
) -> Mapping[str, FileState]:
    """The files that are there, in byte order; the very same mapping where each is the one that it was.

    Args:
        known: all of before.
        kept: those that are as they were.
        read: what the others say now; None for one that is gone.
    """
    same = all(state is not None and state is known.get(path) for path, state in read.items())
    if same and len(kept) + len(read) == len(known):
        return known
    there = {*kept, *read}
    paths = known if read.keys() <= known.keys() else in_byte_order(there)
    states = ((path, read[path] if path in read else known[path]) for path in paths if path in there)
    return {_shared(path, state): state for path, state in states if state}


def _shared(path: str, state: FileState) -> str:
    """The path as the article has it, where that is the same: who read it may have been another process."""
    return state.article.path if state.article and state.article.path == path else path


def without(library: Library, exclude: tuple[str, ...]) -> Library:
    """The library without the files that these patterns exclude; the very same where there are none."""
    files = {path: library.files[path] for path in without_excluded(library.files, exclude)}
    return library if len(files) == len(library.files) else replace(library, files=files)


def outdated(state: FileState) -> FileState:
    """What another program, or other rules, made of a file: to be parsed again, and good enough until then."""
    return state if is_outdated(state) else replace(state, stamp=None, digest=_OUTDATED + state.digest)


def is_outdated(state: FileState) -> bool:
    """Whether it has not been parsed again yet."""
    return state.digest.startswith(_OUTDATED)


def _lost(listing: Scan, known: Library) -> dict[str, str]:
    """What could not be read and matters: a sub-directory, a link to an article, a link that led to some."""
    return {
        path: reason
        for path, reason in listing.unreadable.items()
        if path.lower().endswith(("/", *SUFFIXES)) or any(each.startswith(f"{path}/") for each in known.files)
    }


def _behind_unreadable(listing: Scan, known: Library) -> Iterator[str]:
    """The files behind what cannot be read: they stay as they were."""
    if not listing.unreadable:
        return
    behind = tuple(f"{path.rstrip('/')}/" for path in listing.unreadable)
    found = {*listing.files, *listing.unchanged}
    for path in known.files:
        if (path in listing.unreadable or path.startswith(behind)) and path not in found:
            yield path


def _dated(after: FileState, before: FileState | None, now: datetime | None) -> tuple[Problem, ...]:
    """The problems of a file whose last good state stands, each since that does."""
    since = next((each.since for each in before.problems if each.since), now) if before else None
    return tuple(replace(each, since=since) if after.article else each for each in after.problems)
