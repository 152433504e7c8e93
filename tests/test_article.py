"""Articles: their ids, and their details, which are kept packed."""

from __future__ import annotations

import pickle
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import make_article

from feedsvc.articles.article import Coverage, Details, Image, Link, covering, pack, unpack
from feedsvc.articles.identity import addresses_of, id_of

texts = st.text(st.characters(exclude_categories=[]))
images = st.builds(Image, texts, st.none() | st.integers(1, 99_999), st.none() | st.integers(1, 99_999))
links = st.builds(Link, texts, texts, texts)
coverage = st.builds(Coverage, st.lists(texts, max_size=3).map(tuple), links) | links.map(
    lambda link: Coverage(addresses_of(link.url), link)
)
details = st.builds(
    Details,
    texts,
    texts | st.integers(1, 500).map(lambda count: "<p>Some text.</p>" * count),
    texts,
    st.none() | texts,
    st.none() | texts,
    st.lists(images, max_size=3).map(tuple),
    st.lists(coverage, max_size=3).map(tuple),
)


@given(details)
def test_details_come_out_as_they_went_in(given_details: Details) -> None:
    """Whatever an article has comes out of the packed form as it was, short or long."""
    assert unpack(pack(given_details)) == given_details


@given(st.binary(max_size=50))
def test_what_are_no_details_is_an_error(packed: bytes) -> None:
    """Bytes that hold no details are a ValueError, and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        unpack(packed)


def test_long_details_take_less_than_they_are_long() -> None:
    """Bodies are kept compressed."""
    assert len(pack(Details(body="<p>Some text.</p>" * 1_000))) < 1_000


@given(st.sets(texts, max_size=3), st.lists(coverage, max_size=3).map(tuple), st.booleans())
def test_coverage_is_found_by_its_addresses(
    addresses: set[str], related: tuple[Coverage, ...], long: bool
) -> None:
    """An article covers an address where one of its related articles has just that."""
    article = make_article(related=related, body="<p>Some text.</p>" * 1_000 if long else "")
    named = {address for each in related for address in each.addresses}
    assert covering(addresses)(article) == bool(addresses & named)
    assert covering(named)(article) == bool(named)


def test_what_is_noted_goes_with_an_article_and_with_no_other() -> None:
    """It comes through a pipe with it; of an article that says something else nothing is noted."""
    article = make_article().with_print(b"noted")
    assert pickle.loads(pickle.dumps(article)).print == b"noted"  # noqa: S301 - our own
    assert replace(article, title="Another").print == b""
    assert replace(article) == article


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_ids(identity: str) -> None:
    """An article's id is the name-based UUID of its identity, whatever that is."""
    assert id_of(identity) == uuid5(NAMESPACE_URL, identity).urn


def test_as_text() -> None:
    """What digests are made of is the text that it always was."""
    assert repr(Image("u", 1)) == "Image(url='u', width=1, height=None)"
    assert repr(Link("u", "a 't'", "p")) == """Link(url='u', title="a 't'", provider='p')"""
