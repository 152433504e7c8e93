"""Watch: notices at once that the directory changed, where the system tells; the interval finds all the rest."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from watchfiles import watch

from feedsvc.articles.directory import SUFFIXES
from feedsvc.log import fields, logger

if TYPE_CHECKING:
    from collections.abc import Callable

# Quiet for so long, an edit is done; somebody who changes more than a few files may have paused in the middle. But
# nobody is waited for longer than that.
_QUIET_MS = 25
_FEW = 20
_QUIET_AFTER_MANY_SECONDS = 0.15
_LONGEST_SECONDS = 5.0
# How often it is seen to that it is still the same directory.
_CHECK_SECONDS = 5.0
_MOUNTS = Path("/proc/self/mountinfo")
# File systems that others change without telling this machine's kernel.
_REMOTE = ("nfs", "cifs", "smb", "fuse", "9p", "afs", "ceph", "lustre", "glusterfs", "virtiofs", "vboxsf")


class Watch:
    """Calls for a reload, from a thread of its own, when the directory changed and is quiet again."""

    def __init__(self, directory: Path, reload: Callable[[], object]) -> None:
        self._directory = directory
        self._reload = reload
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin, where that is of use; where it is not, say so."""
        kind = file_system_of(self._directory)
        if kind.startswith(_REMOTE):
            logger.warning(
                "changes on this file system are not told; they are found at the next reading",
                extra=fields(directory=str(self._directory), file_system=kind),
            )
            return
        self._thread.start()

    def stop(self) -> None:
        """End; a reload that runs is not waited for."""
        self._stop.set()

    def _run(self) -> None:
        failed = False
        while not self._stop.is_set():
            try:
                self._watch(_identity(self._directory))
                failed = False
            except (OSError, RuntimeError) as error:
                # It is gone, or the system watches enough already; said once, and tried again and again.
                if not failed:
                    logger.warning(
                        "the directory cannot be watched; changes are found at the next reading",
                        extra=fields(error=str(error)),
                    )
                failed = True
                self._stop.wait(_CHECK_SECONDS)

    def _watch(self, directory: tuple[int, int]) -> None:
        """Until it is another directory that has the name."""
        root = os.path.realpath(self._directory)
        checked = since = last = time.monotonic()
        changed: set[str] = set()
        for changes in watch(
            root,
            watch_filter=None,
            # What changes besides may never be quiet: it is heard of at least as often as this.
            debounce=int(_QUIET_AFTER_MANY_SECONDS * 1000),
            step=_QUIET_MS,
            stop_event=self._stop,
            rust_timeout=int(_QUIET_AFTER_MANY_SECONDS * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
        ):
            now = time.monotonic()
            since = since if changed else now
            ours = {path for _, path in changes if _concerns_us(path.removeprefix(root))}
            last = now if ours else last
            changed |= ours
            quiet = len(changed) <= _FEW or now >= last + _QUIET_AFTER_MANY_SECONDS
            if changed and (quiet or now >= since + _LONGEST_SECONDS):
                changed.clear()
                self._reload()
            if now > checked + _CHECK_SECONDS:
                checked = now
                if _identity(self._directory) != directory:
                    self._reload()
                    return


def _concerns_us(path: str) -> bool:
    """Articles and directories, and nothing hidden, but for what Kubernetes leads visible names to."""
    names = path.split("/")
    if any(name.startswith(".") and not name.startswith("..") for name in names):
        return False
    # A memory may lie here too: what we write ourselves must not make us read.
    return names[-1].startswith("..") or "." not in names[-1] or names[-1].lower().endswith(SUFFIXES)


def _identity(directory: Path) -> tuple[int, int]:
    found = directory.stat()
    return found.st_dev, found.st_ino


def file_system_of(directory: Path) -> str:
    """The kind of file system that a directory is on, such as ext4; "" where the system does not tell."""
    try:
        mounts = [line.split() for line in _MOUNTS.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    real = os.path.realpath(directory)
    found = ("", "")
    for mount in mounts:
        # Fields 5 and, behind a lone hyphen, the first (proc(5)); spaces are escaped.
        point = mount[4].encode("latin-1", "replace").decode("unicode_escape")
        inside = real == point or real.startswith(f"{point.rstrip('/')}/")
        if inside and len(point) >= len(found[0]):
            found = (point, mount[mount.index("-") + 1])
    return found[1]
