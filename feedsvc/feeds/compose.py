"""Compose: the articles of every feed → the feed, with its entries."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from feedsvc.articles.article import Image
from feedsvc.feeds.addresses import redirects_of, retired_of
from feedsvc.feeds.differences import differing
from feedsvc.feeds.entries import Showings
from feedsvc.feeds.feed import Archive, Feed, Site, View, latest
from feedsvc.feeds.privacy import privacy_of
from feedsvc.feeds.rolls import Cut, call_roll, cut
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feedsvc.articles.article import Article
    from feedsvc.feeds.groups import Group, Grouping
    from feedsvc.feeds.memory import Memory, Roll

# An empty feed has to have a date (RFC 4287 §4.1.1), the same on every run.
NO_CHANGE_YET = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Composition:
    """All public feeds; the paths that lead to another path, and the retired ones, in folded form; and the memory.

    `groups` are the articles of each feed, newest first; `archives` those of each of its archive documents, the
    oldest document first. `hidden` are the addresses of what is held back or private. `changes` is the feed of
    what happened, where there is one; it comes as Atom alone. `told_at` is when the last of it was. `private` are
    the private feeds, which nothing else here knows.
    """

    feeds: tuple[Feed, ...]
    redirects: Mapping[str, str]
    memory: Memory
    groups: Mapping[str, tuple[Article, ...]]
    archives: Mapping[str, tuple[tuple[Article, ...], ...]]
    site: Site
    view: View
    retired: frozenset[str]
    hidden: frozenset[str]
    grouping: Grouping
    changes: Feed | None = None
    told_at: datetime | None = None
    private: tuple[Feed, ...] = ()


def compose(
    grouping: Grouping, site: Site, memory: Memory, view: View, last: Composition | None = None
) -> Composition:
    """Make every feed.

    Args:
        grouping: every feed's articles. No related coverage leads to what is held back.
        site: what all feeds share.
        memory: that of the grouping, after it has seen the articles.
        view: how feeds show articles.
        last: the last composition, whose feeds are taken over where they are made of the same.
    """
    composer = _Composer(site, memory, view, grouping, last)
    kept = _kept(last, grouping, site, memory, view) if last else {}
    made = [(each, kept.get(each.path) or composer.feed(each)) for each in grouping.groups]
    feeds = tuple(feed for each, feed in made if not each.is_private)
    redirects = redirects_of(memory, grouping.domains, grouping.catalog, (feed.path for feed in feeds))
    archives = {path: last.archives[path] for path in kept if path in last.archives} if last else {}
    return Composition(
        feeds,
        redirects,
        replace(memory, rolls={**memory.rolls, **composer.rolls}),
        {each.path: each.articles for each in grouping.groups if not each.is_private},
        {**archives, **composer.archives},
        site,
        view,
        retired_of(grouping.catalog, memory, redirects),
        grouping.selection.hidden,
        grouping,
        private=tuple(feed for each, feed in made if each.is_private),
    )


def _kept(last: Composition, grouping: Grouping, site: Site, memory: Memory, view: View) -> dict[str, Feed]:
    """The feeds that are made of the very same as the last time, by their paths."""
    before = last.memory
    names = (before.topics, before.topic_slugs) == (memory.topics, memory.topic_slugs)
    if not names or (site, view) != (last.site, last.view):
        return {}
    # The feeds, of before and of now, of every article of which something new is remembered.
    moved = {
        path
        for identity in differing(before.sightings, memory.sightings)
        for seen in (before.sightings.get(identity), memory.sightings.get(identity))
        if seen
        for path in seen.places
    }
    feeds = {feed.path: feed for feed in (*last.feeds, *last.private)}
    groups = {each.path: each for each in last.grouping.groups}
    return {
        each.path: feeds[each.path]
        for each in grouping.groups
        if each.path not in moved
        and groups.get(each.path) is each
        and memory.rolls.get(each.path) is before.rolls.get(each.path)
    }


def compose_archive(composition: Composition, feed: Feed, number: int) -> Feed | None:
    """One archive document of a feed, or None where there is none of this number.

    A full one does not change when articles are added (RFC 5005 §4). The one after the last full one is always
    there, empty if need be: a full one names it as its next, and must not have to change for that.
    """
    archives = composition.archives[feed.path]
    if not 1 <= number <= len(archives):
        return None
    showings = Showings(feed.site, composition.memory, composition.view, composition.hidden)
    recipes = tuple(map(showings.of, archives[number - 1]))
    return replace(
        feed,
        updated=latest(recipes, NO_CHANGE_YET),
        recipes=recipes,
        archive=Archive(number, full=number < len(archives)),
        # What changes when articles are added must not be in an archive document.
        archives=0,
        total=len(recipes),
        icon=None,
        departed=(),
    )


class _Composer:
    """Makes feeds."""

    def __init__(
        self, site: Site, memory: Memory, view: View, grouping: Grouping, last: Composition | None
    ) -> None:
        self.site = site
        self.memory = memory
        self.view = view
        self.privacy = privacy_of(grouping.catalog)
        self.showings = Showings(site, memory, view, grouping.selection.hidden)
        self.at = grouping.selection.at
        difference = grouping.difference
        # Documents of archives are taken over where it is known what is not the same.
        self.last = last if last and difference and last.view == view else None
        self.touched = {each.identity for each in (*difference.came, *difference.gone)} if difference else set()
        self.rolls: dict[str, Roll] = {}
        self.archives: dict[str, tuple[tuple[Article, ...], ...]] = {}

    def feed(self, group: Group) -> Feed:
        kind, name, path, listing = group.kind, group.name, group.path, group.listing
        last = self.memory.rolls.get(path)
        made = self.cut(group)
        recipes = tuple(map(self.showings.of, made.shown))
        roll = self.rolls[path] = call_roll(last, recipes, made, self.view.limit, self.at)
        changed_at = latest(recipes, NO_CHANGE_YET)
        title = self.site.title if kind == "all" else self.words(self.view.title, name)
        about = self.site.description if kind == "all" else self.words(self.view.description, name)
        return Feed(
            kind=kind,
            name=listing.title or name,
            path=path,
            id=uuid5(NAMESPACE_URL, f"{self.site.id}{path}").urn,
            title=listing.title or title,
            description=listing.description or about,
            # An article that comes with an old date, or goes, changes the feed as well.
            updated=max(changed_at, roll.moved_at or changed_at),
            recipes=recipes,
            total=len(group.articles),
            site=self.site,
            icon=Image(listing.icon) if listing.icon else _icon(group.articles) if kind == "provider" else None,
            language=listing.language or self.site.language,
            # The last one may be empty.
            archives=len(made.archives) - (not made.archives[-1]) if made.archives else 0,
            departed=roll.departed if self.view.tombstones else (),
            page=f"{self.site.base_url}/" if group.is_private else None,
        )

    def cut(self, group: Group) -> Cut:
        """What a feed shows, and its archive documents; a private one has none."""
        articles = self.in_order(group.articles)
        if group.is_private:
            return Cut(tuple(map(self.without_names, articles[: self.view.limit])), (), ())
        made = cut(
            articles,
            self.view.limit,
            self.memory.rolls.get(group.path),
            self.memory.sightings,
            last=self.last_cut(group.path),
            touched=self.touched,
        )
        self.archives[group.path] = made.archives
        return made

    def without_names(self, article: Article) -> Article:
        """A private article with the topics that everybody knows: who may read one need not know of others."""
        known = self.memory.topics
        shown = tuple(
            topic
            for topic in article.topics
            if (fold(topic),) in known and not (self.privacy and self.privacy.is_topic(topic))
        )
        return replace(article, topics=shown)

    def last_cut(self, path: str) -> Cut | None:
        """How the feed was cut last, where that is of use."""
        if self.last is None:
            return None
        archived = self.last.memory.rolls[path].archived
        return Cut((), self.last.archives[path], archived)

    def in_order(self, articles: tuple[Article, ...]) -> Sequence[Article]:
        """As feeds show them: by date, as they are, or by when they came."""
        if self.view.order == "published":
            return articles
        sightings = self.memory.sightings
        return sorted(articles, key=lambda article: sightings[article.identity].first_seen, reverse=True)

    def words(self, template: str, name: str) -> str:
        """A template of the configuration, filled in. Plain replacement: a name may hold braces."""
        values = {"{name}": name, "{site}": self.site.title, "{about}": self.site.description}
        return re.sub(r"\{(name|site|about)\}", lambda match: values[match[0]], template)


def _icon(articles: Iterable[Article]) -> Image | None:
    """The provider's icon, as its newest article that has one says."""
    return next((each.provider.icon for each in articles if each.provider and each.provider.icon), None)
