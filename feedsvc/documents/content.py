"""An entry's content as a reader shows it: the picture, the text, where it comes from, what else there is."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import lxml.html
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

if TYPE_CHECKING:
    from datetime import date, datetime

    from feedsvc.articles.article import Image
    from feedsvc.feeds.feed import Entry


# The sizes of pictures that only count.
_UNSEEN = re.compile(r"\s*\+?0*[0-2](?![0-9])")
# A body is clean: its attributes have double quotes, and its text no `<`.
_SHOWN = re.compile(r'<img [^<>]*?\bsrc="([^"]*)"')
# Nested deeper than usual, an article must not end early.
_PARSER = lxml.html.HTMLParser(huge_tree=True)


def render_content(entry: Entry, language: str) -> str:
    """HTML of every part that the entry has, "" where it has none; every URL in it is absolute."""
    return "".join((_picture(entry), entry.content, _origin(entry, language), _coverage(entry)))


def render_reading(entry: Entry) -> str:
    """The same for a page of many entries, which says by itself where each comes from.

    Its pictures come when they are scrolled to, and tell nobody whose page they are on; those that nobody would
    see are there to count readers, and do not come at all. Headings stand below the entry's title. What is wider
    than a phone scrolls by itself, also by keyboard.
    """
    parts = "".join((_player(entry) or _picture(entry), entry.content, _coverage(entry)))
    root = lxml.html.fragment_fromstring(parts, create_parent="div", parser=_PARSER)
    for image in list(root.iter("img")):
        if any(_UNSEEN.match(image.get(side, "")) for side in ("width", "height")):
            image.drop_tree()
            continue
        image.set("alt", image.get("alt") or "")
        image.set("loading", "lazy")
        image.set("referrerpolicy", "no-referrer")
    for heading in list(root.iter("h1", "h2", "h3", "h4", "h5", "h6")):
        heading.tag = "h3"
        if not heading.text_content().strip():
            heading.drop_tag()
    for link in list(root.iter("a")):
        link.set("rel", "noopener")
        _name(link)
    for table in list(root.iter("table")):
        _fit(table)
    return str(lxml.html.tostring(root, encoding="unicode"))


def _name(link: lxml.html.HtmlElement) -> None:
    """A link that is nothing but a picture is called by where it leads; one of nothing at all is none."""
    if link.text_content().strip() or any(image.get("alt").strip() for image in link.iter("img")):
        return
    image = next(link.iter("img"), None)
    if image is None:
        link.drop_tag()
    else:
        image.set("alt", _host(link.get("href", "")))


def _fit(table: lxml.html.HtmlElement) -> None:
    """In a box that scrolls. The corner of a table is no heading when it is empty."""
    for cell in table.iter("th"):
        if not cell.text_content().strip():
            cell.tag = "td"
            cell.attrib.pop("scope", None)
    if next(table.iterancestors("table"), None) is None:
        box = lxml.html.Element("div", {"class": "wide", "role": "group", "aria-label": "Table", "tabindex": "0"})
        table.addprevious(box)
        box.tail, table.tail = table.tail, None
        box.append(table)


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _player(entry: Entry) -> str:
    """What is embedded, in words beside the picture: a picture alone would not say that it plays, and may fail."""
    if not entry.featured:
        return ""
    words = f'<span lang="en" dir="ltr">Play at {escape(_host(entry.featured))}</span>'
    return f'<p><a href="{escape(entry.featured)}">{_image(entry)}{words}</a></p>'


def _picture(entry: Entry) -> str:
    """What is embedded is a link: from the picture, or by its own name."""
    picture = _image(entry)
    if entry.featured:
        picture = f'<a href="{escape(entry.featured)}">{picture or escape(entry.featured)}</a>'
    return f"<p>{picture}</p>" if picture else ""


def _image(entry: Entry) -> str:
    """Not where the body shows it already."""
    if entry.picture:
        url = entry.picture.url
        if url not in map(unescape, _SHOWN.findall(entry.content)):
            return f'<img src="{escape(url)}" alt=""{_size(entry.picture)}>'
    return ""


def _size(picture: Image) -> str:
    """Both or none: then nothing jumps when the picture comes."""
    if picture.width and picture.height:
        return f' width="{picture.width}" height="{picture.height}"'
    return ""


def _origin(entry: Entry, language: str) -> str:
    if not entry.source:
        return ""
    name, date = escape(entry.source.title), readable_date(entry.published, language)
    return f'<p><small><a href="{escape(entry.url)}" rel="external">{name}</a>, {date}</small></p>'


def _coverage(entry: Entry) -> str:
    items = "".join(
        f'<li><a href="{escape(link.url)}" rel="external">{escape(link.title)}</a>'
        f"{f' ({escape(link.provider)})' if link.provider else ''}</li>"
        for link in entry.related
    )
    return f"<ul>{items}</ul>" if items else ""


def readable_date(moment: datetime, language: str) -> str:
    """A day as people write it in a language; as ISO 8601 has it where nobody told us how."""
    return _readable(moment.date(), language)


# Most articles share theirs with others.
@lru_cache(maxsize=4096)
def _readable(day: date, language: str) -> str:
    locale = _locale(language)
    return format_date(day, "long", locale) if locale else f"{day:%Y-%m-%d}"


@lru_cache
def _locale(language: str) -> Locale | None:
    """What is known of a language tag, else of its first part; most who say just `en` put the day first."""
    for tag in ("en-GB" if language.lower() == "en" else language, language.partition("-")[0]):
        # Private and unknown parts make a tag unknown.
        with suppress(UnknownLocaleError, ValueError):
            return Locale.parse(tag, sep="-")
    return None
