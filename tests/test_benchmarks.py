"""The benchmarks run: nothing here is timed, but what they claim of bytes and counts must hold in small too."""

from __future__ import annotations

import subprocess
import sys

from service import PATIENCE_SECONDS, environment
from support import ROOT


def test_the_benchmark_of_restarts_runs() -> None:
    """With few files: no file is parsed by the restart, and the bytes and tags are the same; else it says so."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/restart.py"), "50"],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the same bytes and ETags as before" in done.stdout


def test_the_benchmark_of_polls_compares_like_with_like() -> None:
    """The service, and every other server that is installed, answer each kind of request rightly."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/polls.py"), "0"],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "feedsvc, granian alone" in done.stdout
    assert "answer as they should" in done.stdout
