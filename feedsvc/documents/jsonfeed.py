"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from feedsvc.clock import iso
from feedsvc.documents.content import render_content
from feedsvc.feeds.feed import history, page_of

if TYPE_CHECKING:
    from feedsvc.feeds.feed import Entry, Feed

JSON_TYPE = "application/feed+json; charset=utf-8"
# Of a page's items; with what else stands on it, it stays below 250 KB.
MAX_BYTES = 240_000
_VERSION = "https://jsonfeed.org/version/1.1"


def render_json(feed: Feed) -> tuple[bytes, ...]:
    """The feed as JSON Feed 1.1; its ids are those of the Atom feed.

    It comes in as many pages as it takes to keep each below 250 KB, each with the `next_url` of the next, and the
    last with that of the newest archive. An item that is larger alone has a page of its own.
    """
    links = dict(history(feed))
    older = f"{links['prev-archive']}.json" if "prev-archive" in links else None
    pages = _pages([_encode(_item(entry, feed.language)) for entry in feed.entries])
    documents = []
    for number, items in enumerate(pages, 1):
        following = f"{page_of(links['self'], number + 1)}.json" if number < len(pages) else older
        document = {
            "version": _VERSION,
            "title": feed.title,
            "home_page_url": feed.page_url,
            "feed_url": f"{page_of(links['self'], number)}.json",
            **({"next_url": following} if following else {}),
            "description": feed.description,
            "language": feed.language,
            "authors": [{"name": feed.site.title}],
            **({"icon": feed.icon.url} if feed.icon else {}),
        }
        # Items come last, and are encoded already.
        documents.append(_encode(document)[:-1] + b',"items":[' + b",".join(items) + b"]}")
    return tuple(documents)


def _pages(items: list[bytes]) -> list[list[bytes]]:
    """The items page by page; at least one page, and at least one item on each where there are any."""
    pages: list[list[bytes]] = [[]]
    room = MAX_BYTES
    for item in items:
        room -= len(item) + 1
        if room < 0 and pages[-1]:
            pages.append([])
            room = MAX_BYTES - len(item)
        pages[-1].append(item)
    return pages


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _item(entry: Entry, language: str) -> dict[str, object]:
    item: dict[str, object] = {"id": entry.id, "url": entry.url}
    if entry.source:
        # The entry is about a page elsewhere: readers open that.
        item["external_url"] = entry.url
    item["title"] = entry.title
    # An item has one of the two.
    content = render_content(entry, language)
    item |= {"content_html": content} if content else {"content_text": entry.summary or entry.title}
    if entry.summary:
        item["summary"] = entry.summary
    if entry.picture:
        item["image"] = entry.picture.url
    item |= {
        "date_published": iso(entry.published),
        "date_modified": iso(entry.updated),
        "authors": [{"name": name} for name in entry.authors],
    }
    if entry.categories:
        item["tags"] = [category.term for category in entry.categories]
    extension = _extension(entry)
    if extension:
        item["_feedsvc"] = extension
    return item


def _extension(entry: Entry) -> dict[str, object]:
    extension: dict[str, object] = {}
    if entry.source:
        extension["source"] = {"title": entry.source.title, "url": entry.source.url}
    if entry.picture and entry.picture.width and entry.picture.height:
        extension["image_size"] = {"width": entry.picture.width, "height": entry.picture.height}
    if entry.related:
        extension["related"] = [
            {"title": link.title, "url": link.url} | ({"provider": link.provider} if link.provider else {})
            for link in entry.related
        ]
    for name in ("type", "length", "featured", "amp"):
        if value := getattr(entry, name):
            extension[name] = value
    return extension
