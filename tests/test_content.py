"""An entry's content: what it shows, in which order, and that nothing in it is more than text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.articles.article import Image, Link
from feedsvc.articles.markup import render_body
from feedsvc.documents.content import readable_date, render_content
from feedsvc.feeds.feed import Entry, Source
from feedsvc.text import one_line

if TYPE_CHECKING:
    from lxml.html import HtmlElement

ENTRY = Entry(
    id="urn:uuid:00000000-0000-5000-8000-000000000001",
    title="Title",
    url="https://example.org/a?b=1&c=2",
    published=datetime(2021, 12, 4, tzinfo=UTC),
    updated=datetime(2021, 12, 4, tzinfo=UTC),
    authors=("Reuters",),
    source=Source("urn:x", "Reuters", "https://example.org/"),
    categories=(),
    summary="A summary.",
    content="<p>A body.</p>",
    picture=Image("https://example.org/p.png?a&b", 640, 480),
    related=(Link("https://example.net/1", "One & more", "Other"), Link("https://example.net/2", "Two")),
)
BARE = replace(ENTRY, source=None, picture=None, related=())


def read(entry: Entry) -> HtmlElement:
    """The content as a reader parses it."""
    return lxml.html.fromstring(f"<div>{render_content(entry, 'en')}</div>")


def test_content_shows_the_parts_in_the_order_of_their_weight() -> None:
    """First the picture, then the text, then where it comes from, then what else there is."""
    assert [child.tag for child in read(ENTRY)] == ["p", "p", "p", "ul"]
    assert read(ENTRY).text_content() == "A body.Reuters, 4 December 2021One & more (Other)Two"
    assert read(ENTRY).xpath(".//a/@href") == [ENTRY.url, "https://example.net/1", "https://example.net/2"]


def test_picture_has_its_size() -> None:
    """A picture has its width and height, so that nothing jumps when it comes; without both it has neither."""
    (image,) = read(ENTRY).xpath(".//img")
    assert dict(image.attrib) == {
        "src": "https://example.org/p.png?a&b",
        "alt": "",
        "width": "640",
        "height": "480",
    }
    (image,) = read(replace(ENTRY, picture=Image("https://example.org/p.png", 640))).xpath(".//img")
    assert dict(image.attrib) == {"src": "https://example.org/p.png", "alt": ""}


def test_picture_of_the_body_is_not_shown_twice() -> None:
    """A body that shows the picture already is left to do so."""
    body = '<p><img src="https://example.org/p.png?a&amp;b"></p>'
    assert len(read(replace(ENTRY, content=body)).xpath(".//img")) == 1
    url = "https://example.org/rock'n'roll.png"
    shown = replace(ENTRY, content=render_body(f'<img src="{url}">', "html", ENTRY.url), picture=Image(url))
    assert len(read(shown).xpath(".//img")) == 1


def test_a_body_of_any_length_is_rendered() -> None:
    """What was clean enough for an article is never too much for its content."""
    body = render_body(f'<img src="https://example.org/p.png?a&amp;b">{"<p>x" * 19_000}', "html", ENTRY.url)
    assert len(read(replace(ENTRY, content=body)).xpath(".//p")) > 19_000


@pytest.mark.parametrize(
    "body",
    [
        '<p><img src="https://example.org/p.png?a&amp;bc"></p>',
        "<p>https://example.org/p.png?a&amp;b</p>",
        '<p><a href="https://example.org/p.png?a&amp;b">the picture</a></p>',
    ],
)
def test_picture_that_the_body_only_mentions_is_shown(body: str) -> None:
    """A body that names the picture's address, or shows another that begins like it, does not show the picture."""
    assert read(replace(ENTRY, content=body)).xpath(".//img/@src")[0] == "https://example.org/p.png?a&b"


def test_what_is_embedded_is_a_link() -> None:
    """A player becomes a picture that leads to it, or, without a picture, its address."""
    video = replace(ENTRY, featured="https://www.youtube.com/watch?v=x")
    assert read(video).xpath(".//a[img]/@href") == ["https://www.youtube.com/watch?v=x"]
    (link,) = read(replace(BARE, featured="https://www.youtube.com/watch?v=x")).xpath(".//a")
    assert (link.get("href"), link.text) == ("https://www.youtube.com/watch?v=x",) * 2


def test_what_is_not_there_is_not_shown() -> None:
    """An entry with nothing but a title has no content."""
    assert render_content(BARE, "en") == "<p>A body.</p>"
    assert render_content(replace(BARE, content=""), "en") == ""


@pytest.mark.parametrize(
    ("language", "date"),
    [
        ("en", "4 December 2021"),
        ("en-US", "December 4, 2021"),
        ("de", "4. Dezember 2021"),
        ("de-x-private", "4. Dezember 2021"),
        ("no", "4. desember 2021"),
        ("ja", "2021年12月4日"),
        ("he", "4 בדצמבר 2021"),
        ("tlh", "2021-12-04"),
    ],
)
def test_date_is_in_words_that_the_language_has(language: str, date: str) -> None:
    """A date is written as people write it in the language of the feed; as ISO 8601 has it in one nobody knows."""
    assert readable_date(ENTRY.published, language) == date


@given(st.text(), st.text())
def test_no_text_becomes_markup(name: str, title: str) -> None:
    """Whatever a provider or a related article is called, it stays text."""
    name, title = one_line(name), one_line(title)
    entry = replace(
        BARE,
        source=Source("urn:x", f"S{name}", "https://example.org/"),
        related=(Link("https://e.org/", f"T{title}", name),),
    )
    root = read(entry)
    assert [child.tag for child in root.iter()] == ["div", "p", "p", "small", "a", "ul", "li", "a"]
    assert one_line(root.xpath(".//small/a")[0].text_content()) == one_line(f"S{name}")
    assert one_line(root.xpath(".//li/a")[0].text_content()) == one_line(f"T{title}")
