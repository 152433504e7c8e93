"""Drafts: what is not made again is, to the byte, what feedgen would make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from support import NOW, SITE, compose_all, make_article

from feedsvc.articles.article import Image, Link
from feedsvc.documents import draft, syndication
from feedsvc.documents.draft import Draft, Stock
from feedsvc.documents.format import FORMATS
from feedsvc.documents.snapshot import publish
from feedsvc.feeds.feed import Archive, Category, Entry, Feed, Source, View
from feedsvc.feeds.memory import Departure, Memory
from feedsvc.feeds.selection import Selection

if TYPE_CHECKING:
    import pytest
    from hypothesis.strategies import SearchStrategy

    from feedsvc.feeds.compose import Composition


# With all that stands between entries, and all that a text may say of them.
words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.text("<>&;\"'{}[],: entryiditemamplt]]>\x85\u200f\U0001f600", max_size=12),
    st.sampled_from(
        [
            "<entry>",
            "</entry>",
            "</feed>",
            "<item>",
            "</item>",
            "</channel></rss>",
            '},{"id":"',
            '{"id":"',
            ',"items":[',
            "]}",
            "&amp;",
            "&#x26;",
            "\\",
            '\\"',
            "ns0:",
        ]
    ),
)
moments = st.integers(0, 10**9).map(lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
urls = words.map(lambda text: f"https://example.org/{text.replace(' ', '+')}")
images = st.builds(Image, urls, st.sampled_from([None, 1, 640]), st.sampled_from([None, 1, 480]))


def several(what: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """None, one or a few, as entries hold them."""
    return st.lists(what, max_size=3).map(tuple)


entries = st.builds(
    Entry,
    id=st.integers(0, 9).map("urn:x:{}".format),
    title=words.map("T{}".format),
    url=urls,
    published=moments,
    updated=moments,
    authors=several(words),
    source=st.none() | st.builds(Source, urls, words, urls),
    categories=several(st.builds(Category, words.map("C{}".format), urls)),
    summary=words,
    content=words.map(lambda text: f"<p>{escape(text)}</p>") | st.just(""),
    picture=st.none() | images,
    related=several(st.builds(Link, urls, words, words)),
    type=words,
    length=words,
    featured=st.none() | urls,
    amp=st.none() | urls,
)
feeds = st.builds(
    Feed,
    kind=st.just("topic"),
    name=words,
    path=st.just("/topics/ai"),
    id=urls,
    title=words.map("F{}".format),
    description=words.map("D{}".format),
    updated=moments,
    recipes=st.lists(entries, max_size=6, unique_by=lambda entry: entry.id).map(tuple),
    total=st.just(9),
    site=st.sampled_from([SITE, replace(SITE, base_url="https://other.example")]),
    icon=st.none() | images,
    language=st.sampled_from(["en", "de", "pt-BR", "x-none"]),
    archives=st.integers(0, 2),
    archive=st.none() | st.builds(Archive, st.integers(1, 3), st.booleans()),
    departed=several(st.builds(Departure, urls, moments)),
)


def whole(feed: Feed) -> list[tuple[bytes, ...]]:
    """A feed in all forms, made at once and of nothing else."""
    return [form.render(Draft(feed), ()) for form in FORMATS.values()]


@given(feeds)
def test_a_document_is_what_feedgen_writes(feed: Feed) -> None:
    """To take a document apart and to put it together again changes no byte of it."""
    atom = syndication._linked(Draft(feed), ".atom", syndication.ATOM_TYPE).atom_str()
    rss = syndication._linked(Draft(feed), ".rss", syndication.RSS_TYPE).rss_str()
    assert syndication.render_atom(Draft(feed)) == atom
    assert syndication.render_rss(Draft(feed)) == syndication._RSS_TEXT.sub(syndication._hexadecimal, rss)


@given(feeds, feeds, st.data())
def test_what_the_last_documents_hold_is_what_would_be_made(last: Feed, feed: Feed, data: st.DataObject) -> None:
    """Entries come, go, change and move, and so does all around them: each document is as if made of nothing."""
    ids = {entry.id for entry in feed.entries}
    old = [replace(entry) for entry in last.entries if entry.id not in ids and data.draw(st.booleans())]
    mixed = tuple(data.draw(st.permutations([*feed.entries, *old])))
    if data.draw(st.booleans()):
        feed = replace(feed, site=last.site, language=last.language)
    feed = replace(feed, recipes=mixed)
    draft = Draft(feed, last)
    pages = [form.render(draft, page) for form, page in zip(FORMATS.values(), whole(last), strict=True)]
    assert pages == whole(feed)


@given(st.lists(feeds, min_size=1, max_size=4), st.data())
def test_what_feeds_share_is_what_would_be_made(some: list[Feed], data: st.DataObject) -> None:
    """Feeds that show the same entries take them from each other: each document is as if made of nothing."""
    shared = [entry for feed in some for entry in feed.entries]
    site = some[0].site
    some = [
        replace(feed, site=site, recipes=tuple(data.draw(st.lists(st.sampled_from(shared), unique_by=id))))
        for feed in some
        if shared
    ]
    stock = Stock(some)
    for feed in some:
        draft = Draft(feed, None, stock)
        assert [form.render(draft, ()) for form in FORMATS.values()] == whole(feed)
    assert not stock


def test_an_entry_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All forms and feeds that show an article share what was made of it, and so do the next snapshot's."""
    made: list[str] = []

    def render_content(entry: Entry, _language: str) -> str:
        made.append(entry.title)
        return "<p></p>"

    def composed(*titles: str) -> Composition:
        named = zip("abc", titles, strict=True)
        articles = tuple(make_article(name, title=title, topics=("AI", "Chips")) for name, title in named)
        return compose_all(Selection(articles), SITE, Memory(), View())

    monkeypatch.setattr(draft, "render_content", render_content)
    first = publish(composed("1", "2", "3"), "public", None, NOW)
    assert len(first.feeds) == 3
    assert sorted(made) == ["1", "2", "3"]
    made.clear()
    second = publish(composed("1", "2x", "3"), "public", first, NOW)
    assert made == ["2x"]
    afresh = publish(composed("1", "2x", "3"), "public", None, NOW)
    assert {path: each.content for path, each in second.documents.items()} == {
        path: each.content for path, each in afresh.documents.items()
    }
