"""OPML 2.0, judged by lxml."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from lxml import etree
from support import NOW, SITE, compose_all, make_article

from feedsvc.articles.article import Provider
from feedsvc.documents.opml import render_opml
from feedsvc.documents.snapshot import publish
from feedsvc.feeds.feed import View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection

COMPOSITION = compose_all(
    Selection(
        (
            make_article("a", topics=("AI", "<&>"), provider=Provider("Example", "example.org")),
            make_article("b", topics=("ai hardware",), provider=Provider("Other", "example.org")),
        )
    ),
    SITE,
    Memory(),
    View(),
)


def test_opml_lists_every_feed() -> None:
    """PUBLISHING 31: every feed once, with text, title, xmlUrl and htmlUrl, in folders by kind."""
    opml = etree.fromstring(render_opml(COMPOSITION.feeds, SITE))
    assert (opml.tag, opml.get("version")) == ("opml", "2.0")
    feeds = opml.findall(".//outline[@xmlUrl]")
    assert sorted(each.get("xmlUrl", "") for each in feeds) == sorted(
        f"https://feeds.example{feed.path}.atom" for feed in COMPOSITION.feeds
    )
    for each in feeds:
        assert each.get("type") == "rss"
        assert each.get("text") == each.get("title") != ""
        assert f"{each.get('htmlUrl')}.atom" == each.get("xmlUrl")
    assert [folder.get("text") for folder in opml.findall("body/outline")] == [
        "Site",
        "Topics",
        "Providers",
        "Domains",
    ]
    # What has a title is taken for a feed, which needs a type and an address.
    assert [each.get("title") for each in opml.iterfind(".//outline") if not each.get("type")] == [None] * 3


def test_opml_is_dated_by_the_newest_change() -> None:
    """PUBLISHING 31: dates are RFC 822; it is the newest entry's, so that equal feeds make equal bytes."""
    modified = etree.fromstring(render_opml(COMPOSITION.feeds, SITE)).findtext("head/dateModified")
    assert modified == "Fri, 31 Dec 2021 00:00:00 GMT"
    assert parsedate_to_datetime(modified) == make_article().published_at
    assert render_opml(COMPOSITION.feeds, SITE) == render_opml(COMPOSITION.feeds, SITE)


def test_headers_name_a_feed_and_its_page() -> None:
    """A feed's answer names its own URL and its page, a page's answer its feeds (RFC 8288)."""
    snapshot = publish(COMPOSITION, "public", None, NOW)
    documents = snapshot.documents
    atom = dict(documents["/topics/ai.atom"].variants["identity"].headers)
    assert atom["Link"] == (
        '<https://feeds.example/topics/ai.atom>; rel="self", '
        '<https://feeds.example/topics/ai>; rel="alternate"; type="text/html"'
    )
    made = snapshot.document("/topics/ai")
    assert made is not None
    page = dict(made.variants["identity"].headers)
    assert page["Link"].split(", ") == [
        f'<https://feeds.example/topics/ai.{ending}>; rel="alternate"; type="application/{kind}"'
        for ending, kind in (("atom", "atom+xml"), ("rss", "rss+xml"), ("json", "feed+json"))
    ]
    assert documents["/feeds.opml"].media_type == "text/x-opml; charset=utf-8"
