"""The place of a memory: its file, the right to write it, and what becomes of a damaged one."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from feedsvc.log import fields, logger
from feedsvc.store.errors import AloneError, BusyError, StoreError

if TYPE_CHECKING:
    from typing import IO

# Who was elected, and says nothing for so long, is so no more.
SILENCE_SECONDS = 5
_ELECTED = "elected\n"
# What the lock file of a process that was not elected begins with; the number of the one to stop follows. It is
# longer than the above, which is recognised by its length.
_ALONE = "process "


def path_of(url: str) -> Path | None:
    """The file that the URL of an SQLite database names; None where that is in memory alone."""
    name = url.removeprefix("sqlite://").removeprefix("/")
    return Path(name) if name else None


def lock_of(path: Path) -> Path:
    """The file by which one process claims it."""
    # By whatever link it is reached.
    real = path.resolve()
    return real.with_name(f"{real.name}.lock")


def file_at(path: Path | None) -> tuple[int, int] | None:
    """What tells a file from another that takes its place."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def can_write(directory: Path) -> bool:
    """Whether this process may make files there."""
    return os.access(directory, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def claim(path: Path, *, elected: bool = False) -> IO[str]:
    """The right to write, for as long as this process lives and the file is open.

    Args:
        path: what is to be written.
        elected: whether others wait to have it next. Then it must be renewed all the time, and who is silent for
            long has it no more: another takes another lock file, and by that `is_claimed` tells who was silent.

    Raises:
        AloneError: others wait to have it, and a process has it that will not hand it on.
        BusyError: another process has it.
        StoreError: there can be no such right, as nobody can write here.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_of(path).open("a", encoding="ascii")
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreError(f"{path}: its directory is a file; remove that, or choose another place") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; make its directory writable") from error
    try:
        if elected and _is_silent(lock):
            lock.close()
            lock_of(path).unlink(missing_ok=True)
            lock = lock_of(path).open("a", encoding="ascii")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate(0)
        lock.write(_ELECTED if elected else f"{_ALONE}{_to_stop()}\n")
        lock.flush()
    except BlockingIOError as error:
        lock.close()
        alone = _alone(path)
        if alone and elected:
            raise _not_shared(path, alone) from error
        which = f" ({alone})" if alone else ""
        raise BusyError(
            f"another process writes {path}; stop it{which}, or give this one another with --store"
        ) from error
    except OSError as error:
        lock.close()
        raise StoreError(f"{path}: {error.strerror}; put it on a disk that has locks") from error
    return lock


def check_sharing(path: Path) -> None:
    """Make sure that processes can serve the same from this file: not while one publishes there for itself alone.

    Raises:
        AloneError: one does.
    """
    try:
        with lock_of(path).open(encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        if alone := _alone(path):
            raise _not_shared(path, alone) from error
    except OSError:
        # Nobody has claimed it, or who claims it will say what hinders.
        return


def _to_stop() -> int:
    """The process that has to end for this one to end for good: of a service, the first, which starts others."""
    parent = multiprocessing.parent_process()
    return (parent.pid if parent else None) or os.getpid()


def _alone(path: Path) -> str:
    """Which process claimed it without election; empty where that is not what was done last."""
    try:
        found = lock_of(path).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return found if found.startswith(_ALONE) else ""


def _not_shared(path: Path, alone: str) -> AloneError:
    return AloneError(
        f"{alone} publishes {path} for itself alone; stop it, or start it too with --workers 2 or --role publish"
    )


def is_claimed(path: Path, lock: IO[str]) -> bool:
    """Whether this lock still is the one by which the file is claimed."""
    held = os.fstat(lock.fileno())
    return file_at(lock_of(path)) == (held.st_dev, held.st_ino)


def _is_silent(lock: IO[str]) -> bool:
    """Whether this is the lock of somebody who was elected, and has not renewed it for long."""
    found = os.fstat(lock.fileno())
    return found.st_size == len(_ELECTED) and time.time() > found.st_mtime + SILENCE_SECONDS


def renew(lock: IO[str]) -> bool:
    """Say that who has this lock is alive; whether that could be said in time."""
    if _is_silent(lock):
        # Somebody else may have another one by now.
        return False
    os.utime(lock.fileno())
    return True


def put_aside(path: Path) -> None:
    """Give a damaged file another name, with `.damaged` behind it, and make room for a new one.

    Raises:
        OSError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged")
    for suffix in ("", "-wal", "-shm"):
        try:
            Path(f"{path}{suffix}").replace(f"{aside}{suffix}")
        except FileNotFoundError:
            # That of one that was put aside before belongs to another file.
            Path(f"{aside}{suffix}").unlink(missing_ok=True)
    logger.error(
        "the memory is damaged; a new one is begun",
        extra=fields(kept=os.fspath(aside), lost="when articles first appeared and changed"),
    )
