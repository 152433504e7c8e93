"""Atom 1.0 and RSS 2.0, made with feedgen. No other module knows that feedgen exists.

feedgen builds the trees; what it gets wrong is repaired here, each repair in one place and with a test:

- it writes entry links in Atom without `rel`, `type` and `title`: `_EntryRepairs.extend_atom` writes them;
- `updated` and `lastBuildDate` default to the present: both are always set;
- entries come out newest call first: they are added with `order="append"`;
- the channel's link is the last link added: the page is added last;
- it groups all media: our extension writes `media:content` into the entry itself;
- a character that XML forbids loses the feed: `clean` drops it, should one ever come this far;
- RFC 822 dates switch the process's locale for a moment: `_LOCALE` lets one thread render at a time.

Titles and summaries are text, and readers show them as they are. A title in Atom stays plain text, which alone all
of them show right, unless it looks like HTML even to software that knows better. That one, and a summary with
markup characters, is `type="html"` and escaped once more. RSS cannot say which it is: markup characters in its
text are hexadecimal references. docs/decisions/titles.md tells what real readers make of each. An attribute cannot
say which it is either: a label or a link's title that looks like HTML is left out; the entry says it elsewhere.
"""

from __future__ import annotations

import html
import re
import threading
from copy import copy
from functools import lru_cache
from html.entities import name2codepoint
from typing import TYPE_CHECKING
from zlib import crc32

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feedsvc.feeds.feed import history, latest
from feedsvc.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from feedgen.entry import FeedEntry

    from feedsvc.documents.draft import Draft
    from feedsvc.feeds.feed import Entry, Feed, Recipe, Source

ATOM_TYPE = "application/atom+xml; charset=utf-8"
RSS_TYPE = "application/rss+xml; charset=utf-8"
_GENERATOR = "feedsvc"
# What the picture of an RSS channel may be.
_MAX_ICON_WIDTH = 144
_MAX_ICON_HEIGHT = 400
_OTHER_ICON = re.compile(r"\.(?!(gif|jpe?g|png)\Z)\w+\Z", re.IGNORECASE)

_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_HISTORY = "http://purl.org/syndication/history/1.0"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_MEDIA = "http://search.yahoo.com/mrss/"

_CREATOR = f"{{{_DC}}}creator"
_CONTENT = f"{{{_MEDIA}}}content"
_THUMBNAIL = f"{{{_MEDIA}}}thumbnail"

_MARKUP = re.compile("[<>&]")
# The end of an element, or a character reference.
_LOOKS_LIKE_HTML = re.compile(rf"</\w|&#|&\w*\d|&({'|'.join(name2codepoint)}|apos)\b")

_LOCALE = threading.Lock()
# What an entry begins with, and what stands behind the last one.
_ENTRY = {"atom": (b"<entry>", b"</feed>"), "rss": (b"<item>", b"</channel></rss>")}
# Such an element, where it holds an ampersand at all.
_RSS_TEXT = re.compile(rb"<(?:title|description|category|source)(?=[^<]*&)(?: [^>]*)?>[^<]*</")


def render_atom(draft: Draft, last: Sequence[bytes] = ()) -> bytes:
    """A feed as Atom 1.0 (RFC 4287), given the last document where the draft builds on it."""
    with _LOCALE:
        document = bytes(_linked(draft, ".atom", ATOM_TYPE).atom_str())
    return _complete(draft, "atom", document, last)


def render_rss(draft: Draft, last: Sequence[bytes] = ()) -> bytes:
    """A feed as RSS 2.0, to the RSS Advisory Board's profile, given the last document likewise."""
    with _LOCALE:
        document = bytes(_linked(draft, ".rss", RSS_TYPE).rss_str())
    return _complete(draft, "rss", _RSS_TEXT.sub(_hexadecimal, document), last)


def _complete(draft: Draft, form: str, document: bytes, last: Sequence[bytes]) -> bytes:
    """A document of the fresh entries, with the others between them as feedgen made them before.

    An entry's bytes are the same whatever stands around it: all namespaces are declared by the root. Text and
    attributes hold no `<`, so that nothing but an entry begins like one.
    """
    begin, end = _ENTRY[form]
    head, *fresh = document.removesuffix(end).split(begin)
    known = [entry for page in last for entry in page.removesuffix(end).split(begin)[1:]]
    return begin.join([head, *draft.complete(form, fresh, known)]) + end


def _hexadecimal(match: re.Match[bytes]) -> bytes:
    """The profile's form of `&` and `<` in text, which alone shows the same in all readers."""
    return match[0].replace(b"&amp;", b"&#x26;").replace(b"&lt;", b"&#x3C;")


def _linked(draft: Draft, ending: str, media_type: str) -> FeedGenerator:
    """The generator of both formats, with the links of one."""
    generator = draft.once(_generator)
    kind = media_type.partition(";")[0]
    links = [{"href": href + ending, "rel": rel, "type": kind} for rel, href in history(draft.feed)]
    links.append({"href": draft.feed.page_url, "rel": "alternate", "type": "text/html"})
    generator.link(links, replace=True)
    return generator


def _generator(draft: Draft) -> FeedGenerator:
    """Of the fresh entries."""
    feed = draft.feed
    generator = FeedGenerator()
    generator.register_extension("feedsvc", _FeedRepairs, _EntryRepairs)
    generator.feedsvc.feed = feed
    generator.id(feed.id)
    generator.title(clean(feed.title))
    generator.subtitle(clean(feed.description))
    generator.description(clean(feed.description))
    generator.author(name=clean(feed.site.title))
    generator.language(feed.language)
    generator.generator(_GENERATOR)
    # A fraction decides between those of the last second alone.
    second = latest(feed.recipes, feed.updated).replace(microsecond=0)
    last = [_exact(recipe.updated, recipe) for recipe in feed.recipes if recipe.updated >= second]
    generator.updated(max([feed.updated, *last]))
    if feed.icon:
        generator.icon(feed.icon.url)
        width = feed.icon.width or 0
        height = feed.icon.height or width
        fits = 0 < width <= _MAX_ICON_WIDTH and height <= _MAX_ICON_HEIGHT
        if fits and not _OTHER_ICON.search(feed.icon.url):
            # The profile wants its title and link to be the channel's, which feedgen sees to.
            generator.image(url=feed.icon.url, width=str(width), height=str(height))
    for entry, content in zip(draft.fresh, draft.contents, strict=True):
        item = generator.add_entry(order="append")
        _fill(item, entry, content, feed.site.base_url)
    return generator


def _exact(moment: datetime, entry: Recipe) -> datetime:
    """A moment with a fraction of its second that the entry's id decides, in every feed and every run alike.

    Articles of one second are usual, and validators want no two entries of a feed to say the same moment. An entry
    was updated when it was published, to the fraction, unless it was updated later.
    """
    return moment.replace(microsecond=crc32(entry.id.encode()) % 1_000_000)


def _fill(item: FeedEntry, entry: Entry, content: str, base_url: str) -> None:
    updated = _exact(entry.updated, entry)
    item.feedsvc.entry, item.feedsvc.updated = entry, updated
    # Which is its id in Atom as well.
    item.guid(entry.id, permalink=False)
    item.title(clean(entry.title))
    item.link(href=entry.url, rel="alternate")
    item.published(_exact(entry.published, entry))
    item.updated(updated)
    item.author([{"name": clean(author)} for author in entry.authors])
    item.category(list(_categories(entry, base_url)))
    if entry.summary:
        # As an RSS description it is read as HTML; for Atom, _EntryRepairs says which it is.
        item.summary(html.escape(clean(entry.summary), quote=False))
    if content:
        item.content(clean(content), type="html")


def _categories(entry: Entry, base_url: str) -> Iterator[dict[str, str]]:
    for category in entry.categories:
        yield _category(category.term, category.scheme)
    for name in ("type", "length"):
        if value := getattr(entry, name):
            yield _category(value, f"{base_url}/#{name}")


def _category(term: str, scheme: str) -> dict[str, str]:
    text = clean(term)
    label = {} if _LOOKS_LIKE_HTML.search(term) else {"label": text}
    return {"term": text, "scheme": scheme, **label}


class _FeedRepairs(BaseExtension):
    """What concerns the feed as a whole. `feed` is set before anything is rendered."""

    feed: Feed

    def extend_ns(self) -> dict[str, str]:
        # Validators warn of a namespace that they do not know, and need not where nothing is in it.
        tombstones = {"at": _TOMBSTONES} if self.feed.departed else {}
        return {"dc": _DC, "fh": _HISTORY, "media": _MEDIA, **tombstones}

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        for title in feed.iterchildren("title"):
            _mark_up(title, _LOOKS_LIKE_HTML)
        for subtitle in feed.iterchildren("subtitle"):
            _mark_up(subtitle, _MARKUP)
        if self.feed.archive:
            etree.SubElement(feed, f"{{{_HISTORY}}}archive")
        for gone in self.feed.departed:
            etree.SubElement(feed, f"{{{_TOMBSTONES}}}deleted-entry", ref=gone.id, when=gone.at.isoformat())
        return feed

    def extend_rss(self, feed: etree._Element) -> etree._Element:
        # The feed's own link is there already; it is the only one that feedgen writes.
        for channel in feed.iter("channel"):
            for rel, href in history(self.feed)[1:]:
                attributes = {"href": f"{href}.rss", "rel": rel, "type": RSS_TYPE.partition(";")[0]}
                etree.SubElement(channel, f"{{{_ATOM}}}link", attributes)
            if self.feed.archive:
                etree.SubElement(channel, f"{{{_HISTORY}}}archive")
        return feed


class _EntryRepairs(BaseEntryExtension):
    """What concerns one entry. It is set before anything is rendered, and its exact moment."""

    entry: Entry
    updated: datetime

    def extend_atom(self, element: etree._Element) -> etree._Element:
        _mark_up(next(element.iterchildren("title")), _LOOKS_LIKE_HTML)
        # feedgen has written the article alone; it goes to the end, and the others behind it.
        link = next(element.iterchildren("link"))
        link.set("rel", "alternate")
        link.set("type", "text/html")
        element.append(link)
        if _MARKUP.search(self.entry.summary):
            summary = next(element.iterchildren("summary"))
            summary.text = clean(self.entry.summary)
            _mark_up(summary, _MARKUP)
        _add_related(element, self.entry)
        if self.entry.source:
            _add_source(element, self.entry.source, self.updated)
        _add_picture(element, self.entry)
        return element

    def extend_rss(self, element: etree._Element) -> etree._Element:
        for author in self.entry.authors:
            etree.SubElement(element, _CREATOR).text = clean(author)
        if self.entry.source:
            source = etree.SubElement(element, "source", url=self.entry.source.url)
            source.text = clean(self.entry.source.title)
        _add_picture(element, self.entry)
        return element


def _add_related(element: etree._Element, entry: Entry) -> None:
    """The links that are not the article say that they are related, and what they lead to."""
    for related in entry.related:
        link = etree.SubElement(element, "link", href=related.url, rel="related", type="text/html")
        if not _LOOKS_LIKE_HTML.search(related.title):
            link.set("title", clean(related.title))


def _mark_up(element: etree._Element, when: re.Pattern[str]) -> None:
    """Some text as HTML that shows it as it is (RFC 4287 §3.1.1.2); other text stays text."""
    if element.text and when.search(element.text):
        element.text = html.escape(element.text, quote=False)
        element.set("type", "html")


def _add_source(element: etree._Element, source: Source, updated: datetime) -> None:
    """The source of an entry, which is as new as the entry."""
    element.append(copy(_source(source)))
    element[-1][2].text = updated.isoformat()


# Most entries share theirs with many others. A copy takes half the time of making one.
@lru_cache(maxsize=4096)
def _source(source: Source) -> etree._Element:
    """As an element of Atom, the third part of which is to be filled in."""
    element = etree.Element("source")
    etree.SubElement(element, "id").text = source.id
    title = etree.SubElement(element, "title")
    title.text = clean(source.title)
    _mark_up(title, _LOOKS_LIKE_HTML)
    etree.SubElement(element, "updated")
    etree.SubElement(element, "link", href=source.url, rel="alternate", type="text/html")
    return element


def _add_picture(element: etree._Element, entry: Entry) -> None:
    if entry.picture:
        known = {"url": entry.picture.url}
        if entry.picture.width:
            known["width"] = str(entry.picture.width)
        if entry.picture.height:
            known["height"] = str(entry.picture.height)
        etree.SubElement(element, _CONTENT, {**known, "medium": "image"})
        etree.SubElement(element, _THUMBNAIL, known)
