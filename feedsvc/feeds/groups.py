"""Groups: which feeds there are, and which of the selected articles each is of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedsvc.feeds.addresses import domains_of, remember
from feedsvc.feeds.catalog import Catalog, Listing, TopicsNow, apply_catalog, only_domains
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from feedsvc.articles.article import Article, ProviderKey
    from feedsvc.feeds.feed import Kind
    from feedsvc.feeds.memory import Memory
    from feedsvc.feeds.selection import Selection


@dataclass(frozen=True, slots=True)
class Group:
    """All selected articles of one feed, newest first; `listing` is what is configured of it."""

    kind: Kind
    name: str
    path: str
    articles: tuple[Article, ...]
    listing: Listing


@dataclass(frozen=True, slots=True)
class Grouping:
    """Every group, that of all articles first; the memory with all their names and slugs; what both came from."""

    groups: tuple[Group, ...]
    memory: Memory
    selection: Selection
    catalog: Catalog
    domains: Mapping[str, set[ProviderKey]]


def group(selection: Selection, memory: Memory, catalog: Catalog) -> Grouping:
    """Find every feed's articles.

    Args:
        selection: the articles, newest first.
        memory: of the last time; a topic or provider in it keeps its slug, and its feed when empty.
        catalog: what is configured of single topics and providers.
    """
    homes = only_domains(selection.articles, catalog.providers)
    known: TopicsNow = {}
    articles = tuple(apply_catalog(article, catalog, homes, known) for article in selection.articles)
    by_topic: dict[tuple[str], list[Article]] = defaultdict(list)
    by_provider: dict[ProviderKey, list[Article]] = defaultdict(list)
    by_domain: dict[str, list[Article]] = defaultdict(list)
    topic_names: dict[tuple[str], dict[str, None]] = defaultdict(dict)
    provider_names: dict[ProviderKey, dict[str, None]] = defaultdict(dict)
    for article in articles:
        for topic in article.topics:
            key = (fold(topic),)
            by_topic[key].append(article)
            topic_names[key][topic] = None
        provider = article.provider
        if provider and not _is_gone(fold(provider.name), catalog.providers):
            by_provider[provider.key].append(article)
            by_domain[provider.domain].append(article)
            provider_names[provider.key][provider.name] = None
    topics_now = {key: _spelling(found, memory.topics.get(key)) for key, found in topic_names.items()}
    providers_now = {key: _spelling(found, memory.providers.get(key)) for key, found in provider_names.items()}
    memory = remember(memory, topics_now, providers_now, catalog)
    domains = domains_of(key for key in memory.providers if not _is_gone(key[0], catalog.providers))
    everything = Group("all", "All articles", "/feeds/all", articles, Listing("All articles"))
    topics = (
        Group(
            "topic",
            name,
            f"/topics/{memory.topic_slugs[key]}",
            tuple(by_topic[key]),
            catalog.topics.get(key[0]) or Listing(name),
        )
        for key, name in sorted(memory.topics.items())
        if not _is_gone(key[0], catalog.topics)
    )
    providers = (
        Group(
            "provider",
            name,
            f"/providers/{memory.provider_slugs[provider_key]}",
            tuple(by_provider[provider_key]),
            catalog.providers.get(provider_key[0]) or Listing(name),
        )
        for provider_key, name in sorted(memory.providers.items())
        if not _is_gone(provider_key[0], catalog.providers)
    )
    shared = (
        Group("domain", domain, f"/providers/{domain}", tuple(by_domain[domain]), Listing(domain))
        for domain, keys in sorted(domains.items())
        if len(keys) > 1
    )
    return Grouping((everything, *topics, *providers, *shared), memory, selection, catalog, domains)


def _spelling(found: Collection[str], last: str | None) -> str:
    """The last one as long as it is in use, else that of the oldest article, which full archives show."""
    *_, oldest = found
    return last if last and last in found else oldest


def _is_gone(key: str, listings: Mapping[str, Listing]) -> bool:
    """Whether a name that had a feed once was given up since, or is called otherwise."""
    listing = listings.get(key)
    return listing is not None and (listing.retired or listing.alias is not None)


def places_of(grouping: Grouping) -> dict[str, tuple[str, ...]]:
    """The paths of the feeds that each article is in, by its identity."""
    places: dict[str, list[str]] = defaultdict(list)
    for each in grouping.groups:
        for article in each.articles:
            places[article.identity].append(each.path)
    # Most articles share theirs with many others.
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    return {identity: shared.setdefault(found := tuple(paths), found) for identity, paths in places.items()}
