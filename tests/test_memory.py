"""The memory: what readers are told changed, and nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOW, SITE, compose_all, make_article, rewrite

from feedsvc.articles.article import Article, Author, Coverage, Details, Image, Link, Provider
from feedsvc.feeds.entries import Showings
from feedsvc.feeds.feed import Entry, Recipe, View
from feedsvc.feeds.memory import Event, Memory, Sighting
from feedsvc.feeds.selection import Selection
from feedsvc.feeds.sightings import PARTS, changed_parts, observe, print_of

HOUR = timedelta(hours=1)
# Each part of an article that readers see, in another state than the article of the tests has it.
VISIBLE: dict[str, dict[str, object]] = {
    "title": {"title": "Another"},
    "link": {"url": "https://example.org/elsewhere"},
    "published": {"published_at": NOW - HOUR},
    "updated": {"updated_at": NOW - HOUR},
    "summary": {"excerpt": "Another."},
    "content": {"body": "<p>Another.</p>"},
    "type": {"type": "video"},
    "length": {"length": "PT1M"},
    "player": {"featured": "https://example.org/player"},
    "amp": {"amp_url": "https://example.org/amp"},
    "provider": {"provider": Provider("Other", "example.org", (Author("Ann"),))},
    "topics": {"topics": ("AI", "Chips")},
    "picture": {"images": (Image("https://example.org/p.png"),)},
    "related": {"related": (Coverage(("r",), Link("https://example.org/r", "R")),)},
}
INVISIBLE: dict[str, object] = {
    "path": "elsewhere.md",
    "category": "news",
    "quality": 5.0,
    "heat": 7.0,
    "published": None,
    "removed": True,
    "deleted": True,
}
ARTICLE = make_article(topics=("AI",), excerpt="One.")


def told(memory: Memory, *articles: Article, after: timedelta = timedelta()) -> tuple[Memory, list[Event]]:
    """The memory after a reload with these articles, and what happened."""
    places = {article.identity: ("/feeds/all",) for article in articles}
    return observe(memory, Selection(articles), places, NOW + after, Selection())


def entry_of(article: Article, memory: Memory) -> Entry:
    """The article's entry in the feed of all articles."""
    (feed, *_) = compose_all(Selection((article,)), SITE, memory, View()).feeds
    return feed.entries[0]


def recipe_of(article: Article) -> Recipe:
    """What feeds hold in the place of its entry."""
    (feed, *_) = compose_all(Selection((article,)), SITE).feeds
    return feed.recipes[0]


@pytest.mark.parametrize("part", VISIBLE)
def test_what_a_reader_sees_is_remembered(part: str) -> None:
    """Every part of an article that reaches a document tells when it changes, and which it was."""
    changed = rewrite(ARTICLE, **VISIBLE[part])
    assert entry_of(changed, Memory()) != entry_of(ARTICLE, Memory())
    assert recipe_of(changed) != recipe_of(ARTICLE)
    memory, _ = told(Memory(), ARTICLE)
    memory, events = told(memory, changed, after=HOUR)
    assert [(event.happening, event.parts) for event in events] == [("changed", (part,))]
    assert memory.sightings[ARTICLE.identity].changed_at == NOW + HOUR


@pytest.mark.parametrize("name", INVISIBLE)
def test_what_no_reader_sees_changes_nothing(name: str) -> None:
    """A score, a category, a file's name: no entry has it, and nobody is told of it."""
    changed = rewrite(ARTICLE, **{name: INVISIBLE[name]})
    assert entry_of(changed, Memory()) == entry_of(ARTICLE, Memory())
    assert recipe_of(changed) == recipe_of(ARTICLE)
    memory, _ = told(Memory(), ARTICLE)
    _, events = told(memory, changed, after=HOUR)
    assert events == []


def test_every_field_of_an_article_is_one_or_the_other() -> None:
    """No field of an article is forgotten: a reader sees it, or does not, or it is what makes it this article."""
    visible = {name for change in VISIBLE.values() for name in change}
    every = {field.name for each in (Article, Details) for field in fields(each)}
    # Identity and aliases tell by what others lead to it.
    assert visible | INVISIBLE.keys() | {"identity", "aliases", "packed", "print"} == every
    assert VISIBLE.keys() == PARTS.keys()


def test_an_article_arrives_changes_leaves_and_returns() -> None:
    """Each is told once, with its moment; who returns is who it was, and keeps when it was first seen."""
    memory, events = told(Memory(), ARTICLE)
    assert [(event.happening, event.id, event.path) for event in events] == [("arrived", ARTICLE.id, "a.md")]
    again, events = told(memory, ARTICLE, after=HOUR)
    assert (again, events) == (memory, [])
    memory, events = told(memory, after=2 * HOUR)
    assert [(event.happening, event.title) for event in events] == [("withdrawn", "a")]
    assert memory.sightings[ARTICLE.identity].withdrawn_at == NOW + 2 * HOUR
    assert told(memory, after=3 * HOUR)[1] == []
    memory, events = told(memory, replace(ARTICLE, title="b"), after=4 * HOUR)
    assert [(event.happening, event.parts) for event in events] == [("returned", ("title",))]
    assert memory.sightings[ARTICLE.identity] == Sighting(
        "b", "a.md", print_of(replace(ARTICLE, title="b")), ("/feeds/all",), NOW, NOW + 4 * HOUR
    )


def test_updated_is_what_the_article_says_else_when_it_changed() -> None:
    """`updatedDateTime` counts; without one, an entry was updated when it last changed for a reader."""
    memory, _ = told(Memory(), ARTICLE)
    assert entry_of(ARTICLE, memory).updated == ARTICLE.published_at
    changed = replace(ARTICLE, title="b")
    memory, _ = told(memory, changed, after=HOUR)
    assert entry_of(changed, memory).updated == NOW + HOUR
    saying = replace(changed, updated_at=NOW - HOUR)
    memory, _ = told(memory, saying, after=2 * HOUR)
    assert entry_of(saying, memory).updated == NOW - HOUR


def test_a_clock_that_goes_back_moves_nothing_back() -> None:
    """What happens is never dated before what happened before it, though the clock may say so."""
    memory, _ = told(Memory(), ARTICLE)
    memory, _ = told(memory, replace(ARTICLE, title="b"), after=-24 * HOUR)
    assert memory.sightings[ARTICLE.identity].changed_at == NOW
    memory, _ = told(memory, after=-48 * HOUR)
    assert memory.sightings[ARTICLE.identity].withdrawn_at == NOW


def test_a_noted_print_is_taken_where_it_says_all() -> None:
    """It is taken as it was noted; where coverage is held back, which a single file does not tell, it is not."""
    link = Link("https://example.org/r", "R")
    article = rewrite(ARTICLE, related=(Coverage(("//example.org/r",), link),))
    noted = replace(article).with_print(print_of(article))
    for hidden in (frozenset[str](), frozenset({"//example.org/other"}), frozenset({"//example.org/r"})):
        prints = []
        for each in (article, noted):
            selection = Selection((each,), hidden=hidden)
            memory, _ = observe(Memory(), selection, {}, NOW, Selection())
            prints.append(memory.sightings[article.identity].print)
        assert prints == [print_of(article, hidden)] * 2
    memory, _ = told(Memory(), replace(article).with_print(b"noted"))
    assert memory.sightings[article.identity].print == b"noted"


def test_prints_stay_as_they_are() -> None:
    """A print is compared with those of a year ago: each part of it is eight bytes of BLAKE2b of its value."""
    for article in (ARTICLE, *(rewrite(ARTICLE, **change) for change in VISIBLE.values())):
        values = [repr(part(article, article.details, ())) for part in PARTS.values()]
        digests = [blake2b(value.encode(), digest_size=8).digest() for value in values]
        assert print_of(article) == b"".join(digests)


def test_prints_of_another_version_tell_of_no_change() -> None:
    """Where a new version of the program sees more of an article than the last, that changed no article."""
    assert changed_parts(print_of(ARTICLE)[:-8], print_of(ARTICLE)) == ()
    assert changed_parts(print_of(ARTICLE), print_of(replace(ARTICLE, title="b"))) == ("title",)


def test_the_same_object_is_not_looked_at_again() -> None:
    """An article that is the very object of the last reload costs nothing; another that is equal is compared."""
    memory, _ = told(Memory(), ARTICLE)
    unlike = replace(memory, sightings={ARTICLE.identity: replace(memory.sightings[ARTICLE.identity], print=b"")})
    selection, places = Selection((ARTICLE,)), {ARTICLE.identity: ("/feeds/all",)}
    same, events = observe(unlike, selection, places, NOW, selection)
    assert (same, events) == (unlike, [])


def test_a_feed_is_updated_when_somebody_comes_or_goes() -> None:
    """PUBLISHING 22: a late arrival with an old date, and a withdrawal, move a feed's date, clock or no clock."""
    old, new = make_article("old", published_at=NOW - 100 * HOUR), make_article("new")

    def feed_of(memory: Memory, moment: timedelta, *articles: Article) -> tuple[Memory, object]:
        composition = compose_all(Selection(articles, at=NOW + moment), SITE, memory, View())
        return composition.memory, composition.feeds[0].updated

    memory, updated = feed_of(Memory(), timedelta(), new)
    assert updated == new.published_at
    memory, updated = feed_of(memory, HOUR, new)
    assert updated == new.published_at
    memory, updated = feed_of(memory, HOUR, new, old)
    assert updated == NOW + HOUR
    memory, updated = feed_of(memory, -HOUR, old)
    assert updated == NOW + HOUR + timedelta(seconds=1)
    memory, updated = feed_of(memory, 3 * HOUR)
    assert updated == NOW + 3 * HOUR
    assert feed_of(memory, 4 * HOUR)[1] == NOW + 3 * HOUR


@given(st.lists(st.sets(st.integers(0, 5)), max_size=8))
def test_what_happened_tells_who_is_there(history: list[set[int]]) -> None:
    """Whatever comes and goes: who arrived or returned and did not leave since is there, and nobody else."""
    memory = Memory()
    there: set[str] = set()
    for step, numbers in enumerate(history):
        articles = tuple(make_article(f"{number}") for number in sorted(numbers))
        memory, events = told(memory, *articles, after=step * HOUR)
        for event in events:
            if event.happening == "withdrawn":
                there.remove(event.identity)
            else:
                assert event.happening in {"arrived", "returned"}
                assert event.identity not in there
                there.add(event.identity)
        assert there == {article.identity for article in articles}


def test_entries_are_made_of_nothing_else() -> None:
    """An entry of an article with every part changed differs in every field but those made of its identity."""
    changes: dict[str, object] = {}
    for change in VISIBLE.values():
        changes |= change
    memory = compose_all(Selection((rewrite(ARTICLE, **changes),)), SITE, Memory(), View()).memory
    one = Showings(SITE, memory, View(), ()).of(ARTICLE).make()
    other = Showings(SITE, memory, View(), ()).of(rewrite(ARTICLE, **changes)).make()
    same = {field.name for field in fields(Entry) if getattr(one, field.name) == getattr(other, field.name)}
    assert same == {"id"}
