"""Archive documents (RFC 5005): a reader that walks the chain gets every article exactly once."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import feedparser
import pytest
from lxml import etree
from support import NOW, SITE, ask, compose_all, make_article, rewrite

from feedsvc.documents.shelf import KEPT
from feedsvc.documents.snapshot import Snapshot, publish
from feedsvc.feeds.feed import View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import SelectionRules, select
from feedsvc.web.wsgi import serve_documents

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import WSGIApplication

    from support import Answer

    from feedsvc.articles.article import Article

BASE = SITE.base_url
ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY = "{http://purl.org/syndication/history/1.0}"


def numbered(*numbers: int) -> list[Article]:
    """Articles in the order of their dates."""
    return [make_article(f"n{number}", published_at=NOW - timedelta(hours=5000 - number)) for number in numbers]


def published(articles: Iterable[Article], before: Snapshot | None = None, limit: int = 50) -> Snapshot:
    """The snapshot of these articles."""
    selection = select(articles, SelectionRules(), NOW)
    return publish(compose_all(selection, SITE, Memory(), View(limit)), "public, max-age=300", before, NOW)


def application(snapshot: Snapshot) -> WSGIApplication:
    """What answers for a snapshot, and for nothing else."""

    def nothing(_environ: object, start_response: object) -> list[bytes]:
        start_response("404 Not Found", [])  # type: ignore[operator]  # a WSGI callable
        return []

    return serve_documents(lambda: snapshot, nothing)


def get(snapshot: Snapshot, url: str) -> Answer:
    """A document by its URL."""
    assert url.startswith(BASE)
    return ask(application(snapshot), url.removeprefix(BASE))


def links(document: bytes) -> dict[str, str]:
    """The links of an Atom or RSS feed by relation."""
    root = etree.fromstring(document)
    found = root.findall(f"{ATOM}link") or root.findall(f"channel/{ATOM}link")
    return {link.get("rel", ""): link.get("href", "") for link in found}


def walk(snapshot: Snapshot, ending: str) -> list[str]:
    """The ids that a reader finds in a feed and, one link after the other, in all that came before."""
    ids: list[str] = []
    url: str | None = f"{BASE}/feeds/all{ending}"
    while url:
        answer = get(snapshot, url)
        assert answer.status == 200, url
        if ending == ".json":
            feed = json.loads(answer.body)
            assert feed["feed_url"] == url
            ids += [item["id"] for item in feed["items"]]
            url = feed.get("next_url")
        else:
            parsed = feedparser.parse(answer.body)
            assert parsed.bozo == 0
            assert links(answer.body)["self"] == url
            ids += [entry.id for entry in parsed.entries]
            url = links(answer.body).get("prev-archive")
    return ids


@pytest.mark.parametrize("ending", [".atom", ".rss", ".json"])
def test_walking_the_chain_finds_every_article_once(ending: str) -> None:
    """PUBLISHING 18: with 1,000 articles that arrive, change and leave, each is found once, the newest first."""
    chance = random.Random(5005)  # noqa: S311 - the same history in every run, no secret
    present: dict[int, Article] = {}
    snapshot: Snapshot | None = None
    for step in range(10):
        arriving = range(step * 100, step * 100 + 100)
        present |= dict(zip(arriving, numbered(*arriving), strict=True))
        for number in chance.sample(sorted(present), 5):
            del present[number]
        for number in chance.sample(sorted(present), 5):
            present[number] = make_article(
                f"n{number}", title=f"new {step}", published_at=present[number].published_at
            )
        snapshot = published(present.values(), snapshot)
        assert walk(snapshot, ending) == [present[number].id for number in sorted(present, reverse=True)]


@pytest.mark.parametrize("ending", [".atom", ".rss", ".json"])
def test_a_full_archive_never_changes_when_articles_are_added(ending: str) -> None:
    """PUBLISHING 18: the bytes of a full archive stay whatever comes, and a reader may keep it for a year;
    a cache that many share asks again, so that what is withdrawn leaves it.
    """
    few = published(numbered(*range(150)))
    many = published(numbered(*range(1000)), few)
    anew = published(numbered(*range(1000)))
    for number in (1, 2):
        url = f"{BASE}/feeds/all/archive/{number}{ending}"
        first = get(few, url)
        assert first.headers["cache-control"] == "public, max-age=31536000, s-maxage=300"
        assert get(many, url).body == get(anew, url).body == first.body
        assert get(many, url).headers["etag"] == first.headers["etag"]


def heavy(*numbers: int) -> list[Article]:
    """The same, each with a body of 55 KB."""
    return [rewrite(each, body=f"<p>{'x' * 55_000}</p>") for each in numbered(*numbers)]


def test_large_json_documents_come_in_pages() -> None:
    """PUBLISHING 16: a feed or an archive that is too large in one is a chain of pages, each below 250 KB."""
    snapshot = published(heavy(*range(30)), limit=10)
    ids = walk(snapshot, ".json")
    assert len(ids) == len(set(ids)) == 30
    paths = set(snapshot.paths())
    for place in ("/feeds/all", "/feeds/all/archive/1", "/feeds/all/archive/2"):
        for ending in (".json", "/part/2.json", "/part/3.json"):
            assert place + ending in paths
            answer = get(snapshot, BASE + place + ending)
            assert len(answer.body) < 250_000
            assert answer.headers["link"].startswith(f'<{BASE}{place}{ending}>; rel="self"')
        for ending in ("/part/1.json", "/part/4.json", "/part/0.json", "/part/2.atom"):
            assert get(snapshot, BASE + place + ending).status == 404
    assert not {path for path in paths if path.endswith("/part/4.json") or "/archive/3/page" in path}


def test_pages_stay_and_go_with_what_they_hold() -> None:
    """A page that is as it was is the same document; one that is needed no more is gone."""
    first = published(heavy(*range(10)))
    same = published(heavy(*range(10)), first)
    fewer = published(heavy(*range(3)), same)
    assert len([path for path in first.documents if "/part/" in path]) == 2
    assert all(same.documents[path] is document for path, document in first.documents.items())
    assert not [path for path in fewer.documents if "/part/" in path]


def test_links_of_a_chain() -> None:
    """PUBLISHING 18: a feed names its newest archive; an archive names the feed and its neighbours."""
    snapshot = published(numbered(*range(190)))
    url = f"{BASE}/feeds/all"
    for ending in (".atom", ".rss"):
        feed = get(snapshot, url + ending)
        assert links(feed.body)["prev-archive"] == f"{url}/archive/3{ending}"
        assert HISTORY not in {element.tag[: len(HISTORY)] for element in etree.fromstring(feed.body).iter()}
        middle = get(snapshot, f"{url}/archive/2{ending}").body
        assert {rel: href for rel, href in links(middle).items() if rel != "alternate"} == {
            "self": f"{url}/archive/2{ending}",
            "current": f"{url}{ending}",
            "prev-archive": f"{url}/archive/1{ending}",
            "next-archive": f"{url}/archive/3{ending}",
        }
        assert len(list(etree.fromstring(middle).iter(f"{HISTORY}archive"))) == 1
        newest = get(snapshot, f"{url}/archive/3{ending}")
        assert "next-archive" not in links(newest.body)
        assert newest.headers["cache-control"] == "public, max-age=300"
        assert f'<{url}/archive/3{ending}>; rel="self"' in newest.headers["link"]


def test_feed_without_older_articles_has_no_archive() -> None:
    """A feed that holds everything names no archive, and there is none."""
    snapshot = published(numbered(*range(50)))
    assert "prev-archive" not in links(get(snapshot, f"{BASE}/feeds/all.atom").body)
    assert "next_url" not in json.loads(get(snapshot, f"{BASE}/feeds/all.json").body)
    assert get(snapshot, f"{BASE}/feeds/all/archive/1.atom").status == 404
    assert snapshot.archives
    assert list(snapshot.archives.paths()) == []


def test_the_archive_after_the_last_full_one_is_there() -> None:
    """What a full archive names as its next can be had, empty as long as it has no article."""
    snapshot = published(numbered(*range(100)))
    full = get(snapshot, f"{BASE}/feeds/all/archive/1.atom")
    following = get(snapshot, links(full.body)["next-archive"])
    assert following.status == 200
    assert feedparser.parse(following.body).entries == []
    assert links(get(snapshot, f"{BASE}/feeds/all.atom").body)["prev-archive"].endswith("/archive/1.atom")


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/all/archive/0.atom",
        "/feeds/all/archive/01.atom",
        "/feeds/all/archive/4.atom",
        "/feeds/all/archive/99999999.atom",
        "/feeds/all/archive/1",
        "/feeds/all/archive/1.html",
        "/feeds/none/archive/1.atom",
        "/feeds/all/archive/1.atom/archive/1.atom",
        "/archive/1.atom",
        "/feeds/all/archive/\N{ARABIC-INDIC DIGIT ONE}.atom",
    ],
)
def test_what_is_no_archive_is_not_found(path: str) -> None:
    """Only the archives that there are can be had."""
    assert ask(application(published(numbered(*range(190)))), path).status == 404


def test_archives_are_made_once_and_kept_within_a_bound() -> None:
    """An archive that was asked for is the same document the next time, also after a reload; few are kept."""
    first = published(numbered(*range(600)), limit=1)
    made = first.document("/feeds/all/archive/1.atom")
    assert made is not None
    assert first.document("/feeds/all/archive/1.atom") is made
    second = published(numbered(*range(601)), first, limit=1)
    assert second.document("/feeds/all/archive/1.atom") is made
    for number in range(2, KEPT + 2):
        assert second.document(f"/feeds/all/archive/{number}.atom")
    assert second.archives
    assert len(second.archives.shelf) == KEPT
    again = second.document("/feeds/all/archive/1.atom")
    assert again is not made
    assert again is not None
    assert again.etag == made.etag


def test_conditional_requests_for_an_archive() -> None:
    """An archive is a document like any other: 304 for who has it, HEAD without a body, CORS."""
    snapshot = published(numbered(*range(190)))
    path = "/feeds/all/archive/1.atom"
    answer = ask(application(snapshot), path)
    assert ask(application(snapshot), path, if_none_match=answer.headers["etag"]).status == 304
    assert ask(application(snapshot), path, "HEAD").body == b""
    assert answer.headers["access-control-allow-origin"] == "*"
