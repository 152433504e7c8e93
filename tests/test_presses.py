"""Documents of many feeds are made in several processes, and are those that one process makes."""

from __future__ import annotations

import signal
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support import NOW, SITE, compose_all, make_article

from feedsvc import helpers
from feedsvc.articles.article import Article, Image
from feedsvc.documents import format as forms
from feedsvc.documents.draft import Stock
from feedsvc.documents.snapshot import Snapshot, publish
from feedsvc.feeds.feed import View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from feedsvc.documents.document import Dated
    from feedsvc.feeds.compose import Composition
    from feedsvc.feeds.feed import Feed

SECOND = timedelta(seconds=1)


@pytest.fixture
def composition() -> Composition:
    """Twenty feeds that share articles, one with an icon and one with text that could break a format."""
    pictures = (Image("https://images.example/a.png", 640, 480),)
    articles: list[Article] = [
        make_article(
            f"{number:03}",
            title=f"Title {number} <b>&amp;</b>",
            topics=(f"T{number % 19}", f"T{number % 7}"),
            body=f"<p>Body {number} ]]&gt; ü</p>",
            images=pictures if number % 2 else (),
            published_at=NOW - timedelta(minutes=number),
        )
        for number in range(200)
    ]
    return compose_all(Selection(tuple(articles)), SITE, Memory(), View(limit=20))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The helpers that are started: two where there is any work."""
    processes = []
    start = helpers._start

    def _start() -> helpers._Helper:
        helper = start()
        processes.append(helper.process)
        return helper

    monkeypatch.setattr(helpers, "_start", _start)
    monkeypatch.setattr(forms, "_PAYS", 1)
    monkeypatch.setattr(forms, "others", lambda: 2)
    return processes


def published(
    composition: Composition, before: Snapshot | Mapping[str, Dated] | None = None, seconds: int = 0
) -> Snapshot:
    """Its snapshot."""
    return publish(composition, "public", before, NOW + seconds * SECOND)


def alone(composition: Composition, before: Snapshot | Mapping[str, Dated] | None = None) -> Snapshot:
    """The snapshot that one process makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "others", lambda: 0)
        return published(composition, before)


def test_helpers_make_the_same_documents(composition: Composition, started: list[subprocess.Popen[bytes]]) -> None:
    """To the byte, with the same validators and headers, in all codings."""
    made = published(composition)
    assert [process.returncode for process in started] == [0, 0]
    assert made.documents == alone(composition).documents
    assert len(made.documents) == 20 * 3 + 1


def test_what_is_remembered_keeps_its_date(
    composition: Composition, started: list[subprocess.Popen[bytes]]
) -> None:
    """A document that is made again as it was stays as old as it was, and another is newer than it."""
    kept = {path: replace(each, source=None) for path, each in alone(composition).kept().items()}
    other = next(path for path in kept if path.endswith(".rss"))
    kept[other] = replace(kept[other], etag='"another"', last_modified=NOW + 60 * SECOND)
    made = published(composition, kept, seconds=30)
    assert started
    dates = {path: each.last_modified for path, each in made.documents.items()}
    assert dates.pop(other) == NOW + 61 * SECOND
    assert set(dates.values()) == {NOW}


def test_an_edit_starts_no_process(composition: Composition, started: list[subprocess.Popen[bytes]]) -> None:
    """What builds on the last documents is sooner made here."""
    first = alone(composition)
    site = replace(SITE, title="Another")
    changed = tuple(replace(feed, site=site) for feed in composition.feeds)
    assert published(replace(composition, feeds=changed), first).rendered == len(composition.feeds)
    assert started == []


def test_a_helper_that_is_killed_loses_no_document(
    composition: Composition, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a helper was asked for when it was killed is made here."""
    expected = alone(composition).documents
    release = Stock.release

    def release_and_kill(stock: Stock, feed: Feed) -> None:
        release(stock, feed)
        for process in started:
            process.kill()

    monkeypatch.setattr(Stock, "release", release_and_kill)
    assert published(composition).documents == expected
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2
