"""What a file describes, and what can be wrong with it."""

from __future__ import annotations

import json
import sys
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from feedsvc.articles.identity import address_of, id_of
from feedsvc.clock import iso
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

ProviderKey: TypeAlias = tuple[str, str]
_Shared = TypeVar("_Shared")
# To make an encoder for each article would take as long as what it does. What it is given has no circle.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
# Details of so many bytes are worth the time to compress them: those of articles with bodies.
_LARGE = 2048
# To look for up to so many names in the packed form takes less time than to unpack it.
_FEW = 20
# What begins no JSON.
_ZLIB = b"\0"


@lru_cache(maxsize=2**14)
def _first(value: Any) -> Any:
    return value


def _share(value: _Shared) -> _Shared:
    """The first of the equal values that were seen lately: a hundred thousand articles have few providers."""
    first: _Shared = _first(value)
    return first


class _Record:
    """Pickled as its fields: what dataclasses with slots do by themselves takes more than twice as long."""

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return type(self), tuple([getattr(self, name) for name in self.__slots__])


@dataclass(frozen=True, slots=True)
class Author(_Record):
    """A person, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Image(_Record):
    """A picture; its size in pixels where known."""

    url: str
    width: int | None = None
    height: int | None = None

    # The digest of what a reader sees is made of it: as a dataclass would have it, in half the time.
    def __repr__(self) -> str:
        return f"Image(url={self.url!r}, width={self.width!r}, height={self.height!r})"


@dataclass(frozen=True, slots=True)
class Link(_Record):
    """A page elsewhere, with its title and the name of who brought it out ("" where unknown)."""

    url: str
    title: str
    provider: str = ""

    # The same.
    def __repr__(self) -> str:
        return f"Link(url={self.url!r}, title={self.title!r}, provider={self.provider!r})"


@dataclass(frozen=True, slots=True)
class Coverage(_Record):
    """An article elsewhere on the same matter; `addresses` are those by which it could be one of ours."""

    addresses: tuple[str, ...]
    link: Link


@dataclass(frozen=True, slots=True)
class Provider(_Record):
    """Who brought the article out; `domain` is "" where unknown."""

    name: str
    domain: str = ""
    authors: tuple[Author, ...] = ()
    icon: Image | None = None

    @property
    def key(self) -> ProviderKey:
        """Two providers are the same where this is: one domain may hold several."""
        return fold(self.name), self.domain


@dataclass(frozen=True, slots=True)
class Details(_Record):
    """What nobody but a reader of the article asks for.

    `length` is an ISO 8601 duration; `featured` is the page where what the article embeds (a video) is played,
    `amp_url` its page in the AMP form.
    """

    excerpt: str = ""
    body: str = ""
    length: str = ""
    featured: str | None = None
    amp_url: str | None = None
    images: tuple[Image, ...] = ()
    related: tuple[Coverage, ...] = ()


def pack(details: Details) -> bytes:
    """The details as bytes, of which a hundred thousand articles take a third of the memory."""
    images = [[each.url, each.width, each.height] for each in details.images]
    related = [
        [
            None if _follows(each) else each.addresses,
            link.url,
            link.title,
            link.provider,
        ]
        for each in details.related
        for link in [each.link]
    ]
    plain = (details.excerpt, details.body, details.length, details.featured, details.amp_url, images, related)
    packed = _JSON.encode(plain).encode("utf-8", "surrogatepass")
    return packed if len(packed) < _LARGE else _ZLIB + zlib.compress(packed)


def _follows(coverage: Coverage) -> bool:
    """Whether its one address can be seen in its URL, as nearly always: `covering` looks for it there."""
    address = address_of(coverage.link.url)
    return coverage.addresses == (address,) and address in coverage.link.url


def unpack(packed: bytes) -> Details:
    """The details of such bytes.

    Raises:
        ValueError: there are none.
    """
    try:
        plain = zlib.decompress(packed[len(_ZLIB) :]) if packed.startswith(_ZLIB) else packed
        excerpt, body, length, featured, amp_url, images, related = json.loads(plain)
        return Details(
            excerpt,
            body,
            length,
            featured,
            amp_url,
            tuple([Image(*each) for each in images]),
            tuple([_coverage(*each) for each in related]),
        )
    except (zlib.error, TypeError, AttributeError) as error:
        raise ValueError("details that cannot be read") from error


def _coverage(addresses: list[str] | None, url: str, title: str, provider: str) -> Coverage:
    return Coverage((address_of(url),) if addresses is None else tuple(addresses), Link(url, title, provider))


@dataclass(frozen=True, slots=True)
class Article(_Record):
    """One file's state of an article: a revision. Dates are in UTC; `path` is relative to the directory.

    `aliases` are what others may call it by beside its identity, a line each; `packed` are its details. `print` is
    what was noted of it when it was read, if anything: it says nothing that the rest does not.
    """

    path: str
    identity: str
    title: str
    url: str
    published_at: datetime
    updated_at: datetime | None = None
    type: str = ""
    category: str = ""
    quality: float | None = None
    heat: float | None = None
    published: bool | None = None
    removed: bool = False
    deleted: bool = False
    provider: Provider | None = None
    topics: tuple[str, ...] = ()
    aliases: str = ""
    packed: bytes = pack(Details())
    # Whoever replaces a field makes another article, of which nothing is noted.
    print: bytes = field(default=b"", init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # What many articles have in common is kept once, wherever they come from.
        object.__setattr__(self, "type", sys.intern(self.type))
        object.__setattr__(self, "category", sys.intern(self.category))
        object.__setattr__(self, "quality", _share(self.quality))
        object.__setattr__(self, "heat", _share(self.heat))
        object.__setattr__(self, "provider", _share(self.provider))
        object.__setattr__(self, "topics", _share(self.topics))

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        *values, noted = [getattr(self, name) for name in self.__slots__]
        return _noted, (noted, *values)

    def with_print(self, noted: bytes) -> Article:
        """This very article, with what whoever made it notes of it. Nobody else has seen it yet."""
        object.__setattr__(self, "print", noted)
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that others may call it by, in the form in which two are the same."""
        own = address_of(self.identity)
        return (own, *self.aliases.split("\n")) if self.aliases else (own,)

    @property
    def details(self) -> Details:
        """What a reader sees beside the title; made anew each time that it is asked for."""
        return unpack(self.packed)

    @property
    def id(self) -> str:
        """The entry id in every feed, for ever (RFC 4287 §4.2.6): made from the identity and nothing else."""
        return id_of(self.identity)


def _noted(noted: bytes, *values: Any) -> Article:
    return Article(*values).with_print(noted)


@dataclass(frozen=True, slots=True)
class Problem(_Record):
    """Why a file, or a field of it, could not be used.

    `fatal` tells that the file as a whole could not be; otherwise the article goes on without the field. `since`
    is when it was found first, where the file's last good state stands for it since then.
    """

    path: str
    line: int | None
    field: str | None
    found: str
    expected: str
    fatal: bool = True
    since: datetime | None = None

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        since = f" (since {iso(self.since)}; its last good state stands)" if self.since else ""
        return f"{place}: {self.field or 'the file'}: found {self.found}, expected {self.expected}{since}"


def covering(addresses: Collection[str]) -> Callable[[Article], bool]:
    """Tells of an article whether its related coverage names one of these."""
    names = [json.dumps(each, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass") for each in addresses]

    def covers(article: Article) -> bool:
        packed = article.packed
        # Nearly always none of them is even mentioned, and that is seen without making anything; unless there are
        # so many that it takes longer.
        plain = packed[:1] != _ZLIB and len(names) <= _FEW
        if not names or (plain and not any(name in packed for name in names)):
            return False
        return any(address in addresses for each in article.details.related for address in each.addresses)

    return covers
