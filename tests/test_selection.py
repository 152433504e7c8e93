"""Selection: what is shown at a moment, in which order, and when that changes by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOW, make_article

from feedsvc.feeds.memory import Sighting
from feedsvc.feeds.selection import REASONS, Reason, SelectionRules, held_by, seen, select

if TYPE_CHECKING:
    from datetime import datetime

    from feedsvc.articles.article import Article

SECOND = timedelta(seconds=1)


moments = st.integers(-100, 100).map(lambda seconds: NOW + timedelta(seconds=seconds))
articles = st.lists(
    st.builds(
        make_article,
        st.text("abcdefgh", min_size=1, max_size=4),
        published_at=moments,
        published=st.sampled_from([True, False, None]),
        removed=st.booleans(),
        deleted=st.booleans(),
        heat=st.sampled_from([None, 1.0, 9.0]),
        updated_at=st.none() | moments,
        aliases=st.lists(st.sampled_from("xyz"), max_size=2, unique=True).map("\n".join),
    ),
    max_size=12,
    unique_by=lambda each: each.identity,
)
rules = st.builds(
    SelectionRules,
    publish_missing=st.booleans(),
    min_heat=st.sampled_from([None, 5.0]),
    max_age=st.sampled_from([None, SECOND, timedelta(seconds=30)]),
)


@pytest.mark.parametrize(
    ("fields", "rule", "reason"),
    [
        ({}, SelectionRules(), None),
        ({"removed": True}, SelectionRules(), "removed"),
        ({"deleted": True}, SelectionRules(), "deleted"),
        ({"published": False}, SelectionRules(publish_missing=True), "unpublished"),
        ({"published": None}, SelectionRules(), "missing_published"),
        ({"published": None}, SelectionRules(publish_missing=True), None),
        ({"published_at": NOW + SECOND}, SelectionRules(), "scheduled"),
        ({"published_at": NOW}, SelectionRules(), None),
        ({"category": "b"}, SelectionRules(categories=("a",)), "category"),
        ({"category": "a"}, SelectionRules(categories=("a",)), None),
        ({}, SelectionRules(categories=("a",)), "category"),
        ({"type": "b"}, SelectionRules(types=("a",)), "type"),
        ({"type": "a"}, SelectionRules(types=("a",)), None),
        ({"quality": 1.0}, SelectionRules(min_quality=2), "quality"),
        ({}, SelectionRules(min_quality=0), "quality"),
        ({"quality": 2.0}, SelectionRules(min_quality=2), None),
        ({"heat": 1.0}, SelectionRules(min_heat=2), "heat"),
        ({"heat": -1.0}, SelectionRules(min_heat=-1), None),
        ({"published_at": NOW - timedelta(seconds=61)}, SelectionRules(max_age=timedelta(minutes=1)), "age"),
        ({"published_at": NOW - timedelta(seconds=60)}, SelectionRules(max_age=timedelta(minutes=1)), None),
    ],
)
def test_rule(fields: dict[str, Any], rule: SelectionRules, reason: Reason | None) -> None:
    """Each rule holds back what it is for and nothing else; a bound itself passes."""
    assert held_by(make_article(**fields), rule, NOW) == reason
    assert reason is None or REASONS[reason]


def test_scheduled_means_that_it_will_appear() -> None:
    """An article of the future that another rule holds back is held by that rule: time will not release it."""
    draft = make_article(published=False, published_at=NOW + SECOND)
    selection = select([draft], SelectionRules(), NOW)
    assert selection.held == {draft.identity: "unpublished"}
    assert selection.next_change is None


def test_what_is_hidden() -> None:
    """All addresses of what is held back are hidden, but for one that a selected article has too."""
    shown = make_article("a", aliases="//e.org/both")
    draft = make_article("b", published=False, aliases="//e.org/both\n//e.org/amp")
    assert select([shown, draft], SelectionRules(), NOW).hidden == {"//example.org/b", "//e.org/amp"}


@given(articles, rules)
def test_order(given_articles: list[Article], rule: SelectionRules) -> None:
    """The newest comes first, ties are ordered by id, and the order of the input does not matter."""
    selection = select(given_articles, rule, NOW)
    keys = [(-each.published_at.timestamp(), each.id) for each in selection.articles]
    assert keys == sorted(keys)
    assert select(reversed(given_articles), rule, NOW) == selection


@given(articles, rules)
def test_partition(given_articles: list[Article], rule: SelectionRules) -> None:
    """Every article is either selected or held for a reason, never both."""
    selection = select(given_articles, rule, NOW)
    shown = {each.identity for each in selection.articles}
    assert not shown & selection.held.keys()
    assert shown | selection.held.keys() == {each.identity for each in given_articles}


@given(articles, rules)
def test_next_change(given_articles: list[Article], rule: SelectionRules) -> None:
    """Until `next_change` the selection stays as it is; at `next_change` it is another one."""
    selection = select(given_articles, rule, NOW)
    change = selection.next_change
    if change is None:
        assert select(given_articles, rule, NOW + timedelta(days=999)).articles == selection.articles
        return
    assert change > NOW
    assert select(given_articles, rule, change - SECOND).articles == selection.articles
    assert select(given_articles, rule, change).articles != selection.articles


def test_an_update_that_is_still_to_come_is_none_yet() -> None:
    """An `updatedDateTime` in the future counts from then on, and the selection says when."""
    later = NOW + timedelta(days=1)
    article = make_article(updated_at=later)
    before = select([article], SelectionRules(), NOW)
    assert [each.updated_at for each in before.articles] == [None]
    assert before.next_change == later
    after = select([article], SelectionRules(), later)
    assert after.articles == (article,)
    assert after.next_change is None


@given(
    st.lists(
        st.tuples(
            articles,
            st.sampled_from([0, 0, 1, 30, 200, -150]),
            st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), moments),
        ),
        min_size=2,
        max_size=5,
    ),
    rules,
)
def test_an_edit_of_a_selection(
    edits: list[tuple[list[Article], int, dict[str, datetime]]], rule: SelectionRules
) -> None:
    """Whatever is edited, told or due, and whether the clock goes on or back: what a selection takes over from the
    last one is what it would be anew.
    """
    now = NOW
    there: dict[str, Article] = {}
    sightings: dict[str, Sighting] = {}
    last = None
    for edit, seconds, told in edits:
        for article in edit:
            # Written once more as it is, it is gone.
            if there.get(article.identity) == article:
                del there[article.identity]
            else:
                there[article.identity] = article
        now += timedelta(seconds=seconds)
        last = select(there.values(), rule, now, sightings, last)
        assert last == select(there.values(), rule, now, sightings)
        for name, moment in told.items():
            sightings = {**sightings, f"https://example.org/{name}": Sighting(name, "", b"", (), NOW, moment)}
        last = seen(last, sightings)
    again = select(there.values(), rule, now, sightings, last)
    assert again == select(there.values(), rule, now, sightings)


def test_what_is_not_touched_is_taken_over() -> None:
    """Nothing is asked again of what is the same; where nothing is another, the selected are the very same."""
    there = [make_article(f"{number}") for number in range(3)]
    first = select(there, SelectionRules(), NOW)
    again = select(list(there), SelectionRules(), NOW + SECOND, {}, first)
    assert again.articles is first.articles
    assert select(there, SelectionRules(min_heat=1), NOW, {}, first).articles == ()
    told = {there[0].identity: Sighting("0", "", b"", (), NOW)}
    assert seen(first, told).basis != first.basis
    ahead = {there[0].identity: Sighting("0", "", b"", (), NOW + SECOND)}
    held = select([*there, make_article("b", published_at=NOW + SECOND)], SelectionRules(), NOW)
    assert seen(held, ahead) is held
