"""Opening: what is served after a restart, until the articles have been read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from restarts import Site
from service import running
from support import NOW, ask, make_settings, tamper, write_article

from feedsvc import health
from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.service import make_application
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedsvc.documents.snapshot import Snapshot


@pytest.fixture
def site(articles: Path, url: str) -> Site:
    """One that has served two articles, of which feeds show one."""
    return lived(articles, url)


@pytest.fixture
def site_in_file(articles: Path, file: str) -> Site:
    """One whose memory is in a file."""
    return lived(articles, file)


def lived(articles: Path, url: str) -> Site:
    """One that has served two articles, of which feeds show one."""
    write_article(articles, topics="[AI]")
    write_article(articles, "b.md", webUrl="https://example.org/b", publishedDateTime="2021-12-13T00:00:00Z")
    made = Site(articles, url, feeds__entries="1")
    made.run()
    return made


@contextmanager
def opened(site: Site, directory: Path | None = None, **flags: str) -> Iterator[Publisher]:
    """A process that has started, and read nothing yet."""
    with closing(DatabaseStore(site.url, write=True)) as store:
        settings = make_settings(directory or site.articles, **(site.flags | flags))
        publisher = Publisher(settings, lambda: site.now, store)
        publisher.open()
        yield publisher


def answers(snapshot: Snapshot | None) -> dict[str, object]:
    """Every document, with all that readers get."""
    assert snapshot
    return {path: (each.content, each.variants, each.last_modified) for path, each in snapshot.documents.items()}


def test_the_feeds_of_before_are_served_at_once(site: Site, articles: Path) -> None:
    """Before a single file is read, every feed is there with the bytes, the tags and the headers of before; after
    the first reload it is what the directory says.
    """
    assert site.state
    before = answers(site.state.snapshot)
    assert "/topics/ai.atom" in before
    write_article(articles, title="Edited")
    with opened(site) as publisher:
        opening = publisher.snapshot
        assert opening
        assert (opening.whole, answers(opening)) == (False, before)
        # In whatever order the database has them.
        assert sorted(opening.paths()) == sorted(before)
        snapshot = publisher.reload().state.snapshot
        assert snapshot
        assert publisher.snapshot is snapshot
        document = snapshot.document("/topics/ai.atom")
        assert document
        assert snapshot.whole
        assert b"Edited" in document.content


def test_what_is_not_there_yet_may_be_later(site: Site) -> None:
    """Archives, pages and other spellings are asked for again a moment later; they are not said to be missing."""
    with opened(site) as publisher:
        settings = make_settings(site.articles, **site.flags)
        service = make_application(publisher, Schedule(publisher.reload, site.every), settings, None)
        for path in ("/", "/topics/ai", "/feeds/all/archive/1.atom", "/topics/AI.atom", "/nowhere"):
            answer = ask(service, path)
            assert (answer.status, answer.headers["retry-after"]) == (503, "5"), path
        assert ask(service, "/topics/ai.atom").status == 200
        assert ask(service, "/health/ready").status == 200
        assert json.loads(ask(service, "/health").body)["status"] == "warn"
        assert b"\nfeedsvc_reload_age_seconds " in ask(service, "/metrics").body


def test_health_says_that_the_articles_are_being_read(site: Site) -> None:
    """What is served is not known to be current: a warning until the first reload has ended."""
    with opened(site) as publisher:
        report = health.report(publisher.state, publisher.last, site.every, NOW, opening=True)
        assert (report["status"], report["output"]) == (
            "warn",
            "what was served before the start is served; the articles are being read",
        )
        publisher.reload()
        report = health.report(publisher.state, publisher.last, site.every, NOW)
        assert (report["status"], report.get("output")) == ("pass", None)


@pytest.mark.parametrize(
    "flags", [{"site__title": "Another"}, {"base_url": "https://feeds.example"}, {"selection__min_quality": "5"}]
)
def test_documents_of_other_settings_are_not_served(site: Site, flags: dict[str, str]) -> None:
    """What is configured otherwise since is not served as it was."""
    with opened(site, None, **flags) as publisher:
        assert publisher.snapshot is None
        publisher.reload()
        assert publisher.snapshot


def test_settings_that_decide_nothing_of_documents_do_not_matter(site: Site) -> None:
    """A different interval, or level of the log, changes no document."""
    with opened(site, reload__every="2m", log__level="debug") as publisher:
        assert publisher.snapshot


def test_documents_of_another_directory_are_not_served(site: Site, tmp_path: Path) -> None:
    """They are of the directory that is configured, and not of one that has another name in the configuration."""
    (tmp_path / "other").mkdir()
    with opened(site, tmp_path / "other") as publisher:
        assert publisher.snapshot is None
    (tmp_path / "link").symlink_to(site.articles)
    with opened(site, tmp_path / "link") as publisher:
        assert publisher.snapshot is None


def test_a_damaged_document_is_not_served(site: Site) -> None:
    """A document whose bytes are not those that were kept is made again; the others are served meanwhile."""
    tamper(site.url, "UPDATE documents SET br = substr(br, 2) WHERE path = '/topics/ai.atom'")
    with opened(site) as publisher:
        assert publisher.snapshot
        assert publisher.snapshot.document("/topics/ai.atom") is None
        assert publisher.snapshot.document("/topics/ai.rss")


def test_a_damaged_memory_opens_nothing(site_in_file: Site) -> None:
    """A file that is no database, or lacks a table, is seen to by the first reload."""
    path = Path(site_in_file.url.removeprefix("sqlite:///"))
    kept = path.read_bytes()
    for damage in ("DROP TABLE documents", "DELETE FROM meta"):
        path.write_bytes(kept)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(damage)
        with opened(site_in_file) as publisher:
            assert publisher.snapshot is None
            outcome = publisher.reload()
            assert (outcome.error, bool(publisher.snapshot)) == (None, True)


# What makes a database of the third version of one that is new, and of that one of the second.
_FOURTH = "DROP TABLE tokens; UPDATE meta SET version = 4;"
_THIRD = """
ALTER TABLE documents DROP COLUMN plain;
ALTER TABLE documents DROP COLUMN media_type;
ALTER TABLE documents DROP COLUMN length;
ALTER TABLE documents DROP COLUMN headers;
ALTER TABLE documents DROP COLUMN rare;
ALTER TABLE documents DROP COLUMN generation;
ALTER TABLE meta DROP COLUMN generation;
ALTER TABLE meta DROP COLUMN birth;
ALTER TABLE meta DROP COLUMN term;
ALTER TABLE meta DROP COLUMN publisher;
ALTER TABLE meta DROP COLUMN reloaded_at;
ALTER TABLE meta DROP COLUMN error;
ALTER TABLE meta DROP COLUMN base_url;
ALTER TABLE meta DROP COLUMN whole;
DROP TABLE generations;
DROP TABLE routes;
DROP TABLE gone;
DROP TABLE requests;
UPDATE meta SET version = 3;
"""
_SECOND = """
CREATE TABLE place (path TEXT NOT NULL, place INTEGER NOT NULL, identity TEXT NOT NULL, PRIMARY KEY (path, place));
INSERT INTO place SELECT path, number, identities FROM archived;
DROP TABLE archived;
ALTER TABLE place RENAME TO archived;
CREATE TABLE seen (identity TEXT NOT NULL, title TEXT NOT NULL, path TEXT NOT NULL, print BLOB NOT NULL,
    places TEXT NOT NULL, first_seen BIGINT NOT NULL, changed_at BIGINT, withdrawn_at BIGINT,
    PRIMARY KEY (identity));
INSERT INTO seen SELECT * FROM sightings;
DROP TABLE sightings;
ALTER TABLE seen RENAME TO sightings;
CREATE INDEX ix_events_at ON events (at);
CREATE INDEX ix_events_identity ON events (identity);
CREATE INDEX ix_events_id ON events (id);
UPDATE files SET record = CAST('[null,[]]' AS BLOB);
UPDATE meta SET version = 2;
"""
_FIRST = "ALTER TABLE meta DROP COLUMN making; UPDATE meta SET version = 1;"


@pytest.mark.parametrize(
    "script",
    [_FOURTH, _FOURTH + _THIRD, _FOURTH + _THIRD + _SECOND, _FOURTH + _THIRD + _SECOND + _FIRST],
)
def test_a_database_of_an_older_version_is_brought_up_to_date(
    site_in_file: Site, articles: Path, script: str
) -> None:
    """All that readers were told is remembered, and nobody is told anything; old records are made once more."""
    write_article(articles, "c.md", webUrl="https://example.org/c", publishedDateTime="2021-12-12T00:00:00Z")
    site_in_file.run()
    assert site_in_file.state
    memory, before = site_in_file.state.memory, answers(site_in_file.state.snapshot)
    # Each full archive document has one article.
    assert [len(roll.archived) for roll in memory.rolls.values()] == [2, 2, 2]
    with closing(sqlite3.connect(site_in_file.url.removeprefix("sqlite:///"))) as connection:
        connection.executescript(script)
    with opened(site_in_file) as publisher:
        # The first did not tell under which conditions its documents were made.
        assert (publisher.snapshot is None) == script.endswith(_FIRST)
        outcome = publisher.reload()
        parsed = 3 if _SECOND in script else 0
        assert (outcome.error, outcome.forgetting, outcome.state.library.parsed) == (None, None, parsed)
        assert (outcome.state.events, outcome.state.memory) == ((), memory)
        assert answers(publisher.snapshot) == before
    with opened(site_in_file) as publisher:
        assert answers(publisher.snapshot) == before
        outcome = publisher.reload()
        assert (outcome.forgetting, outcome.state.library.parsed, outcome.state.memory) == (None, 0, memory)
        assert [event.happening for event in outcome.state.changes] == ["arrived"] * 3


def test_a_service_starts_with_the_feeds_of_before(tmp_path: Path, articles: Path) -> None:
    """A real process that is started again says that it serves what it served, and then what it found."""
    write_article(articles)
    with running(tmp_path, articles) as service:
        before = service.ask("/topics/ai.atom")
        port = service.port
    write_article(articles, title="Edited")
    with running(tmp_path, articles, port=port) as service:
        after = service.ask("/topics/ai.atom")
        assert "of before the start; the articles are being read" in service.log.read_text("utf-8")
    assert before.headers["etag"] != after.headers["etag"]
    assert b"Edited" in after.body
