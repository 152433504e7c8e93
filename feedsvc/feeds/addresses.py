"""Addresses: which slug and path each topic and provider has, and what other paths lead there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from feedsvc.feeds.catalog import Catalog, Listing, resolve
from feedsvc.feeds.privacy import PRIVATE
from feedsvc.feeds.slugs import Named, assign_slugs, slugify
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from feedsvc.articles.article import ProviderKey
    from feedsvc.feeds.memory import Memory

TOPICS = "/topics/"
PROVIDERS = "/providers/"


def remember(
    memory: Memory,
    topics: Mapping[tuple[str], str],
    providers: Mapping[ProviderKey, str],
    catalog: Catalog,
) -> Memory:
    """The memory with the names that there are now, each with its slug: the configured one, else as before."""
    all_topics = {**memory.topics, **topics}
    all_providers = {**memory.providers, **providers}
    topic_slugs = assign_slugs(
        {key: Named(name) for key, name in all_topics.items()},
        _configured(all_topics, catalog.topics, memory.topic_slugs, _former_slugs(memory.former, TOPICS)),
        _former_slugs(memory.former, TOPICS),
    )
    provider_slugs = assign_slugs(
        {key: Named(name, qualifier=key[1]) for key, name in all_providers.items()},
        _configured(
            all_providers, catalog.providers, memory.provider_slugs, _former_slugs(memory.former, PROVIDERS)
        ),
        _former_slugs(memory.former, PROVIDERS),
    )
    former = _moved(memory.former, TOPICS, memory.topic_slugs, topic_slugs)
    return replace(
        memory,
        topics=all_topics,
        topic_slugs=topic_slugs,
        providers=all_providers,
        provider_slugs=provider_slugs,
        former=_moved(former, PROVIDERS, memory.provider_slugs, provider_slugs),
    )


def _former_slugs(former: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The slugs of now by those of before."""
    return {
        path.removeprefix(prefix): now.removeprefix(prefix)
        for path, now in former.items()
        if path.startswith(prefix)
    }


def refused_slugs(memory: Memory, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """The names whose configured slug is or was another's: with that, and the one that they have."""
    for listings, slugs in ((catalog.topics, memory.topic_slugs), (catalog.providers, memory.provider_slugs)):
        for key, slug in sorted(slugs.items()):
            listing = listings.get(key[0])
            if listing and listing.slug and listing.slug != slug and not listing.alias:
                yield listing.name, listing.slug, slug


def _moved(
    former: Mapping[str, str],
    prefix: str,
    before: Mapping[tuple[str, ...], str],
    after: Mapping[tuple[str, ...], str],
) -> Mapping[str, str]:
    """Where feeds were that the configuration gave another slug; readers subscribed there."""
    moves = _moves(prefix, before, after)
    if not moves:
        return former
    return {path: moves.get(now, now) for path, now in {**former, **moves}.items()}


def _moves(
    prefix: str, before: Mapping[tuple[str, ...], str], after: Mapping[tuple[str, ...], str]
) -> dict[str, str]:
    if before is after:
        return {}
    return {
        f"{prefix}{slug}": f"{prefix}{after[key]}" for key, slug in before.items() if after.get(key, slug) != slug
    }


def private_moves(before: Memory, after: Memory) -> dict[str, str]:
    """Where feeds that have another slug now are if they are private, by where they would have been before."""
    moves = _moves(TOPICS, before.topic_slugs, after.topic_slugs)
    moves |= _moves(PROVIDERS, before.provider_slugs, after.provider_slugs)
    return {f"{PRIVATE}{path[1:]}": f"{PRIVATE}{now[1:]}" for path, now in moves.items()}


def _configured(
    names: Iterable[tuple[str, ...]],
    listings: Mapping[str, Listing],
    given: Mapping[tuple[str, ...], str],
    former: Mapping[str, str],
) -> dict[tuple[str, ...], str]:
    """The slugs given before, and over them the configured; of several providers of one name, the first has it.

    One that is or was another's is not given: whoever subscribed there would read something else.
    """
    slugs = dict(given)
    owners: dict[str, tuple[str, ...] | None] = {slug: key for key, slug in given.items()}
    owners = {**{slug: owners.get(now) for slug, now in former.items()}, **owners}
    for key in sorted(names):
        listing = listings.get(key[0])
        if listing and listing.slug and owners.setdefault(listing.slug, key) == key:
            slugs[key] = listing.slug
    return slugs


def domains_of(providers: Iterable[ProviderKey]) -> dict[str, set[ProviderKey]]:
    """The providers of each domain.

    Only what no slug can be, a name with a dot, counts as a domain; and none that would be the address of
    another provider's feed.
    """
    domains: dict[str, set[ProviderKey]] = defaultdict(set)
    for key in providers:
        if "." in key[1] and not key[1].endswith((".atom", ".rss", ".json", ".opml")):
            domains[key[1]].add(key)
    return domains


def redirects_of(
    memory: Memory, domains: Mapping[str, set[ProviderKey]], catalog: Catalog, paths: Iterable[str]
) -> dict[str, str]:
    """What a path in the form that `fold` gives it leads to: a path, else a domain, else a name, now or once."""
    redirects = {path: path for path in paths}
    private = {
        f"{prefix}{slug}"
        for prefix, slugs, listings in (
            (TOPICS, memory.topic_slugs, catalog.topics),
            (PROVIDERS, memory.provider_slugs, catalog.providers),
        )
        for key, slug in slugs.items()
        if key[0] in listings and listings[key[0]].is_private
    }
    for path, now in memory.former.items():
        # Nothing shows where a private feed is, or was when everybody could read it.
        if now not in private:
            redirects.setdefault(path, now)
    for domain, keys in domains.items():
        if len(keys) == 1:
            redirects[f"/providers/{domain}"] = f"/providers/{memory.provider_slugs[next(iter(keys))]}"
    for prefix, slugs, listings in (
        (TOPICS, memory.topic_slugs, catalog.topics),
        (PROVIDERS, memory.provider_slugs, catalog.providers),
    ):
        by_name: dict[str, str] = {}
        for key, slug in sorted(slugs.items()):
            if key[0] not in listings or not (listings[key[0]].retired or listings[key[0]].is_private):
                by_name.setdefault(key[0], f"{prefix}{slug}")
        # Aliases stand before names, which they take the place of; and before a slug only of what they rename.
        for place, target in _aliases(listings, slugs, by_name):
            redirects.setdefault(f"{prefix}{place}", target)
        for name, target in by_name.items():
            redirects.setdefault(f"{prefix}{name}", target)
    return redirects


def _aliases(
    listings: Mapping[str, Listing], slugs: Mapping[tuple[str, ...], str], by_name: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Where old names and the slugs that they had lead; nowhere while the new name has no feed."""
    for key, listing in listings.items():
        target = by_name.get(fold(resolve(listing.name, listings))) if listing.alias else None
        if target:
            yield key, target
            yield listing.slug or slugify(listing.name), target
            yield from ((slug, target) for each, slug in slugs.items() if each[0] == key)


def retired_of(catalog: Catalog, memory: Memory, live: Collection[str]) -> frozenset[str]:
    """The paths of what was given up, in folded form; never one at which something else lives."""
    return frozenset(
        f"{prefix}{place}"
        for prefix, slugs, listings in (
            (TOPICS, memory.topic_slugs, catalog.topics),
            (PROVIDERS, memory.provider_slugs, catalog.providers),
        )
        for key, listing in listings.items()
        if listing.retired and not listing.is_private
        for place in (
            key,
            listing.slug or slugify(listing.name),
            *(slug for each, slug in slugs.items() if each[0] == key),
        )
        if f"{prefix}{place}" not in live
    )
