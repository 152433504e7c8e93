"""A sealed document: its validators, codings and headers."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feedsvc
from feedsvc.documents import sources
from feedsvc.documents.document import Coding, Document, Variant, renew

MOMENT = datetime(2021, 12, 14, 0, 50, tzinfo=UTC)
CONTENT = b"<feed>" + b"the same words again and again " * 50 + b"</feed>"


def sealed(content: bytes = CONTENT) -> Document:
    """A document."""
    return renew(None, content, "text/x; charset=utf-8", [("Cache-Control", "public")], MOMENT)


def variants(content: bytes = CONTENT) -> dict[Coding, Variant]:
    """The variants of a document."""
    return dict(sealed(content).variants)


def test_codings_decode_to_the_content() -> None:
    """Every coding is the same content, and smaller."""
    document = sealed()
    assert document.variants.keys() == {"identity", "gzip", "br"}
    zipped, small = document.body("gzip"), document.body("br")
    assert zipped
    assert small
    assert gzip.decompress(zipped) == brotli.decompress(small) == document.body("identity") == CONTENT
    assert max(len(zipped), len(small)) < len(CONTENT)


def test_gzip_tells_only_the_content() -> None:
    """The same content is the same bytes in gzip whenever and wherever it is made: no time or system is in it."""
    zipped = sealed().body("gzip")
    assert type(zipped) is bytes
    # Flags, time, extra flags, system (RFC 1952 §2.3): 255 is unknown.
    assert zipped[:10] == b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
    assert zipped == sealed().body("gzip")


def test_plain_bytes_are_not_held_beside_compressed_ones() -> None:
    """What gzip makes smaller is held in no other form but brotli's."""
    document = sealed()
    assert document.bodies.keys() == {"gzip", "br"}
    assert document.size == sum(map(len, document.bodies.values())) < len(CONTENT)


@given(st.one_of(st.binary(max_size=80), st.text("ab", max_size=400).map(str.encode)))
def test_no_byte_is_lost(content: bytes) -> None:
    """Whatever a document is of, and whichever codings make it smaller, its plain bytes are there again."""
    document = sealed(content)
    assert document.content == document.body("identity") == content
    for coding, variant in document.variants.items():
        assert dict(variant.headers)["Content-Length"] == str(len(document.body(coding) or b""))


@pytest.mark.parametrize("content", [b"", b"x"])
def test_a_coding_that_gains_nothing_is_left_out(content: bytes) -> None:
    """What would grow by compression is only there as it is."""
    assert variants(content).keys() == {"identity"}


def test_tags() -> None:
    """Each coding has a strong tag of its own, made from the content alone."""
    tags = [variant.etag for variant in variants().values()]
    assert len(set(tags)) == 3
    assert all(tag[0] == tag[-1] == '"' and "," not in tag for tag in tags)
    assert tags == [variant.etag for variant in variants().values()]
    assert not set(tags) & {variant.etag for variant in variants(CONTENT + b" ").values()}
    later = renew(None, CONTENT, "text/y", [], datetime(2022, 1, 1, tzinfo=UTC))
    assert later.etag == variants()["identity"].etag


def test_headers() -> None:
    """The headers are complete and true for each coding; a 304 has them without those of the body."""
    for coding, variant in variants().items():
        headers = dict(variant.headers)
        assert len(headers) == len(variant.headers)
        assert headers == {
            "Content-Type": "text/x; charset=utf-8",
            "Content-Length": str(len(sealed().body(coding) or b"")),
            "ETag": variant.etag,
            "Last-Modified": "Tue, 14 Dec 2021 00:50:00 GMT",
            "Vary": "Accept-Encoding",
            "Cache-Control": "public",
            **({} if coding == "identity" else {"Content-Encoding": coding}),
        }
        assert dict(variant.not_modified_headers) == {
            name: value for name, value in headers.items() if not name.startswith("Content-")
        }


def test_equal_content_gives_equal_bytes() -> None:
    """Compressing twice gives the same bytes: no time is in them."""
    assert sealed() == sealed()
    assert sealed().bodies["gzip"][4:8] == b"\0\0\0\0"


def test_all_that_pages_are_made_with_is_part_of_the_program() -> None:
    """What a newer version ships otherwise makes documents of before of no use: pages show the icon, too."""
    package = Path(feedsvc.__file__).parent
    shipped = {each.suffix for each in package.rglob("*") if each.is_file()} - {".pyc", ".typed", ""}
    assert shipped == sources._PARTS
