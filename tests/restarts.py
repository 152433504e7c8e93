"""A publisher that is started, reloads and is stopped, again and again, over one memory."""

from __future__ import annotations

import subprocess
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from service import PATIENCE_SECONDS, command, environment
from support import NOW, ROOT, make_settings

from feedsvc.feeds.changes import MAX_CHANGES
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from feedsvc.outcome import Outcome
    from feedsvc.reload import State

HOUR = timedelta(hours=1)


class Site:
    """A publisher of a directory with a memory, whose clock and process the test moves."""

    def __init__(self, articles: Path, url: str = "", **flags: str) -> None:
        self.articles = articles
        self.url = url or f"sqlite:///{articles.parent}/memory.db"
        self.flags = flags
        self.hours = 0
        self.state: State | None = None
        self.every = HOUR

    @property
    def now(self) -> datetime:
        """The moment of the last reload."""
        return NOW + self.hours * HOUR

    @contextmanager
    def running(self) -> Iterator[Publisher]:
        """Start, and stop at the end."""
        with closing(DatabaseStore(self.url, write=True)) as store:
            publisher = Publisher(make_settings(self.articles, **self.flags), lambda: self.now, store)
            yield publisher
            self.state = publisher.state
            assert list(self.state.changes) == store.history(None, MAX_CHANGES)

    def run(self, reloads: int = 1) -> State:
        """Start, reload, each time an hour later than before, and stop."""
        with self.running() as publisher:
            outcomes = [self._reload(publisher) for _ in range(reloads)]
        return outcomes[-1].state

    def _reload(self, publisher: Publisher) -> Outcome:
        self.hours += 1
        outcome = publisher.reload()
        assert outcome.error is None
        assert outcome.forgetting is None
        return outcome

    def document(self, path: str) -> bytes:
        """A document of the last run."""
        assert self.state
        assert self.state.snapshot
        document = self.state.snapshot.document(path)
        assert document, path
        return document.content

    def history(self, *about: str) -> list[str]:
        """What `feedsvc history` prints."""
        done = subprocess.run(
            command("history", *about, "--store", self.url),
            cwd=ROOT,
            env=environment(FEEDSVC_ARTICLES=str(self.articles)),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return done.stdout.splitlines()
