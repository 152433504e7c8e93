"""Activity: how many articles came to a feed, day by day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed

DAYS = 30


def daily(composition: Composition, feed: Feed, today: date) -> tuple[int, ...]:
    """How many articles have the date of each of the last 30 days in UTC, today last."""
    counts = [0] * DAYS
    first = today - timedelta(days=DAYS - 1)
    for article in composition.groups[feed.path]:
        moment = article.published_at
        day = (moment.date() - first).days
        if day < 0:
            break
        # A page may be made of a snapshot that is older than an article's release.
        counts[min(day, DAYS - 1)] += 1
    return tuple(counts)


def pace(days: tuple[int, ...]) -> str:
    """How often that is, in words."""
    count = sum(days)
    if count == 0:
        return f"none in the last {len(days)} days"
    words = f"{count} in the last {len(days)} days"
    if count >= 2 * len(days):
        return f"{words}, about {round(count / len(days))} a day"
    a_week = round(count * 7 / len(days))
    return f"{words}, about {a_week} a week" if a_week > 1 else words
