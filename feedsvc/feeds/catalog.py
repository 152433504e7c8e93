"""The catalog: what the configuration says of single topics and providers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feedsvc.articles.article import Article


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


def apply_catalog(article: Article, catalog: Catalog) -> Article:
    """The article with the names that its topics and provider have now, and the topics that these roll up to."""
    topics: dict[str, str] = {}
    for topic in article.topics:
        name: str | None = resolve(topic, catalog.topics)
        while name:
            listing = catalog.topics.get(fold(name))
            if not (listing and listing.retired):
                topics.setdefault(fold(name), name)
            parent = resolve(listing.parent, catalog.topics) if listing and listing.parent else None
            above = catalog.topics.get(fold(parent)) if parent else None
            name = parent if above and above.rollup else None
    provider = article.provider
    if provider:
        provider = replace(provider, name=resolve(provider.name, catalog.providers))
    if tuple(topics.values()) == article.topics and provider == article.provider:
        return article
    return replace(article, topics=tuple(topics.values()), provider=provider)
