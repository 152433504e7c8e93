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

# Those that have a hand in the bytes of a feed or a page.
_LIBRARIES = ("babel", "brotli", "deflate", "feedgen", "jinja2", "lxml", "markupsafe")
_BYTES = 16
# Code, and what pages are made with.
_PARTS = {".py", ".html", ".css", ".js", ".svg"}


class Sources:
    """What feeds are made of, as a few bytes each: two are the same where the feeds are, and the program is.

    A recipe is looked at once, whatever number of feeds shows it.
    """

    def __init__(self) -> None:
        # By where the recipe is in memory; it is held here, so that no other can come to be there.
        self._recipes: dict[int, tuple[Recipe, bytes]] = {}

    def of(self, feed: Feed) -> bytes:
        """What this feed is made of."""
        whole = hashlib.blake2b(program(), digest_size=_BYTES)
        for recipe in feed.recipes:
            whole.update(self._of_recipe(recipe))
        rest = [getattr(feed, each.name) for each in fields(feed) if each.name != "recipes"]
        whole.update(digest(rest))
        return whole.digest()

    def _of_recipe(self, recipe: Recipe) -> bytes:
        known = self._recipes.get(id(recipe))
        if known is None:
            known = self._recipes[id(recipe)] = recipe, digest(recipe)
        return known[1]


def digest(value: object) -> bytes:
    """Of something of which all parts are values that tell themselves from others by their text."""
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


@lru_cache
def program() -> bytes:
    """This program, and the libraries by whose versions the same feed may make other bytes."""
    digest = hashlib.blake2b(digest_size=_BYTES)
    parts = (each for each in Path(feedsvc.__file__).parent.rglob("*") if each.suffix in _PARTS)
    for part in sorted(parts):
        digest.update(part.read_bytes())
    versions = (platform.python_version(), zlib.ZLIB_RUNTIME_VERSION, *map(version, _LIBRARIES))
    digest.update(" ".join(versions).encode())
    return digest.digest()
