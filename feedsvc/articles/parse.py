"""The text of a file → an article, or the problems that stand against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

from feedsvc.articles.article import (
    Article,
    Author,
    Details,
    Image,
    Problem,
    Provider,
    pack,
)
from feedsvc.articles.fields import DATE, TEXT, URL, Fields
from feedsvc.articles.front import split
from feedsvc.articles.identity import addresses_of, identity_of
from feedsvc.articles.markup import MarkupError, player_page, render_body
from feedsvc.articles.plain import read_tree
from feedsvc.articles.related import related_of
from feedsvc.articles.reserved import Reserved, is_clear
from feedsvc.text import fold, printable, unescape
from feedsvc.tree import TreeError, describe
from feedsvc.urls import clean_domain, clean_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

# Each topic is a feed, and each of its feeds names all of them.
MAX_TOPICS = 50
MAX_AUTHORS = 20
MAX_PROBLEMS = 100

# What is to be noted of an article, made while its details are at hand.
Note: TypeAlias = Callable[[Article, Details], bytes]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a file. Without an article, one of the problems is fatal."""

    article: Article | None
    problems: tuple[Problem, ...]


class _UnusableError(Exception):
    """The file cannot be used; the problem is on the list already."""


def parse(
    path: str, content: bytes, zone: ZoneInfo, note: Note | None = None, reserved: Reserved | None = None
) -> Parsed:
    """Parse one file.

    Args:
        path: relative to the directory; its ending decides how the body is read.
        content: the whole file.
        zone: holds for dates that name no zone.
        note: makes what is to be noted of the article.
        reserved: the names of what is private, where anything is.
    """
    problems: list[Problem] = []
    try:
        article = _parse(path, content, zone, problems, note, reserved)
    except _UnusableError:
        return Parsed(None, _bounded(path, problems))
    except TreeError as error:
        problems.append(
            Problem(path, error.line, "front matter", printable(error.found), printable(error.expected))
        )
        return Parsed(None, _bounded(path, problems))
    return Parsed(article, _bounded(path, problems))


def _bounded(path: str, problems: list[Problem]) -> tuple[Problem, ...]:
    """In the order of lines. One file must not fill every list: the fatal ones are named in any case."""
    if not problems:
        return ()
    named = sorted(problems, key=lambda problem: not problem.fatal)[:MAX_PROBLEMS]
    named.sort(key=lambda problem: problem.line or 0)
    if len(problems) > len(named):
        named.append(Problem(path, None, None, f"{len(problems)} problems", "none", fatal=False))
    return tuple(named)


def _parse(  # noqa: PLR0913, PLR0917 - as for the public one
    path: str,
    content: bytes,
    zone: ZoneInfo,
    problems: list[Problem],
    note: Note | None,
    reserved: Reserved | None,
) -> Article:
    def unusable(line: int | None, name: str | None, found: str, expected: str) -> _UnusableError:
        problems.append(Problem(path, line, name, found, expected))
        return _UnusableError()

    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise unusable(line, None, f"the byte 0x{content[error.start]:02x}", "text in UTF-8") from None
    if not text.strip():
        raise unusable(None, None, "an empty file", "front matter between two lines ---")
    # A name that is nothing but an ending has none.
    ending = path.rpartition("/")[2].lower()[1:]
    front, body, first_line = split(text, plain_yaml=ending.endswith((".yaml", ".yml")))
    if front is None:
        found = "no line --- that ends the front matter" if first_line else "no front matter"
        raise unusable(1, None, found, "front matter between two lines ---")
    tree = read_tree(front, first_line)
    if not isinstance(tree.root.data, dict):
        raise unusable(tree.root.line, "front matter", describe(tree.root), "fields such as `title: …`")
    reader = Fields(path, zone, tree.root.data, problems)
    for name, line in tree.duplicates:
        reader.warn(name, line, "the field a second time", "it once; the last one counts")
    article, details = _article(reader, path, body, "html" if ending.endswith(".html") else "markdown")
    if reserved and not is_clear(reader, front, reserved):
        raise _UnusableError
    return article.with_print(note(article, details)) if note else article


def _article(fields: Fields, path: str, body: str, kind: Literal["markdown", "html"]) -> tuple[Article, Details]:
    title = fields.text("title")
    if not title:
        fields.fail("title", TEXT)
    original_url = fields.url("originalUrl")
    url = fields.url("webUrl") or original_url
    amp_url = fields.url("ampWebUrl")
    published_at = fields.date("publishedDateTime")
    updated_at = fields.date("updatedDateTime")
    date = published_at or updated_at
    published, removed, deleted = fields.flag("published"), fields.flag("removed"), fields.flag("deleted")
    if not url:
        fields.fail("originalUrl" if "originalUrl" in fields.values else "webUrl", URL)
    if not date:
        fields.fail("publishedDateTime", DATE)
    # Everything is read before the file is given up, so that all its problems are told at once.
    excerpt, kind_of, category = unescape(fields.text("excerpt")), fields.text("type"), fields.text("category")
    quality, heat = fields.number("quality"), fields.number("heat")
    provider, topics, images = _provider(fields), _topics(fields), tuple(_images(fields))
    given_id = fields.text("id")
    identity = identity_of(given_id, original_url or url or "")
    addresses = addresses_of(identity, original_url, url, amp_url)
    related = related_of(fields, addresses)
    length, featured = fields.duration("length"), _featured(fields)
    if fields.failed or not (title and url and date):
        raise _UnusableError
    details = Details(excerpt, _body(fields, body, kind, url), length, featured, amp_url, images, related)
    article = Article(
        path=path,
        identity=identity,
        title=title,
        url=url,
        published_at=date,
        updated_at=updated_at,
        type=kind_of,
        category=category,
        quality=quality,
        heat=heat,
        published=published,
        removed=removed or False,
        deleted=deleted or False,
        provider=provider,
        topics=topics,
        aliases="\n".join(addresses[1:]),
        packed=pack(details),
    )
    return article, details


def _body(fields: Fields, source: str, kind: Literal["markdown", "html"], url: str) -> str:
    try:
        return render_body(source, kind, url)
    except MarkupError as error:
        fields.warn("body", None, str(error), "fewer")
        return ""


def _provider(fields: Fields) -> Provider | None:
    value = fields.values.get("provider")
    if value is None or value.data is None:
        return None
    if isinstance(value.data, str):
        name = fields.name("provider", value)
        return Provider(name) if name else None
    if not isinstance(value.data, dict):
        fields.warn("provider", value.line, describe(value), "a mapping with name and domain")
        return None
    inner = fields.inner("provider", value.data)
    text = inner.text("domain")
    domain = clean_domain(text) if text else ""
    if domain is None:
        inner.warn("domain", value.data["domain"].line, describe(value.data["domain"]), "a domain")
        domain = ""
    name = inner.name("name", inner.values.get("name")) or domain
    if not name:
        return None
    # Most providers are no more than that.
    names = dict.fromkeys(islice(_author_names(inner), MAX_AUTHORS)) if "authors" in inner.values else ()
    icon = next(_images(inner), None) if "images" in inner.values else None
    return Provider(name, domain, tuple([Author(each) for each in names]), icon)


def _author_names(provider: Fields) -> Iterator[str]:
    for name, item in provider.items("authors"):
        if isinstance(item.data, str):
            text = provider.name(name, item)
        elif isinstance(item.data, dict):
            text = provider.name(f"{name}.name", item.data.get("name"))
        else:
            provider.warn(name, item.line, describe(item), "a name, or a mapping with name")
            continue
        if text:
            yield text


def _topics(fields: Fields) -> tuple[str, ...]:
    topics: dict[str, str] = {}
    for name, item in fields.items("topics"):
        if not isinstance(item.data, str):
            fields.warn(name, item.line, describe(item), "a topic's name")
            continue
        topic = fields.name(name, item)
        if topic and len(topics) == MAX_TOPICS and fold(topic) not in topics:
            fields.warn("topics", item.line, f"more than {MAX_TOPICS} topics", f"at most {MAX_TOPICS}")
            break
        if topic:
            topics.setdefault(fold(topic), topic)
    return tuple(topics.values())


def _images(fields: Fields) -> Iterator[Image]:
    for name, item in fields.items("images"):
        if isinstance(item.data, str):
            url = clean_url(item.data)
            if url:
                yield Image(url)
            else:
                fields.warn(name, item.line, describe(item), URL)
        elif isinstance(item.data, dict):
            inner = fields.inner(name, item.data)
            url = inner.url("url")
            if url:
                yield Image(url, inner.pixels("width"), inner.pixels("height"))
        else:
            fields.warn(name, item.line, describe(item), "a mapping with url, width and height")


def _featured(fields: Fields) -> str | None:
    value = fields.values.get("featuredContent")
    if value is None or not isinstance(value.data, str):
        return None
    try:
        return player_page(value.data)
    except MarkupError as error:
        fields.warn("featuredContent", value.line, str(error), "fewer")
        return None
