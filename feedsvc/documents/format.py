"""The forms of a feed: one row each."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from feedsvc.documents.document import Dated, Document, Packed, pack, renew, restore
from feedsvc.documents.draft import Draft, Stock
from feedsvc.documents.jsonfeed import JSON_TYPE, render_json
from feedsvc.documents.syndication import ATOM_TYPE, RSS_TYPE, render_atom, render_rss
from feedsvc.feeds.feed import PART, part_of
from feedsvc.feeds.privacy import is_private
from feedsvc.helpers import Work, do_all, others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from feedsvc.documents.document import Headers
    from feedsvc.feeds.feed import Feed, Site


@dataclass(frozen=True, slots=True)
class Format:
    """One form of a feed: the ending of its path, its media type, and the function that makes it, page by page.

    That is given a draft of the feed, and the plain bytes of the last pages where it builds on them.
    """

    ending: str
    media_type: str
    render: Callable[[Draft, Sequence[bytes]], tuple[bytes, ...]]


# Any page in a browser may read a feed, and hold what it needs to ask conditionally.
FEED_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag"),
    ("X-Content-Type-Options", "nosniff"),
)
# The URL of a private feed is a secret: what an article leads to is not told it, and no search engine lists it.
_PRIVATE_HEADERS = (*FEED_HEADERS, ("Referrer-Policy", "no-referrer"), ("X-Robots-Tag", "noindex"))
FORMATS = {
    each.ending: each
    for each in (
        Format(".atom", ATOM_TYPE, lambda draft, last: (render_atom(draft, last),)),
        Format(".rss", RSS_TYPE, lambda draft, last: (render_rss(draft, last),)),
        Format(".json", JSON_TYPE, render_json),
    )
}
FEED_ENDINGS = tuple(FORMATS)
ATOM = FORMATS[".atom"]
# From so many entries on, a helper makes more than it takes to start one and to give it what it is to make.
_PAYS = 2_000
# So many feeds of fifty entries take some ten milliseconds.
_AT_ONCE = 2
# So many documents may be rendered and not yet sealed: enough that nobody waits, too few to be felt in memory.
_MAX_AHEAD = 32


def feed_links(own: str, page: str) -> str:
    """What a reader finds without parsing: a document's own URL, and that of the page for people (RFC 8288)."""
    return f'<{own}>; rel="self", <{page}>; rel="alternate"; type="text/html"'


def _private_headers(caching: str) -> Headers:
    """Those of a document that is kept by nobody but its reader, given the Cache-Control of all others."""
    fresh = next(each for each in caching.split(", ") if each.startswith("max-age="))
    return [("Cache-Control", f"private, {fresh}"), *_PRIVATE_HEADERS]


def _headers(feed: Feed, form: Format, caching: str, number: int) -> Headers:
    if feed.is_private:
        return _private_headers(caching)
    own = part_of(feed.archive_url(feed.archive.number) if feed.archive else feed.url, number)
    return [("Cache-Control", caching), *FEED_HEADERS, ("Link", feed_links(f"{own}{form.ending}", feed.page_url))]


def reopen(path: str, kept: Dated, site: Site, caching: str) -> Document | None:
    """A page of a feed as it was kept, without the feed that it was made of; None where it was not kept whole."""
    place, dot, ending = path.rpartition(".")
    form = FORMATS.get(dot + ending)
    if form is None or kept.source is None:
        return None
    if is_private(path):
        return restore(kept, form.media_type, _private_headers(caching))
    page = site.home or site.base_url + place.partition(PART)[0]
    headers = [("Cache-Control", caching), *FEED_HEADERS, ("Link", feed_links(site.base_url + path, page))]
    return restore(kept, form.media_type, headers)


def restore_parts(
    feed: Feed, form: Format, caching: str, kept: Sequence[Dated | Document], source: bytes
) -> tuple[Document, ...] | None:
    """The pages of a feed in a form as they were kept, where all were made of this source; else None."""
    pages = [
        restore(each, form.media_type, _headers(feed, form, caching, number))
        for number, each in enumerate(kept, 1)
        if isinstance(each, Dated) and each.source == source
    ]
    whole = tuple(page for page in pages if page)
    return whole if whole and len(whole) == len(kept) else None


def make_parts(
    feed: Feed, form: Format, caching: str, last: Sequence[Document | Dated | None], now: datetime
) -> tuple[Document, ...]:
    """Render a feed in a form, and seal each page; a page that is as the last one of its number stays that one."""
    return _render(Draft(feed), form, caching, last, now)()


def _render(
    draft: Draft, form: Format, caching: str, last: Sequence[Document | Dated | None], now: datetime
) -> Callable[[], tuple[Document, ...]]:
    """Render a feed in a form. What is left to do is to seal the pages, which any thread may."""
    before = [page.content for page in last if isinstance(page, Document)] if draft.builds_on_last else []
    pages = zip_longest(form.render(draft, before), last)
    return partial(_seal, draft.feed, form, caching, tuple(pages), now)


def _seal(
    feed: Feed,
    form: Format,
    caching: str,
    pages: Sequence[tuple[bytes | Packed | None, Document | Dated | None]],
    now: datetime,
) -> tuple[Document, ...]:
    return tuple(
        renew(before, content, form.media_type, _headers(feed, form, caching, number), now)
        for number, (content, before) in enumerate(pages, 1)
        if content is not None
    )


def make_all(
    feeds: Sequence[Feed],
    last: Mapping[str, Feed],
    known: Callable[[Feed, Format], Sequence[Document | Dated]],
    caching: str,
    now: datetime,
) -> Iterator[tuple[Document, ...]]:
    """The pages of each feed in each form, made in the way that is the fastest.

    Args:
        feeds: all that are to be made.
        last: feeds by their paths, as the last documents have them.
        known: tells the last pages of a feed in a form.
        caching: the Cache-Control of each.
        now: their Last-Modified, where they are new.
    """
    helpers = 0 if last or sum(len(feed.recipes) for feed in feeds) < _PAYS else others()
    if not helpers:
        yield from _make_in_threads(feeds, last, known, caching, now)
        return
    for feed, forms in zip(feeds, pack_all(feeds, helpers), strict=True):
        for form, pages in zip(FORMATS.values(), forms, strict=True):
            yield _seal(feed, form, caching, tuple(zip_longest(pages, known(feed, form))), now)


def _make_in_threads(
    feeds: Sequence[Feed],
    last: Mapping[str, Feed],
    known: Callable[[Feed, Format], Sequence[Document | Dated]],
    caching: str,
    now: datetime,
) -> Iterator[tuple[Document, ...]]:
    """One thread renders; others compress what it has rendered."""
    stock = Stock(feeds)
    sealing: deque[Future[tuple[Document, ...]]] = deque()
    with ThreadPoolExecutor(os.cpu_count(), "seal") as sealers:
        for feed in feeds:
            draft = Draft(feed, last.get(feed.path), stock)
            for form in FORMATS.values():
                sealing.append(sealers.submit(_render(draft, form, caching, known(feed, form), now)))
                if len(sealing) > _MAX_AHEAD:
                    yield sealing.popleft().result()
        while sealing:
            yield sealing.popleft().result()


def seal_all(
    feeds: Sequence[Feed],
    known: Callable[[Feed, Format], Sequence[Document | Dated]],
    caching: Callable[[Feed], str],
    now: datetime,
) -> Iterator[list[Document]]:
    """All pages of each feed in all forms, made from nothing; the arguments are those of `make_all`."""
    helpers = others() if sum(len(feed.recipes) for feed in feeds) >= _PAYS else 0
    for feed, forms in zip(feeds, pack_all(feeds, helpers), strict=True):
        made = [
            _seal(feed, form, caching(feed), tuple(zip_longest(pages, known(feed, form))), now)
            for form, pages in zip(FORMATS.values(), forms, strict=True)
        ]
        yield [page for pages in made for page in pages]


def pack_all(feeds: Sequence[Feed], helpers: int) -> Iterator[list[list[Packed]]]:
    """The bytes of each feed's pages in each form, made from nothing, with so many helpers."""
    stock = Stock(feeds)

    def give(feed: Feed) -> Feed:
        # What is made elsewhere takes nothing out of the stock here.
        stock.release(feed)
        return feed

    return do_all(Work(_pack, give, lambda feed: _pack(feed, stock), _AT_ONCE), feeds, helpers)


def _pack(feed: Feed, stock: Stock | None = None) -> list[list[Packed]]:
    draft = Draft(feed, None, stock)
    return [[pack(page) for page in form.render(draft, ())] for form in FORMATS.values()]
