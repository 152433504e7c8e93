"""Compose: which feeds there are, what is in them, and which paths lead to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from support import NOW, SITE, compose_all, front_matter, make_article

from feedsvc.articles.article import Article, Author, Coverage, Image, Link, Provider, covering
from feedsvc.articles.identity import addresses_of
from feedsvc.articles.parse import parse
from feedsvc.feeds.compose import NO_CHANGE_YET, Composition
from feedsvc.feeds.feed import Category, Site, View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection, SelectionRules, select

if TYPE_CHECKING:
    from feedsvc.feeds.feed import Feed


def composed(*articles: Article, memory: Memory | None = None, limit: int = 50, site: Site = SITE) -> Composition:
    """The feeds of these articles."""
    return compose_all(Selection(articles), site, memory or Memory(), View(limit))


def feeds_of(composition: Composition) -> dict[str, Feed]:
    """The feeds by path."""
    return {feed.path: feed for feed in composition.feeds}


def test_no_article() -> None:
    """Without an article there is still the feed of all, empty and with a date that is the same on every run."""
    (feed,) = composed().feeds
    assert (feed.path, feed.entries, feed.total, feed.newest) == ("/feeds/all", (), 0, None)
    assert feed.updated == NO_CHANGE_YET


def test_feeds_of_topic_and_provider() -> None:
    """Every topic and every provider has a feed, beside that of all articles."""
    one = make_article("a", topics=("AI", "Chips"), provider=Provider("Example", "example.org"))
    two = make_article("b", topics=("AI",))
    feeds = feeds_of(composed(one, two))
    assert {path: [entry.title for entry in feed.entries] for path, feed in feeds.items()} == {
        "/feeds/all": ["a", "b"],
        "/topics/ai": ["a", "b"],
        "/topics/chips": ["a"],
        "/providers/example": ["a"],
    }
    assert feeds["/topics/ai"].title == "AI · Site"
    assert feeds["/topics/ai"].description == "AI: All of it"
    assert feeds["/feeds/all"].title == "Site"


def test_spellings_are_one_topic() -> None:
    """Topics that differ by case or space are one; a new article cannot rename it, and so change its archives."""
    first, later = make_article("a", topics=("AI Chips",)), make_article("b", topics=("ai  Chips",))
    feed = feeds_of(composed(later, first))["/topics/ai-chips"]
    assert (feed.name, feed.total) == ("AI Chips", 2)
    # The newest first.
    three = [make_article(f"{number}", topics=(name,)) for number, name in enumerate(["AI", "Ai", "AI"])]
    assert feeds_of(composed(*three))["/topics/ai"].name == "AI"


def test_spellings_of_a_provider_are_one() -> None:
    """Of a provider's spellings, too, that of the oldest article is its name."""
    first, later = (make_article(name, provider=Provider(name, "e.org")) for name in ("The News", "THE NEWS"))
    assert feeds_of(composed(later, first))["/providers/the-news"].name == "The News"


def test_the_newest_is_so_in_any_order() -> None:
    """A feed tells the date of its newest entry, also where that does not stand first."""
    early, late = (make_article(f"{day}", published_at=NOW - timedelta(days=day)) for day in (9, 2))
    assert composed(early, late).feeds[0].newest == late.published_at


def test_limit() -> None:
    """A feed holds the newest as far as the limit goes, and knows how many there are."""
    feed = composed(make_article("a"), make_article("b"), make_article("c"), limit=2).feeds[0]
    assert [entry.title for entry in feed.entries] == ["a", "b"]
    assert feed.total == 3


def test_recipes_are_shared() -> None:
    """The recipe of an article's entry is made once and is the same in every feed."""
    feeds = feeds_of(composed(make_article(topics=("AI",))))
    assert feeds["/feeds/all"].recipes[0] is feeds["/topics/ai"].recipes[0]


def test_ids_do_not_depend_on_the_host() -> None:
    """A move to another base URL changes no id; another site id changes those of the feeds."""
    moved = Site("http://other.example:81", "Site", "All of it", "en", "feeds.example")
    foreign = Site("https://feeds.example", "Site", "All of it", "en", "another")
    here, there, elsewhere = (composed(make_article(topics=("AI",)), site=site) for site in (SITE, moved, foreign))
    assert [feed.id for feed in here.feeds] == [feed.id for feed in there.feeds]
    assert len({feed.id for feed in here.feeds + elsewhere.feeds}) == 4
    assert here.feeds[0].entries[0].id == elsewhere.feeds[0].entries[0].id


def test_updated_is_never_before_published() -> None:
    """An entry's `updated` is what the file says, but not before it was published; the feed's is the newest."""
    date = make_article().published_at
    later, earlier = date + timedelta(hours=1), date - timedelta(hours=1)
    feed = composed(
        make_article("a"), make_article("b", updated_at=later), make_article("c", updated_at=earlier)
    ).feeds[0]
    assert [entry.updated for entry in feed.entries] == [date, later, date]
    assert feed.updated == later
    assert feed.newest == date


def test_entry() -> None:
    """An entry holds all that an article has for a reader."""
    link = Link("https://example.org/r", "R")
    one = make_article(
        topics=("AI",),
        provider=Provider("Example", "example.org", (Author("Ann"), Author("Example"))),
        excerpt="a < b",
        images=(Image("https://example.org/1.png", 1, 2), Image("https://example.org/2.png")),
        related=(Coverage(("r",), link),),
    )
    entry = composed(one).feeds[0].entries[0]
    assert entry.authors == ("Example", "Ann")
    assert entry.categories == (Category("AI", "https://feeds.example/topics/ai"),)
    assert (entry.summary, entry.content) == ("a < b", "<p>a &lt; b</p>")
    assert entry.picture == Image("https://example.org/1.png", 1, 2)
    assert entry.related == (link,)
    assert entry.source
    assert (entry.source.title, entry.source.url) == ("Example", "https://example.org/")


def test_bare_entry() -> None:
    """An article with nothing but the needed fields is by the site, and has no content and no source."""
    entry = composed(make_article()).feeds[0].entries[0]
    assert (entry.authors, entry.source, entry.summary, entry.content) == (("Site",), None, "a", "")
    assert entry.picture is None


def test_body_is_the_content() -> None:
    """A body stands before the excerpt."""
    assert composed(make_article(body="<p>b</p>", excerpt="e")).feeds[0].entries[0].content == "<p>b</p>"


def test_own_articles_have_no_source() -> None:
    """What a provider of our own domain brings out, or one without a domain, is aggregated from nowhere."""
    for provider in (Provider("We", "feeds.example"), Provider("No domain")):
        assert composed(make_article(provider=provider)).feeds[0].entries[0].source is None


def test_one_domain_with_several_providers() -> None:
    """A domain with several providers is a feed of its own."""
    feeds = feeds_of(
        composed(
            make_article("a", provider=Provider("One", "m.example")),
            make_article("b", provider=Provider("Two", "m.example")),
            make_article("c", provider=Provider("One", "n.example")),
            make_article("d"),
        )
    )
    assert [entry.title for entry in feeds["/providers/m.example"].entries] == ["a", "b"]
    assert feeds["/providers/m.example"].kind == "domain"
    assert "/providers/n.example" not in feeds
    assert {"/providers/one", "/providers/two", "/providers/one-n-example"} <= feeds.keys()


def test_one_domain_with_one_provider_redirects() -> None:
    """A domain with one provider leads to it, and names lead to their slugs."""
    provider = Provider("Big News", "m.example")
    redirects = composed(make_article(topics=("AI Chips",), provider=provider)).redirects
    assert redirects["/providers/m.example"] == "/providers/big-news"
    assert redirects["/providers/big news"] == "/providers/big-news"
    assert redirects["/topics/ai chips"] == "/topics/ai-chips"
    assert redirects["/feeds/all"] == "/feeds/all"


def test_a_path_stands_before_a_name() -> None:
    """A name that is another topic's slug does not lead away from that topic."""
    composition = composed(make_article(topics=("c-plus-plus", "C++")))
    feeds = feeds_of(composition)
    assert feeds["/topics/c-plus-plus"].name == "c-plus-plus"
    assert composition.redirects["/topics/c-plus-plus"] == "/topics/c-plus-plus"
    assert feeds[composition.redirects["/topics/c++"]].name == "C++"


def test_a_provider_without_a_domain_is_no_domain() -> None:
    """Providers without a domain do not share a feed for the domain that they have not."""
    feeds = feeds_of(
        composed(make_article("a", provider=Provider("One")), make_article("b", provider=Provider("Two")))
    )
    assert feeds.keys() == {"/feeds/all", "/providers/one", "/providers/two"}


def test_a_lost_topic_keeps_an_empty_feed_and_its_slug() -> None:
    """What had a feed keeps it, empty, under the slug that it had; a new name does not take that slug."""
    before = composed(make_article(topics=("C#",), provider=Provider("Example", "example.org")))
    after = composed(make_article(topics=("c-sharp",)), memory=before.memory)
    feeds = feeds_of(after)
    assert (feeds["/topics/c-sharp"].name, feeds["/topics/c-sharp"].total) == ("C#", 0)
    assert feeds["/topics/c-sharp"].updated == NO_CHANGE_YET
    assert feeds["/providers/example"].total == 0
    assert [feed.total for feed in after.feeds if feed.name == "c-sharp"] == [1]


def test_no_domain_takes_the_path_of_another_feeds_document() -> None:
    """A domain that ends like a format does not stand where a provider's Atom or RSS feed is."""
    composition = composed(
        make_article("a", provider=Provider("Victim", "victim.example")),
        make_article("b", provider=Provider("One", "victim.atom")),
        make_article("c", provider=Provider("Two", "victim.atom")),
    )
    pages = [feed.path for feed in composition.feeds]
    documents = pages + [path + ending for path in pages for ending in (".atom", ".rss")]
    assert len(documents) == len(set(documents))


def test_equal_input_equal_output() -> None:
    """The same articles make the same composition."""
    one = make_article(topics=("AI",), provider=Provider("Example", "example.org"))
    assert composed(one) == composed(one)


def test_a_view_without_bodies_and_coverage() -> None:
    """Feeds show summaries only, and no related coverage, where that is configured."""
    article = make_article(
        excerpt="A <summary>.",
        body="<p>A body.</p>",
        related=(Coverage(("r",), Link("https://example.org/r", "R")),),
    )
    (feed,) = compose_all(Selection((article,)), SITE, Memory(), View(bodies=False, related=False)).feeds
    assert (feed.entries[0].content, feed.entries[0].related) == ("<p>A &lt;summary&gt;.</p>", ())
    (feed,) = compose_all(Selection((article,)), SITE, Memory(), View()).feeds
    assert (feed.entries[0].content, feed.entries[0].related) == (
        "<p>A body.</p>",
        (Link("https://example.org/r", "R"),),
    )


def test_an_entry_always_has_something_to_read() -> None:
    """Where neither body nor excerpt is shown, the title is the summary, also when the body is kept back."""
    article = make_article(title="T", excerpt="", body="<p>A body.</p>")
    for bodies, expected in ((True, ("", "<p>A body.</p>")), (False, ("T", ""))):
        (feed,) = compose_all(Selection((article,)), SITE, Memory(), View(bodies=bodies)).feeds
        assert (feed.entries[0].summary, feed.entries[0].content) == expected


def test_related_coverage_never_leads_to_what_is_held_back() -> None:
    """Of the related coverage, the five best are shown that are not held back here."""
    related = tuple(Coverage((f"{n}",), Link(f"https://example.org/{n}", f"{n}")) for n in range(10))
    selection = Selection((make_article(related=related),), hidden=frozenset({"1", "3"}))
    (feed,) = compose_all(selection, SITE, Memory(), View()).feeds
    assert [link.title for link in feed.entries[0].related] == ["0", "2", "4", "5", "6"]


@pytest.mark.parametrize(
    "coverage",
    [
        "webUrl: https://e.org/held",
        "webUrl: http://E.org:80/held",
        "webUrl: https://e.org/%68eld",
        "webUrl: https://e.org/held-original",
        "webUrl: https://e.org/held-amp",
        "webUrl: https://e.org/held/#top",
        "webUrl: https://www.e.org/held",
        "webUrl: https://e.org/held?utm_source=a&fbclid=b",
        "webUrl: http://www.e.org/held/?UTM_Source=a#top",
        "{id: held, webUrl: https://e.org/other}",
        "{originalUrl: https://e.org/held, webUrl: https://e.org/other}",
    ],
)
def test_related_coverage_may_call_what_is_held_back_by_any_of_its_addresses(coverage: str) -> None:
    """By id, original, web or AMP address, in any spelling that is the same address."""
    held = front_matter(
        id="held",
        published="false",
        webUrl="https://e.org/held",
        originalUrl="https://e.org/held-original",
        ampWebUrl="https://e.org/held-amp",
    )
    coverage = coverage if coverage.startswith("{") else f"{{{coverage}}}"
    shown = front_matter(related=f"[{coverage}, {{webUrl: https://e.org/fine}}]")
    articles = [parse(f"{n}.md", text.encode(), ZoneInfo("UTC")).article for n, text in enumerate((held, shown))]
    selection = select([article for article in articles if article], SelectionRules(), NOW)
    (feed, *_) = compose_all(selection, SITE, Memory(), View()).feeds
    assert [link.url for link in feed.entries[0].related] == ["https://e.org/fine"]
    # Whoever looks only at what an edit touches finds it too.
    assert [each.path for each in articles if each and covering(selection.hidden)(each)] == ["1.md"]


def test_what_a_page_is_asked_for_tells_it_from_others() -> None:
    """Parameters that say where somebody came from do not count; all others do."""
    assert addresses_of("https://e.org/a?id=1&utm_medium=x&page=2") == ("//e.org/a?id=1&page=2",)
    assert addresses_of("https://e.org/a?utm=1") != addresses_of("https://e.org/a")
    assert addresses_of("https://wwww.e.org/") != addresses_of("https://e.org/")
    # An id that is no URL is what it is.
    assert addresses_of("a#b") == ("a#b",)


def test_titles_of_feeds_follow_their_templates() -> None:
    """A template's places are filled in once, whatever braces a name has; the feed of all has the site's title."""
    view = View(title="{site}: {name} {other}", description="On {name}, {about}")
    feeds = compose_all(Selection((make_article(topics=("{site}",)),)), SITE, Memory(), view).feeds
    assert [(feed.title, feed.description) for feed in feeds] == [
        ("Site", "All of it"),
        ("Site: {site} {other}", "On {site}, All of it"),
    ]
