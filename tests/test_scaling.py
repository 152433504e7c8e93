"""The arithmetic of docs/scaling.md: from what it says was measured and assumed follows what it computes."""

from __future__ import annotations

import re
from math import exp

import pytest
from support import ROOT

SCALING = (ROOT / "docs/scaling.md").read_text("utf-8")


def numbers(row: str, text: str = SCALING) -> list[float]:
    """The numbers in the row of a table that begins so, without those that are not in cells of their own."""
    (cells,) = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", text, re.MULTILINE)
    return [float(number.replace(",", "")) for number in re.findall(r"(?:^|\| )([\d,.]+)", cells)]


def parts() -> list[tuple[float, float]]:
    """Which share of the subscribers polls how often a day."""
    return [
        (float(share) / 100, float(polls))
        for share, polls in re.findall(r"^\| [a-z0-9 ]+ \| (\d+) % \| (\d+) \|$", SCALING, re.MULTILINE)
    ]


POLLS = sum(share * polls for share, polls in parts())
# Both tables have a row of 200s and one of 304s.
COSTS, _, SIZES = SCALING.partition("| bytes |")
CPU, BYTES = (
    [numbers(row, part)[0] for row in ("200, gzip, of a feed of 50 KB", "304")] for part in (COSTS, SIZES)
)
HANDSHAKE = numbers("a TLS handshake, from us")[0]


def full(changes: float) -> float:
    """How many of a subscriber's polls of a day are answered 200."""
    seen = sum(share * polls * (1 - exp(-changes / polls)) for share, polls in parts())
    return 0.9 * seen + 0.1 * POLLS


def near(row: str, *expected: float) -> bool:
    """Whether a row says these numbers, rounded as it likes."""
    return numbers(row) == pytest.approx(expected, rel=0.03)


def test_polls_of_a_day_are_those_of_the_mix() -> None:
    """All subscribers are in the mix, and its polls are added up."""
    assert sum(share for share, _ in parts()) == pytest.approx(1)
    assert f"**{POLLS:.1f} polls a day**" in SCALING


@pytest.mark.parametrize("changes", [1, 8, 50])
def test_share_of_304_follows_from_the_changes(changes: int) -> None:
    """What is 200, what is 304, and the bytes of both."""
    size = full(changes) * BYTES[0] + (POLLS - full(changes)) * BYTES[1]
    row = (
        rf"| {changes} | {full(changes):.2f} | {100 * (1 - full(changes) / POLLS):.0f} % | {size / 1000:.0f} KB |"
    )
    assert row in SCALING


def test_a_million_and_a_hundred_million_follow_from_one() -> None:
    """Requests, bytes and cores of both."""
    mean = (full(8) * CPU[0] + (POLLS - full(8)) * CPU[1]) / POLLS
    assert f"= {mean:.1f} µs" in SCALING
    whole = mean + 26 + 300
    assert f"300 µs for TLS, {whole:.0f} µs" in SCALING
    size = full(8) * BYTES[0] + (POLLS - full(8)) * BYTES[1]
    second, struck = POLLS * 1e6 / 86_400, 0.6 * 0.1 * 1e6 / 10
    assert near("polls a day", POLLS, 100 * POLLS)
    assert near("polls a second, on average", second, 100 * second)
    assert near("polls a second, when the hour strikes", struck, 100 * struck)
    assert near("200s a day", full(8), 100 * full(8))
    assert near("304s a day", POLLS - full(8), 100 * (POLLS - full(8)))
    # GB and TB; Mbit/s.
    assert near("bytes a day, without TLS", size * 1e6 / 1e9, size * 1e8 / 1e12)
    assert near("on average", size * 8 / 86_400, 100 * size * 8 / 86_400)
    assert near("handshakes, where no connection is kept", POLLS * HANDSHAKE / 1e3, POLLS * HANDSHAKE / 1e4)
    assert numbers("cores of feedsvc, on average") == [0.004, 0.44]
    assert round(100 * second * mean / 1e6, 2) == 0.44
    every = "cores with a new connection and TLS for each, on average"
    assert near(every, second * whole / 1e6, 100 * second * whole / 1e6)
    assert near("the same, when the hour strikes", struck * whole / 1e6, 100 * struck * whole / 1e6)


def test_what_a_cdn_takes_follows_from_how_long_it_may_keep() -> None:
    """Each document, in two codings, once in five minutes for each place."""
    a_day = 441 * 3 * 2 * 86_400 / 300
    assert f"= {a_day:,.0f} requests a day" in SCALING
    assert near("requests a second that reach us, at most", a_day / 86_400, 100 * a_day / 86_400)
    assert f"| {100 * (1 - a_day / (POLLS * 1e6)):.1f} % | less than these would be |" in SCALING
    taken = (1 - a_day / (POLLS * 1e8), 1 - 100 * a_day / (POLLS * 1e8))
    assert f"| {100 * taken[0]:.2f} % | {100 * taken[1]:.1f} % |" in SCALING
