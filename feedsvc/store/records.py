"""Records: what was made of a file, as bytes that outlive the process."""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

import feedsvc
from feedsvc.articles.article import Article, Problem
from feedsvc.store.shapes import plain_tuple, shape_of

if TYPE_CHECKING:
    from feedsvc.articles.library import LoadRules

# Whatever decides what a file is read as.
_SOURCES = ("articles", "tree.py", "text.py", "urls.py")
_LIBRARIES = ("markdown-it-py", "nh3", "PyYAML")

_ARTICLE = shape_of(Article)
_PROBLEM = shape_of(Problem)
_JSON: TypeAdapter[Any] = TypeAdapter(
    plain_tuple(_ARTICLE.plain | None, plain_tuple(_PROBLEM.plain, ...)),
    config=ConfigDict(
        # A record is what was written, or of no use: nothing is taken for something else.
        strict=True,
        # To look for strings that were seen before takes longer than to make them.
        cache_strings="none",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="constants",
    ),
)
# Fields have no names in a record: one with other fields must not be taken for one of ours.
_BEGIN = zlib.crc32(f"{_ARTICLE.fields} {_PROBLEM.fields}".encode())
_SUM_BYTES = 4
_PATH, _IDENTITY, _URL = (_ARTICLE.names.index(name) for name in ("path", "identity", "url"))


def encode(article: Article | None, problems: tuple[Problem, ...]) -> bytes:
    """A file's article and problems: a sum that tells whether these are whole, and the values of their fields."""
    plain = article and _ARTICLE.flat(article), tuple(map(_PROBLEM.flat, problems))
    body = _JSON.serializer.to_json(plain)
    return _sum(body) + body


def decode(record: object, path: str = "") -> tuple[Article | None, tuple[Problem, ...]]:
    """The article and problems of such a record.

    Args:
        record: what `encode` made.
        path: that of the file, as the caller has it. Of equal strings there is one afterwards.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(record, bytes):
        raise ValueError("a record that is no bytes")  # noqa: TRY004 - as any other that cannot be read
    body = record[_SUM_BYTES:]
    if record[:_SUM_BYTES] != _sum(body):
        raise ValueError("a record that is damaged, or of another program")
    try:
        article, problems = _JSON.validator.validate_json(body)
        return article and _ARTICLE.whole(_shared(article, path)), tuple(map(_PROBLEM.whole, problems))
    except (ValidationError, OverflowError) as error:
        raise ValueError("a record that cannot be read") from error


def _sum(body: bytes) -> bytes:
    return zlib.crc32(body, _BEGIN).to_bytes(_SUM_BYTES, "big")


def _shared(article: tuple[object, ...], path: str) -> list[object]:
    values = list(article)
    if values[_PATH] == path:
        values[_PATH] = path
    if values[_URL] == values[_IDENTITY]:
        values[_URL] = values[_IDENTITY]
    return values


def reading(rules: LoadRules) -> str:
    """Stands for how files are read: by which program, and by which rules. Records of another one are void."""
    reserved = rules.reserved.digest if rules.reserved else "none"
    return f"{_program()} {rules.zone.key} {rules.file_bytes} {reserved}"


@lru_cache
def _program() -> str:
    root = Path(feedsvc.__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for name in _SOURCES:
        source = root / name
        for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(file.read_bytes())
    for name in _LIBRARIES:
        digest.update(version(name).encode())
    return digest.hexdigest()
