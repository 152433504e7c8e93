"""The catalog: what the configuration says of single topics and providers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feedsvc.articles.article import Article, Provider


@dataclass(frozen=True, slots=True)
class Listing:
    """One topic or provider. `name` is how it is spelled; what is "" or None is as it would be without a listing.

    `alias` is the name that it has now: what names this one means that one, for ever. A retired one has no feed
    and will have none. Articles of a topic count for its `parent` too where that one rolls up. The feed of
    a private one is for who has a token, and its articles are in no public feed.
    """

    name: str
    title: str = ""
    description: str = ""
    slug: str = ""
    language: str = ""
    icon: str | None = None
    alias: str | None = None
    retired: bool = False
    access: Literal["public", "private"] = "public"
    parent: str | None = None
    rollup: bool = False

    @property
    def is_private(self) -> bool:
        """Whether only who has a token may read it."""
        return self.access == "private"


@dataclass(frozen=True, slots=True)
class NamesNow:
    """What is known already of the names of now, as many articles share topics and provider.

    Topics by those that a file names; a provider by the identity of the object, which is here as well lest another
    take that.
    """

    topics: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    providers: dict[int, tuple[Provider, Provider]] = field(default_factory=dict)


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


def topics_now(topics: Iterable[str], catalog: Catalog) -> tuple[str, ...]:
    """The names that topics have now, and those that they roll up to, without those that were given up."""
    found: dict[str, str] = {}
    for topic in topics:
        name: str | None = resolve(topic, catalog.topics)
        while name:
            listing = catalog.topics.get(fold(name))
            # Articles of a private one must not become public when it is given up.
            if not (listing and listing.retired and not listing.is_private):
                found.setdefault(fold(name), name)
            parent = resolve(listing.parent, catalog.topics) if listing and listing.parent else None
            above = catalog.topics.get(fold(parent)) if parent else None
            name = parent if above and above.rollup else None
    return tuple(found.values())


def _provider_now(provider: Provider, catalog: Catalog, homes: Mapping[str, str]) -> Provider:
    name = resolve(provider.name, catalog.providers)
    if name == provider.name:
        return provider
    home = provider.domain if fold(name) == fold(provider.name) else homes.get(fold(name))
    return replace(provider, name=name, domain=provider.domain if home is None else home)


def apply_catalog(
    article: Article, catalog: Catalog, homes: Mapping[str, str], known: NamesNow | None = None
) -> Article:
    """The article with the names that its topics and provider have now, and the topics that these roll up to.

    Args:
        article: as its file says.
        catalog: what is configured.
        homes: the domains of renamed providers: a provider that changed its name and its domain is still one.
        known: what was found by this catalog before.
    """
    known = known or NamesNow()
    topics = known.topics.get(article.topics)
    if topics is None:
        topics = known.topics[article.topics] = topics_now(article.topics, catalog)
    provider = before = article.provider
    if before:
        if id(before) not in known.providers:
            known.providers[id(before)] = before, _provider_now(before, catalog, homes)
        _, provider = known.providers[id(before)]
    if topics == article.topics and provider is before:
        return article
    return replace(article, topics=topics, provider=provider)
