"""Compose: the selected articles → every feed, with its entries."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from feedsvc.articles.article import Image
from feedsvc.feeds.addresses import Memory, domains_of, redirects_of, remember, retired_of
from feedsvc.feeds.catalog import Catalog, Listing, apply_catalog, only_domains
from feedsvc.feeds.entries import make_entry
from feedsvc.feeds.feed import Archive, Entry, Feed, Kind, Site, View, latest
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from feedsvc.articles.article import Article, ProviderKey
    from feedsvc.feeds.selection import Selection

# An empty feed has to have a date (RFC 4287 §4.1.1), the same on every run.
NO_CHANGE_YET = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Composition:
    """All feeds; the paths that lead to another path, and the retired ones, in folded form; and the memory.

    `older` are the articles that each feed has no place for, the oldest first; `view` says how much there is.
    `hidden` are the addresses of what is held back.
    """

    feeds: tuple[Feed, ...]
    redirects: Mapping[str, str]
    memory: Memory
    older: Mapping[str, tuple[Article, ...]]
    view: View
    retired: frozenset[str]
    hidden: Collection[str]


def compose(
    selection: Selection, site: Site, memory: Memory, view: View, catalog: Catalog | None = None
) -> Composition:
    """Make every feed.

    Args:
        selection: the articles, newest first. No related coverage leads to what is held back.
        site: what all feeds share.
        memory: of the last composition; a topic or provider in it keeps its slug, and its feed when empty.
        view: how feeds show articles.
        catalog: what is configured of single topics and providers.
    """
    catalog = catalog or Catalog()
    homes = only_domains(selection.articles, catalog.providers)
    articles = tuple(apply_catalog(article, catalog, homes) for article in selection.articles)
    by_topic: dict[tuple[str], list[Article]] = defaultdict(list)
    by_provider: dict[ProviderKey, list[Article]] = defaultdict(list)
    by_domain: dict[str, list[Article]] = defaultdict(list)
    topic_names: dict[tuple[str], str] = {}
    provider_names: dict[ProviderKey, str] = {}
    for article in articles:
        for topic in article.topics:
            key = (fold(topic),)
            by_topic[key].append(article)
            # Of several spellings, that of the oldest article: no new one can change what stands in an archive.
            topic_names[key] = topic
        provider = article.provider
        if provider and not _is_retired(provider.name, catalog.providers):
            by_provider[provider.key].append(article)
            by_domain[provider.domain].append(article)
            provider_names[provider.key] = provider.name
    memory = remember(memory, topic_names, provider_names, catalog)
    composer = _Composer(site, memory, view, selection.hidden)
    domains = domains_of(memory.providers)
    feeds = [
        composer.feed("all", "All articles", "/feeds/all", articles, Listing("All articles", title=site.title))
    ]
    for topic_key, name in sorted(memory.topics.items()):
        listing = catalog.topics.get(topic_key[0])
        feeds.append(
            composer.feed("topic", name, f"/topics/{memory.topic_slugs[topic_key]}", by_topic[topic_key], listing)
        )
    for provider_key, name in sorted(memory.providers.items()):
        path = f"/providers/{memory.provider_slugs[provider_key]}"
        listing = catalog.providers.get(provider_key[0])
        feeds.append(composer.feed("provider", name, path, by_provider[provider_key], listing))
    feeds.extend(
        composer.feed("domain", domain, f"/providers/{domain}", by_domain[domain], None)
        for domain, keys in sorted(domains.items())
        if len(keys) > 1
    )
    redirects = redirects_of(memory, domains, catalog, (feed.path for feed in feeds))
    retired = retired_of(catalog, redirects)
    return Composition(tuple(feeds), redirects, memory, composer.older, view, retired, selection.hidden)


def _is_retired(name: str, listings: Mapping[str, Listing]) -> bool:
    listing = listings.get(fold(name))
    return listing is not None and listing.retired


def compose_archive(composition: Composition, feed: Feed, number: int) -> Feed | None:
    """One archive document of a feed, or None where there is none of this number.

    Documents are counted from the oldest and hold as many entries as the feed, so that a full one does not change
    when articles are added (RFC 5005 §4). The one after the last full one is always there, empty if need be: a
    full one names it as its next, and must not have to change for that.
    """
    older, limit = composition.older[feed.path], composition.view.limit
    if not 1 <= number <= len(older) // limit + 1 or not older:
        return None
    chosen = older[(number - 1) * limit : number * limit]
    entries = tuple(
        make_entry(article, feed.site, composition.memory, composition.view, composition.hidden)
        for article in reversed(chosen)
    )
    return replace(
        feed,
        updated=latest(entries, NO_CHANGE_YET),
        entries=entries,
        archive=Archive(number, full=len(entries) == limit),
        # What changes when articles are added must not be in an archive document.
        archives=0,
        total=len(entries),
        icon=None,
    )


class _Composer:
    """Makes feeds; an article's entry is made once, whatever number of feeds shows it."""

    def __init__(self, site: Site, memory: Memory, view: View, hidden: Collection[str]) -> None:
        self.site = site
        self.memory = memory
        self.view = view
        self.hidden = hidden
        self.entries: dict[str, Entry] = {}
        self.older: dict[str, tuple[Article, ...]] = {}

    def feed(self, kind: Kind, name: str, path: str, articles: Iterable[Article], listing: Listing | None) -> Feed:
        listing = listing or Listing(name)
        articles = tuple(articles)
        entries = tuple(map(self.entry, articles[: self.view.limit]))
        self.older[path] = articles[: self.view.limit - 1 : -1]
        return Feed(
            kind=kind,
            name=name if kind == "all" else listing.title or name,
            path=path,
            id=uuid5(NAMESPACE_URL, f"{self.site.id}{path}").urn,
            title=listing.title or self.words(self.view.title, name),
            description=listing.description
            or (self.site.description if kind == "all" else self.words(self.view.description, name)),
            updated=latest(entries, NO_CHANGE_YET),
            entries=entries,
            total=len(articles),
            site=self.site,
            icon=Image(listing.icon) if listing.icon else _icon(articles) if kind == "provider" else None,
            language=listing.language or self.site.language,
            archives=-(-len(self.older[path]) // self.view.limit),
        )

    def words(self, template: str, name: str) -> str:
        """A template of the configuration, filled in. Plain replacement: a name may hold braces."""
        values = {"{name}": name, "{site}": self.site.title, "{about}": self.site.description}
        return re.sub(r"\{(name|site|about)\}", lambda match: values[match[0]], template)

    def entry(self, article: Article) -> Entry:
        if article.identity not in self.entries:
            self.entries[article.identity] = make_entry(article, self.site, self.memory, self.view, self.hidden)
        return self.entries[article.identity]


def _icon(articles: Iterable[Article]) -> Image | None:
    """The provider's icon, as its newest article that has one says."""
    return next((each.provider.icon for each in articles if each.provider and each.provider.icon), None)
