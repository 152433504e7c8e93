"""All documents of a directory of articles, as independent parsers read them, and what the articles' files say."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import lxml.html
import yaml
from corpus import ENTRIES, write_corpus
from lxml import etree
from support import NOW, SEEDS, make_settings

from feedsvc.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "https://feeds.example"
NAMES = {
    "a": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
}
TYPES = {".atom": "application/atom+xml", ".rss": "application/rss+xml", ".json": "application/feed+json"}


@dataclass(frozen=True)
class Said:
    """What the file of an article says."""

    title: str
    excerpt: str
    published: datetime
    updated: datetime
    names: tuple[str, ...]
    domain: str
    picture: dict[str, str] | None


@dataclass(frozen=True)
class Published:
    """All documents of a directory of articles, by URL; `said` is what its articles say, by their URL."""

    articles: Path
    bytes: dict[str, bytes]
    said: dict[str, Said]

    @cached_property
    def atom(self) -> dict[str, etree._Element]:
        """Every Atom document, archives too."""
        return self._xml(".atom")

    @cached_property
    def rss(self) -> dict[str, etree._Element]:
        """Every RSS document's channel, archives too."""
        return {url: root[0] for url, root in self._xml(".rss").items()}

    @cached_property
    def json(self) -> dict[str, Any]:
        """Every JSON document, archives too."""
        return {url: json.loads(body) for url, body in self.bytes.items() if url.endswith(".json")}

    @cached_property
    def pages(self) -> dict[str, Any]:
        """Every page for people."""
        paths = {url: body for url, body in self.bytes.items() if not url.endswith((*TYPES, ".opml"))}
        return {url: lxml.html.document_fromstring(body.decode()) for url, body in paths.items()}

    @cached_property
    def opml(self) -> etree._Element:
        """The list of all feeds."""
        return etree.fromstring(self.bytes[f"{BASE}/feeds.opml"])

    @property
    def xml(self) -> dict[str, etree._Element]:
        """Every XML document's root."""
        channels = {url: channel.getparent() for url, channel in self.rss.items()}
        return self.atom | {url: root for url, root in channels.items() if root is not None} | {"opml": self.opml}

    @property
    def entries(self) -> list[etree._Element]:
        """Every entry of every Atom document."""
        return [entry for root in self.atom.values() for entry in every(root, "a:entry")]

    @property
    def items(self) -> list[etree._Element]:
        """Every item of every RSS document."""
        return [item for channel in self.rss.values() for item in every(channel, "item")]

    @property
    def contents(self) -> Iterator[str]:
        """All HTML that is in a feed: contents, descriptions, and titles and summaries that say they are HTML."""
        for root in self.atom.values():
            for element in every(root, ".//*[@type='html'][not(self::a:link)]"):
                yield element.text or ""
        for item in self.items:
            yield from texts(item, "description | content:encoded")
        for feed in self.json.values():
            yield from (item["content_html"] for item in feed["items"] if "content_html" in item)

    def of(self, url: str | None) -> Said | None:
        """What the article at a URL says; None for the few whose URL had to be cleaned first."""
        said = self.said.get(url or "")
        assert said or (url or "").startswith(("https://example.org/%", "https://xn--")), url
        return said

    def _xml(self, ending: str) -> dict[str, etree._Element]:
        return {url: etree.fromstring(body) for url, body in self.bytes.items() if url.endswith(ending)}


def every(element: etree._Element, path: str) -> list[Any]:
    """The elements, or attributes, that a path leads to."""
    found: Any = element.xpath(path, namespaces=NAMES)
    return list(found)


def texts(element: etree._Element, path: str) -> list[str]:
    """The texts of the elements, or the attributes, that a path leads to."""
    return [each if isinstance(each, str) else each.text or "" for each in every(element, path)]


def one(element: etree._Element, path: str) -> str:
    """The text of the one element that a path leads to."""
    (text,) = texts(element, path)
    return text


def shown(element: etree._Element) -> str:
    """What a reader shows of an Atom text construct."""
    return html.unescape(element.text or "") if element.get("type") == "html" else element.text or ""


def following(url: str, body: bytes) -> list[str]:
    """The URLs of the older, or newer, documents of the same feed."""
    if url.endswith(".json"):
        feed = json.loads(body)
        return [feed["next_url"]] if "next_url" in feed else []
    if url.endswith((".atom", ".rss")):
        return texts(etree.fromstring(body), "//a:link[@rel='prev-archive' or @rel='next-archive']/@href")
    return []


def made(publisher: Publisher, base: str = BASE) -> dict[str, bytes]:
    """Every document of a publisher by its URL: pages, feeds, and all archives that they lead to."""
    outcome = publisher.reload()
    assert outcome.error is None
    snapshot = outcome.state.snapshot
    assert snapshot
    paths = [f"{path}{ending}" for path in snapshot.feeds for ending in ("", *TYPES)]
    waiting = [f"{base}{path}" for path in ("/", "/feeds.opml", *paths)]
    found: dict[str, bytes] = {}
    while waiting:
        url = waiting.pop()
        if url not in found:
            document = snapshot.document(url.removeprefix(base))
            assert document, url
            found[url] = document.content
            waiting += following(url, document.content)
    return found


def publisher_of(articles: Path, base: str = BASE, now: datetime = NOW) -> Publisher:
    """A publisher of a directory, as if started now."""
    entries = {"feeds__entries": str(ENTRIES)}
    return Publisher(make_settings(articles, base_url=base, **entries), lambda: now)


def chain(documents: dict[str, bytes], url: str) -> list[str]:
    """The URLs of a feed and all that came before, the newest first."""
    urls = [url]
    while True:
        body = documents[urls[-1]]
        if url.endswith(".json"):
            older = json.loads(body).get("next_url")
        else:
            older = next(iter(texts(etree.fromstring(body), "//a:link[@rel='prev-archive']/@href")), None)
        if older is None:
            return urls
        assert older not in urls
        urls.append(older)


def ids(url: str, body: bytes) -> list[str]:
    """The ids of the entries of a feed, whatever its format."""
    if url.endswith(".json"):
        return [item["id"] for item in json.loads(body)["items"]]
    return texts(etree.fromstring(body), "a:entry/a:id | channel/item/guid")


def moment(text: str) -> datetime:
    """A date of a file, or of a feed."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        date = parsedate_to_datetime(text)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def line_of(text: str | None) -> str:
    """Text on one line, without control characters."""
    return " ".join(re.sub(r"[\x00-\x08]", "", text or "").split())


def known(picture: dict[str, str]) -> dict[str, str]:
    """What a feed tells of a picture."""
    return {name: picture[name] for name in ("url", "width", "height") if name in picture}


def what_is_said(articles: Path) -> dict[str, Said]:
    """What the published files say, by the URL of their article; of revisions, the last by name stands."""
    said: dict[str, Said] = {}
    for path in sorted(articles.rglob("*.*")):
        fields = yaml.load(path.read_text("utf-8").split("---\n")[1], yaml.BaseLoader)  # noqa: S506 - makes text only
        published = moment(fields["publishedDateTime"])
        withdrawn = fields.get("published") != "true" or "removed" in fields or "deleted" in fields
        if withdrawn or published > NOW:
            continue
        updated = moment(fields.get("updatedDateTime") or fields["publishedDateTime"])
        provider = fields.get("provider") or {}
        provider = {"name": provider} if isinstance(provider, str) else provider
        people = [each if isinstance(each, str) else each["name"] for each in provider.get("authors", [])]
        names = [provider.get("name") or provider.get("domain") or "feedsvc", *people]
        images = fields.get("images") or []
        pictures = [{"url": images}] if isinstance(images, str) else images
        said[fields["webUrl"]] = Said(
            title=line_of(fields["title"]),
            excerpt=line_of(html.unescape(fields.get("excerpt") or "")),
            published=published,
            updated=max(published, updated) if updated <= NOW else published,
            names=tuple(dict.fromkeys(map(line_of, names))),
            domain=provider.get("domain", ""),
            picture=next((known(each) for each in pictures if each["url"].startswith("https:")), None),
        )
    return said


def fill(directory: Path, source: str) -> Path:
    """A directory of the seeds, or of the corpus."""
    articles = directory / "articles"
    if source == "seeds":
        shutil.copytree(SEEDS, articles)
    else:
        write_corpus(articles)
    return articles
