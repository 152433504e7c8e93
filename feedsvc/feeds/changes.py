"""Changes: what happened to articles, as a feed of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from feedsvc.clock import iso
from feedsvc.feeds.compose import NO_CHANGE_YET
from feedsvc.feeds.feed import Entry, Feed, latest
from feedsvc.feeds.privacy import is_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from feedsvc.feeds.feed import Site
    from feedsvc.feeds.memory import Event
    from feedsvc.feeds.selection import Selection

CHANGES = "/changes"
MAX_CHANGES = 50


def public_changes(events: Iterable[Event], selection: Selection) -> Iterator[Event]:
    """Those of which everybody may know: of what was not private when it happened, nor has been since.

    Args:
        events: the newest first.
        selection: of now.
    """
    events = list(events)
    rules, told = selection.basis and selection.basis.rules, {event.identity for event in events}
    private: set[str] = set()
    if rules and rules.privacy:
        private = {
            each.identity for each in selection.articles if each.identity in told and rules.is_private(each)
        }
    for event in events:
        if any(map(is_private, event.places)):
            # Also where it is held back or gone by now.
            private.add(event.identity)
        elif event.identity not in private:
            yield event


def compose_changes(events: Iterable[Event], site: Site, urls: Mapping[str, str]) -> Feed:
    """The feed of the last changes.

    Args:
        events: the newest first.
        site: what all feeds share.
        urls: of the articles that are served, by identity; what is gone has no address any more.
    """
    everything = site.home or f"{site.base_url}/feeds/all"
    entries = tuple(_entry(event, site, urls.get(event.identity, everything)) for event in events)
    return Feed(
        kind="all",
        name="Changes",
        path=CHANGES,
        id=uuid5(NAMESPACE_URL, f"{site.id}{CHANGES}").urn,
        title=f"Changes · {site.title}",
        description=f"What arrived, changed and was withdrawn in {site.title}",
        updated=latest(entries, NO_CHANGE_YET),
        recipes=entries,
        total=len(entries),
        site=site,
        page=everything,
    )


def _entry(event: Event, site: Site, url: str) -> Entry:
    name = f"{event.id} {event.happening} {iso(event.at)}"
    parts = f": {', '.join(event.parts)}" if event.parts else ""
    places = f" In {', '.join(event.places)}." if event.places else ""
    return Entry(
        id=uuid5(NAMESPACE_URL, name).urn,
        title=f"{event.happening.capitalize()}: {event.title}",
        url=url,
        published=event.at,
        updated=event.at,
        authors=(site.title,),
        source=None,
        categories=(),
        summary=f"{event.happening.capitalize()} at {iso(event.at)}{parts}.{places}",
        content="",
        picture=None,
        related=(),
    )
