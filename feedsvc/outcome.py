"""Outcomes: how reloads ended, and how that is logged."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from feedsvc.laps import Laps
from feedsvc.log import fields, logger

if TYPE_CHECKING:
    from feedsvc.guard import Held
    from feedsvc.reload import State

# What is told of an error that nobody has foreseen.
INTERNAL_ERROR = "an internal error; the log has it"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reload ended: the state it left, and the error that ended it early, if one did.

    `held` is the loss that it would have brought, where it was not published for that; `forgetting` is why it
    could not be kept over a restart, if it could not.
    """

    number: int
    state: State
    seconds: float
    error: str | None = None
    held: Held | None = None
    forgetting: str | None = None


@dataclass(slots=True)
class Tally:
    """How reloads ended, and how long their phases took, all together; and the one that runs, if one does."""

    results: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    running: Laps | None = None

    def begin(self) -> Laps:
        """A reload begins."""
        self.running = Laps()
        return self.running

    def end(self, result: str, laps: Laps) -> None:
        """It has ended so."""
        self.results[result] += 1
        self.seconds.update(laps.seconds)
        self.running = None


def log_outcome(outcome: Outcome) -> None:
    """Log a reload that ended well."""
    state = outcome.state
    rendered = state.snapshot.rendered if state.snapshot else 0
    # A reload that changed nothing is no event, and the first is told by the lines of the start.
    news = outcome.number > 1 and (state.library.parsed or rendered)
    level = logging.INFO if news else logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    logger.log(
        level,
        "reloaded",
        extra=fields(
            files=len(state.library.files),
            parsed=state.library.parsed,
            selected=len(state.selection.articles),
            rendered=rendered,
            problems=len(state.problems),
            seconds=round(outcome.seconds, 3),
            **hint_of(state),
        ),
    )


def hint_of(state: State) -> dict[str, str]:
    """What a log that counts problems adds to that, where there are any."""
    return {"hint": "feedsvc check names the problems"} if state.problems else {}
