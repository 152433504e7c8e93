"""Drafts: what the documents of a feed have in common while they are made, and what need not be made again."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from feedsvc.documents.content import render_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from feedsvc.feeds.feed import Entry, Feed, Recipe

_Made = TypeVar("_Made")


class Stock:
    """Finished entries, by form, that other feeds to come will show too; the last of them takes an entry away.

    It is for the feeds of one moment, of which all that show an article have the very same recipe.
    """

    def __init__(self, feeds: Iterable[Feed] = ()) -> None:
        """For these feeds, each of which is to take its entries once."""
        # By where a recipe is in memory; the feeds are held here, so that no other can come to be there.
        self._feeds = tuple(feeds)
        self._awaited = Counter((id(recipe), feed.language) for feed in self._feeds for recipe in feed.recipes)
        self._forms: dict[tuple[int, str], dict[str, bytes]] = {}

    def __len__(self) -> int:
        return len(self._forms)

    def take(self, recipe: Recipe, language: str) -> dict[str, bytes] | None:
        """An entry in all forms, where it is there."""
        key = id(recipe), language
        self._awaited[key] -= 1
        return self._forms.get(key) if self._awaited[key] > 0 else self._forms.pop(key, None)

    def release(self, feed: Feed) -> None:
        """Have nothing ready for a feed that is made without this."""
        for recipe in feed.recipes:
            self.take(recipe, feed.language)

    def put(self, recipe: Recipe, language: str, form: str, made: bytes) -> None:
        """Have an entry ready, where a feed waits for it. It is to be put here in all forms, or in none."""
        key = id(recipe), language
        if self._awaited[key] > 0:
            self._forms.setdefault(key, {})[form] = made


class Draft:
    """A feed on its way to its documents.

    An entry is the same in all feeds of a site and a language. What the last documents of this feed show, or
    another feed showed just now, is not made again: `fresh` are the other entries, in their order.
    """

    def __init__(self, feed: Feed, last: Feed | None = None, stock: Stock | None = None) -> None:
        """Of a feed, given the feed as the last documents have it, where there are such, and what is in stock."""
        self.feed = feed
        self._stock = Stock() if stock is None else stock
        was: dict[str, tuple[int, Recipe]] = {}
        if last and (last.site, last.language) == (feed.site, feed.language):
            was = {recipe.id: (place, recipe) for place, recipe in enumerate(last.recipes)}
        # Where each entry is in the last documents, or all of its forms, or None where it is fresh.
        self._known: list[int | dict[str, bytes] | None] = []
        for recipe in feed.recipes:
            stocked = self._stock.take(recipe, feed.language)
            place, before = was.get(recipe.id, (0, None))
            self._known.append(place if before == recipe else stocked)
        self.fresh: tuple[Entry, ...] = tuple(
            recipe.make() for recipe, known in zip(feed.recipes, self._known, strict=True) if known is None
        )
        self._made: dict[Callable[[Draft], Any], Any] = {}

    @property
    def builds_on_last(self) -> bool:
        """Whether the last documents have entries that this feed shows as they are."""
        return any(isinstance(known, int) for known in self._known)

    @cached_property
    def contents(self) -> list[str]:
        """The content of each fresh entry; all forms show the same."""
        return [render_content(entry, self.feed.language) for entry in self.fresh]

    def once(self, make: Callable[[Draft], _Made]) -> _Made:
        """What several forms need, made for the first of them."""
        if make not in self._made:
            self._made[make] = make(self)
        made: _Made = self._made[make]
        return made

    def complete(self, form: str, fresh: Iterable[bytes], last: Sequence[bytes]) -> list[bytes]:
        """All entries of the feed in a form and in their order.

        Args:
            form: its name.
            fresh: the fresh entries in this form.
            last: all entries of the last document in this form, where the draft builds on it.
        """
        made = iter(fresh)
        entries = []
        for recipe, known in zip(self.feed.recipes, self._known, strict=True):
            if known is None:
                entries.append(next(made))
                self._stock.put(recipe, self.feed.language, form, entries[-1])
            else:
                entries.append(last[known] if isinstance(known, int) else known[form])
        return entries
