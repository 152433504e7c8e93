"""Entries: an article as feeds show it."""

from __future__ import annotations

import html
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from feedsvc.feeds.feed import Category, Entry, Site, Source, View
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from feedsvc.articles.article import Article, Provider
    from feedsvc.feeds.addresses import Memory

MAX_RELATED = 5


def make_entry(article: Article, site: Site, memory: Memory, view: View, hidden: Collection[str]) -> Entry:
    """An entry, the same in every feed.

    Args:
        article: a selected one.
        site: what all feeds share.
        memory: knows the slugs of the article's topics.
        view: how feeds show articles.
        hidden: the addresses of the articles that are held back here: no entry may lead to them.
    """
    provider = article.provider
    excerpt = f"<p>{html.escape(article.excerpt, quote=False)}</p>" if article.excerpt else ""
    body = article.body if view.bodies else ""
    people = [author.name for author in provider.authors] if provider else []
    related = (
        each.link
        for each in article.related
        if view.related and not any(address in hidden for address in each.addresses)
    )
    return Entry(
        id=article.id,
        title=article.title,
        url=article.url,
        published=article.published_at,
        # Nothing was updated before it was published, whatever a file says.
        updated=max(article.published_at, article.updated_at or article.published_at),
        authors=tuple(dict.fromkeys([provider.name, *people])) if provider else (site.title,),
        source=_source(provider, site),
        categories=tuple(_categories(article.topics, site, memory)),
        # With nothing else to read, a reader shows the title.
        summary=article.excerpt or ("" if body else article.title),
        content=body or excerpt,
        picture=article.images[0] if article.images else None,
        related=tuple(islice(related, MAX_RELATED)),
        type=article.type,
        length=article.length,
        featured=article.featured,
        amp=article.amp_url,
    )


def _categories(topics: Iterable[str], site: Site, memory: Memory) -> Iterable[Category]:
    for topic in topics:
        key = (fold(topic),)
        yield Category(memory.topics[key], f"{site.base_url}/topics/{memory.topic_slugs[key]}")


def _source(provider: Provider | None, site: Site) -> Source | None:
    """An entry is aggregated where its provider has a domain that is not ours."""
    if provider is None or provider.domain in {"", urlsplit(site.base_url).hostname}:
        return None
    url = f"https://{provider.domain}/"
    return Source(id=uuid5(NAMESPACE_URL, url).urn, title=provider.name, url=url)
