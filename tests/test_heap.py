"""The heap, in a process of its own: what was told to glibc cannot be taken back."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Sixteen threads take memory at once, and each has it while the others take theirs.
PROGRAM = """
import ctypes, sys, threading
from feedsvc import heap

heap.share()
heap.give_back()
glibc = ctypes.CDLL(None)
together = threading.Barrier(16)

def take():
    together.wait()
    glibc.malloc(1000)
    together.wait()

threads = [threading.Thread(target=take) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
glibc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(glibc.fopen(sys.argv[1].encode(), b"w"))
glibc.malloc_info(0, file)
glibc.fclose(file)
"""


def test_threads_share_memory(tmp_path: Path) -> None:
    """However many threads there are, they take memory from two places."""
    if not hasattr(ctypes.CDLL(None), "malloc_info"):
        pytest.skip("NO GLIBC")
    told = tmp_path / "told.xml"
    subprocess.run([sys.executable, "-c", PROGRAM, str(told)], cwd=ROOT, check=True)
    assert len(re.findall("<heap nr=", told.read_text("utf-8"))) == 2
