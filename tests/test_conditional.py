"""Conditional requests and content codings, header by header."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.web.conditional import accepted_codings, choose_coding, is_fresh

if TYPE_CHECKING:
    from feedsvc.documents.document import Coding

MODIFIED = datetime(2021, 12, 14, 0, 50, tzinfo=UTC)
TAG = '"abc"'
header = st.one_of(
    st.text(max_size=30),
    st.text("gzipbr*;=q, 0.1x-nainfe+_identity", max_size=30),
    st.text('MonDecGT:0123456789 +-,"W/*', max_size=40),
)


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", ()),
        ("gzip", ("gzip",)),
        ("x-gzip", ("gzip",)),
        ("GZip", ("gzip",)),
        ("br", ("br",)),
        ("gzip, br", ("br", "gzip")),
        ("gzip, deflate, br, zstd", ("br", "gzip")),
        ("gzip;q=0", ()),
        ("gzip;q=0, br", ("br",)),
        ("gzip ; q=0.0 , *", ("br",)),
        ("gzip;q=1.0, br;q=0.5", ("gzip", "br")),
        ("br;q=1, gzip;q=1", ("br", "gzip")),
        ("identity", ()),
        ("identity;q=0", ()),
        ("*", ("br", "gzip")),
        ("*;q=0", ()),
        ("gzip, *;q=0", ("gzip",)),
        ("br;q=0.1, identity;q=0.9", ()),
        ("gzip, identity;q=0.5, *;q=0", ("gzip",)),
        ("deflate", ()),
        ("gzip;q=x", ()),
        ("gzip;q=nan", ()),
        ("gzip;level=9", ("gzip",)),
        (",,;;gzip", ()),
        (",gzip,", ("gzip",)),
    ],
)
def test_accept_encoding(header: str, codings: tuple[Coding, ...]) -> None:
    """The codings that a client takes, what it likes best first, then the smaller."""
    assert accepted_codings(header) == codings


def test_only_what_is_there_is_chosen() -> None:
    """Of the codings that a client takes, the best that the document has; else the plain bytes."""
    assert choose_coding("br, gzip", ["gzip", "identity"]) == "gzip"
    assert choose_coding("br", ["gzip", "identity"]) == "identity"
    assert choose_coding("", ["br", "gzip", "identity"]) == "identity"


@pytest.mark.parametrize(
    ("header", "fresh"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"x",W/"abc" , "y"', True),
        ("*", True),
        (' "abc" ', True),
        ('"x"', False),
        ("abc", False),
        ('""', False),
        ("", False),
        ('"ABC"', False),
        ('w/"abc"', False),
        (",", False),
    ],
)
def test_if_none_match(header: str, fresh: bool) -> None:
    """A reader has the document if one of its tags is that of the document, by weak comparison."""
    assert is_fresh(header, None, TAG, MODIFIED) == fresh


@pytest.mark.parametrize(
    ("header", "fresh"),
    [
        ("Tue, 14 Dec 2021 00:50:00 GMT", True),
        ("Tue, 14 Dec 2021 00:50:01 GMT", True),
        ("Fri, 31 Dec 9999 23:59:59 GMT", True),
        ("Tue, 14 Dec 2021 00:49:59 GMT", False),
        ("Tuesday, 14-Dec-21 00:50:00 GMT", True),
        ("Tue Dec 14 00:50:00 2021", True),
        ("Tue, 14 Dec 2021 01:50:00 +0100", True),
        ("Tue, 14 Dec 2021 00:50:00 +0100", False),
        ("Tue, 14 Dec 2021 00:50:00 -0000", True),
        ("Fri, 31 Dec 9999 23:59:59 -2359", True),
        ("Mon, 01 Jan 0001 00:00:00 +2359", False),
        ("yesterday", False),
        ("", False),
        ("0", False),
        ("Tue, 99 Dec 2021 00:50:00 GMT", False),
    ],
)
def test_if_modified_since(header: str, fresh: bool) -> None:
    """Dates are compared by order; one that cannot be read is ignored."""
    assert is_fresh(None, header, TAG, MODIFIED) == fresh


@pytest.mark.parametrize("tags", ['"x"', '""', ""])
def test_a_date_is_ignored_beside_a_tag(tags: str) -> None:
    """While If-None-Match is there, If-Modified-Since says nothing."""
    assert not is_fresh(tags, "Fri, 31 Dec 9999 23:59:59 GMT", TAG, MODIFIED)
    assert is_fresh(TAG, "Thu, 01 Jan 1970 00:00:00 GMT", TAG, MODIFIED)


def test_an_unconditional_request() -> None:
    """Who asks without a condition gets the document."""
    assert not is_fresh(None, None, TAG, MODIFIED)


@given(st.none() | header, st.none() | header, header)
def test_nothing_raises(tags: str | None, date: str | None, codings: str) -> None:
    """Whatever a client sends, there is an answer."""
    assert is_fresh(tags, date, TAG, MODIFIED) in {True, False}
    assert choose_coding(codings, ["br", "gzip", "identity"]) in {"br", "gzip", "identity"}


def test_what_clients_ask_for_takes_no_memory() -> None:
    """However many long headers come, and each another one, only their beginnings are ever kept."""
    tracemalloc.start()
    try:
        for number in range(1_000):
            choose_coding(f"{number}, gzip, {'x' * 30_000}", {"gzip"})
            is_fresh(None, f"{number} {'x' * 30_000}", TAG, MODIFIED)
        assert tracemalloc.get_traced_memory()[0] < 5_000_000
    finally:
        tracemalloc.stop()


def test_only_so_many_tags_are_looked_at() -> None:
    """A header of nothing but commas costs nobody much; who has a few forms of a document names them."""
    assert is_fresh('"x", ' * 99 + TAG, None, TAG, MODIFIED)
    assert not is_fresh('"x", ' * 30_000 + TAG, None, TAG, MODIFIED)
