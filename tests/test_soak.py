"""The soak in short; `make soak` is the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from soak.run import soak

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured")


def test_a_few_seconds(tmp_path: Path) -> None:
    """While files change and attackers try what they can, no reader gets an error, the same processes go on, and
    what was opened is closed again. Nothing is timed.
    """
    run = soak(tmp_path, seconds=12, seed=1)
    assert not run.wrongs, "\n".join(run.wrongs)
    kinds = {what.rpartition(" ")[0] for what in run.statuses}
    assert kinds == {
        "poll", "odd path", "header bomb", "slow step", "aborted", "wrong token", "idle hundreds", "crawl",
    }  # fmt: skip
