"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from feedsvc.clock import iso
from feedsvc.feeds.feed import history, part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feedsvc.documents.draft import Draft
    from feedsvc.feeds.feed import Entry, Feed

JSON_TYPE = "application/feed+json; charset=utf-8"
# With some room for the punctuation between what is counted.
MAX_BYTES = 249_900
_VERSION = "https://jsonfeed.org/version/1.1"
_BEGIN, _ID, _END = b',"items":[', b'{"id":"', b"]}"
_encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


def render_json(draft: Draft, last: Sequence[bytes] = ()) -> tuple[bytes, ...]:
    """A feed as JSON Feed 1.1, given the last parts where the draft builds on them; ids are those of Atom.

    It comes in as many parts as it takes to keep each below 250 KB, each with the `next_url` of the next, and the
    last with that of the newest archive. An item that is larger alone has a part of its own. A private feed, which
    can name no URL of its own, comes in one.
    """
    feed = draft.feed
    links = dict(history(feed))
    older = f"{links['prev-archive']}.json" if "prev-archive" in links else None
    fresh = [_encode(_item(*each)) for each in zip(draft.fresh, draft.contents, strict=True)]
    items = draft.complete("json", fresh, _items(last))
    own = links.get("self")
    parts = _parts(items, MAX_BYTES - len(_head(feed, own, 9999, older or feed.url)) if own else sys.maxsize)
    return tuple(
        # Items come last, and are encoded already.
        _head(feed, own, number, None if number < len(parts) else older, more=number < len(parts))[:-1]
        + _BEGIN
        + b",".join(chosen)
        + _END
        for number, chosen in enumerate(parts, 1)
    )


def _head(feed: Feed, own: str | None, number: int, older: str | None, *, more: bool = False) -> bytes:
    """All of a part but its items."""
    following = f"{part_of(own, number + 1)}.json" if own and more else older
    document = {
        "version": _VERSION,
        "title": feed.title,
        "home_page_url": feed.page_url,
        **({"feed_url": f"{part_of(own, number)}.json"} if own else {}),
        **({"next_url": following} if following else {}),
        "description": feed.description,
        "language": feed.language,
        "authors": [{"name": feed.site.title}],
        **({"icon": feed.icon.url} if feed.icon else {}),
    }
    return _encode(document)


def _parts(items: list[bytes], size: int) -> list[list[bytes]]:
    """The items part by part; at least one part, and at least one item in each where there are any."""
    parts: list[list[bytes]] = [[]]
    room = size
    for item in items:
        room -= len(item) + 1
        if room < 0 and parts[-1]:
            parts.append([])
            room = size - len(item) - 1
        parts[-1].append(item)
    return parts


def _encode(value: object) -> bytes:
    return _encoder.encode(value).encode()


def _items(parts: Sequence[bytes]) -> list[bytes]:
    """The encoded items of parts that were made here.

    No text holds a quotation mark without a backslash, and nothing within an item begins with an id.
    """
    items: list[bytes] = []
    for part in parts:
        inside = part.partition(_BEGIN)[2].removesuffix(_END)
        if inside:
            items += [_ID + each + b"}" for each in inside.removeprefix(_ID).removesuffix(b"}").split(b"}," + _ID)]
    return items


def _item(entry: Entry, content: str) -> dict[str, object]:
    item: dict[str, object] = {"id": entry.id, "url": entry.url}
    if entry.source:
        # The entry is about a page elsewhere: readers open that.
        item["external_url"] = entry.url
    item["title"] = entry.title
    # An item has one of the two.
    item |= {"content_html": content} if content else {"content_text": entry.summary or entry.title}
    if entry.summary:
        item["summary"] = entry.summary
    if entry.picture:
        item["image"] = entry.picture.url
    published = iso(entry.published)
    item |= {
        "date_published": published,
        "date_modified": published if entry.updated == entry.published else iso(entry.updated),
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
