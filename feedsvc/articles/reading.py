"""Reading one file, in whatever process: its bytes, and what they say."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple

from feedsvc.articles.article import Problem
from feedsvc.articles.directory import ReadError, read_file
from feedsvc.articles.parse import Note, Parsed, parse
from feedsvc.text import printable

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from feedsvc.articles.reserved import Reserved

# A file that was written less than this before it was read may be written again within the same tick of the
# file system's clock, with the same size: it is read once more by the next reload.
_SETTLE_NS = 2_000_000_000


class How(NamedTuple):
    """How files are read: the directory, the zone of dates without one, and the size that a file may have.

    `note` makes what is to be noted of each article, in the process that reads it. It is found there by its name.
    `reserved` are the names of what is private.
    """

    root: str
    zone: ZoneInfo
    file_bytes: int
    note: Note | None = None
    reserved: Reserved | None = None


class Wanted(NamedTuple):
    """A file to be read: its path in the directory, its time, and the digest of what it said last (b"": none)."""

    path: str
    mtime_ns: int
    digest: bytes = b""


class Reading(NamedTuple):
    """What was read: its digest, b"" where it could not be; what it says, None where that is what it said last.

    A file is settled that cannot have changed since without its time telling.
    """

    digest: bytes
    parsed: Parsed | None
    settled: bool


def read(wanted: Wanted, how: How) -> Reading | None:
    """Read and parse one file; None where it is gone."""
    name = printable(wanted.path)
    try:
        content = read_file(f"{how.root}/{wanted.path}", how.file_bytes)
    except FileNotFoundError:
        return None
    except ReadError as error:
        problem = Problem(name, None, None, error.found, error.expected)
        return Reading(b"", Parsed(None, (problem,)), settled=False)
    settled = abs(time.time_ns() - wanted.mtime_ns) > _SETTLE_NS
    digest = hashlib.blake2b(content, digest_size=16).digest()
    parsed = None if digest == wanted.digest else parse(name, content, how.zone, how.note, how.reserved)
    return Reading(digest, parsed, settled)
