"""Explain: what was read of a file, which feeds carry it, or what holds it back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from feedsvc.clock import iso
from feedsvc.feeds.selection import REASONS
from feedsvc.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedsvc.articles.article import Article
    from feedsvc.articles.library import FileState
    from feedsvc.reload import State


class ExplainError(Exception):
    """There is nothing to explain; the message says why and what to do."""


def explain(state: State, root: Path, file: Path) -> Iterator[str]:
    """Tell a file's story, line by line.

    Args:
        state: after a reload.
        root: the articles directory.
        file: relative to it, or to the working directory, or absolute.

    Raises:
        ExplainError: the file is not among those that were read.
    """
    path = _find(state, root, file)
    known = state.library.files[path]
    yield f"file        {printable(path)}"
    if known.article:
        yield from _read_as(known.article)
    for problem in known.problems:
        yield f"problem     {problem}"
    yield from _fate(state, known)


def _find(state: State, root: Path, file: Path) -> str:
    candidates = [os.fspath(file)]
    absolute = Path(os.path.abspath(file))
    if absolute.is_relative_to(os.path.abspath(root)):
        candidates.append(os.path.relpath(absolute, os.path.abspath(root)))
    for candidate in candidates:
        if candidate in state.library.files:
            return candidate
    if any((root / candidate).exists() for candidate in candidates) or file.exists():
        raise ExplainError(
            f"{file} is passed over: it lies outside {root}, is hidden, excluded by `exclude`, or no article file"
        )
    raise ExplainError(f"{file}: there is no such file in {root}")


def _quoted(topic: str) -> str:
    """A comma in a name is none between two."""
    return f'"{topic}"' if "," in topic else topic


def _read_as(article: Article) -> Iterator[str]:
    body = article.details.body
    yield f"title       {article.title}"
    yield f"id          {article.id}"
    yield f"identity    {article.identity}"
    yield f"link        {article.url}"
    yield f"date        {iso(article.published_at)}"
    if article.updated_at:
        yield f"updated     {iso(article.updated_at)}"
    if article.provider:
        yield f"provider    {article.provider.name} ({article.provider.domain or 'no domain'})"
    yield f"topics      {', '.join(map(_quoted, article.topics)) or 'none'}"
    yield f"content     {f'body, {len(body)} characters of HTML' if body else 'the excerpt'}"


def _fate(state: State, known: FileState) -> Iterator[str]:
    article = known.article
    if article is None:
        yield "result      no feed: the file cannot be used"
        return
    if known.broken:
        since = next((f", since {iso(each.since)}" for each in known.problems if each.since), "")
        yield f"note        the file cannot be used as it is; its last good state stands{since}"
    by = {each.path: each.by for each in state.superseded}.get(article.path)
    if by:
        yield f"result      no feed by itself: {by} holds a revision of this article that stands before it"
        return
    reason = state.selection.held.get(article.identity)
    if reason:
        when = f" until {iso(article.published_at)}" if reason == "scheduled" else ""
        yield f"result      held back{when}: {REASONS[reason]}"
        return
    yield from _feeds(state, article)


def _feeds(state: State, article: Article) -> Iterator[str]:
    composed = state.composition
    feeds = (*composed.feeds, *composed.private) if composed else ()
    carrying = {
        feed.path: position
        for feed in feeds
        for position, recipe in enumerate(feed.recipes, 1)
        if recipe.id == article.id
    }
    for path, position in carrying.items():
        yield f"carried by  {path} (entry {position})"
    if not carrying:
        yield "result      selected, but in every feed that could carry it newer articles fill the place"
