"""A document: the finished bytes of one URL, with validators, encodings and the headers of every answer."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

import brotli

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Coding: TypeAlias = Literal["br", "gzip", "identity"]
Headers: TypeAlias = list[tuple[str, str]]

# Measured by benchmarks/compression.py, and told in docs/decisions/compression.md: the levels at which the next
# one costs more time than its bytes are worth.
GZIP_LEVEL = 6
BROTLI_QUALITY = 5


@dataclass(frozen=True, slots=True)
class Variant:
    """The document in one content coding, with the headers of a 200 and of a 304."""

    body: bytes
    etag: str
    headers: Headers
    not_modified_headers: Headers


@dataclass(frozen=True, slots=True)
class Document:
    """A sealed document. `identity` is always there; a coding that would not make it smaller is not."""

    content: bytes
    media_type: str
    last_modified: datetime
    variants: Mapping[Coding, Variant]

    @property
    def size(self) -> int:
        """What it holds, in bytes."""
        return sum(len(variant.body) for variant in self.variants.values())

    @property
    def etag(self) -> str:
        """The validator of the plain bytes."""
        return self.variants["identity"].etag


def seal(content: bytes, media_type: str, last_modified: datetime, headers: Headers) -> Document:
    """Do all the work that any answer will need.

    Args:
        content: the plain bytes. The same bytes make the same entity tags, on every machine.
        media_type: with its charset.
        last_modified: when the content changed, in whole seconds.
        headers: those that all answers of this document share, such as Cache-Control.
    """
    digest = hashlib.sha256(content).hexdigest()[:24]
    shared: Headers = [
        ("Last-Modified", format_datetime(last_modified, usegmt=True)),
        ("Vary", "Accept-Encoding"),
        *headers,
    ]
    bodies: dict[Coding, bytes] = {
        "br": brotli.compress(content, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY),
        # The time in gzip's header would make equal documents differ.
        "gzip": gzip.compress(content, compresslevel=GZIP_LEVEL, mtime=0),
    }
    variants = {coding: _variant(body, digest, coding, media_type, shared) for coding, body in bodies.items()}
    smaller = {coding: variant for coding, variant in variants.items() if len(variant.body) < len(content)}
    return Document(
        content,
        media_type,
        last_modified,
        {**smaller, "identity": _variant(content, digest, "identity", media_type, shared)},
    )


def renew(last: Document | None, content: bytes, media_type: str, headers: Headers, now: datetime) -> Document:
    """The last document where its content is the same, else a new one that is dated after it."""
    if last is None:
        return seal(content, media_type, now, headers)
    if last.content == content:
        return last
    # Two changes within one second must not look like one to a reader that only asks by date.
    return seal(content, media_type, max(now, last.last_modified + timedelta(seconds=1)), headers)


def _variant(body: bytes, digest: str, coding: Coding, media_type: str, shared: Headers) -> Variant:
    """Each coding has a strong tag of its own (RFC 9110 §8.8.3.3); a 304 carries what a 200 would (§15.4.5)."""
    etag = f'"{digest}"' if coding == "identity" else f'"{digest}-{coding}"'
    validators: Headers = [("ETag", etag), *shared]
    entity: Headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    if coding != "identity":
        entity.append(("Content-Encoding", coding))
    return Variant(body, etag, [*entity, *validators], validators)
