"""Build: the whole snapshot as plain files, for a static host or a CDN."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from feedsvc.documents.format import FEED_ENDINGS

if TYPE_CHECKING:
    from feedsvc.documents.snapshot import Snapshot

# Lists what we wrote, so that we never remove or replace anything else.
MANIFEST = ".feedsvc-build.json"
# What the names of files begin with until they are whole; a build that was killed leaves one.
_UNFINISHED = ".feedsvc-unfinished-"


class BuildError(Exception):
    """The files cannot be written; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did: how many files are there now, how many of them were written, how many removed."""

    files: int
    written: int
    removed: int


def build(snapshot: Snapshot, out: Path, articles: Path) -> Built:
    """Write every document below `out`, each atomically; remove those of an earlier build that are no more.

    A file that is right already is not touched, so that hosts and copying programs see what changed.

    Args:
        snapshot: what is written.
        out: a directory that is new, empty, or from an earlier build.
        articles: the articles directory, which must not come to hold the result.

    Raises:
        BuildError: `out` holds other things, lies among the articles, or cannot be written.
    """
    if out.resolve().is_relative_to(articles.resolve()):
        raise BuildError(f"{out} lies in the articles directory; choose a place outside it")
    documents = {path: snapshot.document(path) for path in snapshot.paths()}
    files = {_file_of(path): document.content for path, document in documents.items() if document}
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = _read_manifest(out)
        # Should we be cut off, the next build knows all that may be ours.
        _write_manifest(out, {*before, *files})
        for half_written in out.rglob(f"{_UNFINISHED}*"):
            half_written.unlink()
        written = sum(_write(out, name, content) for name, content in files.items())
        stale = before - files.keys()
        for name in stale:
            _remove(out, name)
        _write_manifest(out, set(files))
    except OSError as error:
        raise BuildError(f"{error.filename or out}: {error.strerror}") from error
    return Built(len(files), written, len(stale))


def _file_of(path: str) -> str:
    """Pages end in `.html`, which static hosts add by themselves; feeds keep their names."""
    if path == "/":
        return "index.html"
    name = path.removeprefix("/")
    return name if path.endswith((*FEED_ENDINGS, ".opml")) else f"{name}.html"


def _read_manifest(out: Path) -> set[str]:
    try:
        names = json.loads((out / MANIFEST).read_text("utf-8"))["files"]
    except FileNotFoundError:
        if any(out.iterdir()):
            raise BuildError(
                f"{out} is not empty and not from an earlier build; empty it or choose another place"
            ) from None
        return set()
    except (ValueError, KeyError, TypeError, RecursionError):
        names = None
    if not isinstance(names, list):
        raise BuildError(f"{out / MANIFEST} is damaged; empty {out} and build again")
    return {name for name in names if _is_inside(name)}


def _is_inside(name: object) -> bool:
    """Whether it can only be the name of a file below a directory."""
    if not isinstance(name, str) or re.search("[\0\ud800-\udfff]", name):
        return False
    path = PurePosixPath(name)
    return bool(path.parts) and ".." not in path.parts and not path.is_absolute()


def _write_manifest(out: Path, names: set[str]) -> None:
    text = json.dumps({"made_by": "feedsvc build", "files": sorted(names)}, indent=1) + "\n"
    _write(out, MANIFEST, text.encode())


def _parent_inside(out: Path, name: str, *, make: bool) -> Path:
    """The directory of a file, made where missing; no link on the way may lead out of `out`."""
    parent = out
    for part in PurePosixPath(name).parts[:-1]:
        parent /= part
        if parent.is_symlink():
            raise BuildError(f"{parent} is a link; remove it, so that nothing is written outside {out}")
        if make:
            parent.mkdir(exist_ok=True)
    return parent


def _write(out: Path, name: str, content: bytes) -> bool:
    target = _parent_inside(out, name, make=True) / PurePosixPath(name).name
    if target.is_file() and not target.is_symlink() and target.read_bytes() == content:
        return False
    descriptor, temporary = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def _remove(out: Path, name: str) -> None:
    parent = _parent_inside(out, name, make=False)
    (parent / PurePosixPath(name).name).unlink(missing_ok=True)
    while parent != out and parent.is_dir() and not any(parent.iterdir()):
        parent.rmdir()
        parent = parent.parent
