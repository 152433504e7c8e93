"""The pages for people, as an HTML parser sees them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from feedsvc.articles.article import Image
from feedsvc.documents.page import render_index, render_page
from feedsvc.feeds.feed import Entry, Feed, Kind, Site
from feedsvc.text import one_line

SITE = Site("https://feeds.example", "The <site>", "All of it", "en", "feeds.example")
ENTRY = Entry(
    id="urn:x",
    title="A & B <script>alert(1)</script>",
    url="https://example.org/?a=1&b=2",
    published=datetime(2021, 12, 4, tzinfo=UTC),
    updated=datetime(2021, 12, 5, tzinfo=UTC),
    authors=("Example", "Ann"),
    source=None,
    categories=(),
    summary="1 < 2",
    content="<p>never on the page</p>",
    picture=Image("https://example.org/p.png", 3, 4),
    related=(),
)


def feed(kind: Kind, name: str, path: str, *entries: Entry, total: int | None = None) -> Feed:
    """A feed of these entries."""
    date = datetime(2021, 12, 5, tzinfo=UTC)
    count = len(entries) if total is None else total
    return Feed(kind, name, path, "urn:f", f"{name} · Site", "d", date, entries, count, SITE)


def read(page: bytes) -> Any:
    """The page as lxml reads it."""
    return html.document_fromstring(page.decode())


def words(element: Any) -> str:
    """The text of an element, on one line."""
    return " ".join(element.text_content().split())


def test_discovery() -> None:
    """A page's head names its own feeds, by full URLs, with type and title."""
    page = read(render_page(feed("topic", "AI", "/topics/ai", ENTRY)))
    assert [dict(link.attrib) for link in page.xpath("/html/head/link[@rel='alternate']")] == [
        {
            "rel": "alternate",
            "type": media_type,
            "title": f"AI · Site ({name})",
            "href": f"https://feeds.example/topics/ai.{name.lower()}",
        }
        for name, media_type in (
            ("Atom", "application/atom+xml"),
            ("RSS", "application/rss+xml"),
            ("JSON", "application/feed+json"),
        )
    ]
    assert page.xpath("/html/head/link[@rel='canonical']/@href") == ["https://feeds.example/topics/ai"]
    assert page.get("lang") == "en"


def test_entries() -> None:
    """An entry shows its title as text, links to the article, and names its authors and date."""
    page = read(render_page(feed("topic", "AI", "/topics/ai", ENTRY)))
    (link,) = page.xpath("//article/h2/a")
    assert (words(link), link.get("href")) == (ENTRY.title, ENTRY.url)
    (article,) = page.xpath("//article")
    assert "Example, Ann · 4 December 2021" in words(article)
    assert "1 < 2" in words(article)
    (picture,) = page.xpath("//article/img")
    assert (picture.get("src"), picture.get("width"), picture.get("height")) == (
        "https://example.org/p.png",
        "3",
        "4",
    )
    assert not page.xpath("//script | //iframe | //link[@rel='stylesheet']")


def test_bare_entry() -> None:
    """What an entry does not have leaves no empty place."""
    bare = replace(ENTRY, summary="", picture=None)
    page = read(
        render_page(feed("topic", "AI", "/topics/ai", bare, replace(ENTRY, picture=Image("https://e.example/"))))
    )
    first, second = page.xpath("//article")
    assert len(first.xpath("p")) == 1
    assert not first.xpath("img")
    assert not second.xpath("img/@width")


def test_counts() -> None:
    """A page says how many articles there are, and that it shows only the newest of them."""
    some = words(read(render_page(feed("topic", "AI", "/topics/ai", ENTRY, total=7))))
    assert "7 articles, the newest 1 of them here" in some
    one = words(read(render_page(feed("topic", "AI", "/topics/ai", ENTRY))))
    assert "1 article. Subscribe" in one
    none = words(read(render_page(feed("topic", "AI", "/topics/ai"))))
    assert "0 articles" in none
    assert "No article at present" in none


def test_index() -> None:
    """The index lists every feed by kind, in the order of names, with links to its page, Atom and RSS."""
    feeds = [
        feed("all", "All", "/feeds/all", ENTRY),
        feed("topic", "b", "/topics/b"),
        feed("topic", "A", "/topics/a", ENTRY),
        feed("provider", "P", "/providers/p", ENTRY),
    ]
    page = read(render_index(feeds, SITE))
    assert [words(heading) for heading in page.xpath("//h2")] == ["Everything", "Topics", "Providers"]
    paths = ["/feeds/all", "/topics/a", "/topics/b", "/providers/p"]
    assert page.xpath("//li/a[@class='name']/@href") == [f"https://feeds.example{path}" for path in paths]
    assert page.xpath("//link[@rel='alternate']/@href") == [f"https://feeds.example{path}.atom" for path in paths]
    for path in paths:
        assert page.xpath(f"//li//a[@href='https://feeds.example{path}.rss']")
    assert "1 article, newest 4 December 2021" in words(page)
    assert words(page.xpath("//h1")[0]) == "The <site>"


@given(st.text(max_size=20), st.text("<>&\"'`/= abscript", max_size=20))
def test_any_text_is_text(title: str, name: str) -> None:
    """No text becomes markup, whatever it is."""
    title, name = f"T{one_line(title)}", f"N{one_line(name)}"
    page = read(render_page(feed("topic", name, "/topics/x", replace(ENTRY, title=title, summary=name))))
    assert words(page.xpath("//article/h2/a")[0]) == " ".join(title.split())
    assert words(page.xpath("//h1")[0]) == " ".join(name.split())
    assert len(page.xpath("//article/*")) == 4
    assert len(page.xpath("//article//a")) == 1
