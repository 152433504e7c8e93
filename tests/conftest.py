"""Fixtures for all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

# A slow machine is no failure: nothing here is timed. In CI, examples are as new each time as anywhere.
settings.register_profile(
    "feedsvc",
    settings.get_profile("default"),
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("feedsvc")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's reaches a test."""
    for name in [name for name in os.environ if name.startswith("FEEDSVC_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """An empty directory of articles."""
    directory = tmp_path / "articles"
    directory.mkdir()
    return directory
