"""A publisher that is gone, for ever or for a while, and who takes its place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from service import wait_for

from chaos.fleet import running

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import OwnServer

TAKEOVER_SECONDS = 10
FROZEN_SECONDS = 12


def test_killed_publisher_is_replaced(tmp_path: Path, own_postgres: OwnServer) -> None:
    """Within 10 s of a publisher's kill -9 another one publishes what has changed since, and all serve it."""
    with running(tmp_path, own_postgres) as fleet:
        for _ in range(3):
            victim = fleet.publisher()
            _, term = fleet.standing()
            killed = time.monotonic()
            victim.process.kill()
            fleet.articles.change()
            wait_for(fleet.is_shown, "the change to be shown")
            seconds = time.monotonic() - killed
            print(f"{fleet.publisher().name} for {victim.name} after {seconds:.2f} s")  # noqa: T201 - the figure
            assert seconds < TAKEOVER_SECONDS
            assert fleet.publisher() is not victim
            assert fleet.standing()[1] > term
            victim.process.start()
            wait_for(victim.process.is_ready, f"{victim.name} to be back")
            fleet.check()


def test_publisher_that_was_frozen_publishes_nothing(tmp_path: Path, own_postgres: OwnServer) -> None:
    """One that wakes up after 12 s is not the publisher any more: another one is, and its log shows that it
    publishes nothing, though it finds that the articles have changed.
    """
    with running(tmp_path, own_postgres) as fleet:
        victim = fleet.publisher()
        # What it is about to publish is on its way when it stops.
        fleet.articles.change()
        victim.process.freeze()
        frozen = time.monotonic()
        before = victim.process.events("published")
        fleet.articles.change()
        wait_for(fleet.is_shown, "the change to be shown")
        assert time.monotonic() - frozen < TAKEOVER_SECONDS
        successor = fleet.publisher()
        assert successor is not victim
        wait_for(lambda: time.monotonic() - frozen >= FROZEN_SECONDS, "the time to pass")
        victim.process.thaw()
        # It has all the time that it needs to do harm: the other publishes three changes.
        for _ in range(3):
            fleet.articles.change()
            wait_for(fleet.is_current, "the change to be shown")
        wait_for(victim.process.is_up, "the one that was frozen to answer")
        # Of what was committed before it was frozen it may tell late.
        late = victim.process.events("published")[len(before) :]
        begun = min(int(event["generation"]) for event in successor.process.events("published"))
        assert all(int(event["generation"]) < begun for event in late), late
        assert fleet.publisher() is successor
        fleet.check()
