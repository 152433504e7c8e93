"""Entries: an article as feeds show it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from feedsvc.articles.article import covering
from feedsvc.feeds.feed import MAX_RELATED, Category, Entry, Source
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from feedsvc.articles.article import Article, Details, Link, Provider
    from feedsvc.feeds.feed import Site, View
    from feedsvc.feeds.memory import Memory


# Of which there would be as many as there are entries.
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """An article as feeds show it: the recipe of an entry, which is the same in every feed.

    `withheld` are the addresses, of those that its related coverage names, which no entry may lead to.
    """

    article: Article
    site: Site
    view: View
    updated: datetime
    categories: tuple[Category, ...]
    withheld: frozenset[str] = _NOTHING

    @property
    def id(self) -> str:
        """The entry's id."""
        return self.article.id

    @property
    def published(self) -> datetime:
        """When the article was published."""
        return self.article.published_at

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Showing) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self.article.identity)

    def __repr__(self) -> str:
        return repr(self._parts())

    def _parts(self) -> tuple[object, ...]:
        """All that the entry is made of; and more, of what is packed with it."""
        article, site, view = self.article, self.site, self.view
        of_article = (article.identity, article.title, article.url, article.published_at, article.type)
        around = (self.updated, self.categories, sorted(self.withheld), site.title, site.base_url)
        return (*of_article, article.provider, article.packed, *around, view.bodies, view.related)

    def make(self) -> Entry:
        """Make the entry."""
        article, site, view = self.article, self.site, self.view
        provider, details = article.provider, article.details
        excerpt = f"<p>{html.escape(details.excerpt, quote=False)}</p>" if details.excerpt else ""
        body = details.body if view.bodies else ""
        people = [author.name for author in provider.authors] if provider else []
        return Entry(
            id=article.id,
            title=article.title,
            url=article.url,
            published=article.published_at,
            updated=self.updated,
            authors=tuple(dict.fromkeys([provider.name, *people])) if provider else (site.title,),
            source=_source(provider, site),
            categories=self.categories,
            # With nothing else to read, a reader shows the title.
            summary=details.excerpt or ("" if body else article.title),
            content=body or excerpt,
            picture=details.images[0] if details.images else None,
            related=shown_coverage(details, self.withheld) if view.related else (),
            type=article.type,
            length=details.length,
            featured=details.featured,
            amp=details.amp_url,
        )


class Showings:
    """Makes the recipes of articles, each once, whatever number of feeds shows it."""

    def __init__(self, site: Site, memory: Memory, view: View, hidden: Collection[str]) -> None:
        """Of what all have in common.

        Args:
            site: what all feeds share.
            memory: knows the slugs of the articles' topics, and when they last changed.
            view: how feeds show articles.
            hidden: the addresses of the articles that are held back here: no entry may lead to them.
        """
        self._site, self._memory, self._view, self._hidden = site, memory, view, hidden
        self._covers = covering(hidden)
        self._made: dict[str, Showing] = {}
        # Most articles share theirs with many others.
        self._categories: dict[tuple[str, ...], tuple[Category, ...]] = {}

    def of(self, article: Article) -> Showing:
        """That of a selected article."""
        made = self._made.get(article.identity)
        if made is None:
            made = self._made[article.identity] = Showing(
                article,
                self._site,
                self._view,
                _updated(article, self._memory),
                self._categories_of(article.topics),
                self._withheld(article),
            )
        return made

    def _withheld(self, article: Article) -> frozenset[str]:
        if not self._covers(article):
            return _NOTHING
        named = (address for each in article.details.related for address in each.addresses)
        return frozenset(address for address in named if address in self._hidden)

    def _categories_of(self, topics: tuple[str, ...]) -> tuple[Category, ...]:
        made = self._categories.get(topics)
        if made is None:
            made = self._categories[topics] = tuple([self._category(fold(topic)) for topic in topics])
        return made

    def _category(self, topic: str) -> Category:
        slug = self._memory.topic_slugs[topic,]
        return Category(self._memory.topics[topic,], f"{self._site.base_url}/topics/{slug}")


def shown_coverage(details: Details, hidden: Collection[str]) -> tuple[Link, ...]:
    """The best of an article's related coverage that does not lead to what is held back."""
    if not hidden:
        return tuple([each.link for each in details.related[:MAX_RELATED]])
    free = (each.link for each in details.related if not any(address in hidden for address in each.addresses))
    return tuple(islice(free, MAX_RELATED))


def _updated(article: Article, memory: Memory) -> datetime:
    """What the article says, else when it last changed for a reader; never before it was published."""
    sighting = memory.sightings.get(article.identity)
    said = article.updated_at or (sighting.changed_at if sighting else None)
    return max(article.published_at, said or article.published_at)


def _source(provider: Provider | None, site: Site) -> Source | None:
    """An entry is aggregated where its provider has a domain that is not ours."""
    return _source_at(provider.domain, provider.name, site.base_url) if provider else None


# Most articles share theirs with many others.
@lru_cache(maxsize=4096)
def _source_at(domain: str, name: str, base_url: str) -> Source | None:
    if domain in {"", urlsplit(base_url).hostname}:
        return None
    url = f"https://{domain}/"
    return Source(id=uuid5(NAMESPACE_URL, url).urn, title=name, url=url)
