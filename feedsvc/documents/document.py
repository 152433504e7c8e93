"""A document: the finished bytes of one URL, with validators, encodings and the headers of every answer."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import brotli
import deflate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Coding: TypeAlias = Literal["br", "gzip", "identity"]
Headers: TypeAlias = list[tuple[str, str]]

# Measured by benchmarks/compression.py, and told in docs/decisions/compression.md: the levels at which the next
# one costs more time than its bytes are worth.
GZIP_LEVEL = 6
BROTLI_QUALITY = 5
_OF_THE_BODY = frozenset({"Link", "X-Content-Type-Options"})


@dataclass(frozen=True, slots=True)
class Variant:
    """What is told of the document in one content coding: the headers of a 200 and of a 304."""

    etag: str
    headers: Headers
    not_modified_headers: Headers


@dataclass(frozen=True, slots=True)
class Document:
    """A sealed document. There is a variant for `identity`, and for each coding that makes it smaller.

    `bodies` are the bytes that are held: the plain ones only where gzip does not make them smaller.
    """

    media_type: str
    last_modified: datetime
    variants: Mapping[Coding, Variant]
    bodies: Mapping[Coding, bytes]
    # What was given when it was sealed.
    headers: tuple[tuple[str, str], ...]
    length: int

    @property
    def content(self) -> bytes:
        """The plain bytes.

        They are several times as large as the compressed ones, and hardly any reader asks for them. So they are
        unpacked each time: for 50 KB, in a third of the time that it takes to say that there is nothing at a path.
        """
        if "identity" in self.bodies:
            return self.bodies["identity"]
        return zlib.decompress(self.bodies["gzip"], wbits=zlib.MAX_WBITS | 16)

    @property
    def size(self) -> int:
        """What it holds, in bytes."""
        return sum(map(len, self.bodies.values()))

    @property
    def etag(self) -> str:
        """The validator of the plain bytes."""
        return self.variants["identity"].etag

    def body(self, coding: Coding) -> bytes | None:
        """The bytes in a coding, where it has them."""
        return self.content if coding == "identity" else self.bodies.get(coding)


@dataclass(frozen=True, slots=True)
class Dated:
    """What is remembered of a document over a restart: its plain bytes' validator, and since when they are so.

    `source` stands for what it was made of, and by which program; `br`, `gzip` and `plain` are its bytes in these
    codings, as far as it holds them. Where the source or one of the first two is missing, the document is made
    again. The rest is what others need who serve it as it is.
    """

    etag: str
    last_modified: datetime
    source: bytes | None = None
    br: bytes | None = None
    gzip: bytes | None = None
    plain: bytes | None = None
    media_type: str = ""
    length: int = 0
    headers: tuple[tuple[str, str], ...] = ()


def dated(document: Document, source: bytes | None) -> Dated:
    """What is to be remembered of a document."""
    bodies = document.bodies
    return Dated(
        document.etag,
        document.last_modified,
        source,
        bodies.get("br"),
        bodies.get("gzip"),
        bodies.get("identity"),
        document.media_type,
        document.length,
        document.headers,
    )


def served(kept: Dated) -> Document:
    """The document as another process sealed it."""
    codings: tuple[tuple[Coding, bytes | None], ...] = (
        ("br", kept.br),
        ("gzip", kept.gzip),
        ("identity", kept.plain),
    )
    bodies = {coding: body for coding, body in codings if body is not None}
    return _assemble(
        Packed(kept.etag, kept.length, bodies), kept.media_type, kept.last_modified, list(kept.headers)
    )


class Packed(NamedTuple):
    """The bytes of a document in all codings, and nothing of where and since when it is served.

    `length` is that of the plain bytes, which are among the bodies only where gzip does not make them smaller.
    """

    etag: str
    length: int
    bodies: Mapping[Coding, bytes]


def etag_of(content: bytes) -> str:
    """The validator of some plain bytes; the same on every machine."""
    return f'"{hashlib.sha256(content).hexdigest()[:24]}"'


def pack(content: bytes, etag: str | None = None) -> Packed:
    """Do what takes the time of making a document, and needs nothing but its plain bytes.

    Args:
        content: the plain bytes. The same bytes make the same entity tags, on every machine.
        etag: their validator, where it is known.
    """
    bodies: dict[Coding, bytes] = {
        "br": brotli.compress(content, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY),
        # Its header tells no time, which would make equal documents differ.
        "gzip": bytes(deflate.gzip_compress(content, GZIP_LEVEL)),
    }
    smaller = {coding: body for coding, body in bodies.items() if len(body) < len(content)}
    if "gzip" not in smaller:
        smaller["identity"] = content
    return Packed(etag or etag_of(content), len(content), smaller)


def restore(kept: Dated, media_type: str, headers: Headers) -> Document | None:
    """The document as it was; None where it was not kept whole."""
    if kept.br is None or kept.gzip is None:
        return None
    try:
        content = brotli.decompress(kept.br)
        whole = etag_of(content) == kept.etag and gzip.decompress(kept.gzip) == content
    except (brotli.error, OSError, EOFError, zlib.error):
        return None
    if not whole:
        return None
    bodies: dict[Coding, bytes] = {"br": kept.br, "gzip": kept.gzip}
    return _assemble(Packed(kept.etag, len(content), bodies), media_type, kept.last_modified, headers)


def _assemble(packed: Packed, media_type: str, last_modified: datetime, headers: Headers) -> Document:
    etag, length, bodies = packed
    shared: Headers = [
        ("Last-Modified", format_datetime(last_modified, usegmt=True)),
        ("Vary", "Accept-Encoding"),
        *headers,
    ]
    lengths: dict[Coding, int] = {**{coding: len(body) for coding, body in bodies.items()}, "identity": length}
    variants = {coding: _variant(coding, size, etag, media_type, shared) for coding, size in lengths.items()}
    return Document(media_type, last_modified, variants, bodies, tuple(headers), length)


def renew(
    last: Document | Dated | None, content: bytes | Packed, media_type: str, headers: Headers, now: datetime
) -> Document:
    """The last document where its content is the same, else a new one that is dated after it.

    Args:
        last: the document that was there before, if there was one.
        content: the plain bytes, or what was packed of them.
        media_type: with its charset.
        headers: those that all answers of this document share, such as Cache-Control.
        now: when its content changed, in whole seconds.
    """
    etag = content.etag if isinstance(content, Packed) else etag_of(content)
    if isinstance(last, Document) and last.etag == etag:
        return last
    if last is None:
        at = now
    elif last.etag == etag:
        at = last.last_modified
    else:
        # Two changes within one second must not look like one to a reader that only asks by date.
        at = max(now, last.last_modified + timedelta(seconds=1))
    packed = content if isinstance(content, Packed) else pack(content, etag)
    return _assemble(packed, media_type, at, headers)


def _variant(coding: Coding, size: int, etag: str, media_type: str, shared: Headers) -> Variant:
    """Each coding has a strong tag of its own (RFC 9110 §8.8.3.3)."""
    if coding != "identity":
        etag = f'{etag[:-1]}-{coding}"'
    validators: Headers = [("ETag", etag), *shared]
    # A 304 is what nearly every poll gets: what tells of a body that is not sent is left out (§15.4.5).
    lean: Headers = [header for header in validators if header[0] not in _OF_THE_BODY]
    entity: Headers = [("Content-Type", media_type), ("Content-Length", str(size))]
    if coding != "identity":
        entity.append(("Content-Encoding", coding))
    return Variant(etag, [*entity, *validators], lean)
