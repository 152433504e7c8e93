"""Mounts that a test makes and takes away, where it may: a small disk, and one that does not answer."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def _mount(*arguments: str, files: tuple[int, ...] = ()) -> None:
    done = subprocess.run(
        ["mount", *arguments], pass_fds=files, capture_output=True, text=True, timeout=10, check=False
    )
    if done.returncode:
        pytest.skip(f"NOT TESTED: nothing can be mounted here, which takes root: {done.stderr.strip()}")


def _unmount(directory: Path) -> None:
    # Whoever still has it open keeps nobody else from it.
    subprocess.run(["umount", "--lazy", str(directory)], timeout=10, check=True)


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[Path]:
    """A disk of this size at a directory that is made for it."""
    directory.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "none", str(directory))
    try:
        yield directory
    finally:
        _unmount(directory)


def remount(disk: Path, *, writable: bool) -> None:
    """Make a disk, of which nothing is open, one that can be written, or only be read."""
    _mount("-o", f"remount,{'rw' if writable else 'ro'}", str(disk))


@contextmanager
def stalled(directory: Path) -> Iterator[None]:
    """A network mount at this directory, whose server takes requests and never answers; at the end, it is gone.

    It is a file system in user space, and nobody listens behind the descriptor by which it would be asked.
    """
    if not Path("/dev/fuse").exists():
        pytest.skip("NOT TESTED: without /dev/fuse, no mount can be stalled")
    server = os.open("/dev/fuse", os.O_RDWR)
    try:
        options = f"fd={server},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        # By the mount program itself, which would start a server otherwise.
        _mount("-i", "-t", "fuse", "-o", options, "stalled", str(directory), files=(server,))
    except BaseException:
        os.close(server)
        raise
    try:
        yield
    finally:
        # Now whoever waits is told that it is gone.
        os.close(server)
        _unmount(directory)
