"""The store: keeps what is remembered, and tells what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from feedsvc.articles.library import Library, LoadRules
from feedsvc.feeds.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feedsvc.documents.document import Dated
    from feedsvc.feeds.memory import Event


@dataclass(frozen=True, slots=True)
class Remembered:
    """All that outlives a restart.

    `changes` are the last events, the newest first; `whole` is whether the library has all files that it had.
    `making` stands for all but the articles that decided what the documents are. `routes` tells where paths in
    folded form lead, None for a feed that was given up; only replicas need it.
    """

    library: Library = field(default_factory=Library)
    memory: Memory = field(default_factory=Memory)
    documents: Mapping[str, Dated] = field(default_factory=dict)
    changes: tuple[Event, ...] = ()
    whole: bool = True
    making: str = ""
    routes: Mapping[str, str | None] = field(default_factory=dict)


class Store(Protocol):
    """Where a memory is kept. One process writes it."""

    def load(self, rules: LoadRules) -> Remembered:
        """What was kept last; of files, only what was read by these rules.

        Raises:
            StoreError: it cannot be read.
        """

    def documents(self, making: str, root: str) -> Mapping[str, Dated]:
        """What was kept of documents, where all but the articles is as it was; for who cannot wait for the rest.

        Args:
            making: stands for all but the articles.
            root: the real path of the articles' directory.

        Raises:
            StoreError: it cannot be read.
        """

    def save(self, before: Remembered, after: Remembered, events: Sequence[Event], rules: LoadRules) -> None:
        """Keep what is different from before, and what happened, all or nothing; files were read by these rules.

        Raises:
            StoreError: it cannot be written; what was kept before still is.
        """

    def history(self, about: str | None, limit: int) -> list[Event]:
        """What happened, the newest first.

        Args:
            about: the file, identity, id or title of articles, or the path of a feed; None for all.
            limit: how many events.

        Raises:
            StoreError: it cannot be read.
        """

    def close(self) -> None:
        """Let go of it."""
