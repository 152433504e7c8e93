"""A snapshot: all documents of one moment. Immutable, and swapped whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import TYPE_CHECKING, TypeVar

from feedsvc.documents.archives import Archives
from feedsvc.documents.document import Dated, dated, renew, restore
from feedsvc.documents.format import (
    ATOM,
    FEED_ENDINGS,
    FEED_HEADERS,
    FORMATS,
    make_all,
    make_parts,
    reopen,
    restore_parts,
)
from feedsvc.documents.opml import OPML_PATH, OPML_TYPE, render_opml
from feedsvc.documents.pages import Pages
from feedsvc.documents.sources import Sources
from feedsvc.feeds.feed import ARCHIVE, PART, part_of
from feedsvc.feeds.privacy import PRIVATE, is_private
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from feedsvc.documents.document import Document, Headers
    from feedsvc.documents.format import Format
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed, Site


_Known = TypeVar("_Known")
# What the paths of private documents begin with; a token stands behind it where they are asked for.
PRIVATE_PATHS = PRIVATE
# No name is as long, and to fold what is takes a time that grows with the square of its length.
_MAX_PATH = 400
_BEHIND = re.compile(rf"({ARCHIVE}[0-9]+)?({PART}[0-9]+)?({'|'.join(map(re.escape, FEED_ENDINGS))})$")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Documents by path; where folded paths lead; the feeds by the path of their page.

    Archive documents and pages are made when they are first asked for; `pages` is None where there are none.
    `sources` tells what the documents of a feed were made of, by their paths. One that is not `whole` has the
    documents of before a restart, while the articles are still being read, or a replica's, before the first pages
    are published: what is not in it may be there later.
    `changed_at` is when the newest change was served first, `rendered` counts the feeds that had changed.
    `private` is the snapshot of the private feeds, where there are any: nothing else here knows of them.
    """

    documents: Mapping[str, Document]
    redirects: Mapping[str, str]
    feeds: Mapping[str, Feed]
    retired: frozenset[str]
    archives: Archives | None
    pages: Pages | None
    changed_at: datetime
    sources: Mapping[str, bytes]
    rendered: int = 0
    whole: bool = True
    private: Snapshot | None = None

    def document(self, path: str) -> Document | None:
        """The document of a path, or None: one look-up, but for archive documents and pages."""
        document = self.documents.get(path)
        if document is None:
            if ARCHIVE in path:
                return self.archives.document(path) if self.archives else None
            if self.pages:
                return self.pages.document(path)
        return document

    def kept(self) -> dict[str, Dated]:
        """What is to be remembered of the documents."""
        kept = {path: dated(each, self.sources.get(path)) for path, each in self.documents.items()}
        return kept | self.private.kept() if self.private else kept

    def routes(self) -> dict[str, str | None]:
        """Where paths in folded form lead; None for a feed that was given up."""
        return {**self.redirects, **dict.fromkeys(self.retired)}

    def paths(self) -> Iterator[str]:
        """The path of every document that there is, or would be if it were asked for."""
        yield from self.documents
        if self.archives:
            yield from self.archives.paths()
        if self.pages:
            yield from self.pages.paths()

    def redirect(self, path: str) -> str | None:
        """The path of the feed that this path means by a name, a domain or another case; None if there is none."""
        place, behind = _split(path)
        target = self.redirects.get(place, "") + behind
        return target if target != path and self.document(target) else None

    def is_retired(self, path: str) -> bool:
        """Whether there was a feed at this path, and never will be one again."""
        return _split(path)[0] in self.retired


def part(documents: Mapping[str, Document]) -> tuple[dict[str, Document], Snapshot | None]:
    """The public ones of some documents, and a snapshot of the private ones, where there are any."""
    public = {path: each for path, each in documents.items() if not is_private(path)}
    return public, _closed({path: each for path, each in documents.items() if is_private(path)})


def _closed(
    documents: Mapping[str, Document],
    feeds: Mapping[str, Feed] | None = None,
    sources: Mapping[str, bytes] | None = None,
) -> Snapshot | None:
    """A snapshot of private documents, where there are any."""
    if not documents:
        return None
    changed_at = max(document.last_modified for document in documents.values())
    return Snapshot(documents, {}, feeds or {}, frozenset(), None, None, changed_at, sources or {})


def is_archive(path: str) -> bool:
    """Whether this would be the path of an archive document."""
    return ARCHIVE in path


def _split(path: str) -> tuple[str, str]:
    """A path, folded, as that of a feed's page, and what stands behind: an archive's number, a format's ending."""
    if len(path) > _MAX_PATH:
        return path, ""
    path = fold(path).rstrip("/")
    match = _BEHIND.search(path)
    behind = match[0] if match else ""
    return path.removesuffix(behind).rstrip("/"), behind


def cache_control(max_age: timedelta, while_revalidate: timedelta, if_error: timedelta) -> str:
    """What caches may do (RFC 9111 §5.2.2, RFC 5861)."""
    seconds = [int(each.total_seconds()) for each in (max_age, while_revalidate, if_error)]
    return "public, max-age={}, stale-while-revalidate={}, stale-if-error={}".format(*seconds)


def _parts_of(documents: Mapping[str, _Known], feed: Feed, form: Format) -> Iterator[_Known]:
    for number in count(1):
        document = documents.get(part_of(feed.path, number) + form.ending)
        if document is None:
            return
        yield document


class _Press:
    """Makes the documents of feeds, those that are still right excepted: they are taken over."""

    def __init__(self, caching: str, before: Snapshot | Mapping[str, Dated] | None, now: datetime) -> None:
        self._caching = caching
        self._now = now
        self._last = before if isinstance(before, Snapshot) else None
        self._made_of = Sources()
        self.known: Mapping[str, Document | Dated] = (
            before.documents if isinstance(before, Snapshot) else before or {}
        )
        self.documents: dict[str, Document] = {}
        self.sources: dict[str, bytes] = {}
        self.rendered = 0

    def print(self, feeds: Sequence[Feed]) -> None:
        """Have the documents of these feeds."""
        ready = [self._ready(feed) for feed in feeds]
        stale = [feed for feed, (_, forms) in zip(feeds, ready, strict=True) if not forms]
        self.rendered = len(stale)
        last = self._last.feeds if self._last else {}
        made = make_all(stale, last, self._parts, self._caching, self._now)
        for feed, (source, forms) in zip(feeds, ready, strict=True):
            for form, pages in zip(FORMATS.values(), forms or islice(made, len(FORMATS)), strict=True):
                for number, page in enumerate(pages, 1):
                    path = part_of(feed.path, number) + form.ending
                    self.documents[path] = page
                    self.sources[path] = source

    def _ready(self, feed: Feed) -> tuple[bytes, list[tuple[Document, ...]]]:
        """What a feed is made of; and its pages in each form, where all of them are there and still right."""
        last = self._last
        before = last.feeds.get(feed.path) if last else None
        if last and (before is feed or before == feed):
            forms = [tuple(_parts_of(last.documents, feed, form)) for form in FORMATS.values()]
            return last.sources[f"{feed.path}{ATOM.ending}"], forms
        source = self._made_of.of(feed)
        forms = []
        for form in FORMATS.values():
            pages = restore_parts(feed, form, self._caching, self._parts(feed, form), source)
            if pages is None:
                return source, []
            forms.append(pages)
        return source, forms

    def _parts(self, feed: Feed, form: Format) -> list[Document | Dated]:
        return list(_parts_of(self.known, feed, form))


def reopen_all(kept: Mapping[str, Dated], site: Site, caching: str) -> Snapshot | None:
    """What is remembered of documents, for readers who come before the articles have been read; None if nothing.

    Args:
        kept: of documents that would be made of these settings, by this program.
        site: what all feeds share.
        caching: the Cache-Control of every document.
    """
    found = {path: reopen(path, each, site, caching) for path, each in kept.items()}
    if OPML_PATH in kept:
        found[OPML_PATH] = restore(kept[OPML_PATH], OPML_TYPE, _list_headers(caching))
    documents, private = part({path: document for path, document in found.items() if document})
    if not documents:
        return None
    changed_at = max(document.last_modified for document in documents.values())
    return Snapshot(documents, {}, {}, frozenset(), None, None, changed_at, {}, whole=False, private=private)


def _list_headers(caching: str) -> Headers:
    return [("Cache-Control", caching), *FEED_HEADERS]


def publish(
    composition: Composition,
    caching: str,
    before: Snapshot | Mapping[str, Dated] | None,
    now: datetime,
    *,
    with_pages: bool = True,
) -> Snapshot:
    """Render the feeds that changed, seal the documents that did, and put all of them together.

    Args:
        composition: every feed.
        caching: the Cache-Control of every document.
        before: the last snapshot, from which what has not changed is taken over; at the start, what is remembered
            of its documents, which are taken over where they would be made the same.
        now: the Last-Modified of what changed. Without a memory, the first snapshot is as new as it is made: a
            reader that only asks by date must not miss what was withdrawn while the service was down.
        with_pages: whether there are pages for people beside the feeds.
    """
    last = before if isinstance(before, Snapshot) else None
    press = _Press(caching, before, now)
    press.print(composition.feeds)
    private = _print_private(composition, caching, before, now)
    documents, known = press.documents, press.known
    opml = render_opml(composition.feeds, composition.feeds[0].site)
    documents[OPML_PATH] = renew(known.get(OPML_PATH), opml, OPML_TYPE, _list_headers(caching), now)
    # It is made again in any case, but kept for readers who come before that.
    press.sources[OPML_PATH] = documents[OPML_PATH].etag.encode()
    if composition.changes:
        path = f"{composition.changes.path}{ATOM.ending}"
        (documents[path],) = make_parts(composition.changes, ATOM, caching, [known.get(path)], now)
    feeds = {feed.path: feed for feed in composition.feeds}
    changed_at = max(document.last_modified for document in documents.values())
    # It is not remembered since when an archive document is as it is. It is dated by what happened last, which a
    # restart does not move, and neither does a clock that goes back.
    archived_at = max(changed_at, composition.told_at or changed_at)
    archives = Archives(composition, caching, archived_at, last.archives if last else None)
    pages = Pages(composition, caching, now, last.pages if last else None) if with_pages else None
    return Snapshot(
        documents,
        composition.redirects,
        feeds,
        composition.retired,
        archives,
        pages,
        changed_at,
        press.sources,
        press.rendered + (private.rendered if private else 0),
        private=private,
    )


def _print_private(
    composition: Composition, caching: str, before: Snapshot | Mapping[str, Dated] | None, now: datetime
) -> Snapshot | None:
    """The private feeds, apart from all others."""
    if not composition.private:
        return None
    press = _Press(caching, before.private if isinstance(before, Snapshot) else before, now)
    press.print(composition.private)
    feeds = {feed.path: feed for feed in composition.private}
    closed = _closed(press.documents, feeds, press.sources)
    return replace(closed, rendered=press.rendered) if closed else None
