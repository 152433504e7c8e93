"""Sources: what documents are made of, and by which program, so that a restart need not make them again."""

from __future__ import annotations

import hashlib
import platform
import zlib
from dataclasses import fields
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import feedsvc

if TYPE_CHECKING:
    from feedsvc.feeds.feed import Feed, Recipe

# Those that have a hand in the bytes of a feed.
_LIBRARIES = ("babel", "brotli", "deflate", "feedgen", "lxml")
_BYTES = 16


class Sources:
    """What feeds are made of, as a few bytes each: two are the same where the feeds are, and the program is.

    A recipe is looked at once, whatever number of feeds shows it.
    """

    def __init__(self) -> None:
        # By where the recipe is in memory; it is held here, so that no other can come to be there.
        self._recipes: dict[int, tuple[Recipe, bytes]] = {}

    def of(self, feed: Feed) -> bytes:
        """What this feed is made of."""
        digest = hashlib.blake2b(program(), digest_size=_BYTES)
        for recipe in feed.recipes:
            digest.update(self._of_recipe(recipe))
        rest = [getattr(feed, each.name) for each in fields(feed) if each.name != "recipes"]
        digest.update(_digest(rest))
        return digest.digest()

    def _of_recipe(self, recipe: Recipe) -> bytes:
        known = self._recipes.get(id(recipe))
        if known is None:
            known = self._recipes[id(recipe)] = recipe, _digest(recipe)
        return known[1]


def _digest(value: object) -> bytes:
    """All fields are values that tell themselves from others by their text."""
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


@lru_cache
def program() -> bytes:
    """This program, and the libraries by whose versions the same feed may make other bytes."""
    digest = hashlib.blake2b(digest_size=_BYTES)
    for source in sorted(Path(feedsvc.__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    versions = (platform.python_version(), zlib.ZLIB_RUNTIME_VERSION, *map(version, _LIBRARIES))
    digest.update(" ".join(versions).encode())
    return digest.digest()
