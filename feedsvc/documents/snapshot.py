"""A snapshot: all documents of one moment. Immutable, and swapped whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from feedsvc.documents.archives import Archives
from feedsvc.documents.document import renew
from feedsvc.documents.format import FEED_ENDINGS, FEED_HEADERS, FORMATS, seal_parts
from feedsvc.documents.opml import OPML_PATH, OPML_TYPE, render_opml
from feedsvc.documents.pages import Pages
from feedsvc.feeds.feed import ARCHIVE, PART, part_of
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from feedsvc.documents.document import Document
    from feedsvc.documents.format import Format
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed


_BEHIND = re.compile(rf"({ARCHIVE}[0-9]+)?({PART}[0-9]+)?({'|'.join(map(re.escape, FEED_ENDINGS))})$")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Documents by path; where folded paths lead; the feeds by the path of their page.

    Archive documents and pages are made when they are first asked for; `pages` is None where there are none.
    `changed_at` is when the newest change was served first, `rendered` counts the feeds that had changed.
    """

    documents: Mapping[str, Document]
    redirects: Mapping[str, str]
    feeds: Mapping[str, Feed]
    retired: frozenset[str]
    archives: Archives
    pages: Pages | None
    changed_at: datetime
    rendered: int = 0

    def document(self, path: str) -> Document | None:
        """The document of a path, or None: one look-up, but for archive documents and pages."""
        document = self.documents.get(path)
        if document is None:
            if ARCHIVE in path:
                return self.archives.document(path)
            if self.pages:
                return self.pages.document(path)
        return document

    def paths(self) -> Iterator[str]:
        """The path of every document that there is, or would be if it were asked for."""
        yield from self.documents
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


def _split(path: str) -> tuple[str, str]:
    """A folded path as that of a feed's page, and what stands behind: an archive's number, a format's ending."""
    path = fold(path).rstrip("/")
    match = _BEHIND.search(path)
    behind = match[0] if match else ""
    return path.removesuffix(behind).rstrip("/"), behind


def cache_control(max_age: timedelta, while_revalidate: timedelta, if_error: timedelta) -> str:
    """What caches may do (RFC 9111 §5.2.2, RFC 5861)."""
    seconds = [int(each.total_seconds()) for each in (max_age, while_revalidate, if_error)]
    return "public, max-age={}, stale-while-revalidate={}, stale-if-error={}".format(*seconds)


def _parts_of(documents: Mapping[str, Document], feed: Feed, form: Format) -> Iterator[Document]:
    for number in count(1):
        document = documents.get(part_of(feed.path, number) + form.ending)
        if document is None:
            return
        yield document


def publish(
    composition: Composition, caching: str, before: Snapshot | None, now: datetime, *, with_pages: bool = True
) -> Snapshot:
    """Render the feeds that changed, seal the documents that did, and put all of them together.

    Args:
        composition: every feed.
        caching: the Cache-Control of every document.
        before: the last snapshot; what has not changed is taken over from it.
        now: the Last-Modified of what changed. There is no memory of another process's past yet, so the first
            snapshot is as new as it is made: a reader that only asks by date must not miss what was withdrawn
            while the service was down.
        with_pages: whether there are pages for people beside the feeds.
    """
    known = before.documents if before else {}
    documents: dict[str, Document] = {}
    rendered = 0
    for feed in composition.feeds:
        unchanged = before is not None and before.feeds.get(feed.path) == feed
        rendered += not unchanged
        for form in FORMATS.values():
            last = list(_parts_of(known, feed, form))
            sealed = last if unchanged else seal_parts(feed, form, caching, last, now)
            documents |= {part_of(feed.path, n) + form.ending: page for n, page in enumerate(sealed, 1)}
    opml = render_opml(composition.feeds, composition.feeds[0].site)
    documents[OPML_PATH] = renew(
        known.get(OPML_PATH), opml, OPML_TYPE, [("Cache-Control", caching), *FEED_HEADERS], now
    )
    feeds = {feed.path: feed for feed in composition.feeds}
    archives = Archives(composition, caching, now, before.archives if before else None)
    pages = Pages(composition, caching, now, before.pages if before else None) if with_pages else None
    changed_at = max(document.last_modified for document in documents.values())
    return Snapshot(
        documents, composition.redirects, feeds, composition.retired, archives, pages, changed_at, rendered
    )
