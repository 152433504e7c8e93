"""What can go wrong: to a process, to its way to the database, and to the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from chaos.fleet import Member

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from postgres import Mode, OwnServer

    from chaos.fleet import Fleet

Action: TypeAlias = "Callable[[], object]"

_SHORT_SECONDS = (0.05, 3.0)
# Longer than any right to publish that is not renewed may last.
_LONG_SECONDS = 12.0
_LONG_SHARE = 0.08


@dataclass(frozen=True)
class Fault:
    """One fault: what it is called, how it begins and ends, and how long it lasts."""

    kind: str
    victim: str
    begin: Action
    end: Action
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} {self.victim} {self.seconds:.1f} s"


def draw(dice: random.Random, fleet: Fleet) -> list[Fault]:
    """One to three faults, of as many victims; the one that publishes is a victim more often than others."""
    victims: list[Member | OwnServer] = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        lot = dice.random()
        victim: Member | OwnServer = dice.choice(fleet.members)
        if lot < 0.35:
            victim = fleet.publisher()
        elif lot < 0.45:
            victim = fleet.server
        if victim not in victims:
            victims.append(victim)
    return [_of_member(dice, each) if isinstance(each, Member) else _of_server(dice, each) for each in victims]


def _seconds(dice: random.Random) -> float:
    lot, seconds = dice.random(), dice.uniform(*_SHORT_SECONDS)
    return _LONG_SECONDS if lot < _LONG_SHARE else seconds


def _of_server(dice: random.Random, server: OwnServer) -> Fault:
    mode: Mode = dice.choice(("fast", "immediate"))
    return Fault(
        f"stop ({mode})", "PostgreSQL", lambda: server.stop(mode), server.start, dice.uniform(*_SHORT_SECONDS)
    )


def _of_member(dice: random.Random, member: Member) -> Fault:
    process, link = member.process, member.link
    lost = dice.random() < 0.5

    def refuse() -> None:
        link.refuse()
        link.cut()

    def leave_the_hole() -> None:
        # What was sent into it is lost, or comes late.
        if lost:
            link.cut()
        link.restore()

    faults: dict[str, tuple[Action, Action]] = {
        "kill": (process.kill, process.start),
        "freeze": (process.freeze, process.thaw),
        "cut": (link.cut, link.restore),
        "refuse": (refuse, link.restore),
        "black hole": (link.freeze, leave_the_hole),
        "slow": (lambda: link.delay(0.1), link.restore),
    }
    kind = dice.choice(list(faults))
    begin, end = faults[kind]
    # A cut is over at once.
    return Fault(kind, member.name, begin, end, 0 if kind == "cut" else _seconds(dice))
