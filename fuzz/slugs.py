"""Any names: each gets a slug that a URL can hold, and no two the same."""

from __future__ import annotations

import re

from feedsvc.feeds.slugs import MAX_LENGTH, Key, Named, assign_slugs, slugify

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def fuzz(data: bytes) -> None:
    """A name on each line, with what tells it from another behind a tab."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")[:50]
    names: dict[Key, Named] = {}
    for line in lines:
        name, _, qualifier = line.partition("\t")
        slug = slugify(name)
        assert slug == "" or (_SLUG.fullmatch(slug) and len(slug) <= MAX_LENGTH)
        names[name, qualifier] = Named(name, qualifier)
    slugs = assign_slugs(names, {})
    assert slugs.keys() == names.keys()
    assert len(set(slugs.values())) == len(slugs)
    assert all(_SLUG.fullmatch(slug) for slug in slugs.values())
    assert assign_slugs(names, slugs) == slugs
