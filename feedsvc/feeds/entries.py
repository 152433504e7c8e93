"""Entries: an article as feeds show it."""

from __future__ import annotations

import html
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from feedsvc.feeds.feed import MAX_RELATED, Category, Entry, Site, Source, View
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from feedsvc.articles.article import Article, Details, Link, Provider
    from feedsvc.feeds.memory import Memory


def make_entry(article: Article, site: Site, memory: Memory, view: View, hidden: Collection[str]) -> Entry:
    """An entry, the same in every feed.

    Args:
        article: a selected one.
        site: what all feeds share.
        memory: knows the slugs of the article's topics, and when it last changed.
        view: how feeds show articles.
        hidden: the addresses of the articles that are held back here: no entry may lead to them.
    """
    provider, details = article.provider, article.details
    excerpt = f"<p>{html.escape(details.excerpt, quote=False)}</p>" if details.excerpt else ""
    body = details.body if view.bodies else ""
    people = [author.name for author in provider.authors] if provider else []
    return Entry(
        id=article.id,
        title=article.title,
        url=article.url,
        published=article.published_at,
        updated=_updated(article, memory),
        authors=tuple(dict.fromkeys([provider.name, *people])) if provider else (site.title,),
        source=_source(provider, site),
        categories=tuple(_categories(article.topics, site, memory)),
        # With nothing else to read, a reader shows the title.
        summary=details.excerpt or ("" if body else article.title),
        content=body or excerpt,
        picture=details.images[0] if details.images else None,
        related=shown_coverage(details, hidden) if view.related else (),
        type=article.type,
        length=details.length,
        featured=details.featured,
        amp=details.amp_url,
    )


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


def _categories(topics: Iterable[str], site: Site, memory: Memory) -> Iterable[Category]:
    for topic in topics:
        key = (fold(topic),)
        yield Category(memory.topics[key], f"{site.base_url}/topics/{memory.topic_slugs[key]}")


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
