"""Slugs: a name's place in a URL."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from anyascii import anyascii

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

MAX_LENGTH = 80
# What sets names apart must not fall away: C, C++ and C# are three topics.
_WORDS = str.maketrans({"+": " plus ", "#": " sharp ", "&": " and ", "@": " at ", "%": " percent "})

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A name that wants a slug, and what tells it from another of the same name ("" where nothing does)."""

    name: str
    qualifier: str = ""


def slugify(name: str) -> str:
    """Lower-case ASCII letters, digits and single hyphens; "" where the name has no such form."""
    text = anyascii(name.translate(_WORDS)).lower().replace("'", "")
    slug = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    if len(slug) > MAX_LENGTH:
        slug = f"{slug[: MAX_LENGTH - 9].rstrip('-')}-{_digest(name)}"
    return slug


def assign_slugs(
    names: Mapping[Key, Named], given: Mapping[Key, str], reserved: Collection[str] = ()
) -> dict[Key, str]:
    """A slug for every key, no two the same.

    A slug once given is kept. Of new names that would share one, the first in order gets it, and the others
    theirs with the qualifier or, if that does not help, with a digest of the key: which name gets which depends
    on the names alone, not on the order in which they came or on the machine.

    Args:
        names: the names by key.
        given: the slugs given before, also those of keys that are no longer in use.
        reserved: slugs that nobody gets any more.
    """
    slugs = dict(given)
    taken = {*given.values(), *reserved}
    # A name that is its own slug has the better claim to it than one that merely resembles it.
    for key in sorted(names.keys() - given.keys(), key=lambda key: (slugify(key[0]) != key[0], key)):
        named = names[key]
        slug = next(each for each in _candidates(key, named) if each and each not in taken)
        slugs[key] = slug
        taken.add(slug)
    return slugs


def _candidates(key: Key, named: Named) -> Iterator[str]:
    base = slugify(named.name)
    text = "\n".join(key)
    yield base
    if base and named.qualifier:
        yield slugify(f"{named.name} {named.qualifier}")
    yield f"{base or 'x'}-{_digest(text)}"
    # Without an end: whatever names somebody thinks of, some digest is not taken.
    for count in itertools.count():
        yield f"{base or 'x'}-{_digest(f'{count} {text}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
