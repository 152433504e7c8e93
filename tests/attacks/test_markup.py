"""Markup that made browsers run something, in everything that an article says, as a real service serves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import feedparser
import lxml.html
import pytest
from lxml import etree
from service import running

from attacks.payloads import MARKUP, write_payloads
from fuzz.judge import content_faults, fragment_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service import Service

AREA = "Markup"
_ATOM = "{http://www.w3.org/2005/Atom}"
_CONFIGURATION = "feeds: {entries: 1000}\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, dict[str, str]]]:
    """A service of all payloads, and the titles."""
    directory = tmp_path_factory.mktemp("markup")
    titles = write_payloads(directory / "articles")
    configuration = directory / "feedsvc.yaml"
    configuration.write_text(_CONFIGURATION, "utf-8")
    with running(directory, directory / "articles", "--config", str(configuration)) as service:
        yield service, titles


def page_of(service: Service, path: str) -> Any:
    """A page, as a parser sees it."""
    body = service.ask(path).body.decode()
    return lxml.html.document_fromstring(body, parser=lxml.html.HTMLParser(huge_tree=True))


def json_items(service: Service, path: str) -> Iterator[dict[str, Any]]:
    """The items of a JSON feed, of all its parts."""
    following: str | None = service.base_url + path
    while following:
        document = json.loads(service.ask(following.removeprefix(service.base_url)).body)
        yield from document["items"]
        following = document.get("next_url")


def test_no_content_of_a_feed_runs_anything(
    served: tuple[Service, dict[str, str]], tried: Callable[..., None]
) -> None:
    """In the content of every entry, in each format, a parser finds no script, handler, frame, form, style or
    address that is none; every link is absolute.
    """
    service, titles = served
    atom = etree.fromstring(service.ask("/feeds/all.atom").body, etree.XMLParser(huge_tree=True))
    rss = etree.fromstring(service.ask("/feeds/all.rss").body, etree.XMLParser(huge_tree=True))
    of_json = list(json_items(service, "/feeds/all.json"))
    contents = {
        "atom": [entry.findtext(f"{_ATOM}content") for entry in atom.iter(f"{_ATOM}entry")],
        "rss": [item.findtext("{*}encoded") or item.findtext("description") for item in rss.iter("item")],
        "json": [item.get("content_html") for item in of_json],
    }
    for form, found in contents.items():
        assert len(found) == len(titles), form
        for content in found:
            assert list(fragment_faults(content or "")) == [], (form, content)
    # RSS descriptions and Atom summaries are read as HTML as well.
    marked = [element.text or "" for element in atom.iter(f"{_ATOM}summary") if element.get("type") == "html"]
    for text in marked + [item.findtext("description") or "" for item in rss.iter("item")]:
        assert list(fragment_faults(text)) == []
    assert all(
        list(fragment_faults(entry.summary)) == [] for entry in feedparser.parse(etree.tostring(rss)).entries
    )
    tried(
        "payloads in bodies, excerpts, names, topics, pictures and players",
        len(titles) * 3,
        "text or gone: no script, handler, frame, form or style is left in any format",
    )


def test_a_title_is_text_everywhere(served: tuple[Service, dict[str, str]], tried: Callable[..., None]) -> None:
    """A title reads as it was written, in each format and on the page, and so do the names of feeds."""
    service, titles = served
    root = etree.fromstring(service.ask("/feeds/all.atom").body, etree.XMLParser(huge_tree=True))
    atom = {}
    for entry in root.iter(f"{_ATOM}entry"):
        title, link = entry.find(f"{_ATOM}title"), entry.find(f"{_ATOM}link[@rel='alternate']")
        assert title is not None
        assert link is not None
        text = title.text or ""
        # As HTML it is one text without an element; white space is as it is in HTML.
        fragment = lxml.html.fragment_fromstring(text, create_parent="p") if title.get("type") == "html" else None
        assert fragment is None or len(fragment) == 0
        atom[link.get("href")] = text if fragment is None else fragment.text
    rss = etree.fromstring(service.ask("/feeds/all.rss").body, etree.XMLParser(huge_tree=True))
    assert atom == titles
    assert {item.findtext("link"): item.findtext("title") for item in rss.iter("item")} == titles
    assert {item["url"]: item["title"] for item in json_items(service, "/feeds/all.json")} == titles
    headings = page_of(service, "/feeds/all").xpath("//article/h2")
    assert {each[0].get("href"): " ".join(each.text_content().split()) for each in headings} == {
        url: " ".join(title.split()) for url, title in titles.items()
    }
    assert all(len(each) == 1 and len(each[0]) == 0 for each in headings)
    payloads = sum(title.endswith(" ends") for title in titles.values())
    assert payloads == 2 * len(MARKUP)
    tried("payloads in titles", payloads * 4, "the very text, in each format and on the pages")


def test_no_page_holds_more_than_it_is_made_of(
    served: tuple[Service, dict[str, str]], tried: Callable[..., None]
) -> None:
    """Index, list of all feeds and the page of every feed have the scripts and styles that every page has, no
    handler, and in the articles nothing that is not text, structure, picture or link.
    """
    service, _ = served
    opml = etree.fromstring(service.ask("/feeds.opml").body)
    pages = [each.get("htmlUrl") or "" for each in opml.iter("outline") if each.get("xmlUrl")]
    assert len(pages) > len(MARKUP)
    own = ["".join(each.itertext()) for each in page_of(service, "/feeds/all").xpath("//script | //style")]
    assert len(own) == 2
    for url in ["/", "/feeds/all", *pages]:
        path = url.removeprefix(service.base_url)
        root = page_of(service, path)
        assert ["".join(each.itertext()) for each in root.xpath("//script | //style")] == own, path
        assert (
            root.xpath("//@*[starts-with(name(), 'on')] | //@style | //iframe | //object | //embed | //base") == []
        )
        assert root.xpath("//form[not(@role='search')] | //meta[@http-equiv]") == []
        for part in root.xpath("//div[@class='content']"):
            assert list(content_faults(part)) == [], path
            assert {link.get("rel") for link in part.iter("a")} <= {"noopener"}
        policy = service.ask(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
    tried("pages of topics and providers whose names are payloads", len(pages), "text, under a strict policy")
