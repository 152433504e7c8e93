"""Records: what was made of a file, as bytes that outlive the process."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

import feedsvc
from feedsvc.articles import article as types
from feedsvc.articles.article import Article, Problem

if TYPE_CHECKING:
    from feedsvc.articles.library import LoadRules

# Whatever decides what a file is read as.
_SOURCES = ("articles", "tree.py", "text.py", "urls.py")
_LIBRARIES = ("markdown-it-py", "nh3", "PyYAML")

_RECORD: TypeAdapter[tuple[Article | None, tuple[Problem, ...]]] = TypeAdapter(
    tuple[Article | None, tuple[Problem, ...]]
)
# The dataclasses name types that are imported for type checkers alone.
_RECORD.rebuild(_types_namespace={**vars(types), "datetime": datetime})


def encode(article: Article | None, problems: tuple[Problem, ...]) -> bytes:
    """A file's article and problems as JSON."""
    if article:
        article = replace(article, packed=b64encode(article.packed))
    return _RECORD.dump_json((article, problems))


def decode(record: bytes) -> tuple[Article | None, tuple[Problem, ...]]:
    """The article and problems of such a record.

    Raises:
        ValueError: it is none.
    """
    try:
        article, problems = _RECORD.validate_json(record)
    except ValidationError as error:
        raise ValueError("a record that cannot be read") from error
    if article:
        updated_at = article.updated_at and article.updated_at.astimezone(UTC)
        published_at = article.published_at.astimezone(UTC)
        packed = b64decode(article.packed)
        article = replace(article, published_at=published_at, updated_at=updated_at, packed=packed)
    return article, tuple(replace(each, since=each.since and each.since.astimezone(UTC)) for each in problems)


def reading(rules: LoadRules) -> str:
    """Stands for how files are read: by which program, and by which rules. Records of another one are void."""
    return f"{_program()} {rules.zone.key} {rules.file_bytes}"


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
