"""Compose: the selected articles → every feed, with its entries."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from feedsvc.articles.article import Image
from feedsvc.feeds.catalog import Catalog, Listing, apply_catalog, resolve
from feedsvc.feeds.feed import Archive, Category, Entry, Feed, Kind, Site, Source, View, latest
from feedsvc.feeds.slugs import Named, assign_slugs, slugify
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feedsvc.articles.article import Article, Provider, ProviderKey

# An empty feed has to have a date (RFC 4287 §4.1.1), the same on every run.
NO_CHANGE_YET = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Memory:
    """What composing remembers of the last time: names and slugs of all topics and providers that had a feed."""

    topics: Mapping[tuple[str], str] = field(default_factory=dict)
    topic_slugs: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    providers: Mapping[ProviderKey, str] = field(default_factory=dict)
    provider_slugs: Mapping[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Composition:
    """All feeds; the paths that lead to another path, and the retired ones, in folded form; and the memory.

    `older` are the articles that each feed has no place for, the oldest first; `view` says how much there is.
    """

    feeds: tuple[Feed, ...]
    redirects: Mapping[str, str]
    memory: Memory
    older: Mapping[str, tuple[Article, ...]]
    view: View
    retired: frozenset[str]


def compose(
    articles: tuple[Article, ...], site: Site, memory: Memory, view: View, catalog: Catalog | None = None
) -> Composition:
    """Make every feed.

    Args:
        articles: the selected articles, newest first.
        site: what all feeds share.
        memory: of the last composition; a topic or provider in it keeps its slug, and its feed when empty.
        view: how feeds show articles.
        catalog: what is configured of single topics and providers.
    """
    catalog = catalog or Catalog()
    articles = tuple(apply_catalog(article, catalog) for article in articles)
    by_topic: dict[tuple[str], list[Article]] = defaultdict(list)
    by_provider: dict[ProviderKey, list[Article]] = defaultdict(list)
    by_domain: dict[str, list[Article]] = defaultdict(list)
    topic_names: dict[tuple[str], str] = {}
    provider_names: dict[ProviderKey, str] = {}
    for article in articles:
        for topic in article.topics:
            key = (fold(topic),)
            by_topic[key].append(article)
            # Of several spellings, the first in code order: capitals stand before small letters.
            topic_names[key] = min(topic, topic_names.get(key, topic))
        provider = article.provider
        if provider and not _is_retired(provider.name, catalog.providers):
            by_provider[provider.key].append(article)
            by_domain[provider.domain].append(article)
            provider_names[provider.key] = min(provider.name, provider_names.get(provider.key, provider.name))
    memory = _remember(memory, topic_names, provider_names, catalog)
    composer = _Composer(site, memory, view)
    domains = _domains(memory.providers)
    feeds = [composer.feed("all", "All", "/feeds/all", articles, Listing("All", title=site.title))]
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
    redirects = _redirects(memory, domains, (feed.path for feed in feeds))
    old_topics = _aliases(catalog.topics, "/topics/", redirects)
    old_providers = _aliases(catalog.providers, "/providers/", redirects)
    redirects |= old_topics | old_providers
    retired = frozenset(
        f"{prefix}{place}"
        for prefix, listings in (("/topics/", catalog.topics), ("/providers/", catalog.providers))
        for key, listing in listings.items()
        if listing.retired
        for place in (key, listing.slug or slugify(listing.name))
    )
    return Composition(tuple(feeds), redirects, memory, composer.older, view, retired)


def _is_retired(name: str, listings: Mapping[str, Listing]) -> bool:
    listing = listings.get(fold(name))
    return listing is not None and listing.retired


def _aliases(listings: Mapping[str, Listing], prefix: str, redirects: Mapping[str, str]) -> dict[str, str]:
    """Where old names and the slugs that they had lead; nowhere while the new name has no feed."""
    found: dict[str, str] = {}
    for key, listing in listings.items():
        target = redirects.get(f"{prefix}{fold(resolve(listing.name, listings))}") if listing.alias else None
        if target:
            found[f"{prefix}{key}"] = found[f"{prefix}{listing.slug or slugify(listing.name)}"] = target
    return found


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
        _entry(article, feed.site, composition.memory, composition.view) for article in reversed(chosen)
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


def _remember(
    memory: Memory,
    topics: Mapping[tuple[str], str],
    providers: Mapping[ProviderKey, str],
    catalog: Catalog,
) -> Memory:
    all_topics = {**memory.topics, **topics}
    all_providers = {**memory.providers, **providers}
    topic_slugs = _configured(all_topics, catalog.topics, memory.topic_slugs)
    provider_slugs = _configured(all_providers, catalog.providers, memory.provider_slugs)
    return Memory(
        topics=all_topics,
        topic_slugs=assign_slugs({key: Named(name) for key, name in all_topics.items()}, topic_slugs),
        providers=all_providers,
        provider_slugs=assign_slugs(
            {key: Named(name, qualifier=key[1]) for key, name in all_providers.items()}, provider_slugs
        ),
    )


def _configured(
    names: Iterable[tuple[str, ...]], listings: Mapping[str, Listing], given: Mapping[tuple[str, ...], str]
) -> dict[tuple[str, ...], str]:
    """The slugs given before, and over them the configured; of several providers of one name, the first has it."""
    slugs = dict(given)
    for key in sorted(names):
        listing = listings.get(key[0])
        if listing and listing.slug and listing.slug not in slugs.values():
            slugs[key] = listing.slug
    return slugs


def _domains(providers: Iterable[ProviderKey]) -> dict[str, set[ProviderKey]]:
    """The providers of each domain.

    Only what no slug can be, a name with a dot, counts as a domain; and none that would be the address of
    another provider's feed.
    """
    domains: dict[str, set[ProviderKey]] = defaultdict(set)
    for key in providers:
        if "." in key[1] and not key[1].endswith((".atom", ".rss", ".json")):
            domains[key[1]].add(key)
    return domains


def _redirects(memory: Memory, domains: Mapping[str, set[ProviderKey]], paths: Iterable[str]) -> dict[str, str]:
    """What a path in the form that `fold` gives it leads to: a path, else a domain, else a name."""
    redirects = {path: path for path in paths}
    for domain, keys in domains.items():
        if len(keys) == 1:
            redirects[f"/providers/{domain}"] = f"/providers/{memory.provider_slugs[next(iter(keys))]}"
    for topic, slug in sorted(memory.topic_slugs.items()):
        redirects.setdefault(f"/topics/{topic[0]}", f"/topics/{slug}")
    for provider, slug in sorted(memory.provider_slugs.items()):
        redirects.setdefault(f"/providers/{provider[0]}", f"/providers/{slug}")
    return redirects


class _Composer:
    """Makes feeds; an article's entry is made once, whatever number of feeds shows it."""

    def __init__(self, site: Site, memory: Memory, view: View) -> None:
        self.site = site
        self.memory = memory
        self.view = view
        self.entries: dict[str, Entry] = {}
        self.older: dict[str, tuple[Article, ...]] = {}

    def feed(self, kind: Kind, name: str, path: str, articles: Iterable[Article], listing: Listing | None) -> Feed:
        listing = listing or Listing(name)
        articles = tuple(articles)
        entries = tuple(map(self.entry, articles[: self.view.limit]))
        self.older[path] = articles[: self.view.limit - 1 : -1]
        return Feed(
            kind=kind,
            name=name,
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
            self.entries[article.identity] = _entry(article, self.site, self.memory, self.view)
        return self.entries[article.identity]


def _entry(article: Article, site: Site, memory: Memory, view: View) -> Entry:
    provider = article.provider
    excerpt = f"<p>{html.escape(article.excerpt, quote=False)}</p>" if article.excerpt else ""
    people = [author.name for author in provider.authors] if provider else []
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
        summary=article.excerpt or ("" if article.body else article.title),
        content=(article.body if view.bodies else "") or excerpt,
        picture=article.images[0] if article.images else None,
        related=article.related if view.related else (),
        type=article.type,
        length=article.length,
        featured=article.featured,
    )


def _icon(articles: Iterable[Article]) -> Image | None:
    """The provider's icon, as its newest article that has one says."""
    return next((each.provider.icon for each in articles if each.provider and each.provider.icon), None)


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
