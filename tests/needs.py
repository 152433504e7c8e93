"""Needs: programs that some tests run, which are no packages of Python."""

from __future__ import annotations

import os
import shutil

import pytest

# Debian has servers in a place that is not on everybody's path.
_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin"


def need(program: str, package: str) -> str:
    """Where a program is; skip the test, saying what to install, where it is missing; in CI it may not be."""
    if path := shutil.which(program, path=_PLACES):
        return path
    message = f"NOT TESTED: {program} is missing; apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
