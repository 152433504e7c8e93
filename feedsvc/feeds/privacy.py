"""Privacy: which articles are private, and so are in the private feeds that they belong to, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from feedsvc.articles.reserved import Names, Reserved
from feedsvc.feeds.catalog import resolve, topics_now
from feedsvc.text import fold

if TYPE_CHECKING:
    from feedsvc.articles.article import Article
    from feedsvc.feeds.catalog import Catalog

# The paths of private feeds begin with this, and no other path does.
PRIVATE = "/private/"


@dataclass(frozen=True, slots=True)
class Privacy:
    """Tells by the names of an article's topics and provider, as its file or the catalog has them."""

    catalog: Catalog
    # Many articles have the same ones.
    _topics: dict[tuple[str, ...], bool] = field(default_factory=dict, compare=False, repr=False)
    _providers: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def covers(self, article: Article) -> bool:
        """Whether it is private: one private topic, also one that it rolls up to, or a private provider is enough.

        One that was given up stays private: nobody has it then.
        """
        private = self._topics.get(article.topics)
        if private is None:
            private = any(map(self.is_topic, topics_now(article.topics, self.catalog)))
            self._topics[article.topics] = private
        return private or (article.provider is not None and self.is_provider(article.provider.name))

    def reserved(self) -> Reserved:
        """The names by which a file can say that its article is private, and those by which it says otherwise."""
        topics, providers = self.catalog.topics, self.catalog.providers
        private = {name for name in topics if any(map(self.is_topic, topics_now((name,), self.catalog)))}
        brands = {name for name in providers if self.is_provider(name)}
        return Reserved(
            Names(frozenset(private), frozenset(topics.keys() - private)),
            Names(frozenset(brands), frozenset(providers.keys() - brands)),
        )

    def is_topic(self, name: str) -> bool:
        """Whether the topic of this name of now is private."""
        listing = self.catalog.topics.get(fold(name))
        return listing is not None and listing.is_private

    def is_provider(self, name: str) -> bool:
        """Whether the provider of this name is."""
        private = self._providers.get(name)
        if private is None:
            listing = self.catalog.providers.get(fold(resolve(name, self.catalog.providers)))
            private = self._providers[name] = listing is not None and listing.is_private
        return private


def privacy_of(catalog: Catalog) -> Privacy | None:
    """What is configured to be private; None where nothing is."""
    listings = (*catalog.topics.values(), *catalog.providers.values())
    return Privacy(catalog) if any(each.is_private for each in listings) else None


def is_private(path: str) -> bool:
    """Whether this is the path of a private feed, or of a document of one."""
    return path.startswith(PRIVATE)
