"""What a first-class publisher does, line by line, for every document of the seeds and of a varied corpus.

docs/conformance.md lists the lines. The documents come from the real path, files to snapshot; the judges are lxml,
feedparser and the standard library, and what the publisher said is read from the files with PyYAML alone.
"""

from __future__ import annotations

import html
import os
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import feedparser
import lxml.html
import pytest
from corpus import CANARY, ENTRIES, TITLES, write
from lxml import etree
from published import (
    BASE,
    NAMES,
    TYPES,
    Published,
    chain,
    every,
    fill,
    ids,
    made,
    moment,
    one,
    publisher_of,
    shown,
    texts,
    what_is_said,
)
from support import NOW, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
RFC_822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d (GMT|\+0000)"
)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)")


@pytest.fixture(scope="module", params=["seeds", "corpus"])
def source(request: pytest.FixtureRequest) -> str:
    """Which articles are published."""
    return str(request.param)


@pytest.fixture(scope="module")
def published(source: str, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """All documents, as they are served."""
    articles = fill(tmp_path_factory.mktemp(source), source)
    return Published(articles, made(publisher_of(articles)), what_is_said(articles))


@pytest.fixture
def changing(source: str, tmp_path: Path) -> Path:
    """The same articles in a directory that a test may change."""
    return fill(tmp_path, source)


def looks_like_html(text: str) -> bool:
    """Whether even careful software takes text for HTML: it has an end tag, or a character reference."""
    return re.search(r"</\w", text) is not None or html.unescape(text) != text


def with_fields(articles: Path, lines: str, *, without: str = "", only: str = "*") -> None:
    """Write these lines into the front matter of every file, in place of those that begin with a name."""
    for path in sorted(articles.rglob(f"{only}.*")):
        text = path.read_text("utf-8")
        if without:
            text = re.sub(rf"^{without}:.*\n", "", text, flags=re.MULTILINE)
        path.write_text(text.replace("---\n", f"---\n{lines}\n", 1), "utf-8")


def test_the_corpus_varies(tmp_path: Path) -> None:
    """What the lines are about is there: without it, the tests below would judge nothing."""
    articles = fill(tmp_path, "corpus")
    published = Published(articles, made(publisher_of(articles)), what_is_said(articles))
    feed = f"{BASE}/feeds/all.atom"
    assert len(published.said) > 5 * ENTRIES
    assert len(chain(published.bytes, feed)) > 5
    assert {len(title) for title in TITLES.values()} >= {20_000}
    for path in (
        "a:entry[not(a:content)]",
        "a:entry[not(a:source)]",
        "a:entry[a:source]",
        "a:entry[not(a:category)]",
        "a:entry[a:title/@type]",
        "a:entry[media:content/@width]",
        "a:entry[media:content[not(@width)]]",
        "a:entry[not(media:content)]",
        "a:entry[a:link/@rel='related']",
        "a:entry[a:updated != a:published]",
        "a:entry[contains(a:updated, '.')]",
        "a:entry[count(a:author) > 1]",
        "a:icon",
        "fh:archive",
    ):
        assert any(every(root, path) for root in published.atom.values()), path
    assert any(every(channel, "image") for channel in published.rss.values())
    assert any("youtube.com/watch" in each for each in published.contents)
    assert CANARY.encode() in b"".join(path.read_bytes() for path in articles.rglob("*.*"))


# Atom (RFC 4287).


def test_line_01_atom_has_what_the_rfc_requires(published: Published) -> None:
    """PUBLISHING 1: every feed and every entry has one id, one title and one updated, and an author."""
    for url, root in published.atom.items():
        assert root.tag == f"{{{NAMES['a']}}}feed"
        for element in (root, *every(root, "a:entry")):
            for required in ("a:id", "a:title", "a:updated"):
                assert one(element, required).strip(), (url, required)
        authored = every(root, "a:author") or all(every(entry, "a:author") for entry in every(root, "a:entry"))
        assert authored, url
        assert all(name.strip() for name in texts(root, "//a:author/a:name"))
        assert len(every(root, "//a:author")) == len(every(root, "//a:author/a:name"))


def test_line_02_ids_are_absolute_and_canonical(published: Published) -> None:
    """PUBLISHING 2: every id is an absolute URI in its canonical form, and no two things have the same."""
    feeds = {url.split("/archive/")[0]: one(root, "a:id") for url, root in published.atom.items()}
    assert len(set(feeds.values())) == len({url.removesuffix(".atom") for url in feeds})
    entries = {one(entry, "a:id") for entry in published.entries}
    assert not entries & set(feeds.values())
    assert len(entries) == len({one(entry, "a:link[@rel='alternate']/@href") for entry in published.entries})
    for each in {*entries, *feeds.values(), *(i for e in published.entries for i in texts(e, "a:source/a:id"))}:
        assert each == UUID(each.removeprefix("urn:uuid:")).urn


def test_line_02_ids_never_change(changing: Path) -> None:
    """PUBLISHING 2: a new run, other file names and a new base URL change no id, in no format."""

    def identities(base: str) -> dict[str, tuple[list[str], list[str]]]:
        documents = made(publisher_of(changing, base), base)
        feeds = {url: body for url, body in documents.items() if url.endswith(tuple(TYPES))}
        return {
            url.removeprefix(base): (
                [] if url.endswith(".json") else texts(etree.fromstring(body), "/a:feed/a:id"),
                ids(url, body),
            )
            for url, body in feeds.items()
        }

    before = identities(BASE)
    for number, path in enumerate(sorted(changing.rglob("*.*"))):
        path.rename(changing / f"{number:03}-moved{path.suffix}")
    after = identities("https://other.example:8443/below")
    assert len(before) >= 15
    assert after == before


def test_line_03_what_matters_to_no_reader_moves_nothing(changing: Path) -> None:
    """PUBLISHING 3: files touched, scores rewritten: no byte moves, nor does one of a feed in a later run."""
    publisher = publisher_of(changing)
    before = made(publisher)
    with_fields(changing, "score: 5\nlastCrawled: 2022-01-01")
    for path in changing.rglob("*.*"):
        os.utime(path, (1, 1))
    assert made(publisher) == before
    later = made(publisher_of(changing, now=NOW + timedelta(days=30)))
    # A page may tell what day it is.
    feeds = {url for url in before if url.endswith((*TYPES, ".opml"))}
    assert {url: later.get(url) for url in feeds} == {url: before[url] for url in feeds}


def second(entry: Any) -> datetime:
    """When an entry was updated; the fraction only tells it from others of its second."""
    return moment(one(entry, "a:updated")).replace(microsecond=0)


def test_line_03_updated_moves_with_the_article(published: Published, changing: Path) -> None:
    """PUBLISHING 3: an article that says it changed moves its own updated and that of its feeds, alone."""
    chosen = one(published.atom[f"{BASE}/feeds/all.atom"], "a:entry[1]/a:link[@rel='alternate']/@href")
    (path,) = [
        path
        for path in changing.rglob("*.*")
        if f'webUrl: "{chosen}"' in path.read_text("utf-8") and "published: true" in path.read_text("utf-8")
    ][-1:]
    with_fields(changing, 'updatedDateTime: "2021-12-31T12:13:14Z"', without="updatedDateTime", only=path.stem)
    after = made(publisher_of(changing))
    moved = 0
    for url, old in published.atom.items():
        new = etree.fromstring(after[url])
        updated = {one(entry, "a:id"): second(entry) for entry in every(old, "a:entry")}
        for entry in every(new, "a:entry"):
            changed = second(entry) != updated[one(entry, "a:id")]
            assert changed == (one(entry, "a:link[@rel='alternate']/@href") == chosen)
        holds = bool(every(new, f"a:entry[a:link/@href='{chosen}']"))
        assert (one(new, "a:updated") != one(old, "a:updated")) == holds
        if holds:
            assert moment(one(new, "a:updated")) == datetime(2021, 12, 31, 12, 13, 14, tzinfo=UTC)
        moved += holds
    assert 0 < moved < len(published.atom)


def test_line_04_published_never_moves(published: Published, changing: Path) -> None:
    """PUBLISHING 4: when every article is updated, no published date moves, in no format; it is the file's."""
    with_fields(changing, 'updatedDateTime: "2021-12-31T12:13:14Z"', without="updatedDateTime")
    after = Published(changing, made(publisher_of(changing)), {})

    def dates(documents: Published) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        items = [item for feed in documents.json.values() for item in feed["items"]]
        return (
            {one(entry, "a:id"): one(entry, "a:published") for entry in documents.entries},
            {one(item, "guid"): one(item, "pubDate") for item in documents.items},
            {item["id"]: item["date_published"] for item in items},
        )

    assert dates(after) == dates(published)
    assert {one(entry, "a:updated") for entry in after.entries} != {one(e, "a:updated") for e in published.entries}
    for entry in published.entries:
        said = published.of(one(entry, "a:link[@rel='alternate']/@href"))
        assert said is None or moment(one(entry, "a:published")) == said.published


def test_line_05_self_is_the_public_url(published: Published) -> None:
    """PUBLISHING 5: a feed links itself once, by exactly the URL at which it is served."""
    for url, root in published.atom.items():
        assert texts(root, "//a:link[@rel='self']/@href") == [url]
        assert texts(root, "a:link[@rel='self']/@type") == [TYPES[".atom"]]


def test_line_06_alternates(published: Published) -> None:
    """PUBLISHING 6: every link has a rel; no two alternates are alike; an entry without content has one."""
    for root in published.atom.values():
        for holder in (root, *every(root, "a:entry"), *every(root, "a:entry/a:source")):
            assert all(link.get("rel") for link in every(holder, "a:link"))
            kinds = [
                (link.get("type"), link.get("hreflang")) for link in every(holder, "a:link[@rel='alternate']")
            ]
            assert len(kinds) == len(set(kinds)) == 1
        for entry in every(root, "a:entry"):
            assert every(entry, "a:content | a:link[@rel='alternate']")
    for url, root in published.atom.items():
        opened = [entry.link for entry in feedparser.parse(published.bytes[url]).entries]
        assert opened == texts(root, "a:entry/a:link[@rel='alternate']/@href")
        assert all(link in published.said or published.of(link) is None for link in opened)


def test_line_07_titles_show_as_themselves_in_atom(published: Published) -> None:
    """PUBLISHING 7: a title that looks like HTML says that it shows text, and any other is text, as written."""
    for entry in published.entries:
        said = published.of(one(entry, "a:link[@rel='alternate']/@href"))
        (title,) = every(entry, "a:title")
        assert said is None or shown(title) == said.title
        assert (
            said is None
            or not every(entry, "a:summary")
            or (shown(every(entry, "a:summary")[0]) == (said.excerpt or said.title))
        )
    for root in published.atom.values():
        for element in every(root, "//a:title | //a:subtitle | //a:summary"):
            text = element.text or ""
            assert element.get("type") in {None, "html"}
            # HTML that shows text holds no tag; nothing else is taken for HTML.
            assert not (re.search("[<>]", text) if element.get("type") else looks_like_html(text))


def test_line_07_titles_show_as_themselves_in_rss(published: Published) -> None:
    """PUBLISHING 7: in the bytes of an RSS title, `&` and `<` are hexadecimal references; it is as written."""
    for url, channel in published.rss.items():
        for raw in re.findall(rb"<title>(.*?)</title>", published.bytes[url], re.DOTALL):
            assert not re.search(rb"&(?!#x26;|#x3C;|gt;)", raw)
        for item in every(channel, "item"):
            said = published.of(one(item, "link"))
            assert said is None or one(item, "title") == said.title


def test_line_07_titles_show_as_themselves_to_a_reader(published: Published) -> None:
    """PUBLISHING 7: feedparser shows the titles of Atom, and of JSON the parser does, as they were written."""
    for url in published.atom:
        for entry in feedparser.parse(published.bytes[url]).entries:
            said = published.of(entry.link)
            is_html = entry.title_detail.type == "text/html"
            assert said is None or (html.unescape(entry.title) if is_html else entry.title) == said.title
    for feed in published.json.values():
        for item in feed["items"]:
            said = published.of(item["url"])
            assert said is None or item["title"] == said.title


VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Nesting(HTMLParser):
    """Fails where an element ends that is not the last one that began; `open` is what has not ended."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        assert len({name for name, _ in attrs}) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        assert self.open.pop() == tag


def test_line_07_html_is_well_nested(published: Published) -> None:
    """PUBLISHING 7: what says that it is HTML is, with every element closed in its place."""
    count = 0
    for content in published.contents:
        nesting = Nesting()
        nesting.feed(content)
        nesting.close()
        assert nesting.open == []
        count += "</" in content
    assert count


def addresses(published: Published) -> Iterator[str]:
    """Every URL anywhere but in HTML inside of feeds, and but for a page's links to a place in itself."""
    for root in published.xml.values():
        for name in ("href", "url", "src", "scheme", "domain", "xmlUrl", "htmlUrl"):
            yield from texts(root, f"//@{name}")
        yield from texts(root, "//channel/link | //item/link | //url | //docs | //comments | //a:icon | //a:logo")
    for feed in published.json.values():
        waiting: list[Any] = [feed]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                waiting += each.values()
                keys = (
                    "url",
                    "home_page_url",
                    "feed_url",
                    "next_url",
                    "icon",
                    "external_url",
                    "image",
                    "featured",
                )
                yield from (each[key] for key in keys if isinstance(each.get(key), str))
            elif isinstance(each, list):
                waiting += each
    for page in published.pages.values():
        places = {f"#{name}" for name in page.xpath("//@id")}
        # The icon stands in the page itself.
        found = page.xpath("//@src | //@cite | //@action | //@href[not(../@rel = 'icon')]")
        yield from (url for url in found if url not in places)


def test_line_08_urls_are_absolute(published: Published) -> None:
    """PUBLISHING 8: every URL in a feed, a page or the list of feeds is absolute, and http or https."""
    found = list(addresses(published))
    assert len(found) > 100
    for url in found:
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert re.fullmatch(r"[!-~]+", url)


def test_line_08_urls_in_html_are_absolute(published: Published) -> None:
    """PUBLISHING 8: inside HTML too: what is linked, shown or cited is absolute, and http, https or mailto."""
    found = [
        url
        for content in published.contents
        for url in lxml.html.fragment_fromstring(content, create_parent="div").xpath(
            ".//@href | .//@src | .//@cite | .//@srcset | .//@data | .//@poster | .//@action | .//@longdesc"
        )
    ]
    assert len(found) > 10
    for url in found:
        assert re.fullmatch(r"https?://[a-z0-9.:-]+(/[!-~]*|\?[!-~]*)?|mailto:[!-~]+", url), url


def test_line_08_what_comes_from_elsewhere_says_so(published: Published) -> None:
    """PUBLISHING 8: an entry whose provider has a domain of its own names it as its source, and no other does."""
    for entry in published.entries:
        said = published.of(one(entry, "a:link[@rel='alternate']/@href"))
        elsewhere = said is not None and said.domain not in {"", "feeds.example"}
        sources = every(entry, "a:source")
        assert said is None or len(sources) == elsewhere
        for source in sources:
            assert one(source, "a:id")
            assert moment(one(source, "a:updated")) <= NOW
            assert said is None or shown(every(source, "a:title")[0]) == said.names[0]
            assert said is None or one(source, "a:link/@href") == f"https://{said.domain}/"
    for item in published.items:
        said = published.of(one(item, "link"))
        elsewhere = said is not None and said.domain not in {"", "feeds.example"}
        assert said is None or texts(item, "source") == [said.names[0]] * elsewhere


# RSS 2.0 and the Advisory Board's profile.


def test_line_09_channels(published: Published) -> None:
    """PUBLISHING 9: a channel has title, link and description; the link is a page; the items come last."""
    for url, channel in published.rss.items():
        for required in ("title", "link", "description"):
            assert one(channel, required).strip(), url
        assert one(channel, "link") in published.pages
        tags = [child.tag for child in channel]
        assert "item" not in tags[: len(tags) - tags.count("item")]


def test_line_10_guids(published: Published) -> None:
    """PUBLISHING 10: an item has one guid, which calls itself a permalink only where it is the article's URL."""
    for item in published.items:
        (guid,) = every(item, "guid")
        assert (guid.text or "").strip()
        permalink = guid.get("isPermaLink", "true") == "true"
        assert permalink == (guid.text == one(item, "link"))


def test_line_11_dates(published: Published) -> None:
    """PUBLISHING 11: dates have four-digit years, the right weekday and zone, and are what the file says."""
    for channel in published.rss.values():
        dates = texts(channel, "lastBuildDate | pubDate | item/pubDate")
        assert len(dates) > len(every(channel, "item"))
        for date in dates:
            assert RFC_822.fullmatch(date)
            assert date[:3] == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment(date).weekday()]
    for item in published.items:
        said = published.of(one(item, "link"))
        assert said is None or moment(one(item, "pubDate")) == said.published


def test_line_12_descriptions(published: Published) -> None:
    """PUBLISHING 12: the description is the summary, and stands before the content."""
    encoded = f"{{{NAMES['content']}}}encoded"
    for item in published.items:
        tags = [child.tag for child in item]
        assert tags.count("description") <= 1
        if encoded in tags:
            assert tags.count(encoded) == 1
            assert tags.index("description") < tags.index(encoded)
        said = published.of(one(item, "link"))
        if said and said.excerpt:
            assert html.unescape(one(item, "description")) == said.excerpt
            assert not re.search("<[A-Za-z/!]", one(item, "description"))


def test_line_13_creators(published: Published) -> None:
    """PUBLISHING 13: names are dc:creator; no author, managingEditor or webMaster stands without an address."""
    for item in published.items:
        said = published.of(one(item, "link"))
        assert texts(item, "dc:creator")
        assert said is None or texts(item, "dc:creator") == list(said.names)
    for channel in published.rss.values():
        assert not every(channel, ".//author | .//managingEditor | .//webMaster")


def test_line_14_no_enclosure_of_unknown_size(published: Published) -> None:
    """PUBLISHING 14: no file tells the size in bytes of anything, so nothing is an enclosure, in no format."""
    for root in published.xml.values():
        assert not every(root, "//enclosure | //a:link[@rel='enclosure']")
    assert not any("attachments" in item for feed in published.json.values() for item in feed["items"])


def test_line_15_channels_name_themselves(published: Published) -> None:
    """PUBLISHING 15: atom:link rel=self, once, is the feed's own URL, with the type of RSS."""
    for url, channel in published.rss.items():
        (own,) = every(channel, "//a:link[@rel='self']")
        assert (own.get("href"), own.get("type")) == (url, TYPES[".rss"])


def test_line_15_last_build_date_is_the_last_change(published: Published) -> None:
    """PUBLISHING 15: lastBuildDate is the newest change of an item in the feed; a ttl would be positive."""
    for channel in published.rss.values():
        said = [published.of(url) for url in texts(channel, "item/link")]
        built = moment(one(channel, "lastBuildDate"))
        known = [each.updated for each in said if each]
        if known and len(known) == len(said):
            assert built == max(known)
        assert all(int(ttl) > 0 for ttl in texts(channel, "ttl"))


def test_line_15_images(published: Published) -> None:
    """PUBLISHING 15: a channel's image has its title and link, and is 144 pixels wide and 400 high at most."""
    for channel in published.rss.values():
        for image in every(channel, "image"):
            assert one(image, "title") == one(channel, "title")
            assert one(image, "link") == one(channel, "link")
            assert 0 < int(one(image, "width")) <= 144
            assert 0 < int(one(image, "height")) <= 400
            assert one(image, "url").lower().endswith((".png", ".jpg", ".jpeg", ".gif"))


# JSON Feed 1.1.


def test_line_16_json_feeds(published: Published) -> None:
    """PUBLISHING 16: a feed has version, title, items, its page and its own URL, and authors; it is no giant."""
    known = (
        "version title home_page_url feed_url next_url description user_comment language authors icon favicon "
        "items hubs expired"
    )
    for url, feed in published.json.items():
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"] == url
        assert feed["home_page_url"] in published.pages
        assert feed["title"]
        assert all(author["name"] for author in feed["authors"])
        assert isinstance(feed["items"], list)
        assert all(key in known.split() or key.startswith("_") for key in feed)
        assert len(published.bytes[url]) < 250_000


def test_line_16_json_items(published: Published) -> None:
    """PUBLISHING 16: an item has a string id, content as HTML or text, RFC 3339 dates, and no unknown key."""
    known = (
        "id url external_url title content_html content_text summary image banner_image date_published "
        "date_modified authors tags language attachments"
    )
    for feed in published.json.values():
        for item in feed["items"]:
            assert isinstance(item["id"], str)
            assert item.get("content_html") or item.get("content_text")
            assert "author" not in item
            assert all(author["name"] for author in item["authors"])
            assert all(RFC_3339.fullmatch(item[key]) for key in ("date_published", "date_modified"))
            assert all(isinstance(tag, str) and tag for tag in item.get("tags", []))
            assert all(key in known.split() or key.startswith("_") for key in item)
            assert None not in item.values()


@pytest.mark.parametrize("ending", [".rss", ".json"])
def test_line_16_ids_are_those_of_atom(published: Published, ending: str) -> None:
    """PUBLISHING 16: whoever walks from a feed to what came before finds each id once, the same in each format."""
    for url in [url for url in published.atom if "/archive/" not in url]:
        other = url.removesuffix(".atom") + ending
        walked = [
            [each for step in chain(published.bytes, start) for each in ids(step, published.bytes[step])]
            for start in (url, other)
        ]
        assert walked[0] == walked[1]
        assert len(set(walked[0])) == len(walked[0])


# Media, paging.


def test_line_17_pictures(published: Published) -> None:
    """PUBLISHING 17: a picture is media:content in the entry itself, with medium and what is known of its size."""
    for entry in (*published.entries, *published.items):
        said = published.of(one(entry, "a:link[@rel='alternate']/@href | link"))
        found = [dict(each.attrib) for each in every(entry, "media:content")]
        if said:
            assert found == ([said.picture | {"medium": "image"}] if said.picture else [])
        assert all(urlsplit(each["url"]).scheme in {"http", "https"} for each in found)
        assert not [each for each in every(entry, ".//media:group") if len(each) < 2]
        assert len(every(entry, ".//media:content")) == len(found)


def test_line_18_archives_are_linked(published: Published) -> None:
    """PUBLISHING 18: a feed names what it has no place for; archives name their neighbours and the feed."""
    archives = 0
    documents = {url: root for url, root in published.xml.items() if url != "opml"}
    for url, root in documents.items():
        ending = url[url.rindex(".") :]
        feed = url.split("/archive/")[0].removesuffix(ending)
        links = {link.get("rel"): link.get("href") for link in every(root, "a:link | channel/a:link")}
        marks = every(root, "fh:archive | channel/fh:archive")
        assert len(marks) == ("/archive/" in url)
        for rel in ("prev-archive", "next-archive"):
            assert links.get(rel) is None or links[rel] in documents
            assert links.get(rel) is None or links[rel].startswith(f"{feed}/archive/")
        if marks:
            archives += 1
            assert links["current"] == f"{feed}{ending}"
            following = links.get("next-archive")
            if following:
                (back,) = texts(documents[following], "//a:link[@rel='prev-archive']/@href")
                assert back == url
        else:
            assert "current" not in links
            total = sum(len(ids(step, published.bytes[step])) for step in chain(published.bytes, url))
            held = len(ids(url, published.bytes[url]))
            assert ("prev-archive" in links) == (held < total)
            assert held <= ENTRIES
    assert bool(archives) == (len(published.said) > ENTRIES)


def test_line_18_every_article_is_in_the_chain(published: Published) -> None:
    """PUBLISHING 18: who walks from the feed of everything to the oldest archive finds every article once."""
    start = f"{BASE}/feeds/all.atom"
    roots = [published.atom[url] for url in chain(published.bytes, start)]
    walked = [url for root in roots for url in texts(root, "a:entry/a:link[@rel='alternate']/@href")]
    assert len(walked) == len(set(walked)) == len(published.said)
    dates = [date[:19] for root in roots for date in texts(root, "a:entry/a:published")]
    assert dates == sorted(dates, reverse=True)


def test_line_18_archives_do_not_change_when_articles_are_added(published: Published, changing: Path) -> None:
    """PUBLISHING 18: new articles change neither URL nor byte of an archive that has a newer one behind it."""
    kept = {
        step
        for url in published.bytes
        if url.endswith(tuple(TYPES)) and "/archive/" not in url
        for step in chain(published.bytes, url)[2:]
    } | {url for url, root in published.xml.items() if every(root, "//a:link[@rel='next-archive']")}
    publisher = publisher_of(changing)
    made(publisher)
    for number in range(3 * ENTRIES):
        write(
            changing, f"new-{number}.md", publishedDateTime=f"2021-12-31T10:{number:02}:00Z", title=f"New {number}"
        )
    for after in (made(publisher), made(publisher_of(changing))):
        assert {url: after.get(url) for url in kept} == {url: published.bytes[url] for url in kept}
        assert len(after) > len(published.bytes)
    assert bool(kept) == (len(published.said) > ENTRIES)


# Discovery and people.


def test_line_30_pages_name_their_feeds(published: Published) -> None:
    """PUBLISHING 30: every page's head names feeds by full URL, type and title, and its own feed first."""
    for url, page in published.pages.items():
        links = page.xpath("/html/head/link[@rel='alternate']")
        own = f"{BASE}/feeds/all" if url == f"{BASE}/" else url
        assert links, url
        assert links[0].get("href") in {f"{own}{ending}" for ending in TYPES}
        for link in links:
            href = link.get("href")
            assert href in published.bytes
            assert link.get("type") == TYPES[href[href.rindex(".") :]]
            assert link.get("title").strip()
    assert not any(page.xpath("/html/body//link") for page in published.pages.values())


def test_line_31_opml(published: Published) -> None:
    """PUBLISHING 31: OPML 2.0 has every feed once, with text, title, xmlUrl and htmlUrl; dates are RFC 822."""
    opml = published.opml
    assert (opml.tag, opml.get("version")) == ("opml", "2.0")
    assert one(opml, "head/title").strip()
    assert all(outline.get("text") for outline in every(opml, "//outline"))
    feeds = every(opml, "//outline[@type='rss']")
    assert len(feeds) == len(every(opml, "//outline[@xmlUrl]")) > 1
    for feed in feeds:
        assert feed.get("xmlUrl") in published.bytes
        assert feed.get("htmlUrl") in published.pages
        assert feed.get("title") == feed.get("text")
    listed = sorted(feed.get("htmlUrl") for feed in feeds)
    assert listed == sorted(url for url in published.pages if url != f"{BASE}/")
    dates = texts(opml, "head/dateModified | head/dateCreated")
    assert dates
    for date in dates:
        assert RFC_822.fullmatch(date)
        assert date[:3] == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment(date).weekday()]
        assert moment(date) <= NOW


def test_line_32_no_stylesheet_turns_a_feed_into_a_page(published: Published) -> None:
    """PUBLISHING 32: no document has a stylesheet or another instruction; each feed has a page of its own."""
    for url, body in published.bytes.items():
        assert b"xml-stylesheet" not in body
        assert b"http://www.w3.org/1999/XSL/Transform" not in body
        if url.endswith((".atom", ".rss", ".opml")):
            document = etree.fromstring(body).getroottree()
            assert not document.xpath("//processing-instruction() | /processing-instruction()")
    for root in published.atom.values():
        page = published.pages[one(root, "a:link[@rel='alternate' and @type='text/html']/@href")]
        assert page.xpath("count(//h1)") == 1


# What else the W3C feed validator finds fault with.

ATOM_ELEMENTS = set(
    "feed id title subtitle updated published author name link category content summary source generator icon "
    "logo entry".split()
)
RSS_ELEMENTS = set(
    "rss channel title link description docs generator language lastBuildDate image url width height item guid "
    "pubDate category source".split()
)
EXTENSIONS = {
    "content": {"encoded"},
    "dc": {"creator"},
    "fh": {"archive"},
    "media": {"content", "thumbnail"},
}


def test_atom_follows_the_grammar_of_the_rfc(published: Published) -> None:
    """Every Atom document is one by the grammar of RFC 4287; without an id, it would not be."""
    grammar = etree.RelaxNG(etree.parse(ROOT / "tests/atom.rng"))
    for url, root in published.atom.items():
        assert grammar.validate(root), (url, grammar.error_log)
        without = etree.fromstring(published.bytes[url])
        without.remove(every(without, "a:id")[0])
        assert not grammar.validate(without)


def test_elements_are_known(published: Published) -> None:
    """Every element is of the format, or of a namespace that is declared on the root under its usual name."""
    for url, root in published.xml.items():
        if url == "opml":
            continue
        assert {prefix or "a": uri for prefix, uri in root.nsmap.items()}.items() <= NAMES.items() | {
            ("atom", NAMES["a"])
        }
        for element in root.iter():
            assert isinstance(element.tag, str)
            assert element.nsmap == root.nsmap
            tag = etree.QName(element)
            prefix = next((key for key, uri in NAMES.items() if uri == tag.namespace), None)
            if prefix is None:
                assert tag.localname in RSS_ELEMENTS
            elif prefix == "a":
                assert tag.localname in (ATOM_ELEMENTS if url.endswith(".atom") else {"link"})
            else:
                assert tag.localname in EXTENSIONS[prefix]


def test_no_element_is_empty(published: Published) -> None:
    """An element without attributes has text or children; only the mark of an archive has neither."""
    for root in published.xml.values():
        for element in root.iter():
            mark = element.tag == f"{{{NAMES['fh']}}}archive"
            assert mark or element.attrib or len(element) or (element.text or "").strip()
            assert all(value.strip() for value in element.attrib.values())
            assert not (element.tail or "").strip()


def test_what_may_be_there_once_is(published: Published) -> None:
    """No element of a feed, an entry, a channel or an item is there twice, but for those that may."""
    many = {"entry", "item", "author", "category", "link", "creator"}
    for root in (*published.atom.values(), *published.rss.values()):
        for holder in (root, *every(root, "a:entry | item | a:entry/a:source")):
            names = [etree.QName(child).localname for child in holder]
            # media:content beside content is no second one.
            tags = [child.tag for child, name in zip(holder, names, strict=True) if name not in many]
            assert len(tags) == len(set(tags))
    for channel in published.rss.values():
        assert len(every(channel, "link")) == 1
        assert all(len(every(item, "link")) == 1 for item in every(channel, "item"))


def test_no_id_is_there_twice(published: Published) -> None:
    """No two entries of one document have the same id."""
    for url, body in published.bytes.items():
        if url.endswith(tuple(TYPES)):
            found = ids(url, body)
            assert len(found) == len(set(found))


def test_content_is_harmless(published: Published) -> None:
    """No content holds a script, a frame, a form, an object, a style, a handler, or a comment."""
    harmless = set(
        "a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure "
        "h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table "
        "tbody td tfoot th thead time tr u ul var".split()
    )
    attributes = set(
        "alt cite colspan datetime dir height href hreflang lang rel rowspan scope src start title width".split()
    )
    for content in published.contents:
        for element in lxml.html.fragment_fromstring(content, create_parent="div").iter():
            assert element.tag in harmless
            assert set(element.attrib) <= attributes


def test_attributes_do_not_look_like_markup(published: Published) -> None:
    """Labels and titles of links, which cannot say that they are text, hold nothing that looks like markup."""
    for root in published.atom.values():
        assert not [text for text in texts(root, "//@label | //@title") if looks_like_html(text)]
        assert all(text.strip() for text in texts(root, "//a:category/@term"))


def test_text_of_rss_is_hexadecimal(published: Published) -> None:
    """What is text in RSS has its `&` and `<` as hexadecimal references, as titles have."""
    for url in published.rss:
        for raw in re.findall(rb"<(?:category|source)(?: [^>]*)>([^<]*)<", published.bytes[url]):
            assert not re.search(rb"&(?!#x26;|#x3C;|gt;)", raw)
        channel = published.bytes[url].partition(b"<item>")[0]
        (description,) = re.findall(rb"<description>([^<]*)<", channel)
        assert not re.search(rb"&(?!#x26;|#x3C;|gt;)", description)


def test_relations_are_registered(published: Published) -> None:
    """Every relation of a link is one that is registered, and those between archives stand in the feed alone."""
    between = {"self", "current", "prev-archive", "next-archive"}
    for url, root in published.xml.items():
        if url != "opml":
            own = texts(root, "a:link/@rel | channel/a:link/@rel")
            assert set(own) <= between | {"alternate", "hub"}
            assert len(own) == len(set(own))
            assert set(texts(root, "//a:entry//a:link/@rel | //item/a:link/@rel")) <= {"alternate", "related"}


def test_languages_are_tags(published: Published) -> None:
    """Every language is a tag such as `en` or `pt-BR`."""
    tag = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
    for root in published.atom.values():
        assert tag.fullmatch(root.get(LANGUAGE, ""))
    assert all(tag.fullmatch(one(channel, "language")) for channel in published.rss.values())
    assert all(tag.fullmatch(feed["language"]) for feed in published.json.values())


def test_dates_are_plausible(published: Published) -> None:
    """No date is to come, or older than feeds; what was updated was published before, no two at one moment."""
    for root in published.atom.values():
        for date in texts(root, "//a:updated | //a:published"):
            assert RFC_3339.fullmatch(date)
            assert datetime(1990, 1, 1, tzinfo=UTC) < moment(date) <= NOW
        for entry in every(root, "a:entry"):
            assert moment(one(entry, "a:published")) <= moment(one(entry, "a:updated"))
        moments = texts(root, "a:entry/a:updated")
        assert len(moments) == len(set(moments))
    for channel in published.rss.values():
        assert all(moment(date) <= NOW for date in texts(channel, ".//pubDate | .//lastBuildDate"))


def test_documents_are_clean_utf_8(published: Published) -> None:
    """Documents are UTF-8 and say so; none begins with a mark, or holds a control character or a broken one."""
    for url, body in published.bytes.items():
        text = body.decode()
        assert not re.search("[\ufeff\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]", text)
        if url.endswith((".atom", ".rss", ".opml")):
            assert re.match(r"<\?xml version=['\"]1\.0['\"] encoding=['\"]UTF-8['\"]\?>\n<(feed|rss|opml)\b", text)


def test_readers_take_every_feed(published: Published) -> None:
    """Independent readers find nothing wrong with any feed, and see the same links in both formats."""
    for url in published.atom:
        seen = []
        for each in (url, url.removesuffix(".atom") + ".rss"):
            read = feedparser.parse(published.bytes[each])
            assert read.bozo == 0
            seen.append([(entry.id, entry.link) for entry in read.entries])
        assert seen[0] == seen[1]


def test_nothing_that_is_held_back_leaves(published: Published) -> None:
    """No document holds anything of an article that is held back, a secured field, or the code of a script."""
    for url, body in published.bytes.items():
        assert CANARY.encode() not in body, url
        assert CANARY not in url
        assert b"secured" not in body


# The list of lines.


def test_every_line_is_listed() -> None:
    """docs/conformance.md lists every line with its tests, each test that it names is here, and no other is."""
    rows = re.findall(
        r"^\| (\d+) \| .+ \[.+\] \| (.+) \|$", (ROOT / "docs/conformance.md").read_text("utf-8"), re.MULTILINE
    )
    assert [int(number) for number, _ in rows] == [*range(1, 19), 30, 31, 32]
    listed = {number: re.findall(r"`(\w+)`", tests) for number, tests in rows}
    here = {name: function for name, function in globals().items() if name.startswith("test_line_")}
    assert sorted(name for names in listed.values() for name in names) == sorted(here)
    for number, names in listed.items():
        assert names
        for name in names:
            assert name.startswith(f"test_line_{int(number):02}_")
            assert (here[name].__doc__ or "").startswith(f"PUBLISHING {number}: ")
