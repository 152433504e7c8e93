"""Records: what was made of a file, as bytes, whatever becomes of these."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from support import make_article
from test_store import ARTICLES, MOMENTS, PICTURES, PROBLEMS, TEXTS

from feedsvc.articles import article as types
from feedsvc.articles.article import Article, Image, Problem
from feedsvc.store import records
from feedsvc.store.records import decode, encode
from feedsvc.store.shapes import shape_of

RECORDS = st.builds(encode, st.none() | ARTICLES, st.lists(PROBLEMS, max_size=1).map(tuple))
TYPED = TypeAdapter(tuple[Article | None, tuple[Problem, ...]])
TYPED.rebuild(_types_namespace={**vars(types), "datetime": datetime})


@given(RECORDS, st.data())
def test_a_damaged_record_is_known_to_be_one(record: bytes, data: st.DataObject) -> None:
    """Whichever byte is another, or missing, or however much: it is no record any more, and that is all."""
    place = data.draw(st.integers(0, len(record) - 1))
    other = data.draw(st.binary(max_size=4).filter(lambda each: each != record[place : place + 1]))
    for damaged in (record[:place] + other + record[place + 1 :], record[:place], other):
        with pytest.raises(ValueError, match="a record that"):
            decode(damaged)
    with pytest.raises(ValueError, match="no bytes"):
        decode(record.decode("latin-1"))


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
JSON = st.recursive(PLAIN, lambda each: st.lists(each, max_size=3), max_leaves=5)


def replaced(plain: Any, place: int, other: object) -> tuple[Any, int]:
    """A plain value with one of all values in it replaced, counted from the outside, and what is left to count."""
    if place == 0:
        return other, -1
    if not isinstance(plain, list):
        return plain, place - 1
    items, place = [], place - 1
    for each in plain:
        item, place = replaced(each, place, other) if place >= 0 else (each, place)
        items.append(item)
    return items, place


@given(RECORDS, st.integers(0, 60), JSON)
def test_a_record_that_somebody_forged_makes_no_other_type(record: bytes, place: int, other: object) -> None:
    """Where the sum is right and a value is not what its field has, that is an error."""
    body = json.dumps(replaced(json.loads(record[4:]), place, other)[0]).encode()
    try:
        found = decode(records._sum(body) + body)
    except ValueError:
        return
    TYPED.dump_python(found, warnings="error")
    assert decode(encode(*found)) == found


@given(st.binary(max_size=30))
def test_what_is_no_json_is_no_record(body: bytes) -> None:
    """The right sum makes no record of arbitrary bytes."""
    with pytest.raises(ValueError, match="a record that cannot be read"):
        decode(records._sum(body) + body)


def test_a_record_has_equal_strings_once() -> None:
    """The path that the caller has, and an identity that is the URL, are the same objects in the article."""
    path = make_article("a").path
    article, _ = decode(encode(make_article("a"), ()), path)
    assert article
    assert article.path is path
    assert article.url is article.identity


def test_what_has_no_plain_form_is_no_field() -> None:
    """A field of a type that a record cannot hold is found when the program starts."""
    for kind in (set[str], tuple[str, int], str | int, complex):
        with pytest.raises(TypeError, match="has no plain form"):
            shape_of(kind)


@dataclass(frozen=True, slots=True)
class Packed:
    """A record with bytes, moments and what may be missing."""

    packed: bytes
    moments: tuple[datetime, ...]
    inner: Image | None


@given(st.builds(Packed, st.binary(), st.lists(MOMENTS).map(tuple), st.none() | PICTURES))
def test_every_shape_is_made_whole_again(packed: Packed) -> None:
    """Whatever a record is made of, its plain form is made the very same of."""
    shape = shape_of(Packed)
    assert shape.whole(shape.flat(packed)) == packed
    adapter = TypeAdapter(
        shape.plain, config={"strict": True, "ser_json_bytes": "base64", "val_json_bytes": "base64"}
    )
    assert shape.whole(adapter.validate_json(adapter.dump_json(shape.flat(packed)))) == packed
