"""Atom and RSS as independent readers see them; every repair of feedgen has a test that fails without it."""

from __future__ import annotations

import html
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feedsvc.articles.article import Image, Link
from feedsvc.documents import syndication
from feedsvc.documents.draft import Draft
from feedsvc.feeds.feed import Category, Entry, Feed, Site, Source
from feedsvc.text import one_line

NAMES = {
    "a": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}
PUBLISHED = datetime(2021, 12, 14, 0, 50, tzinfo=UTC)
UPDATED = datetime(2021, 12, 15, 7, 8, 9, tzinfo=UTC)
FORBIDDEN = "\x00\x01\x08\x0b\x0c\x1f\x7f\x9f\ud800\udfff\ufffe\uffff"
SITE = Site("https://feeds.example", "The site", "All of it", "pt-BR", "feeds.example")
PAGE = "https://feeds.example/topics/ai"


def entry(name: str = "1", **fields: Any) -> Entry:
    """An entry with everything."""
    full = Entry(
        id=f"urn:uuid:00000000-0000-5000-8000-00000000000{name}",
        title=f"Title {name}",
        url=f"https://example.org/{name}",
        published=PUBLISHED,
        updated=UPDATED,
        authors=("Example", "Ann"),
        source=Source("urn:uuid:00000000-0000-5000-8000-0000000000ff", "Example", "https://example.org/"),
        categories=(
            Category("AI", "https://feeds.example/topics/ai"),
            Category("C++", "https://feeds.example/topics/c-plus-plus"),
        ),
        summary="A summary.",
        content="<p>A <em>body</em>.</p>",
        picture=Image("https://example.org/p.png", 640, 480),
        related=(Link("https://example.org/r1", "One & more"), Link("https://example.org/r2", "Two")),
    )
    return replace(full, **fields)


def feed(*entries: Entry, **fields: Any) -> Feed:
    """A feed of these entries."""
    plain = Feed(
        kind="topic",
        name="AI",
        path="/topics/ai",
        id="urn:uuid:00000000-0000-5000-8000-0000000000aa",
        title="AI · The site",
        description="AI: All of it",
        updated=UPDATED,
        recipes=entries,
        total=len(entries),
        site=SITE,
        language=SITE.language,
    )
    return replace(plain, **fields)


def render_atom(feed: Feed) -> bytes:
    """The Atom document, with nothing made before."""
    return syndication.render_atom(Draft(feed))


def render_rss(feed: Feed) -> bytes:
    """The RSS document, with nothing made before."""
    return syndication.render_rss(Draft(feed))


def atom(*entries: Entry, **fields: Any) -> etree._Element:
    """The Atom document's root, as lxml reads it."""
    return etree.fromstring(render_atom(feed(*entries, **fields)))


def rss(*entries: Entry, **fields: Any) -> etree._Element:
    """The RSS document's root, as lxml reads it."""
    return etree.fromstring(render_rss(feed(*entries, **fields)))


def texts(root: etree._Element, path: str) -> list[str]:
    """The texts, or attributes, that a path leads to."""
    found: Any = root.xpath(path, namespaces=NAMES)
    return [each if isinstance(each, str) else each.text or "" for each in found]


def attributes(root: etree._Element, path: str) -> list[dict[str, str]]:
    """The attributes of the elements that a path leads to."""
    found: Any = root.xpath(path, namespaces=NAMES)
    return [{str(name): str(value) for name, value in each.attrib.items()} for each in found]


def shown(element: etree._Element) -> str:
    """What a reader shows of an Atom text construct (RFC 4287 §3.1.1)."""
    text = element.text or ""
    if element.get("type", "text") == "text":
        return text
    assert element.get("type") == "html"
    assert "<" not in text
    return html.unescape(text)


def titles(root: etree._Element) -> list[str]:
    """All titles of an Atom document as they show."""
    return [shown(element) for element in root.iter(f"{{{NAMES['a']}}}title")]


# What feedgen loses of links.


def test_entry_links_in_atom() -> None:
    """An entry has one alternate, the article, and each related page says so, with type and title."""
    assert attributes(atom(entry()), "a:entry/a:link") == [
        {"href": "https://example.org/1", "rel": "alternate", "type": "text/html"},
        {"href": "https://example.org/r1", "rel": "related", "type": "text/html", "title": "One & more"},
        {"href": "https://example.org/r2", "rel": "related", "type": "text/html", "title": "Two"},
    ]


def test_readers_open_the_article() -> None:
    """An independent reader takes the article for the link, in both formats, though there are related ones."""
    for document in (render_atom(feed(entry())), render_rss(feed(entry()))):
        assert feedparser.parse(document).entries[0].link == "https://example.org/1"


def test_feed_links_in_atom() -> None:
    """A feed has one self, its exact public URL, and one alternate, its page."""
    assert attributes(atom(entry()), "a:link") == [
        {"href": f"{PAGE}.atom", "rel": "self", "type": "application/atom+xml"},
        {"href": PAGE, "rel": "alternate", "type": "text/html"},
    ]


# What feedgen sets to the present.


def test_dates_in_atom() -> None:
    """Feed and entries are dated by what is given, never by the moment of rendering."""
    root = atom(entry())
    # The fraction comes from the id.
    assert texts(root, "a:updated") == ["2021-12-15T07:08:09.869597+00:00"]
    assert texts(root, "a:entry/a:updated") == ["2021-12-15T07:08:09.869597+00:00"]
    assert texts(root, "a:entry/a:published") == ["2021-12-14T00:50:00.869597+00:00"]
    assert texts(root, "a:entry/a:source/a:updated") == ["2021-12-15T07:08:09.869597+00:00"]
    later = UPDATED.replace(year=2022)
    assert texts(etree.fromstring(render_atom(feed(entry(), updated=later))), "a:updated") == [later.isoformat()]


def test_dates_in_rss() -> None:
    """`lastBuildDate` is the last change of content; dates are RFC 822 in UTC with the right weekday."""
    root = rss(entry())
    assert texts(root, "channel/lastBuildDate") == ["Wed, 15 Dec 2021 07:08:09 +0000"]
    assert texts(root, "channel/item/pubDate") == ["Tue, 14 Dec 2021 00:50:00 +0000"]


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it so
def test_any_date_in_rss(moment: datetime) -> None:
    """Any date has a four-digit year and the weekday of that day, and is the same moment for its reader."""
    moment = moment.replace(microsecond=0)
    (text,) = texts(rss(entry(published=moment)), "channel/item/pubDate")
    assert parsedate_to_datetime(text) == moment
    assert text[:3] == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    assert len(text.split()[3]) == 4


@pytest.mark.parametrize("render", [render_atom, render_rss])
def test_the_same_feed_gives_the_same_bytes(render: Any) -> None:
    """Equal feeds make equal bytes, also those without an entry."""
    assert render(feed(entry("1"), entry("2"))) == render(feed(entry("1"), entry("2")))
    assert render(feed()) == render(feed())


# The order of entries, and the channel's link.


def test_order() -> None:
    """Entries stand in the order of the feed."""
    three = (entry("1"), entry("2"), entry("3"))
    assert texts(atom(*three), "a:entry/a:title") == ["Title 1", "Title 2", "Title 3"]
    assert texts(rss(*three), "channel/item/title") == ["Title 1", "Title 2", "Title 3"]


def test_channel_link() -> None:
    """The channel's link is the page, not the feed; the feed names itself by atom:link."""
    root = rss(entry())
    assert texts(root, "channel/link") == [PAGE]
    assert attributes(root, "//a:link") == [{"href": f"{PAGE}.rss", "rel": "self", "type": "application/rss+xml"}]


# Pictures.


@pytest.mark.parametrize(("render", "item"), [(atom, "a:entry"), (rss, "channel/item")])
def test_picture(render: Any, item: str) -> None:
    """A picture is media:content in the entry itself, with its medium and size, and no enclosure."""
    root = render(entry())
    assert attributes(root, f"{item}/media:content") == [
        {"url": "https://example.org/p.png", "medium": "image", "width": "640", "height": "480"}
    ]
    assert not texts(root, "//media:group | //enclosure | //a:link[@rel='enclosure']")


def test_picture_of_unknown_size() -> None:
    """What is not known of a picture's size is left out."""
    picture = Image("https://example.org/p.png", None, 480)
    for root, item in ((atom(entry(picture=picture)), "a:entry"), (rss(entry(picture=picture)), "channel/item")):
        assert attributes(root, f"{item}/media:content") == [
            {"url": "https://example.org/p.png", "medium": "image", "height": "480"}
        ]


def test_no_picture() -> None:
    """Without a picture there is no media:content."""
    assert not texts(atom(entry(picture=None)), "//media:content")
    assert not texts(rss(entry(picture=None)), "//media:content")


# Characters that XML forbids.


DIRTY = f"a{FORBIDDEN}b"
IN_BOTH = {
    "title": feed(entry(title=DIRTY)),
    "summary": feed(entry(summary=DIRTY)),
    "content": feed(entry(content=DIRTY, source=None, picture=None, related=())),
    "author": feed(entry(authors=(DIRTY,))),
    "category": feed(entry(categories=(Category(DIRTY, "https://feeds.example/topics/a"),))),
    "source": feed(entry(source=Source("urn:x", DIRTY, "https://example.org/"))),
    "feed title": feed(title=DIRTY),
    "feed description": feed(description=DIRTY),
}
IN_ATOM = {
    **IN_BOTH,
    "related": feed(entry(related=(Link("https://example.org/r", DIRTY),))),
    "site title": feed(site=replace(SITE, title=DIRTY)),
}


@pytest.mark.parametrize("place", IN_ATOM)
def test_forbidden_characters_in_atom(place: str) -> None:
    """A character that XML forbids is dropped, wherever it comes from; the rest is kept."""
    document = render_atom(IN_ATOM[place])
    etree.fromstring(document)
    assert b">ab<" in document or b'="ab"' in document


@pytest.mark.parametrize("place", IN_BOTH)
def test_forbidden_characters_in_rss(place: str) -> None:
    """A character that XML forbids is dropped from RSS too."""
    document = render_rss(IN_BOTH[place])
    etree.fromstring(document)
    assert b">ab<" in document


# The process's locale.


class _Watch:
    """Notices when two renderings are at work at once: the first waits for a moment for the second to come."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.overlap = threading.Event()
        self.inside = 0
        self.visits = 0

    def visit(self) -> None:
        with self.lock:
            self.inside += 1
            self.visits += 1
            if self.inside > 1:
                self.overlap.set()
            first = self.visits == 1
        self.overlap.wait(0.3 if first else 0)
        with self.lock:
            self.inside -= 1


class _WatchedDate(datetime):
    """A date that notices when it is written: feedgen has another locale set just then."""

    watch: _Watch

    def strftime(self, form: str, /) -> str:
        self.watch.visit()
        return super().strftime(form)

    def isoformat(self, *arguments: Any, **options: Any) -> str:
        self.watch.visit()
        return super().isoformat(*arguments, **options)


@pytest.mark.parametrize("others", [render_rss, render_atom])
def test_one_thread_renders_at_a_time(others: Any) -> None:
    """While one thread writes dates, under another locale of the process, no other thread renders."""
    watch = _Watch()
    _WatchedDate.watch = watch
    date = _WatchedDate(2021, 12, 14, tzinfo=UTC)
    shared = feed(entry(published=date, updated=date), updated=date)
    begin = threading.Barrier(4)

    def render(function: Any) -> None:
        begin.wait(10)
        function(shared)

    threads = [threading.Thread(target=render, args=(each,)) for each in (render_rss, others, others, others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert watch.visits >= 8
    assert not watch.overlap.is_set()


# Titles and summaries are text.

MARKUP = "AT&T <b>x</b> a<b>c &amp; &lt;"


@pytest.mark.parametrize(
    "title", ["AT&T", "R&D: a < b > c", "Use <b> & <br/>", "<script>alert(1)", "a&&b", "Q&A;"]
)
def test_a_title_in_atom_is_plain_text(title: str) -> None:
    """PUBLISHING 7: a title is plain text, which alone all readers show as it is, markup characters and all."""
    source = Source("urn:x", title, "https://example.org/")
    titles: Any = atom(entry(title=title, source=source), title=title).xpath("//a:title", namespaces=NAMES)
    assert [(each.get("type"), each.text) for each in titles] == [(None, title)] * 3


@pytest.mark.parametrize("title", ["a <b>b</b>", "a &amp; b", "a &lt b", "&#38;", "R&D2", "it&apos;s"])
def test_a_title_that_looks_like_html_says_that_it_shows_it(title: str) -> None:
    """PUBLISHING 7: a title that even careful software would take for HTML is type=html, escaped once more."""
    source = Source("urn:x", title, "https://example.org/")
    titles: Any = atom(entry(title=title, source=source), title=title).xpath("//a:title", namespaces=NAMES)
    assert [(each.get("type"), shown(each)) for each in titles] == [("html", title)] * 3


def test_markup_characters_in_atom() -> None:
    """A summary with markup characters is type=html that shows them; other text stays text."""
    source = Source("urn:x", MARKUP, "https://example.org/")
    root = atom(entry(title=MARKUP, summary=MARKUP, source=source), title=MARKUP, description=MARKUP)
    elements: Any = root.xpath("//a:title | //a:subtitle | //a:summary", namespaces=NAMES)
    assert len(elements) == 5
    assert {each.get("type") for each in elements} == {"html"}
    assert {shown(each) for each in elements} == {MARKUP}
    plain: Any = atom(entry()).xpath("//a:title | //a:subtitle | //a:summary", namespaces=NAMES)
    assert {each.get("type") for each in plain} == {None}
    assert texts(atom(entry()), "a:entry/a:summary") == ["A summary."]


def test_markup_characters_in_the_bytes_of_rss() -> None:
    """In RSS titles, `&` and `<` are hexadecimal references; everywhere else they are as XML has them."""
    document = render_rss(feed(entry(title="AT&T <b> &amp;"), title="R&D <all>"))
    assert b"<title>AT&#x26;T &#x3C;b&gt; &#x26;amp;</title>" in document
    assert b"<title>R&#x26;D &#x3C;all&gt;</title>" in document
    assert b"<content:encoded>&lt;p&gt;" in document
    root = etree.fromstring(document)
    assert texts(root, "channel/title | channel/item/title") == ["R&D <all>", "AT&T <b> &amp;"]


@pytest.mark.parametrize("text", ["R&amp;D", "AI & <Law>", "&#38;", "a</b>"])
def test_markup_characters_in_other_text_of_rss(text: str) -> None:
    """PUBLISHING 7: what holds for titles holds for categories, sources, and the channel's description."""
    one = entry(
        title="T",
        summary="",
        related=(),
        categories=(Category(text, "https://feeds.example/topics/x?a&b"),),
        source=Source("urn:x", text, "https://example.org/?a&b"),
    )
    document = render_rss(feed(one, description=text))
    hexadecimal = text.replace("&", "&#x26;").replace("<", "&#x3C;").replace(">", "&gt;").encode()
    for end in (b"</category>", b"</source>", b"</description>"):
        assert b">" + hexadecimal + end in document
    root = etree.fromstring(document)
    assert texts(root, "//category | //source | channel/description") == [text] * 3
    assert texts(root, "//category/@domain") == ["https://feeds.example/topics/x?a&b"]


def test_attributes_that_look_like_markup_are_left_out() -> None:
    """A label or a link's title cannot say that it is no markup; its text stands elsewhere in the entry too."""
    for text in ("a <b>c</b>", "R&amp;D", "&#38;", "a</b"):
        one = entry(
            categories=(Category(text, "https://e.example/"),), related=(Link("https://e.example/r", text),)
        )
        assert attributes(atom(one), "a:entry/a:category") == [{"term": text, "scheme": "https://e.example/"}]
        assert texts(atom(one), "a:entry/a:link[@rel='related']/@href") == ["https://e.example/r"]
        assert not texts(atom(one), "a:entry/a:link/@title")
        assert html.escape(text, quote=False) in texts(atom(one), "a:entry/a:content")[0]


def test_markup_characters_in_an_rss_description() -> None:
    """A description is read as HTML, so the summary's markup characters are escaped once more."""
    (description,) = texts(rss(entry(summary="a < b & c")), "channel/item/description")
    assert description == "a &lt; b &amp; c"


def test_a_title_element_in_the_content_stays() -> None:
    """What looks like an RSS title within the content is not changed."""
    content = "<p>&lt;title&gt;A &amp;amp; B&lt;/title&gt;</p>"
    (encoded,) = texts(rss(entry(content=content)), "channel/item/content:encoded")
    assert content in encoded


# Everything else that a first-class feed has.


def test_atom_feed() -> None:
    """A feed has one id, title, subtitle, updated and author, its language and its generator."""
    root = atom(entry())
    assert etree.QName(root).text == f"{{{NAMES['a']}}}feed"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "pt-BR"
    for name, value in {
        "id": "urn:uuid:00000000-0000-5000-8000-0000000000aa",
        "title": "AI · The site",
        "subtitle": "AI: All of it",
        "author/a:name": "The site",
        "generator": "feedsvc",
    }.items():
        assert texts(root, f"a:{name}") == [value]


def test_atom_entry() -> None:
    """An entry has its id, authors, categories with the topic's page as scheme, its source, and its content."""
    root = atom(entry())
    assert texts(root, "a:entry/a:id") == ["urn:uuid:00000000-0000-5000-8000-000000000001"]
    assert texts(root, "a:entry/a:author/a:name") == ["Example", "Ann"]
    assert attributes(root, "a:entry/a:category") == [
        {"term": "AI", "scheme": "https://feeds.example/topics/ai", "label": "AI"},
        {"term": "C++", "scheme": "https://feeds.example/topics/c-plus-plus", "label": "C++"},
    ]
    assert texts(root, "a:entry/a:source/a:id") == ["urn:uuid:00000000-0000-5000-8000-0000000000ff"]
    assert texts(root, "a:entry/a:source/a:title") == ["Example"]
    assert attributes(root, "a:entry/a:source/a:link") == [
        {"href": "https://example.org/", "rel": "alternate", "type": "text/html"}
    ]
    assert attributes(root, "a:entry/a:content") == [{"type": "html"}]
    assert "<p>A <em>body</em>.</p>" in texts(root, "a:entry/a:content")[0]


def test_bare_atom_entry() -> None:
    """What an entry does not have is left out; its alternate stays."""
    bare = entry(source=None, categories=(), summary="", content="", picture=None, related=())
    root = atom(bare)
    assert not texts(root, "a:entry/a:source | a:entry/a:summary | a:entry/a:content | a:entry/a:category")
    assert texts(root, "a:entry/a:link/@rel") == ["alternate"]
    assert feedparser.parse(render_atom(feed(bare))).bozo == 0
    assert feedparser.parse(render_rss(feed(bare))).bozo == 0


def test_rss_channel() -> None:
    """The channel has title, link, description and language, and its items come last."""
    root = rss(entry("1"), entry("2"))
    assert root.get("version") == "2.0"
    for name, value in {"title": "AI · The site", "description": "AI: All of it", "language": "pt-BR"}.items():
        assert texts(root, f"channel/{name}") == [value]
    tags = [str(child.tag) for child in root[0]]
    assert tags[-2:] == ["item", "item"]
    assert "item" not in tags[:-2]


def test_rss_item() -> None:
    """An item has a guid that is no link and equals the Atom id, its link, categories and source."""
    root = rss(entry())
    assert texts(root, "channel/item/guid") == texts(atom(entry()), "a:entry/a:id")
    assert attributes(root, "channel/item/guid") == [{"isPermaLink": "false"}]
    assert texts(root, "channel/item/link") == ["https://example.org/1"]
    assert texts(root, "channel/item/category") == ["AI", "C++"]
    assert attributes(root, "channel/item/category") == [
        {"domain": "https://feeds.example/topics/ai"},
        {"domain": "https://feeds.example/topics/c-plus-plus"},
    ]
    assert texts(root, "channel/item/source") == ["Example"]
    assert attributes(root, "channel/item/source") == [{"url": "https://example.org/"}]
    assert not texts(rss(entry(source=None)), "channel/item/source")


def test_rss_authors() -> None:
    """A name is a dc:creator; there is no `author`, which would need an address."""
    root = rss(entry())
    assert texts(root, "channel/item/dc:creator") == ["Example", "Ann"]
    assert not texts(root, "//author | //managingEditor | //webMaster")


def test_rss_summary_stands_before_the_content() -> None:
    """The description is the summary and stands before content:encoded."""
    tags = [str(child.tag) for child in rss(entry())[0].findall("item")[0]]
    encoded = f"{{{NAMES['content']}}}encoded"
    assert tags.count("description") == tags.count(encoded) == 1
    assert tags.index("description") < tags.index(encoded)
    assert "<p>A <em>body</em>.</p>" in texts(rss(entry()), "channel/item/content:encoded")[0]


@pytest.mark.parametrize("render", [render_atom, render_rss])
def test_namespaces(render: Any) -> None:
    """Namespaces are declared once, on the root, under the names that people know."""
    document = render(feed(entry("1"), entry("2")))
    root = etree.fromstring(document)
    assert {"dc": NAMES["dc"], "media": NAMES["media"]}.items() <= root.nsmap.items()
    assert b"ns0:" not in document
    for name in ("dc", "media"):
        assert document.count(f"xmlns:{name}=".encode()) == 1


def test_both_formats_tell_the_same() -> None:
    """An independent reader sees the same entries in both formats."""
    seen = [
        [(each.id, each.link, each.title, each.published_parsed) for each in feedparser.parse(document).entries]
        for document in (render_atom(feed(entry("1"), entry("2"))), render_rss(feed(entry("1"), entry("2"))))
    ]
    assert len(seen[0]) == 2
    assert seen[0] == seen[1]


# Any text at all.

nasty = st.one_of(
    st.text(st.characters(codec=None), max_size=20),
    st.text("<>&;#x26\"']]> amplt\x00\x0b\x85\u202e\u200f\U0001f600אb\r\n\t", max_size=20),
    st.sampled_from(
        ["]]>", "<![CDATA[x]]>", "&#x26;", "<title>", "</title>", "<!--", "\u202eabc", "👩‍👩‍👧", "שלום & <b>"]
    ),
)


@given(nasty, nasty, nasty, nasty)
def test_any_text_is_well_formed(title: str, excerpt: str, provider: str, topic: str) -> None:
    """Any text anywhere makes XML that lxml parses and a feed that feedparser has nothing against."""
    source = Source("urn:x", f"P{provider}", "https://example.org/")
    one = entry(
        title=f"T{title}",
        summary=excerpt,
        content=f"<p>{html.escape(excerpt)}</p>",
        authors=(f"P{provider}",),
        source=source,
        categories=(Category(f"C{topic}", "https://feeds.example/topics/c"),),
        related=(Link("https://example.org/r", f"R{topic}"),),
    )
    full = feed(one, title=f"T{topic}", description=f"D{topic}")
    for render in (render_atom, render_rss):
        document = render(full)
        etree.fromstring(document)
        parsed = feedparser.parse(document)
        assert parsed.bozo == 0
        assert len(parsed.entries) == 1
        assert render(full) == document


@given(nasty)
def test_any_title_shows_as_itself(text: str) -> None:
    """A title shows as it was written, on one line, in both formats and to an independent reader."""
    # The snowman keeps feedparser from its guess that Latin-1 text is UTF-8 that was read wrongly.
    title = one_line(f"☃{text}")
    one = feed(entry(title=title), title=title)
    assert titles(etree.fromstring(render_atom(one)))[:2] == [title, title]
    assert texts(etree.fromstring(render_rss(one)), "//title") == [title, title]
    read = feedparser.parse(render_atom(one)).entries[0]
    assert (html.unescape(read.title) if read.title_detail.type == "text/html" else read.title) == title


def test_a_feed_of_the_configured_size_is_quick_enough() -> None:
    """A thousand entries, the most that can be configured, are all there."""
    entries = [entry(published=PUBLISHED - timedelta(days=day)) for day in range(1000)]
    assert len(texts(atom(*entries), "a:entry/a:id")) == 1000


def test_type_and_length_are_categories_of_their_own() -> None:
    """What kind of thing an entry is, and how long, are categories of schemes of their own."""
    video = entry(type="video", length="PT7M32S")
    found = [(each["term"], each["scheme"]) for each in attributes(atom(video), "a:entry/a:category")]
    assert found[-2:] == [("video", "https://feeds.example/#type"), ("PT7M32S", "https://feeds.example/#length")]
    assert texts(rss(video), "channel/item/category")[-2:] == ["video", "PT7M32S"]


def test_a_picture_is_a_thumbnail_too() -> None:
    """PUBLISHING 17: readers that look for a thumbnail find the picture, with its size."""
    for root, item in ((atom(entry()), "a:entry"), (rss(entry()), "channel/item")):
        assert attributes(root, f"{item}/media:thumbnail") == [
            {"url": "https://example.org/p.png", "width": "640", "height": "480"}
        ]


def test_a_providers_icon_is_the_feeds() -> None:
    """PUBLISHING 15: the icon stands in Atom; in RSS, if small enough, with the channel's title and link."""
    small = feed(entry(), icon=Image("https://example.org/i.png", 50, 50))
    assert texts(etree.fromstring(render_atom(small)), "a:icon") == ["https://example.org/i.png"]
    channel = etree.fromstring(render_rss(small)).find("channel")
    assert channel is not None
    assert channel.findtext("image/url") == "https://example.org/i.png"
    assert channel.findtext("image/title") == channel.findtext("title")
    assert channel.findtext("image/link") == channel.findtext("link")


@pytest.mark.parametrize(
    ("icon", "fits"),
    [
        (Image("https://example.org/i.png", 144, 400), True),
        (Image("https://example.org/i.JPEG", 1), True),
        (Image("https://example.org/i.svg?x=1", 50, 50), True),
        (Image("https://example.org/icon", 50, 50), True),
        (Image("https://example.org/i.png", 145, 145), False),
        (Image("https://example.org/i.png", 144, 401), False),
        (Image("https://example.org/i.png", None, 50), False),
        (Image("https://example.org/i.svg", 50, 50), False),
        (Image("https://example.org/i.webp", 50, 50), False),
    ],
)
def test_which_icons_an_rss_channel_may_have(icon: Image, fits: bool) -> None:
    """PUBLISHING 15: GIF, JPEG or PNG as far as its name tells, 144 pixels wide at most, and 400 high."""
    found = etree.fromstring(render_rss(feed(entry(), icon=icon))).find("channel/image")
    assert (found is not None) is fits


def test_entries_of_one_second_are_told_apart() -> None:
    """Entries updated in the same second differ by a fraction, which is the same whatever stands beside them."""
    entries = [replace(entry(), id=f"urn:x:{number}") for number in range(50)]
    moments = texts(atom(*entries), "a:entry/a:updated")
    assert len(set(moments)) == 50
    assert {datetime.fromisoformat(each).replace(microsecond=0) for each in moments} == {UPDATED}
    assert [texts(atom(each), "a:entry/a:updated") for each in entries] == [[moment] for moment in moments]


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=6))
def test_a_feed_is_as_new_as_its_newest_entry(moments: list[int]) -> None:
    """Whatever fractions of a second entries have, the feed was updated when the last of them was."""
    some = [
        entry(id=f"urn:x:{number}", updated=UPDATED + timedelta(microseconds=moment))
        for number, moment in enumerate(moments)
    ]
    root = atom(*some)
    (whole,) = texts(root, "a:updated")
    assert whole == max(texts(root, "a:entry/a:updated"))


def test_an_entry_never_changed_was_updated_when_it_was_published() -> None:
    """To the fraction, so that no reader takes a new entry for a changed one."""
    root = atom(replace(entry(), published=UPDATED))
    assert texts(root, "a:entry/a:updated") == texts(root, "a:entry/a:published")
