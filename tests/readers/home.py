"""Debian's readers, each run in a home directory of its own as its user would."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from service import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


class Home:
    """A home directory with nothing in it, far from Greenwich."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Nothing of the machine's reaches a reader: no settings, no proxy.
        self._environment = {
            "HOME": str(path),
            "XDG_RUNTIME_DIR": str(path),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TZ": "JST-9",
        }

    def write(self, name: str, text: str) -> Path:
        """Write one of its files."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command there, which must succeed."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done
