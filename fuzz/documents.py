"""Any file that is an article: all documents of it, each judged by a parser of its format."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import lxml.html
from lxml import etree

from feedsvc.articles.parse import parse
from feedsvc.documents.page import HTML_TYPE
from feedsvc.documents.snapshot import Snapshot, publish
from feedsvc.feeds.catalog import Catalog
from feedsvc.feeds.compose import compose
from feedsvc.feeds.feed import Site, View
from feedsvc.feeds.groups import group
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection
from fuzz.judge import content_faults, fragment_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedsvc.articles.article import Article

_NOW = datetime(2022, 1, 1, tzinfo=UTC)
_SITE = Site("https://feeds.example", "Site", "All of it", "en", "feeds.example")
_UTC = ZoneInfo("UTC")
_ATOM = "{http://www.w3.org/2005/Atom}"
_XML = etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True)
# What every page has itself.
_OWN = ("script", "style")


def fuzz(data: bytes) -> None:
    """The first byte says whether the body is Markdown or HTML; what is missing for an article is filled in."""
    name = "a.md" if data[:1] < b"\x80" else "a.html"
    filled = b"---\nwebUrl: https://example.org/a\npublishedDateTime: 2021-12-14\ntitle: a\n" + data[1:]
    article = parse(name, filled, _UTC).article
    if article is None:
        return
    article = replace(article, topics=article.topics[:2])
    snapshot = rendered(article)
    for path in snapshot.paths():
        document = snapshot.document(path)
        assert document, path
        faults = list(_faults(document.content, document.media_type, article))
        assert not faults, (path, faults)


def rendered(*articles: Article) -> Snapshot:
    """All documents of these articles."""
    grouping = group(Selection(articles), Memory(), Catalog())
    return publish(compose(grouping, _SITE, grouping.memory, View()), "public", None, _NOW)


def _faults(content: bytes, media_type: str, article: Article) -> Iterator[str]:
    if media_type == HTML_TYPE:
        yield from _page_faults(content)
    elif "json" in media_type:
        for item in json.loads(content)["items"]:
            if item["title"] != article.title:
                yield f"the title {item['title']!r}"
            yield from fragment_faults(item.get("content_html", ""))
    else:
        yield from _xml_faults(etree.fromstring(content, _XML), article)


def _xml_faults(root: etree._Element, article: Article) -> Iterator[str]:
    for entry in root.iter(f"{_ATOM}entry"):
        title = entry.find(f"{_ATOM}title")
        assert title is not None
        text = title.text or ""
        if (html.unescape(text) if title.get("type") == "html" else text) != article.title:
            yield f"the title {text!r}"
        yield from fragment_faults(entry.findtext(f"{_ATOM}content") or "")
    for item in root.iter("item"):
        if item.findtext("title") != article.title:
            yield f"the title {item.findtext('title')!r}"
        yield from fragment_faults(item.findtext("description") or "")


def _page_faults(content: bytes) -> Iterator[str]:
    root: Any = lxml.html.document_fromstring(content.decode(), parser=lxml.html.HTMLParser(huge_tree=True))
    for name in _OWN:
        if len(list(root.iter(name))) > 1:
            yield f"a second <{name}>"
    yield from (f"the attribute {name}" for name in root.xpath("//@*[starts-with(name(), 'on')]"))
    for part in root.xpath("//div[@class='content']"):
        yield from content_faults(part)
