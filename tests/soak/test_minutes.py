"""As many minutes as are asked for."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from soak.run import soak

if TYPE_CHECKING:
    from pathlib import Path


def test_readers_notice_nothing(tmp_path: Path) -> None:
    """While files change each second and attackers try what they can, no reader gets an error; one poll of a
    hundred takes no more than three times as long as on the quiet service; after it is warm, the memory grows by
    no more than a tenth; and what was opened is closed again.
    """
    minutes = float(os.environ.get("SOAK_MINUTES") or 20)
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    run = soak(tmp_path, minutes * 60, seed)
    assert not run.wrongs, "\n".join(run.wrongs)
    run.check_measures()
