"""Differences: what is another object in two collections."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support import make_article

from feedsvc.feeds.differences import difference_of, differing

OBJECTS = [object() for _ in range(3)]
ARTICLES = [make_article(f"{number}") for number in range(8)]
mappings = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(OBJECTS))


@given(mappings, mappings)
def test_of_mappings(before: dict[str, object], after: dict[str, object]) -> None:
    """A key differs where its value is another object, or is in one of the two alone, whatever their order."""
    every = {*before, *after}
    for one in (after, {**before, **after}, before):
        assert differing(before, one) == {key for key in every if before.get(key) is not one.get(key)}


@given(st.lists(st.sampled_from(ARTICLES), unique_by=id), st.lists(st.sampled_from(ARTICLES), unique_by=id))
def test_of_articles(left: list[object], right: list[object]) -> None:
    """Who is in both came to neither; the others keep their order. Equal articles are not the same."""
    difference = difference_of(left, right)  # type: ignore[arg-type]  # articles, which Hypothesis does not say
    assert difference.came == tuple(each for each in right if each not in left)
    assert difference.gone == tuple(each for each in left if each not in right)
    again = make_article("0")
    assert difference_of([ARTICLES[0]], [again]).came == (again,)
