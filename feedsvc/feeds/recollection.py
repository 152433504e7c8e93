"""Recollection: two memories made one, where readers were served for a while before the older could be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from feedsvc.feeds.addresses import PROVIDERS, TOPICS
from feedsvc.feeds.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

_Key = TypeVar("_Key", bound=tuple[str, ...])


def recollect(lately: Memory, kept: Memory) -> Memory:
    """What was kept, with what came since; no date that a reader was told goes back.

    Args:
        lately: of the time in which nothing else was known.
        kept: of before. Who is in it is who it was: it counts, and the next reload finds what changed since.
    """
    topic_slugs = _slugs(lately.topic_slugs, kept.topic_slugs, TOPICS, kept.former)
    provider_slugs = _slugs(lately.provider_slugs, kept.provider_slugs, PROVIDERS, kept.former)
    sightings = {
        identity: replace(seen, changed_at=_later(seen.changed_at, lately.sightings[identity].changed_at))
        for identity, seen in kept.sightings.items()
        if identity in lately.sightings
    }
    rolls = {
        path: replace(roll, moved_at=_later(roll.moved_at, lately.rolls[path].moved_at))
        for path, roll in kept.rolls.items()
        if path in lately.rolls
    }
    return Memory(
        topics={**_names(lately.topics, topic_slugs), **kept.topics},
        topic_slugs=topic_slugs,
        providers={**_names(lately.providers, provider_slugs), **kept.providers},
        provider_slugs=provider_slugs,
        former=kept.former,
        sightings={**lately.sightings, **kept.sightings, **sightings},
        rolls={**lately.rolls, **kept.rolls, **rolls},
    )


def _slugs(
    lately: Mapping[tuple[str, ...], str],
    kept: Mapping[tuple[str, ...], str],
    prefix: str,
    former: Iterable[str],
) -> dict[tuple[str, ...], str]:
    """A slug that another name had before is its own again; who had it since is given another."""
    taken = {*kept.values(), *(path.removeprefix(prefix) for path in former)}
    return {key: slug for key, slug in lately.items() if slug not in taken} | dict(kept)


def _names(names: Mapping[_Key, str], slugs: Mapping[tuple[str, ...], str]) -> dict[_Key, str]:
    return {key: name for key, name in names.items() if key in slugs}


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other
