"""Random faults, round after round."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from chaos.rounds import new_seed, play

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import OwnServer


def test_readers_notice_nothing(tmp_path: Path, own_postgres: OwnServer) -> None:
    """Whatever is killed, frozen, cut off or restarted: no two publish one generation, no replica that had a
    snapshot fails, mixes generations or goes back, and all have the newest within 15 s of the last fault.
    """
    rounds = int(os.environ.get("CHAOS_ROUNDS") or 200)
    play(tmp_path, own_postgres, rounds, int(os.environ.get("CHAOS_SEED") or new_seed()))
