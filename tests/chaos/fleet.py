"""The fleet: three processes that may publish and four that serve, each with its own way to one database."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING

import psycopg
from proxy import Proxy
from replicas import Replica
from service import PATIENCE_SECONDS, wait_for

from chaos.articles import Articles
from chaos.judge import Judge, check_published
from chaos.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres import OwnServer

PUBLISHERS = 3
REPLICAS = 4
# All of them answer as one: what they serve says the same of where it is from.
_SETTINGS = {
    "FEEDSVC_BASE_URL": "https://feeds.example",
    "FEEDSVC_RELOAD_EVERY": "1s",
    # A page tells the day.
    "FEEDSVC_PAGES": "false",
}


@dataclass(frozen=True)
class Member:
    """A process, and its way to the database."""

    process: Replica
    link: Proxy

    @property
    def name(self) -> str:
        """What both are called."""
        return self.process.name


class Fleet:
    """All of it, and the judge of what it answers."""

    def __init__(
        self,
        server: OwnServer,
        database: str,
        articles: Articles,
        publishers: list[Member],
        replicas: list[Member],
    ) -> None:
        """Of what it consists."""
        self.server = server
        self.articles = articles
        self.publishers = publishers
        self.replicas = replicas
        self.judge = Judge()
        self._database = database

    @property
    def members(self) -> list[Member]:
        """All processes."""
        return [*self.publishers, *self.replicas]

    def published(self) -> list[tuple[str, int, int]]:
        """Who published which generation in which term, as their logs have it."""
        return [
            (member.name, int(event["generation"]), int(event["term"]))
            for member in self.publishers
            for event in member.process.events("published")
        ]

    def publisher(self) -> Member:
        """Who published last."""
        name, *_ = max(self.published(), key=lambda each: each[1:])
        return next(member for member in self.publishers if member.name == name)

    def standing(self) -> tuple[int, int]:
        """Generation and term of the database."""
        with closing(psycopg.connect(self._database, connect_timeout=PATIENCE_SECONDS)) as connection:
            row = connection.execute("SELECT generation, term FROM meta").fetchone()
        assert row
        generation, term = map(int, row)
        return generation, term

    def is_shown(self) -> bool:
        """Whether readers have seen the last change of every replica."""
        return all(self.judge.newest(each.name) >= self.articles.number for each in self.replicas)

    def is_current(self) -> bool:
        """Whether every replica shows the last change, and says that it has the generation of the database."""
        if not self.is_shown():
            return False
        try:
            generations = {each.process.health().get("generation") for each in self.replicas}
            return generations == {self.standing()[0]}
        except (OSError, HTTPException, ValueError, psycopg.Error):
            return False

    def wrongs(self) -> list[str]:
        """What should not have been, until now."""
        ended = [
            f"{each.name} ended with status {each.process.process.returncode}"
            for each in self.members
            if each.process.process.poll() is not None
        ]
        return [*self.judge.wrongs, *check_published(self.published()), *ended]

    def check(self) -> None:
        """Fail where something is wrong."""
        wrongs = self.wrongs()
        logs = self.articles.directory.parent
        assert not wrongs, "\n".join([*wrongs, f"the logs are in {logs}"])


@contextmanager
def running(
    directory: Path, server: OwnServer, publishers: int = PUBLISHERS, replicas: int = REPLICAS, pause: float = 0.02
) -> Iterator[Fleet]:
    """A fleet that serves the first change, and readers that poll each replica, with such a pause in between."""
    with ExitStack() as stack:
        database = stack.enter_context(server.database())
        articles = Articles(directory / "articles")

        def member(name: str) -> Member:
            link = stack.enter_context(Proxy(server.port))
            store = link.url(database)
            may_publish = name.startswith("p")
            process = Replica(
                directory,
                name,
                "publish" if may_publish else "serve",
                store,
                articles.directory if may_publish else None,
                **_SETTINGS,
            )
            return Member(stack.enter_context(process), link)

        fleet = Fleet(
            server,
            database,
            articles,
            [member(f"p{number}") for number in range(publishers)],
            [member(f"r{number}") for number in range(replicas)],
        )
        for each in fleet.members:
            wait_for(each.process.is_ready, f"{each.name} to be ready")
        for each in fleet.replicas:
            stack.enter_context(Reader(each.process, fleet.judge, pause))
        wait_for(fleet.is_current, "every replica to show the first change")
        yield fleet
