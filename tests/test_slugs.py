"""Slugs: readable, distinct, kept, and the same on every machine."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.feeds.slugs import MAX_LENGTH, Key, Named, assign_slugs, slugify

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Names that look alike are drawn often: they are what collides.
name = st.one_of(
    st.text(max_size=8), st.text("aA -+#'é", max_size=5), st.sampled_from(["C", "C++", "C#", "c", "!"])
)
names = st.dictionaries(name.map(lambda text: (text,)), name.map(Named), max_size=8)


def simple(*given_names: str) -> dict[Key, Named]:
    """Topics by key, as composing asks for them."""
    return {(each.casefold(),): Named(each) for each in given_names}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("AI Hardware", "ai-hardware"),
        ("C", "c"),
        ("C++", "c-plus-plus"),
        ("C#", "c-sharp"),
        ("R&D", "r-and-d"),
        ("100%", "100-percent"),
        ("Rock 'n' Roll", "rock-n-roll"),
        ("It’s", "its"),
        ("Künstliche Intelligenz", "kunstliche-intelligenz"),
        ("  --a--  b__c.. ", "a-b-c"),
        ("", ""),
        ("!!!", ""),
    ],
)
def test_slugify(name: str, slug: str) -> None:
    """A name becomes lower-case ASCII words; what sets names apart becomes a word."""
    assert slugify(name) == slug


@pytest.mark.parametrize("name", ["人工智能", "Искусственный", "الذكاء", "😀"])
def test_any_script_is_readable(name: str) -> None:
    """A name in another script has a readable slug."""
    assert SLUG.fullmatch(slugify(name))


@given(st.text())
def test_form(name: str) -> None:
    """A slug is empty, or groups of letters and digits with single hyphens, of bounded length."""
    slug = slugify(name)
    assert slug == "" or SLUG.fullmatch(slug)
    assert len(slug) <= MAX_LENGTH


def test_long_names_stay_distinct() -> None:
    """Long names that differ only at their end have different slugs, by a digest, not by a counter."""
    one, two = slugify("word " * 40 + "x"), slugify("word " * 40 + "y")
    assert one != two
    assert SLUG.fullmatch(one)


@given(names)
def test_assigned(given_names: dict[Key, Named]) -> None:
    """Every key gets a slug, never empty, no two the same."""
    slugs = assign_slugs(given_names, {})
    assert slugs.keys() == given_names.keys()
    assert all(SLUG.fullmatch(slug) for slug in slugs.values())
    assert len(set(slugs.values())) == len(slugs)


@given(names, st.randoms(use_true_random=False))
def test_order_does_not_matter(given_names: dict[Key, Named], random: object) -> None:
    """The slugs do not depend on the order in which the names come."""
    items = list(given_names.items())
    random.shuffle(items)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert assign_slugs(dict(items), {}) == assign_slugs(given_names, {})


@given(names, names)
def test_given_slugs_are_kept(first: dict[Key, Named], second: dict[Key, Named]) -> None:
    """A slug once given is kept, whatever names come later, and is given to no other."""
    before = assign_slugs(first, {})
    after = assign_slugs(first | second, before)
    assert {key: after[key] for key in before} == before
    assert len(set(after.values())) == len(after)
    assert assign_slugs({}, before) == before


def test_a_name_that_is_its_own_slug_gets_it() -> None:
    """Of two names with one slug, the one that is written like the slug has the better claim."""
    slugs = assign_slugs(simple("a b", "a-b"), {})
    assert slugs["a-b",] == "a-b"
    assert SLUG.fullmatch(slugs["a b",])


def test_the_qualifier_tells_apart() -> None:
    """Two providers of one name: the second is told from the first by its domain."""
    slugs = assign_slugs(
        {("news", "a.example"): Named("News", "a.example"), ("news", "b.example"): Named("News", "b.example")}, {}
    )
    assert slugs == {("news", "a.example"): "news", ("news", "b.example"): "news-b-example"}


def test_no_names_can_use_up_the_slugs() -> None:
    """Names that are just what another name would fall back to do not leave that one without a slug.

    A file can contain any topic; it must not stop the service.
    """
    digest = hashlib.sha256(b"!").hexdigest()
    slugs = assign_slugs(simple("!", f"x-{digest[:8]}", digest), {})
    assert len(set(slugs.values())) == 3
    assert all(SLUG.fullmatch(slug) for slug in slugs.values())
