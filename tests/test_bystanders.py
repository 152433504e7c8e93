"""Bystanders: commands that are run beside those who publish, over the same database."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support import NOW, make_settings, tamper, write_article

from feedsvc.cli import commands
from feedsvc.publisher import Publisher
from feedsvc.store import shared
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.store.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_log")


@dataclass
class Town:
    """A directory, and a database in which what it says is published."""

    articles: Path
    url: str
    said: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> str:
        """What a command prints; what it says beside that is `said`."""
        flags = () if arguments[0] == "history" else ("--articles", str(self.articles))
        result = CliRunner().invoke(commands, [*arguments, "--store", self.url, *flags], catch_exceptions=False)
        self.said += result.stderr.splitlines()
        assert result.exit_code == 0, result.output
        return result.stdout

    def kept(self) -> dict[str, list[str]]:
        """All that the database has."""
        names = METADATA.tables
        return {name: sorted(map(repr, tamper(self.url, f"SELECT * FROM {name}"))) for name in names}  # noqa: S608 - ours


@pytest.fixture
def town(articles: Path, url: str) -> Town:
    """One where nothing has been published yet."""
    write_article(articles, topics="[C-sharp]")
    return Town(articles, url)


@pytest.fixture
def publisher(town: Town) -> Iterator[Publisher]:
    """Who is elected there, and has published."""
    with closing(DatabaseStore(town.url, write=True)) as store:
        assert shared.stand(store, "publisher")
        elected = Publisher(make_settings(town.articles, store__url=town.url, workers="2"), lambda: NOW, store)
        assert elected.reload().forgetting is None
        # Of two names that would have the same slug, the one that had it keeps it.
        write_article(town.articles, topics="[c sharp, C-sharp]")
        yield elected
        # No other term began meanwhile.
        assert tamper(town.url, "SELECT term FROM meta") == [(store.term,)]


def test_commands_tell_what_is_remembered(town: Town, publisher: Publisher) -> None:
    """Beside an elected publisher, each reads what is remembered, and leaves all as it is."""
    before = town.kept()
    assert town.run("check").startswith("1 file: 1 article")
    feeds = {line.split()[0]: line for line in town.run("list").splitlines()}
    assert feeds["/topics/c-sharp"].endswith("C-sharp")
    assert "carried by  /topics/c-sharp (entry 1)" in town.run("explain", str(town.articles / "a.md"))
    (line,) = town.run("history").splitlines()
    assert line == "2022-01-01T00:00:00Z  arrived    a.md  A title"
    assert town.run("history", "/topics/c-sharp").splitlines() == [line]
    assert (town.said, town.kept()) == ([], before)
    assert publisher.snapshot


def test_a_build_beside_a_publisher_publishes_nothing(town: Town, publisher: Publisher) -> None:
    """It makes its files of what is remembered and of the directory as it is; who is elected goes on as if nobody
    had been there, and tells what changed.
    """
    before = town.kept()
    out = town.articles.parent / "out"
    for _ in range(2):
        assert "files, " in town.run("build", str(out), "--base-url", "https://static.example")
        assert b"<title>C-sharp" in (out / "topics/c-sharp.atom").read_bytes()
        assert town.kept() == before
    if town.url.startswith("postgresql"):
        assert town.said == []
    else:
        # Whether others are elected for a file, the configuration of this command does not say.
        assert sum("note: the memory is not kept: another process writes" in line for line in town.said) == 2
    outcome = publisher.reload()
    assert (outcome.error, outcome.forgetting) == (None, None)
    assert [event.happening for event in outcome.state.changes] == ["changed", "arrived"]
    documents = "SELECT count(*) FROM meta, documents WHERE documents.generation = meta.generation"
    assert tamper(town.url, "SELECT generation, term FROM meta") == [(2, 1)]
    assert tamper(town.url, documents) != [(0,)]


def test_a_build_before_any_publisher_makes_no_tables(articles: Path, database: str) -> None:
    """Where nobody has published, commands say so and do without; nothing is written for a publisher to find."""
    write_article(articles)
    town = Town(articles, database)
    town.run("build", str(articles.parent / "out"))
    town.run("check")
    town.run("list")
    note = f"feedsvc: note: {DatabaseStore(database, write=False).place.name}: no publisher has written it yet"
    assert [line.partition(";")[0] for line in town.said] == [note] * 3
    with pytest.raises(StoreError, match="no publisher has written it yet; start one"):
        town.run("history")
    assert tamper(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
