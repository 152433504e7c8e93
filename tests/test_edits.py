"""Edits: what a reload takes over from the last one is what it would have made anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from support import NOW, SITE, make_article

from feedsvc.articles.article import Coverage, Link, Provider
from feedsvc.feeds.catalog import Catalog, Listing
from feedsvc.feeds.compose import Composition, compose
from feedsvc.feeds.feed import View
from feedsvc.feeds.groups import group, places_of
from feedsvc.feeds.losses import Loss, LossRules, loss_of
from feedsvc.feeds.memory import Event, Memory
from feedsvc.feeds.privacy import privacy_of
from feedsvc.feeds.selection import Selection, SelectionRules, seen, select
from feedsvc.feeds.sightings import observe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feedsvc.articles.article import Article

HOUR = timedelta(hours=1)
TOPICS = ("AI", "ai", "C++", "Old", "Renamed", "Parent", "Gone")
PROVIDERS = (
    None,
    Provider("One", "shared.example"),
    Provider("Two", "shared.example"),
    Provider("ONE", "shared.example"),
    Provider("Three", "three.example"),
    Provider("Three"),
    Provider("Third", "third.example"),
    Provider("Third", "fourth.example"),
)
PRIVATE = Catalog(
    {
        "ai": Listing("AI", access="private"),
        "old": Listing("Old", alias="AI"),
        "c++": Listing("C++", parent="Parent"),
        "parent": Listing("Parent", rollup=True, access="private"),
        "gone": Listing("Gone", retired=True, access="private"),
    },
    {"third": Listing("Third", access="private"), "three": Listing("Three", alias="Third")},
)
CATALOG = Catalog(
    {
        "old": Listing("Old", alias="New"),
        "ai": Listing("AI", parent="Parent"),
        "parent": Listing("Parent", rollup=True),
        "gone": Listing("Gone", retired=True),
    },
    {"three": Listing("Three", alias="Third")},
)


def address(number: int) -> str:
    """That of an article."""
    return f"//example.org/{number}"


@st.composite
def articles(draw: st.DrawFn) -> Article:
    """An article, one of ten, in any of the states that matter."""
    number = draw(st.integers(0, 9))
    covered = draw(st.lists(st.integers(0, 9), max_size=2))
    return make_article(
        f"{number}",
        title=draw(st.sampled_from(["A title", "Another"])),
        published_at=NOW - draw(st.integers(0, 5)) * HOUR,
        published=draw(st.sampled_from([True, True, True, False])),
        updated_at=draw(st.sampled_from([None, None, NOW + 2 * HOUR])),
        topics=tuple(draw(st.lists(st.sampled_from(TOPICS), max_size=3))),
        provider=draw(st.sampled_from(PROVIDERS)),
        related=tuple(Coverage((address(each),), Link(f"https://x.example/{each}", "Title")) for each in covered),
    )


class Reloads:
    """Reloads one after the other; with or without taking anything over."""

    def __init__(self, view: View, catalog: Catalog, *, anew: bool) -> None:
        self.view = view
        self.catalog = catalog
        self.anew = anew
        self.memory = Memory()
        self.selection = Selection()
        self.composition: Composition | None = None
        self.loss: Loss | None = None
        self.hours = count()

    def reload(self, there: Iterable[Article]) -> tuple[Composition, list[Event]]:
        """What is made of these articles, and what is told of them."""
        now = NOW + next(self.hours) * HOUR
        last = None if self.anew else self.composition
        selected = last.grouping.selection if last else None
        rules = SelectionRules(max_age=6 * HOUR, privacy=privacy_of(self.catalog))
        selection = select(there, rules, now, self.memory.sightings, selected)
        grouping = group(selection, self.memory, self.catalog, last.grouping if last else None)
        memory, events = observe(
            grouping.memory,
            selection,
            places_of(grouping),
            now,
            self.selection,
            difference=grouping.difference,
        )
        self.loss = loss_of(self.memory, grouping, LossRules(0, 1))
        grouping = replace(grouping, selection=seen(selection, memory.sightings))
        self.composition = compose(grouping, SITE, memory, self.view, last)
        self.memory, self.selection = self.composition.memory, selection
        return self.composition, events


def comparable(made: Composition) -> Composition:
    """The composition without what tells how it was made; slugs in no order."""
    return replace(made, grouping=replace(made.grouping, difference=None))


@given(
    st.lists(st.lists(articles(), max_size=6), min_size=2, max_size=6),
    st.sampled_from(["published", "arrived"]),
    st.sampled_from([Catalog(), CATALOG, PRIVATE]),
)
def test_an_edit_makes_what_everything_anew_would_make(
    edits: list[list[Article]], order: str, catalog: Catalog
) -> None:
    """After any edits, all feeds, archives, redirects, what is remembered and what is told are the same as if
    nothing of the reloads before had been taken over.
    """
    view = View(2, order=order)  # type: ignore[arg-type]  # one of the two orders
    quick, slow = (Reloads(view, catalog, anew=anew) for anew in (False, True))
    there: dict[str, Article] = {}
    for edit in edits:
        for article in edit:
            # Written once more as it is, it is gone.
            if there.get(article.identity) == article:
                del there[article.identity]
            else:
                there[article.identity] = article
        made, told = quick.reload(there.values())
        anew, told_anew = slow.reload(there.values())
        assert told == told_anew
        assert quick.loss == slow.loss
        assert comparable(made) == comparable(anew)


def test_another_view_takes_nothing_over() -> None:
    """Archives that were cut for another view are cut anew."""
    quick, slow = (Reloads(View(2), Catalog(), anew=anew) for anew in (False, True))
    there = [make_article(f"{number}", published_at=NOW - number * HOUR / 2) for number in range(9)]
    for order in ("published", "arrived"):
        for size in (2, 3):
            quick.view = slow.view = View(size, order=order)
            assert comparable(quick.reload(there)[0]) == comparable(slow.reload(there)[0])


def test_an_edit_makes_nothing_else_anew() -> None:
    """An edit of one article leaves the feeds that it is not in as the very objects that they were."""
    reloads = Reloads(View(2), Catalog(), anew=False)
    there = [make_article(f"{number}", published_at=NOW, topics=(f"T{number % 3}",)) for number in range(9)]
    before, _ = reloads.reload(there)
    there[4] = replace(there[4], title="Edited")
    after, _ = reloads.reload(there)
    same = {new.path for new in after.feeds if any(new is old for old in before.feeds)}
    assert {feed.path for feed in after.feeds} - same == {"/feeds/all", "/topics/t1"}
    again, events = reloads.reload(there)
    assert all(new is old for new, old in zip(again.feeds, after.feeds, strict=True))
    assert events == []
