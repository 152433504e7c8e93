"""JSON Feed 1.1, judged by the standard library's parser and the standard's own rules."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support import NOW, SITE, compose_all, make_article, rewrite

from feedsvc.articles.article import Author, Coverage, Image, Link, Provider
from feedsvc.documents.draft import Draft
from feedsvc.documents.jsonfeed import render_json
from feedsvc.documents.syndication import render_atom
from feedsvc.feeds.feed import View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection

FULL = make_article(
    "a",
    excerpt="A <summary>.",
    body="<p>A body.</p>",
    topics=("AI", "C++"),
    provider=Provider("Example", "example.org", (Author("Ann"),)),
    images=(Image("https://example.org/p.png", 640, 480),),
    related=(Coverage(("r",), Link("https://example.net/r", "Related")),),
    amp_url="https://example.org/amp",
)


def rendered(*articles: Any) -> dict[str, Any]:
    """The feed of all articles, parsed."""
    feed = compose_all(Selection(tuple(articles)), SITE, Memory(), View()).feeds[0]
    (page,) = render_json(Draft(feed))
    document: dict[str, Any] = json.loads(page)
    return document


def test_feed_has_what_the_standard_asks_for() -> None:
    """PUBLISHING 16: version, title, items; home_page_url, feed_url; authors, and not author."""
    feed = rendered(FULL)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "Site"
    assert feed["home_page_url"] == "https://feeds.example/feeds/all"
    assert feed["feed_url"] == "https://feeds.example/feeds/all.json"
    assert feed["language"] == "en"
    assert feed["authors"] == [{"name": "Site"}]
    assert "author" not in feed
    assert len(feed["items"]) == 1


def test_item_holds_the_whole_entry() -> None:
    """An item has every field that the entry has; what the standard does not know stands in _feedsvc."""
    (item,) = rendered(FULL)["items"]
    assert item == {
        "id": FULL.id,
        "url": FULL.url,
        "external_url": FULL.url,
        "title": "a",
        "content_html": (
            '<p><img src="https://example.org/p.png" alt="" width="640" height="480"></p><p>A body.</p>'
            '<p><small><a href="https://example.org/a" rel="external">Example</a>, 31 December 2021</small></p>'
            '<ul><li><a href="https://example.net/r" rel="external">Related</a></li></ul>'
        ),
        "summary": "A <summary>.",
        "image": "https://example.org/p.png",
        "date_published": "2021-12-31T00:00:00Z",
        "date_modified": "2021-12-31T00:00:00Z",
        "authors": [{"name": "Example"}, {"name": "Ann"}],
        "tags": ["AI", "C++"],
        "_feedsvc": {
            "source": {"title": "Example", "url": "https://example.org/"},
            "image_size": {"width": 640, "height": 480},
            "related": [{"title": "Related", "url": "https://example.net/r"}],
            "amp": "https://example.org/amp",
        },
    }


def test_bare_item_has_text_and_nothing_empty() -> None:
    """PUBLISHING 16: an item has content_html or content_text; what an article lacks is not there."""
    (item,) = rendered(make_article("a"))["items"]
    assert item["content_text"] == "a"
    assert not {"content_html", "image", "tags", "external_url", "_feedsvc"} & item.keys()


def test_ids_are_strings_equal_to_those_of_atom() -> None:
    """PUBLISHING 16: a reader that changes the format knows every article again."""
    articles = tuple(make_article(name) for name in "abc")
    feed = compose_all(Selection(articles), SITE, Memory(), View()).feeds[0]
    atom = render_atom(Draft(feed)).decode()
    (page,) = render_json(Draft(feed))
    ids = [item["id"] for item in json.loads(page)["items"]]
    assert len(set(ids)) == 3
    assert all(f"<id>{each}</id>" in atom for each in ids)


@given(st.text(), st.text())
def test_any_text_is_itself_in_json(title: str, excerpt: str) -> None:
    """Whatever a title or an excerpt holds comes out as it is."""
    article = rewrite(FULL, title=title, published_at=NOW, excerpt=excerpt)
    feed = compose_all(Selection((article,)), SITE, Memory(), View()).feeds[0]
    (page,) = render_json(Draft(feed))
    (item,) = json.loads(page)["items"]
    assert item["title"] == title
    assert item.get("summary", "") == excerpt


@given(st.lists(st.integers(0, 300_000), max_size=8))
def test_a_large_feed_comes_in_pages(sizes: list[int]) -> None:
    """PUBLISHING 16: no page is larger than 250 KB, but for one of a single item; they hold all items."""
    articles = tuple(make_article(f"{n}", body=f"<p>{'x' * size}</p>") for n, size in enumerate(sizes))
    feed = compose_all(Selection(articles), SITE, Memory(), View()).feeds[0]
    pages = render_json(Draft(feed))
    found = [json.loads(page) for page in pages]
    assert [item["id"] for page in found for item in page["items"]] == [entry.id for entry in feed.entries]
    for page, each in zip(pages, found, strict=True):
        assert len(page) <= 250_000 or len(each["items"]) == 1
        assert each["items"] or not sizes
    urls = ["https://feeds.example/feeds/all.json"]
    urls += [f"https://feeds.example/feeds/all/part/{number}.json" for number in range(2, len(pages) + 1)]
    assert [each["feed_url"] for each in found] == urls
    assert [each.get("next_url") for each in found] == [*urls[1:], None]


def test_what_stands_before_the_items_counts() -> None:
    """PUBLISHING 16: a site with much to say of itself has fewer items on a page, not larger pages."""
    site = replace(SITE, description="y" * 100_000)
    articles = tuple(make_article(f"{n}", body=f"<p>{'x' * 10_000}</p>") for n in range(50))
    pages = render_json(Draft(compose_all(Selection(articles), site, Memory(), View()).feeds[0]))
    assert all(len(page) <= 250_000 for page in pages)
    assert len(pages) == 4
