"""Contradictions: what is said of topics and providers, and cannot all be meant, though each of it could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedsvc.settings import TopicSettings
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from feedsvc.settings import ProviderSettings


def contradictions_of(
    listings: Mapping[str, ProviderSettings], section: str, said: Container[str]
) -> list[tuple[str, str]]:
    """The keys that cannot be meant, each with what is expected of it.

    Aliases and parents in a circle, aliases of what is retired, one slug for two, an alias that is something by
    itself, and what is below a private topic and would be public by mistake.

    Args:
        listings: the topics or the providers, by name.
        section: which of both, as it stands in keys.
        said: the keys that somebody gave; the others have defaults.
    """
    found: list[tuple[str, str]] = []
    by_name = {fold(name): listing for name, listing in listings.items()}
    slugs: dict[str, str] = {}
    for name, listing in listings.items():
        place = f"{section}.{name}"
        if listing.slug and slugs.setdefault(listing.slug, name) != name:
            found.append((f"{place}.slug", f"one that {slugs[listing.slug]} does not have"))
        circular = [member for member in ("alias", "parent") if _is_circular(name, member, by_name)]
        found += [(f"{place}.{member}", "a name that does not lead back here") for member in circular]
        if not circular and f"{place}.access" not in said and _is_left_public(listing, by_name):
            found.append((f"{place}.parent", "one that rolls up, as it is private; or an `access` of its own"))
        target = by_name.get(fold(listing.alias)) if listing.alias else None
        if target and target.retired:
            found.append((f"{place}.alias", "a name that is not retired"))
        if listing.alias and (listing.retired or listing.access == "private"):
            member, other = ("retired", "retirement") if listing.retired else ("access", "private access")
            found.append((f"{place}.{member}", f"an alias or {other}, not both"))
    return found


def _is_left_public(listing: ProviderSettings, by_name: Mapping[str, ProviderSettings]) -> bool:
    """Whether it is below what is private, by whatever name that is called, and not private for that."""
    name = listing.parent if isinstance(listing, TopicSettings) else None
    seen: set[str] = set()
    above = None
    while name and fold(name) not in seen:
        seen.add(fold(name))
        above = by_name.get(fold(name))
        name = above.alias if above else None
    return isinstance(above, TopicSettings) and above.access == "private" and not above.rollup


def _is_circular(name: str, member: str, listings: Mapping[str, ProviderSettings]) -> bool:
    """Whether who follows a member comes back; a name on the way that is an alias stands for another."""
    if not getattr(listings[fold(name)], member, None):
        return False
    seen: set[str] = set()
    at: str | None = fold(name)
    while at and at not in seen:
        seen.add(at)
        listing = listings.get(at)
        following = (listing.alias if listing else None) or getattr(listing, member, None)
        at = fold(following) if following else None
    return at is not None
