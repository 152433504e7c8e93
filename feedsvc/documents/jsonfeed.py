"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from feedsvc.clock import iso
from feedsvc.documents.content import render_content
from feedsvc.feeds.feed import history

if TYPE_CHECKING:
    from feedsvc.feeds.feed import Entry, Feed

JSON_TYPE = "application/feed+json; charset=utf-8"
_VERSION = "https://jsonfeed.org/version/1.1"


def render_json(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1; its ids are those of the Atom feed."""
    links = dict(history(feed))
    document = {
        "version": _VERSION,
        "title": feed.title,
        "home_page_url": feed.page_url,
        "feed_url": f"{links['self']}.json",
        **({"next_url": f"{links['prev-archive']}.json"} if "prev-archive" in links else {}),
        "description": feed.description,
        "language": feed.language,
        "authors": [{"name": feed.site.title}],
        **({"icon": feed.icon.url} if feed.icon else {}),
        "items": [_item(entry, feed.language) for entry in feed.entries],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


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
