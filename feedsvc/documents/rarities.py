"""Rarities: pages and archive documents, made ahead for replicas; a service alone makes them on request.

A replica has no articles to make them of. What they are made of is known by a few bytes each, so that after an
edit only those are made that show it, and after a restart none.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feedsvc.documents.archives import caching_of
from feedsvc.documents.document import Dated, dated
from feedsvc.documents.format import ATOM, FEED_ENDINGS, FORMATS, seal_all
from feedsvc.documents.sources import Sources, digest
from feedsvc.feeds.compose import NO_CHANGE_YET, compose_archive
from feedsvc.feeds.differences import differing
from feedsvc.feeds.feed import ARCHIVE, PART, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from feedsvc.articles.article import Article
    from feedsvc.documents.document import Document
    from feedsvc.documents.format import Format
    from feedsvc.documents.snapshot import Snapshot
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed

# So many are published at a time: replicas have the first while others are made, and no more are in memory.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Archive:
    """An archive document as it was composed last, and what it was made of."""

    articles: tuple[Article, ...]
    frame: Feed
    full: bool
    source: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents that are not as they are published: what is, without its bytes, and what is to be instead."""

    old: dict[str, Dated]
    new: dict[str, Dated]


class Rarities:
    """Knows what is published.

    A batch counts as published as soon as it is handed out: where it cannot be written, this is of no use then.
    """

    def __init__(self, published: Mapping[str, Dated], caching: str) -> None:
        """Of what is published; its bytes are not needed. `caching` is the Cache-Control of every document."""
        self._published: dict[str, dict[str, Dated]] = defaultdict(dict)
        for path, each in published.items():
            self._published[_base_of(path)][path] = each
        self._caching = caching
        self._composition: Composition | None = None
        self._archives: dict[str, dict[int, _Archive]] = {}

    def batches(self, composition: Composition, snapshot: Snapshot, now: datetime) -> Iterator[Batch]:
        """What is to be published, pages first.

        Args:
            composition: every feed.
            snapshot: what was made of it.
            now: the Last-Modified of what is new.
        """
        archives = self._sources(composition)
        pages = snapshot.pages.paths() if snapshot.pages else ()
        sources = {
            path: snapshot.pages.source(path, snapshot.sources.get(f"{path}{ATOM.ending}", b""))
            for path in pages
            if snapshot.pages
        }
        yield from self._of_pages(snapshot, sources)
        yield from self._of_archives(composition, archives, now)
        wanted = sources.keys() | {
            f"{path}{ARCHIVE}{number}" for path, each in archives.items() for number in each
        }
        if gone := [base for base in self._published if base not in wanted]:
            yield Batch({path: each for base in gone for path, each in self._published[base].items()}, {})
            for base in gone:
                del self._published[base]
        self._composition, self._archives = composition, archives

    def _is_stale(self, base: str, source: bytes) -> bool:
        known = self._published.get(base)
        return not known or any(each.source != source for each in known.values())

    def _replaced(self, base: str, documents: Mapping[str, Document], source: bytes, batch: Batch) -> None:
        """Put a document, with all its forms and parts, into a batch."""
        batch.old.update(self._published.get(base, {}))
        # Who asks for one seldom comes again: brotli is for what is asked for all the time.
        kept = {path: replace(dated(each, source), br=None) for path, each in documents.items()}
        batch.new.update(kept)
        # Memory is for what readers ask for.
        slim = {path: Dated(each.etag, each.last_modified, source) for path, each in kept.items()}
        self._published[base] = slim

    def _of_pages(self, snapshot: Snapshot, sources: Mapping[str, bytes]) -> Iterator[Batch]:
        stale = [path for path, source in sources.items() if self._is_stale(path, source)]
        for start in range(0, len(stale), _AT_ONCE):
            batch = Batch({}, {})
            for path in stale[start : start + _AT_ONCE]:
                if snapshot.pages:
                    made = snapshot.pages.made(path, self._published.get(path, {}).get(path))
                    self._replaced(path, {path: made}, sources[path], batch)
            yield batch

    def _of_archives(
        self, composition: Composition, archives: Mapping[str, Mapping[int, _Archive]], now: datetime
    ) -> Iterator[Batch]:
        stale = [
            (feed, number)
            for feed in composition.feeds
            for number, each in archives[feed.path].items()
            if self._is_stale(f"{feed.path}{ARCHIVE}{number}", each.source)
        ]
        for start in range(0, len(stale), _AT_ONCE):
            chosen = stale[start : start + _AT_ONCE]
            composed = [compose_archive(composition, feed, number) for feed, number in chosen]
            feeds = [feed for feed in composed if feed]
            batch = Batch({}, {})
            made = seal_all(feeds, self._known, lambda feed: caching_of(feed, self._caching), now)
            for (feed, number), documents in zip(chosen, made, strict=True):
                base = f"{feed.path}{ARCHIVE}{number}"
                paths = _paths_of(base, documents)
                self._replaced(base, paths, archives[feed.path][number].source, batch)
            yield batch

    def _known(self, archive: Feed, form: Format) -> Sequence[Dated]:
        """The last pages of an archive document in a form."""
        base = f"{archive.path}{ARCHIVE}{archive.archive.number if archive.archive else 0}"
        known = self._published.get(base, {})
        found: list[Dated] = []
        while each := known.get(part_of(base, len(found) + 1) + form.ending):
            found.append(each)
        return found

    def _sources(self, composition: Composition) -> dict[str, dict[int, _Archive]]:
        """Every archive document, taken over where it is made of the same."""
        last, changed = self._composition, frozenset[str]()
        if last and (last.site, last.view) == (composition.site, composition.view):
            before, after = last.memory, composition.memory
            if (before.topics, before.topic_slugs) != (after.topics, after.topic_slugs):
                last = None
            else:
                changed = frozenset(differing(before.sightings, after.sightings))
        else:
            last = None
        feeds = {feed.path: feed for feed in last.feeds} if last else {}
        found: dict[str, dict[int, _Archive]] = {}
        for feed in composition.feeds:
            if last and feeds.get(feed.path) is feed and feed.path in self._archives:
                found[feed.path] = self._archives[feed.path]
            else:
                found[feed.path] = self._of_feed(composition, feed, changed if last else None)
        return found

    def _of_feed(
        self, composition: Composition, feed: Feed, changed: frozenset[str] | None
    ) -> dict[int, _Archive]:
        archives = composition.archives[feed.path]
        frame = replace(feed, updated=NO_CHANGE_YET, recipes=(), archives=0, total=0, icon=None, departed=())
        before = self._archives.get(feed.path, {}) if changed is not None else {}
        found = {}
        for number, articles in enumerate(archives, 1):
            full = number < len(archives)
            last = before.get(number)
            if (
                last is None
                or last.articles is not articles
                or (last.full, last.frame) != (full, frame)
                or not (changed or frozenset()).isdisjoint(article.identity for article in articles)
            ):
                composed = compose_archive(composition, feed, number)
                source = digest((Sources().of(composed) if composed else b"", self._caching))
                last = _Archive(articles, frame, full, source)
            found[number] = last
        return found


def _base_of(path: str) -> str:
    """What all forms and parts of a document have in common."""
    if ARCHIVE not in path:
        return path
    for ending in FEED_ENDINGS:
        path = path.removesuffix(ending)
    return path.partition(PART)[0]


def _paths_of(base: str, documents: Sequence[Document]) -> dict[str, Document]:
    """The paths of all parts in all forms, as they were made one form after the other."""
    endings = {form.media_type: form.ending for form in FORMATS.values()}
    counts: dict[str, int] = defaultdict(int)
    paths = {}
    for document in documents:
        counts[document.media_type] += 1
        paths[part_of(base, counts[document.media_type]) + endings[document.media_type]] = document
    return paths
