"""Moments: always in UTC and in whole seconds, which is all that feeds and HTTP can say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment, cut to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def iso(moment: datetime | None) -> str | None:
    """RFC 3339 with a Z: `2021-12-14T00:50:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
