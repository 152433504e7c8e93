"""OPML 2.0 (http://opml.org/spec2.opml): all feeds in one file that feed readers import."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feedsvc.feeds.feed import Feed, Kind, Site

OPML_TYPE = "text/x-opml; charset=utf-8"
OPML_PATH = "/feeds.opml"
# Readers make a folder of each.
_FOLDERS: dict[Kind, str] = {"topic": "Topics", "provider": "Providers", "domain": "Domains"}


def render_opml(feeds: Iterable[Feed], site: Site) -> bytes:
    """Every feed with text, title, xmlUrl and htmlUrl; topics and providers in folders of their own.

    `dateModified` is the newest change of a feed, so that the same feeds make the same bytes.
    """
    feeds = list(feeds)
    opml = etree.Element("opml", version="2.0")
    head = etree.SubElement(opml, "head")
    etree.SubElement(head, "title").text = site.title
    modified = format_datetime(max(feed.updated for feed in feeds), usegmt=True)
    etree.SubElement(head, "dateModified").text = modified
    body = etree.SubElement(opml, "body")
    for feed in feeds:
        if feed.kind == "all":
            _outline(body, feed)
    for kind, name in _FOLDERS.items():
        members = sorted((each for each in feeds if each.kind == kind), key=lambda each: each.name.casefold())
        if members:
            # With a title, it would be taken for a feed without a type.
            folder = etree.SubElement(body, "outline", text=name)
            for feed in members:
                _outline(folder, feed)
    return bytes(etree.tostring(opml, encoding="UTF-8", xml_declaration=True))


def _outline(parent: etree._Element, feed: Feed) -> None:
    etree.SubElement(
        parent,
        "outline",
        type="rss",
        text=feed.title,
        title=feed.title,
        xmlUrl=f"{feed.url}.atom",
        htmlUrl=feed.page_url,
    )
