"""The pages for people, as an HTML parser sees them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from support import NOW, compose_all, make_article

from feedsvc.articles.article import Image, Link
from feedsvc.documents.page import CONTENT_SECURITY_POLICY, MAX_DISCOVERED, Row, render_index, render_page
from feedsvc.documents.snapshot import Snapshot, publish
from feedsvc.feeds.activity import DAYS, pace
from feedsvc.feeds.feed import Category, Entry, Feed, Kind, Site, View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection
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
    categories=(Category("AI", "https://feeds.example/topics/ai"),),
    summary="1 < 2",
    content="<p>1 &lt; 2</p>",
    picture=Image("https://example.org/p.png", 3, 4),
    related=(Link("https://example.net/r", "More", "Other"),),
    type="video",
)
NONE = (0,) * DAYS


def feed(kind: Kind, name: str, path: str, *entries: Entry, total: int | None = None) -> Feed:
    """A feed of these entries."""
    date = datetime(2021, 12, 5, tzinfo=UTC)
    count = len(entries) if total is None else total
    return Feed(kind, name, path, "urn:f", f"{name} · Site", "d", date, entries, count, SITE)


def row(kind: Kind, name: str, path: str, total: int = 1, days: tuple[int, ...] = NONE) -> Row:
    """A feed as the index lists it."""
    newest = ENTRY.published if total else None
    return Row(kind, name, f"{name} · Site", SITE.base_url + path, total, newest, days, "en")


def read(page: bytes) -> Any:
    """The page as lxml reads it."""
    return html.document_fromstring(page.decode(), parser=html.HTMLParser(huge_tree=True))


def shown(*entries: Entry, total: int | None = None, days: tuple[int, ...] = NONE) -> Any:
    """The page of a topic with these entries."""
    return read(render_page(feed("topic", "AI", "/topics/ai", *entries, total=total), days))


def words(element: Any) -> str:
    """The text of an element, on one line."""
    return " ".join(element.text_content().split())


def test_discovery() -> None:
    """PUBLISHING 30: a page's head names its own feed first, in every format, by full URLs with type and title."""
    page = shown(ENTRY)
    own = [
        {
            "rel": "alternate",
            "type": media_type,
            "title": f"AI · Site ({name})",
            "href": f"https://feeds.example/topics/ai.{ending}",
        }
        for name, ending, media_type in (
            ("Atom", "atom", "application/atom+xml"),
            ("RSS", "rss", "application/rss+xml"),
            ("JSON Feed", "json", "application/feed+json"),
        )
    ]
    everything = {"title": "The <site>", "href": "https://feeds.example/feeds/all.atom"}
    assert [dict(link.attrib) for link in page.xpath("/html/head/link[@rel='alternate']")] == [
        *own,
        {"rel": "alternate", "type": "application/atom+xml", **everything},
    ]
    assert page.xpath("/html/head/link[@rel='canonical']/@href") == ["https://feeds.example/topics/ai"]
    all_of_it = read(render_page(feed("all", "All", "/feeds/all", ENTRY), NONE))
    assert len(all_of_it.xpath("/html/head/link[@rel='alternate']")) == 3


def test_entries() -> None:
    """An entry is shown as a reader would: title, authors, date, picture, text, related coverage, topics."""
    (article,) = shown(ENTRY).xpath("//main/article")
    (link,) = article.xpath("h2/a")
    assert (words(link), link.get("href")) == (ENTRY.title, ENTRY.url)
    assert "Example, Ann · 4 December 2021 · video" in words(article)
    assert "1 < 2" in words(article.find_class("content")[0])
    assert article.xpath(".//li/a/@href") == ["https://example.net/r", "https://feeds.example/topics/ai"]
    (picture,) = article.xpath(".//img")
    assert dict(picture.attrib) == {
        "src": "https://example.org/p.png",
        "width": "3",
        "height": "4",
        "alt": "",
        "loading": "lazy",
        "referrerpolicy": "no-referrer",
    }


def test_bare_entry() -> None:
    """What an entry does not have leaves no empty place."""
    bare = replace(ENTRY, summary="", content="", picture=None, related=(), categories=(), type="")
    (article,) = shown(bare).xpath("//article")
    assert words(article) == f"{ENTRY.title} Example, Ann · 4 December 2021"
    assert not article.xpath(".//img | .//ul | .//p[not(node())]")


def test_body_stands_below_its_title() -> None:
    """Headings of a body are below the entry's; its pictures come late; pixels that only count do not come."""
    body = (
        '<h1>Big</h1><h4>Small</h4><img src="https://e.org/a.png"><img src="https://e.org/b.png" alt="B">'
        '<img src="https://e.org/1.gif" width="1" height="1">after<a href="https://e.org/">x</a>'
    )
    (content,) = shown(replace(ENTRY, content=body, picture=None, related=())).find_class("content")
    assert [heading.text for heading in content.iter("h1", "h2", "h3", "h4")] == ["Big", "Small"]
    assert len(content.xpath(".//h3")) == 2
    assert content.xpath(".//img/@src") == ["https://e.org/a.png", "https://e.org/b.png"]
    assert content.xpath(".//img/@alt") == ["", "B"]
    assert content.xpath(".//img/@loading") == ["lazy", "lazy"]
    assert content.xpath(".//a/@rel") == ["noopener"]
    assert "after" in words(content)


def body(markup: str) -> Any:
    """The content of an entry with this body and nothing else, as its page shows it."""
    return shown(replace(ENTRY, content=markup, picture=None, related=())).find_class("content")[0]


def test_every_link_of_a_body_has_a_name() -> None:
    """A link that is only a picture without a name has the name of where it leads; one of nothing is no link."""
    picture = '<img src="https://e.org/a.png">'
    assert body(f'<a href="https://e.net/x">{picture}</a>').xpath(".//a/img/@alt") == ["e.net"]
    assert body(f'<a href="mailto:a@e.net">{picture}</a>').xpath(".//a/img/@alt") == ["mailto:a@e.net"]
    assert body(f'<a href="https://e.net/x">{picture} x</a>').xpath(".//a/img/@alt") == [""]
    named = picture.replace(">", ' alt="A">')
    assert body(f'<a href="https://e.net/x">{picture}{named}</a>').xpath(".//a/img/@alt") == ["", "A"]
    counting = picture.replace(">", ' width="1">')
    for nothing in ("", " ", counting):
        content = body(f'<p>a<a href="https://e.net/x">{nothing}</a>b</p>')
        assert not content.xpath(".//a")
        assert words(content).replace(" ", "") == "ab"


@pytest.mark.parametrize("size", ["0", "1", "2", " 1", "1px", "+1", "01", "1.5"])
def test_pictures_that_only_count_do_not_come(size: str) -> None:
    """However a browser is told that a picture has a size of next to nothing."""
    assert not body(f'<img src="https://e.org/a.png" width="{size}"><p>x</p>').xpath(".//img")


@pytest.mark.parametrize("size", ["3", "10", "20px", "012", "auto", "", "50%"])
def test_other_pictures_come(size: str) -> None:
    """A picture of some size, or of none that is known."""
    assert body(f'<img src="https://e.org/a.png" height="{size}"><p>x</p>').xpath(".//img")


def test_a_deep_body_is_shown_to_its_end() -> None:
    """Nested deeper than a parser allows by default, a body loses nothing."""
    assert words(body(f"{'<blockquote>' * 400}in{'</blockquote>' * 400} <p>end</p>")) == "in end"


def test_headings_of_a_body_say_something() -> None:
    """A heading without a word is none."""
    assert [words(heading) for heading in body("<h2> </h2><h2>A</h2><h4><br></h4>").iter("h3")] == ["A"]


def test_tables_scroll_by_themselves() -> None:
    """A table stands in a box that the keyboard can reach and scroll; an empty cell heads nothing."""
    content = body(
        "a<table><tr><th></th><th>A</th></tr><tr><th scope='row'> </th>"
        "<td><table><tr><td>1</td></tr></table></td></tr></table>b"
    )
    (box,) = content.find_class("wide")
    assert (box.get("tabindex"), box.get("role"), box.get("aria-label")) == ("0", "group", "Table")
    assert len(box.xpath(".//table")) == 2
    assert [words(cell) for cell in content.iter("th")] == ["A"]
    assert not content.xpath(".//td/@scope")
    assert (box.getparent().text, box.tail) == ("a", "b")


def test_what_is_embedded_is_a_link_in_words() -> None:
    """A player is a link that says where it plays, beside the picture if there is one."""
    film = replace(ENTRY, featured="https://player.example/1?a=1&b=2", content="", related=())
    for entry, pictures in ((film, 1), (replace(film, picture=None), 0)):
        (link,) = shown(entry).find_class("content")[0].iter("a")
        assert link.get("href") == film.featured
        assert words(link) == "Play at player.example"
        assert len(link.xpath("img")) == pictures
    assert not shown(replace(ENTRY, picture=None)).xpath("//p[starts-with(., 'Play')]")


def test_counts() -> None:
    """A page says how many articles there are, that it shows only the newest of them, and how often some come."""
    some = words(shown(ENTRY, total=7, days=(*NONE[1:], 12)))
    assert "7 articles, the newest 1 of them here. New ones: 12 in the last 30 days, about 3 a week." in some
    assert "Older articles are in the feed's archive" in some
    assert "1 article. New ones: none in the last 30 days." in words(shown(ENTRY))
    assert "0 articles. " in words(shown())
    assert "No article at present" in words(shown())


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "none in the last 30 days"),
        (1, "1 in the last 30 days"),
        (7, "7 in the last 30 days, about 2 a week"),
        (59, "59 in the last 30 days, about 14 a week"),
        (90, "90 in the last 30 days, about 3 a day"),
    ],
)
def test_pace_is_told_in_words(count: int, said: str) -> None:
    """How often articles come is told by day or by week, whichever is the easier to imagine."""
    assert pace((*NONE[1:], count)) == said


def test_index() -> None:
    """The index lists every feed by kind, in the order of names, with count, newest, page, and every format."""
    rows = [
        row("all", "All", "/feeds/all"),
        row("topic", "b", "/topics/b", total=0),
        row("topic", "A", "/topics/a", days=(1, *NONE[2:], 2)),
        row("provider", "P", "/providers/p"),
    ]
    page = read(render_index(rows, SITE))
    assert [words(heading) for heading in page.xpath("//h2")] == ["Everything", "Topics", "Providers"]
    paths = ["/feeds/all", "/topics/a", "/topics/b", "/providers/p"]
    assert page.xpath("//li/a[@class='name']/@href") == [f"https://feeds.example{path}" for path in paths]
    for path, item in zip(paths, page.xpath("//li"), strict=True):
        formats = [f"https://feeds.example{path}{ending}" for ending in (".atom", ".rss", ".json")]
        assert item.xpath(".//a[@type]/@href") == formats
        name = words(item.find_class("name")[0])
        said = [f"{kind} feed of {name}" for kind in ("Atom", "RSS", "JSON")]
        assert item.xpath(".//a[@type]/@aria-label") == said
        assert item.xpath(".//button/@data-copy") == formats[:1]
    assert "1 article, newest 4 December 2021" in words(page)
    assert "b 0 articles" in words(page)
    assert words(page.xpath("//h1")[0]) == "The <site>"
    assert page.xpath("//a[@href='https://feeds.example/feeds.opml']")
    # Filtered by what it is called, and by what stands in its address.
    assert page.xpath("//li/@data-name") == ["All all", "A a", "b b", "P p"]


def test_sparkline_has_a_bar_for_each_day_with_an_article() -> None:
    """The last 30 days are a bar a day, the highest 24 high; who does not see it hears the sum."""
    days = (1, *NONE[2:], 2)
    (picture,) = read(render_index([row("all", "All", "/feeds/all", days=days)], SITE)).xpath("//svg")
    assert picture.xpath("path/@d") == ["M2 24v-14M118 24v-24"]
    assert (picture.get("role"), picture.get("aria-label")) == ("img", "3 in the last 30 days")
    (empty,) = read(render_index([row("all", "All", "/feeds/all")], SITE)).xpath("//svg")
    assert empty.xpath("path") == []


def test_the_index_names_the_feed_of_all_first_and_not_without_end() -> None:
    """PUBLISHING 30: the head of the index names the feed of all first, in every format, then the others."""
    rows = [row("all", "All", "/feeds/all"), *(row("topic", f"{n:04}", f"/topics/{n:04}") for n in range(200))]
    found = read(render_index(rows, SITE)).xpath("/html/head/link[@rel='alternate']/@href")
    assert found[:4] == [
        *(f"https://feeds.example/feeds/all{ending}" for ending in (".atom", ".rss", ".json")),
        "https://feeds.example/topics/0000.atom",
    ]
    assert len(found) == 3 + MAX_DISCOVERED


def test_language_and_direction() -> None:
    """What stands around the articles is English; articles are of their feed's language, each in its direction."""
    arabic = replace(ENTRY, title="الذكاء الاصطناعي")
    page = read(render_page(replace(feed("topic", "AI", "/topics/ai", arabic), language="ar"), NONE))
    assert page.get("lang") == "en"
    (article,) = page.xpath("//article")
    assert (article.get("lang"), article.get("dir")) == ("ar", "auto")
    # A direction of its own would keep the title from giving the article its direction.
    assert not article.xpath("h2/@dir")
    assert article.xpath("div[@class='content']/@dir") == ["auto"]
    assert article.xpath(".//time/@lang | .//time/@dir") == ["en", "ltr"]
    assert page.xpath("//h1/@lang | //h1/@dir") == ["ar", "auto"]
    rows = [row("all", "All", "/feeds/all"), replace(row("topic", "أخبار", "/topics/x"), language="ar")]
    index = read(render_index(rows, SITE))
    assert index.xpath("//li/a[@class='name']/@lang") == ["en", "ar"]
    own = replace(feed("all", "All articles", "/feeds/all"), language="ar")
    assert read(render_page(own, NONE)).xpath("//h1/@lang") == ["en"]
    rows = [replace(row("all", "All articles", "/feeds/all"), language="ar")]
    assert read(render_index(rows, SITE)).xpath("//li/a[@class='name']/@lang") == ["en"]


def test_nothing_runs_or_comes_from_elsewhere() -> None:
    """The policy lets in what the page holds itself, by its digest, and pictures; the page has nothing else."""
    for page in (shown(ENTRY), read(render_index([row("all", "All", "/feeds/all")], SITE))):
        for kind, element in (("script", page.xpath("//script")), ("style", page.xpath("//style"))):
            (own,) = element
            digest = base64.b64encode(hashlib.sha256(own.text.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}';" in CONTENT_SECURITY_POLICY
        assert not page.xpath("//script/@src | //link[@rel='stylesheet'] | //iframe | //@style | //@onclick")
        # Else browsers would ask for /favicon.ico, which is not there.
        (icon,) = page.xpath("//link[@rel='icon']/@href")
        assert icon.startswith("data:image/svg+xml,%3Csvg")
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@given(st.text(max_size=20), st.text("<>&\"'`/= abscript", max_size=20))
def test_any_text_is_text(title: str, name: str) -> None:
    """No text becomes markup, whatever it is."""
    title, name = f"T{one_line(title)}", f"N{one_line(name)}"
    entry = replace(ENTRY, title=title, authors=(name,), type=name, related=(), content="", picture=None)
    page = read(render_page(feed("topic", name, "/topics/x", entry), NONE))
    assert words(page.xpath("//article/h2/a")[0]) == " ".join(title.split())
    assert words(page.xpath("//h1")[0]) == " ".join(name.split())
    assert len(page.xpath("//article/*")) == 4
    assert len(page.xpath("//article//a")) == 2
    index = read(render_index([replace(row("all", name, "/feeds/all"), title=title)], SITE))
    assert words(index.xpath("//li/a[@class='name']")[0]) == " ".join(name.split())


# --- as documents of a snapshot


def published(*ages: float, before: Snapshot | None = None, now: datetime = NOW) -> Snapshot:
    """The snapshot of articles of these ages in days."""
    articles = tuple(make_article(f"{age}", published_at=NOW - timedelta(days=age)) for age in sorted(ages))
    composition = compose_all(Selection(articles), SITE, Memory(), View(limit=2))
    return publish(composition, "public, max-age=9", before, now)


def made(snapshot: Snapshot, path: str = "/") -> bytes:
    """The bytes of a page."""
    document = snapshot.document(path)
    assert document is not None
    return document.content


def test_days_count_all_articles_that_a_feed_ever_had() -> None:
    """The days count every article of the last 30, also those that the feed has no place for any more."""
    snapshot = published(0.25, 1.25, 1.5, 28.5, 29.5, 300)
    for path in ("/", "/feeds/all"):
        (picture,) = read(made(snapshot, path)).xpath("//svg")
        assert picture.get("aria-label") == "4 in the last 30 days"
        assert re.findall(r"M(\d+)", picture.xpath("path/@d")[0]) == ["2", "110", "114"]


def test_pages_are_made_once_and_as_cacheable_as_feeds() -> None:
    """A page is the same document until what it shows is another; it has a tag, a date and the feeds' policy."""
    first = published(3)
    second = published(3, before=first, now=NOW + timedelta(hours=1))
    for path in ("/", "/feeds/all"):
        document = first.document(path)
        assert document is not None
        assert first.document(path) is second.document(path) is document
        headers = dict(document.variants["gzip"].headers)
        assert headers["Cache-Control"] == "public, max-age=9"
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        third = published(3, 2, before=second).document(path)
        assert third is not None
        assert third.etag != document.etag
        assert third.last_modified > document.last_modified
    assert first.document("/feeds/none") is None
    assert set(first.paths()) >= {"/", "/feeds/all"}
