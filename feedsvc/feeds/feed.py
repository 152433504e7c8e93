"""What a reader sees: feeds and their entries, with every field that reaches a document, and no other.

Two equal feeds make the same documents; a field of an article that is not here cannot change one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from feedsvc.feeds.privacy import is_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from feedsvc.articles.article import Image, Link
    from feedsvc.feeds.memory import Departure

# Between the path of a feed and the number of an archive document of it.
ARCHIVE = "/archive/"
# The same for a page of a document that would be too large in one; the first has none.
PART = "/part/"

# How much related coverage an entry names.
MAX_RELATED = 5

Kind: TypeAlias = Literal["all", "topic", "provider", "domain"]


@dataclass(frozen=True, slots=True)
class Category:
    """A topic, and the page of its feed."""

    term: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry was first published (RFC 4287 §4.2.11)."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as a feed shows it. `summary` is text, `content` is HTML; both may be "".

    `type` is what the publisher calls it (article, video, course), `length` an ISO 8601 duration, `featured` the
    page where what the article embeds is played, `amp` its page in the AMP form.
    """

    id: str
    title: str
    url: str
    published: datetime
    updated: datetime
    authors: tuple[str, ...]
    source: Source | None
    categories: tuple[Category, ...]
    summary: str
    content: str
    picture: Image | None
    related: tuple[Link, ...]
    type: str = ""
    length: str = ""
    featured: str | None = None
    amp: str | None = None

    def make(self) -> Entry:
        """An entry is a recipe too, of itself."""
        return self


class Recipe(Protocol):
    """What an entry is made of: a fraction of it, which feeds hold in its place. Equal ones make equal entries."""

    @property
    def id(self) -> str:
        """That of the entry."""

    @property
    def published(self) -> datetime:
        """The same."""

    @property
    def updated(self) -> datetime:
        """The same."""

    def make(self) -> Entry:
        """Make the entry."""


@dataclass(frozen=True, slots=True)
class Site:
    """What all feeds share. `base_url` has no slash at its end; `home` is where people go in place of pages."""

    base_url: str
    title: str
    description: str
    language: str
    id: str
    home: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """How feeds show articles: how many, whether with their bodies and related coverage, and under which titles.

    `order` is which of their moments counts; `tombstones` whether Atom feeds tell who left (RFC 6721). In `title`
    and `description`, `{name}` stands for the topic or provider, `{site}` and `{about}` for the title and the
    description of the site.
    """

    limit: int = 50
    bodies: bool = True
    related: bool = True
    title: str = "{name} · {site}"
    description: str = "{name}: {about}"
    order: Literal["published", "arrived"] = "published"
    tombstones: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """Which archive document of a feed this is, counted from the oldest (RFC 5005 §4); a full one has a next."""

    number: int
    full: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """A named, ordered list of selected articles, each as the recipe of an entry.

    `path` is that of its page; the path of a format has the format's ending behind it. `total` counts the
    articles that the feed would hold without a limit, `newest` is the date of the first. `archives` is the number
    of archive documents that hold the others; an archive document is a feed too, with `archive` set. `departed`
    are those that were in it lately; `page` is the URL of a page that stands for its own, where it has none.
    """

    kind: Kind
    name: str
    path: str
    id: str
    title: str
    description: str
    updated: datetime
    recipes: tuple[Recipe, ...]
    total: int
    site: Site
    icon: Image | None = None
    language: str = "en"
    archives: int = 0
    archive: Archive | None = None
    departed: tuple[Departure, ...] = ()
    page: str | None = None

    @property
    def is_private(self) -> bool:
        """Whether only who has a token may read it. Such a feed has no page and no archive documents."""
        return is_private(self.path)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries, made anew each time that they are asked for."""
        return tuple([recipe.make() for recipe in self.recipes])

    @property
    def url(self) -> str:
        """The public URL of its page; the URL of a format has the format's ending behind it."""
        return self.site.base_url + self.path

    @property
    def page_url(self) -> str:
        """Where people go: its page, or, where there are no pages, the site's own."""
        return self.site.home or self.page or self.url

    def archive_url(self, number: int) -> str:
        """The public URL of an archive document, without the format's ending."""
        return f"{self.url}{ARCHIVE}{number}"

    @property
    def newest(self) -> datetime | None:
        """The date of the newest entry."""
        return max((recipe.published for recipe in self.recipes), default=None)


def history(feed: Feed) -> list[tuple[str, str]]:
    """The links between a feed and its archive documents (RFC 5005 §4), the own one first; without endings.

    A private feed has none: its own URL has the token of whoever reads it, which stands in no document, and a
    reader that followed another one would lose the feed.
    """
    if feed.is_private:
        return []
    if feed.archive is None:
        previous = [("prev-archive", feed.archive_url(feed.archives))] if feed.archives else []
        return [("self", feed.url), *previous]
    number = feed.archive.number
    links = [("self", feed.archive_url(number)), ("current", feed.url)]
    if number > 1:
        links.append(("prev-archive", feed.archive_url(number - 1)))
    if feed.archive.full:
        links.append(("next-archive", feed.archive_url(number + 1)))
    return links


def part_of(place: str, number: int) -> str:
    """The path or URL of a page of a document, both without the format's ending."""
    return place if number == 1 else f"{place}{PART}{number}"


def latest(recipes: Sequence[Recipe], fallback: datetime) -> datetime:
    """When the newest change among the entries was."""
    return max((recipe.updated for recipe in recipes), default=fallback)
