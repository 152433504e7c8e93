"""Related coverage: articles elsewhere on the same matter, as a file names them."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

from feedsvc.articles.article import Coverage, Link
from feedsvc.articles.identity import addresses_of, identity_of
from feedsvc.tree import describe

if TYPE_CHECKING:
    from feedsvc.articles.fields import Fields

# More than a feed shows: some of them may be held back here.
MAX_RELATED = 10
MAX_RELATED_READ = 50


def related_of(fields: Fields, own: tuple[str, ...]) -> tuple[Coverage, ...]:
    """The best of the related coverage: each article once, by quality, those without one last."""
    found: list[tuple[float, Coverage]] = []
    for name, item in islice(fields.items("related"), MAX_RELATED_READ):
        if not isinstance(item.data, dict):
            fields.warn(name, item.line, describe(item), "a mapping with title and webUrl")
            continue
        inner = fields.inner(name, item.data)
        original_url = inner.url("originalUrl")
        url = inner.url("webUrl") or original_url
        if url:
            quality = inner.number("quality")
            link = Link(url, inner.text("title") or url, _provider_name(inner))
            identity = identity_of(inner.text("id"), original_url or url)
            coverage = Coverage(addresses_of(identity, original_url, url), link)
            found.append((-math.inf if quality is None else quality, coverage))
    taken = set(own)
    best: list[Coverage] = []
    for _, coverage in sorted(found, key=lambda each: -each[0]):
        if taken.isdisjoint(coverage.addresses):
            taken.update(coverage.addresses)
            best.append(coverage)
    return tuple(best[:MAX_RELATED])


def _provider_name(fields: Fields) -> str:
    value = fields.values.get("provider")
    if value and isinstance(value.data, dict):
        return fields.name("provider.name", value.data.get("name"))
    return fields.name("provider", value) if value and isinstance(value.data, str) else ""
