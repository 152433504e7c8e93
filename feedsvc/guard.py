"""The guard: holds back a reading that looks like somebody's mistake, until it has stood for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedsvc import rules
from feedsvc.clock import iso
from feedsvc.feeds.losses import Loss, loss_of
from feedsvc.log import fields, logger

if TYPE_CHECKING:
    from datetime import datetime

    from feedsvc.feeds.memory import Memory
    from feedsvc.reload import Reading
    from feedsvc.settings import Settings


class HeldError(Exception):
    """What was read is not to be published yet; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Held:
    """A loss that is not published yet, and since when it stands."""

    loss: Loss
    since: datetime


class Guard:
    """Knows what is held back, and since when; None while nothing is."""

    def __init__(self, settings: Settings) -> None:
        self._settle = settings.guard.settle
        self._rules = rules.loss_rules(settings)
        self.held: Held | None = None

    def check(self, memory: Memory, reading: Reading, *, accepting: bool) -> None:
        """Let pass what is no mistake, has stood long enough, or is accepted.

        Args:
            memory: knows what is served.
            reading: what would be.
            accepting: whether somebody says that it is meant.

        Raises:
            HeldError: it is not to be published yet.
        """
        loss = loss_of(memory, reading.grouping, self._rules, reading.library.refused)
        before, self.held = self.held, None
        if loss is None:
            return
        # A clock that was set back begins the time anew.
        since = min(before.since, reading.at) if before and before.loss == loss else reading.at
        if accepting or reading.at - since >= self._settle:
            logger.warning("a loss is published", extra=fields(loss=str(loss), accepted=accepting))
            return
        self.held = Held(loss, since)
        due = iso(since + self._settle)
        if before is None or before.loss != loss:
            logger.warning("a reload is held back", extra=fields(loss=str(loss), until=due))
        raise HeldError(
            f"held back: {loss}; published at {due} if that stays so, or now by feedsvc reload --accept"
        )
