"""The catalog: what the configuration says of single topics and providers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feedsvc.articles.article import Article

# Many articles have the same topics: the names that these have now, by those that they are called in files.
TopicsNow: TypeAlias = dict[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Listing:
    """One topic or provider. `name` is how it is spelled; what is "" or None is as it would be without a listing.

    `alias` is the name that it has now: what names this one means that one, for ever. A retired one has no feed
    and will have none. Articles of a topic count for its `parent` too where that one rolls up.
    """

    name: str
    title: str = ""
    description: str = ""
    slug: str = ""
    language: str = ""
    icon: str | None = None
    alias: str | None = None
    retired: bool = False
    parent: str | None = None
    rollup: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """Listings by the folded name."""

    topics: Mapping[str, Listing] = field(default_factory=dict)
    providers: Mapping[str, Listing] = field(default_factory=dict)


def resolve(name: str, listings: Mapping[str, Listing]) -> str:
    """The name that a name stands for, spelled as the configuration does where it does."""
    listing = listings.get(fold(name))
    while listing and listing.alias:
        name = listing.alias
        listing = listings.get(fold(name))
    return listing.name if listing else name


def only_domains(articles: Iterable[Article], listings: Mapping[str, Listing]) -> dict[str, str]:
    """The domain of each provider, by its folded name, that others are renamed to and that has just one."""
    targets = {fold(resolve(listing.name, listings)) for listing in listings.values() if listing.alias}
    if not targets:
        return {}
    domains: dict[str, set[str]] = defaultdict(set)
    for article in articles:
        provider = article.provider
        if provider and fold(provider.name) in targets:
            domains[fold(provider.name)].add(provider.domain)
    return {name: next(iter(found)) for name, found in domains.items() if len(found) == 1}


def _topics_now(topics: Iterable[str], catalog: Catalog) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for topic in topics:
        name: str | None = resolve(topic, catalog.topics)
        while name:
            listing = catalog.topics.get(fold(name))
            if not (listing and listing.retired):
                found.setdefault(fold(name), name)
            parent = resolve(listing.parent, catalog.topics) if listing and listing.parent else None
            above = catalog.topics.get(fold(parent)) if parent else None
            name = parent if above and above.rollup else None
    return tuple(found.values())


def apply_catalog(
    article: Article, catalog: Catalog, homes: Mapping[str, str], topics_now: TopicsNow | None = None
) -> Article:
    """The article with the names that its topics and provider have now, and the topics that these roll up to.

    Args:
        article: as its file says.
        catalog: what is configured.
        homes: the domains of renamed providers: a provider that changed its name and its domain is still one.
        topics_now: what was found of topics by this catalog before.
    """
    known = {} if topics_now is None else topics_now
    topics = known.get(article.topics)
    if topics is None:
        topics = known[article.topics] = _topics_now(article.topics, catalog)
    provider = article.provider
    name_now = resolve(provider.name, catalog.providers) if provider else ""
    if provider and name_now != provider.name:
        home = provider.domain if fold(name_now) == fold(provider.name) else homes.get(fold(name_now))
        provider = replace(provider, name=name_now, domain=provider.domain if home is None else home)
    if topics == article.topics and provider == article.provider:
        return article
    return replace(article, topics=topics, provider=provider)
