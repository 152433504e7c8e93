"""Rounds: in each the articles change, things break and are mended, and all must be as it should soon after."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

from chaos.faults import draw
from chaos.fleet import running

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import OwnServer

    from chaos.faults import Action
    from chaos.fleet import Fleet

# After the last fault every replica shows the newest within so long.
CURRENT_SECONDS = 15


def new_seed() -> int:
    """One that was never used."""
    return random.SystemRandom().randrange(10**6)


def play(directory: Path, server: OwnServer, rounds: int, seed: int) -> None:
    """Play so many rounds, and fail at the first in which something was wrong.

    The choices of a round follow from the seed and its number; which process publishes then, and how far each has
    come when something happens to it, does not.
    """
    _say(f"{rounds} rounds, SEED={seed}")
    kinds: Counter[str] = Counter()
    slowest = 0.0
    with running(directory, server) as fleet:
        before = fleet.standing()
        for number in range(1, rounds + 1):
            dice = random.Random(f"{seed} {number}")  # noqa: S311 - dice, and the same ones every time
            told, drawn = _break(fleet, dice)
            kinds.update(drawn)
            ended = time.monotonic()
            while not fleet.is_current():
                late = time.monotonic() - ended > CURRENT_SECONDS
                if late or fleet.judge.wrongs:
                    _say(f"round {number}: {told}; WRONG")
                    fleet.check()
                    raise AssertionError(_late(fleet))
                time.sleep(0.05)
            seconds = time.monotonic() - ended
            slowest = max(slowest, seconds)
            now = fleet.standing()
            _say(f"round {number}: {told}; current after {seconds:.2f} s, generation {now[0]}, term {now[1]}")
            fleet.check()
            assert now[0] >= before[0], f"the database went back from {before} to {now}"
            assert now[1] >= before[1], f"the database went back from {before} to {now}"
            before = now
    _say(f"faults: {dict(kinds)}; answers: {dict(fleet.judge.statuses)}; slowest: {slowest:.2f} s")


def _break(fleet: Fleet, dice: random.Random) -> tuple[str, list[str]]:
    """Break some things and mend them, and change the articles before, meanwhile or afterwards."""
    faults = draw(dice, fleet)
    plan: list[tuple[float, Action]] = []
    for fault in faults:
        begin = dice.uniform(0, 1)
        plan += [(begin, fault.begin), (begin + fault.seconds, fault.end)]
    changed = dice.uniform(0, max(at for at, _ in plan))
    plan.append((changed, fleet.articles.change))
    begun = time.monotonic()
    for at, action in sorted(plan, key=lambda each: each[0]):
        time.sleep(max(0, begun + at - time.monotonic()))
        action()
    told = ", ".join(map(str, faults))
    return f"change {fleet.articles.number} at {changed:.1f} s, {told}", [fault.kind for fault in faults]


def _late(fleet: Fleet) -> str:
    shown = {each.name: fleet.judge.newest(each.name) for each in fleet.replicas}
    health = {each.name: each.process.health() for each in fleet.members}
    return (
        f"{CURRENT_SECONDS} s after the last fault not all show change {fleet.articles.number}: {shown}; the "
        f"database has (generation, term) = {fleet.standing()}; {health}; the logs are in "
        f"{fleet.articles.directory.parent}"
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what was done in each round is half of the result
