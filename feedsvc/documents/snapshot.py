"""A snapshot: all documents of one moment. Immutable, and swapped whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from feedsvc.documents.document import Document, Headers, seal
from feedsvc.documents.jsonfeed import JSON_TYPE, render_json
from feedsvc.documents.opml import OPML_PATH, OPML_TYPE, render_opml
from feedsvc.documents.page import CONTENT_SECURITY_POLICY, HTML_TYPE, render_index, render_page
from feedsvc.documents.syndication import ATOM_TYPE, RSS_TYPE, render_atom, render_rss
from feedsvc.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed


@dataclass(frozen=True, slots=True)
class Format:
    """One form of a feed: the ending of its path, its media type, and the function that makes it."""

    ending: str
    media_type: str
    render: Callable[[Feed], bytes]
    headers: tuple[tuple[str, str], ...]


# Any page in a browser may read a feed, and hold what it needs to ask conditionally.
_FEED_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag"),
    ("X-Content-Type-Options", "nosniff"),
)
_PAGE_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)

FORMATS = (
    Format(".atom", ATOM_TYPE, render_atom, _FEED_HEADERS),
    Format(".rss", RSS_TYPE, render_rss, _FEED_HEADERS),
    Format(".json", JSON_TYPE, render_json, _FEED_HEADERS),
    Format("", HTML_TYPE, render_page, _PAGE_HEADERS),
)
FEED_ENDINGS = tuple(each.ending for each in FORMATS if each.ending)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Documents by path; where folded paths lead; the feeds by the path of their page.

    `changed_at` is when the newest change was served first, `rendered` counts the feeds that had changed.
    """

    documents: Mapping[str, Document]
    redirects: Mapping[str, str]
    feeds: Mapping[str, Feed]
    changed_at: datetime
    rendered: int = 0

    def redirect(self, path: str) -> str | None:
        """The path of the feed that this path means by a name, a domain or another case; None if there is none."""
        path = fold(path).rstrip("/")
        ending = next((ending for ending in FEED_ENDINGS if path.endswith(ending)), "")
        target = self.redirects.get(path.removesuffix(ending).rstrip("/"))
        return target + ending if target else None


def cache_control(max_age: timedelta, while_revalidate: timedelta, if_error: timedelta) -> str:
    """What caches may do (RFC 9111 §5.2.2, RFC 5861)."""
    seconds = [int(each.total_seconds()) for each in (max_age, while_revalidate, if_error)]
    return "public, max-age={}, stale-while-revalidate={}, stale-if-error={}".format(*seconds)


def publish(composition: Composition, caching: str, before: Snapshot | None, now: datetime) -> Snapshot:
    """Render the feeds that changed, seal the documents that did, and put all of them together.

    Args:
        composition: every feed.
        caching: the Cache-Control of every document.
        before: the last snapshot; what has not changed is taken over from it.
        now: the Last-Modified of what changed. There is no memory of another process's past yet, so the first
            snapshot is as new as it is made: a reader that only asks by date must not miss what was withdrawn
            while the service was down.
    """
    known = before.documents if before else {}
    documents: dict[str, Document] = {}
    rendered = 0
    for feed in composition.feeds:
        unchanged = before is not None and before.feeds.get(feed.path) == feed
        rendered += not unchanged
        for form in FORMATS:
            path = feed.path + form.ending
            if unchanged:
                documents[path] = known[path]
            else:
                headers: Headers = [("Cache-Control", caching), *form.headers, ("Link", _links(feed, form))]
                documents[path] = _renew(known.get(path), form.render(feed), form.media_type, headers, now)
    site = composition.feeds[0].site
    for path, content, media_type, more in (
        ("/", render_index(composition.feeds, site), HTML_TYPE, _PAGE_HEADERS),
        (OPML_PATH, render_opml(composition.feeds, site), OPML_TYPE, _FEED_HEADERS),
    ):
        documents[path] = _renew(known.get(path), content, media_type, [("Cache-Control", caching), *more], now)
    feeds = {feed.path: feed for feed in composition.feeds}
    return Snapshot(documents, composition.redirects, feeds, _newest(documents.values()), rendered)


def _links(feed: Feed, form: Format) -> str:
    """What a reader finds without parsing: a feed's own URL and its page; a page's feeds (RFC 8288)."""
    url = feed.site.base_url + feed.path
    if form.ending:
        return f'<{url}{form.ending}>; rel="self", <{url}>; rel="alternate"; type="text/html"'
    feeds = (each for each in FORMATS if each.ending)
    return ", ".join(
        f'<{url}{each.ending}>; rel="alternate"; type="{each.media_type.partition(";")[0]}"' for each in feeds
    )


def _renew(last: Document | None, content: bytes, media_type: str, headers: Headers, now: datetime) -> Document:
    """The last document where its content is the same, else a new one that is dated after it."""
    if last is None:
        return seal(content, media_type, now, headers)
    if last.content == content:
        return last
    # Two changes within one second must not look like one to a reader that only asks by date.
    return seal(content, media_type, max(now, last.last_modified + timedelta(seconds=1)), headers)


def _newest(documents: Iterable[Document]) -> datetime:
    return max(document.last_modified for document in documents)
