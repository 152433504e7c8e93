"""Groups: which feeds there are, and which of the selected articles each is of.

After an edit, only the groups of the articles that changed are made anew; all others are those of the last time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from feedsvc.feeds.addresses import domains_of, remember
from feedsvc.feeds.catalog import Catalog, Listing, NamesNow, apply_catalog, only_domains
from feedsvc.feeds.differences import Difference, difference_of
from feedsvc.feeds.privacy import PRIVATE, privacy_of
from feedsvc.feeds.selection import exchange
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from feedsvc.articles.article import Article, Provider, ProviderKey
    from feedsvc.feeds.feed import Kind
    from feedsvc.feeds.memory import Memory
    from feedsvc.feeds.selection import Selection

# A topic's or a provider's key, or a domain; before it, where it is one for all groups, the kind.
Key: TypeAlias = tuple[str, ...]
_Place = TypeVar("_Place")


@dataclass(frozen=True, slots=True)
class Group:
    """All selected articles of one feed, newest first; `listing` is what is configured of it.

    `key` tells those of a kind apart.
    """

    kind: Kind
    key: Key
    name: str
    path: str
    articles: tuple[Article, ...]
    listing: Listing

    @property
    def is_private(self) -> bool:
        """Whether it is of private articles."""
        return self.listing.is_private


@dataclass(frozen=True, slots=True)
class Grouping:
    """Every group, that of all articles first; the memory with all their names and slugs; what both came from.

    `members` are the articles by what groups are made by. `difference` is what is different from the last
    grouping, where both have the same groups.
    """

    groups: tuple[Group, ...]
    memory: Memory
    selection: Selection
    catalog: Catalog
    domains: Mapping[str, set[ProviderKey]]
    homes: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[Key, tuple[Article, ...]] = field(default_factory=dict)
    difference: Difference | None = None


def group(selection: Selection, memory: Memory, catalog: Catalog, last: Grouping | None = None) -> Grouping:
    """Find every feed's articles.

    Args:
        selection: the articles, newest first.
        memory: of the last time; a topic or provider in it keeps its slug, and its feed when empty.
        catalog: what is configured of single topics and providers.
        last: the last grouping, whose groups are taken over where they are the same.
    """
    homes = only_domains(_public(selection.articles, catalog), catalog.providers)
    difference = _difference(selection, memory, catalog, homes, last) if last else None
    known = NamesNow()
    if last and difference:
        came = _members((apply_catalog(each, catalog, homes, known) for each in difference.came), catalog)
        gone = _members((apply_catalog(each, catalog, homes, known) for each in difference.gone), catalog)
        members, touched = _updated(last.members, came, gone)
    else:
        now = (apply_catalog(each, catalog, homes, known) for each in selection.articles)
        members = touched = _members(now, catalog)
    memory = _remember(memory, touched, catalog)
    domains = domains_of(key for key in memory.providers if _is_public(key[0], catalog.providers))
    before = {each.path: each for each in last.groups} if last else {}
    groups = tuple(_taken_over(each, before) for each in _groups(members, memory, domains, catalog))
    if last and before.keys() != {each.path for each in groups}:
        difference = None
    return Grouping(groups, memory, selection, catalog, domains, homes, members, difference)


def _groups(
    members: Mapping[Key, tuple[Article, ...]],
    memory: Memory,
    domains: Mapping[str, set[ProviderKey]],
    catalog: Catalog,
) -> Iterator[Group]:
    def made(kind: Kind, key: Key, name: str, path: str, listing: Listing | None = None) -> Group:
        return Group(kind, key, name, path, members.get((kind, *key), ()), listing or Listing(name))

    yield made("all", (), "All articles", "/feeds/all")
    for topic, name in sorted(memory.topics.items()):
        if not _is_gone(topic[0], catalog.topics):
            listing = catalog.topics.get(topic[0])
            path = f"topics/{memory.topic_slugs[topic]}"
            yield made("topic", topic, name, _place_of(listing) + path, listing)
    for provider, name in sorted(memory.providers.items()):
        if not _is_gone(provider[0], catalog.providers):
            listing = catalog.providers.get(provider[0])
            path = f"providers/{memory.provider_slugs[provider]}"
            yield made("provider", provider, name, _place_of(listing) + path, listing)
    for domain, keys in sorted(domains.items()):
        if len(keys) > 1:
            yield made("domain", (domain,), domain, f"/providers/{domain}")


def _place_of(listing: Listing | None) -> str:
    """What the path of its feed begins with."""
    return PRIVATE if listing and listing.is_private else "/"


def _taken_over(made: Group, before: Mapping[str, Group]) -> Group:
    """The very group of the last time, where it is the same."""
    last = before.get(made.path)
    if last is None or last.articles is not made.articles:
        return made
    return last if last == made else made


def _difference(
    selection: Selection, memory: Memory, catalog: Catalog, homes: Mapping[str, str], last: Grouping
) -> Difference | None:
    """What changed since the last grouping; None where that was made of other things, or of too many others."""
    same_names = memory.topics is last.memory.topics and memory.providers is last.memory.providers
    if not same_names or memory.former is not last.memory.former or (catalog, homes) != (last.catalog, last.homes):
        return None
    # Both are in the same order, and hold the same objects where nothing has changed.
    difference = difference_of(last.selection.articles, selection.articles)
    return difference if difference.is_small(len(selection.articles)) else None


class _Sorter(Generic[_Place]):
    """Finds where articles belong by their topics and providers, each of which many articles share."""

    def __init__(self, catalog: Catalog, place: Callable[[Iterable[Key]], tuple[_Place, ...]]) -> None:
        self._listings = catalog.providers
        self._privacy = privacy_of(catalog)
        self._place = place
        self._all = place([("all",)])
        self._topics: dict[tuple[str, ...], tuple[_Place, ...]] = {}
        # By the identity of the object, which is here as well lest another take that.
        self._providers: dict[int, tuple[Provider, tuple[_Place, ...]]] = {}

    def places(self, article: Article) -> tuple[_Place, ...]:
        """The places of the kinds and keys that an article has: of all, its topics, its provider, the domain.

        A private one has those of its private topics and provider alone.
        """
        if self.is_private(article):
            return self._place(self._private_keys(article))
        topics = self._topics.get(article.topics)
        if topics is None:
            topics = self._place([("topic", fold(topic)) for topic in article.topics])
            self._topics[article.topics] = topics
        provider = article.provider
        if provider is None:
            return self._all + topics
        known = self._providers.get(id(provider))
        if known is None:
            known = self._providers[id(provider)] = provider, self._place(self._keys(provider))
        return self._all + topics + known[1]

    def is_private(self, article: Article) -> bool:
        """Whether an article is private."""
        return self._privacy is not None and self._privacy.covers(article)

    def _private_keys(self, article: Article) -> Iterator[Key]:
        privacy, provider = self._privacy, article.provider
        if privacy is None:
            return
        yield from (("topic", fold(topic)) for topic in article.topics if privacy.is_topic(topic))
        if provider and privacy.is_provider(provider.name):
            yield "provider", *provider.key

    def _keys(self, provider: Provider) -> list[Key]:
        if _is_gone(fold(provider.name), self._listings):
            return []
        return [("provider", *provider.key), ("domain", provider.domain)]


def _members(articles: Iterable[Article], catalog: Catalog) -> dict[Key, tuple[Article, ...]]:
    found: dict[Key, list[Article]] = defaultdict(list)
    sorter = _Sorter(catalog, lambda keys: tuple(found[key] for key in keys))
    for article in articles:
        for those in sorter.places(article):
            those.append(article)
    return {key: tuple(those) for key, those in found.items() if those}


def _updated(
    members: Mapping[Key, tuple[Article, ...]],
    came: Mapping[Key, tuple[Article, ...]],
    gone: Mapping[Key, tuple[Article, ...]],
) -> tuple[dict[Key, tuple[Article, ...]], dict[Key, tuple[Article, ...]]]:
    """The members after some came and others went, and those groups of them that this touched."""
    touched = {
        key: exchange(members.get(key, ()), Difference(came.get(key, ()), gone.get(key, ())))
        for key in {**came, **gone}
    }
    return {key: those for key, those in {**members, **touched}.items() if those}, touched


def _public(articles: Iterable[Article], catalog: Catalog) -> Iterable[Article]:
    """Those that are not private."""
    privacy = privacy_of(catalog)
    return (each for each in articles if not privacy.covers(each)) if privacy else articles


def _remember(memory: Memory, touched: Mapping[Key, tuple[Article, ...]], catalog: Catalog) -> Memory:
    """The memory with the names of these groups; the very same where it has them already."""
    topics = {}
    providers = {}
    for (kind, *key), articles in touched.items():
        if kind == "topic" and articles:
            last = memory.topics.get((key[0],))
            topics[key[0],] = _spelling(key[0], last, articles, attrgetter("topics"))
        elif kind == "provider" and articles:
            last = memory.providers.get((key[0], key[1]))
            providers[key[0], key[1]] = _spelling(key[0], last, articles, _provider_names)
    after = remember(memory, topics, providers, catalog)
    return memory if after == memory else after


def _provider_names(article: Article) -> tuple[str, ...]:
    return (article.provider.name,) if article.provider else ()


def _spelling(
    key: str,
    last: str | None,
    articles: Sequence[Article],
    names: Callable[[Article], tuple[str, ...]],
) -> str:
    """The last one as long as it is in use, else that of the oldest article, which full archives show."""
    if last and any(last in names(each) for each in articles):
        return last
    return next(name for each in reversed(articles) for name in names(each) if fold(name) == key)


def _is_gone(key: str, listings: Mapping[str, Listing]) -> bool:
    """Whether a name that had a feed once was given up since, or is called otherwise."""
    listing = listings.get(key)
    return listing is not None and (listing.retired or listing.alias is not None)


def _is_public(key: str, listings: Mapping[str, Listing]) -> bool:
    """Whether a name has a feed for everybody."""
    return not _is_gone(key, listings) and not (key in listings and listings[key].is_private)


def places_of(grouping: Grouping) -> dict[str, tuple[str, ...]]:
    """The paths of the feeds that articles are in, by their identity: of those that came, or else of all.

    A private article that is in no feed is at the one place that says so.
    """
    paths = {(each.kind, *each.key): (place, each.path) for place, each in enumerate(grouping.groups)}

    def found(keys: Iterable[Key]) -> tuple[str, ...]:
        return tuple(path for _, path in sorted(paths[key] for key in keys if key in paths))

    catalog, homes = grouping.catalog, grouping.homes
    difference = grouping.difference
    known = NamesNow()
    sorter = _Sorter(catalog, found)
    # Most articles share theirs with many others.
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    places = {}
    for article in difference.came if difference else grouping.selection.articles:
        # Groups are in this order too: all, topics, providers, domains.
        applied = apply_catalog(article, catalog, homes, known)
        where = sorter.places(applied) or ((PRIVATE,) if sorter.is_private(applied) else ())
        places[article.identity] = shared.setdefault(where, where)
    return places
