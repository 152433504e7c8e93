"""Articles that all change at once, and of which every document tells in which state it is."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from support import write_article

if TYPE_CHECKING:
    from pathlib import Path

ARTICLES = 8
_BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
TOPICS = 2
# Whatever a document is made of: each of these has more than one article.
DOCUMENTS = tuple(
    f"{feed}.{ending}"
    for feed in ("/feeds/all", "/topics/even", "/topics/odd", "/providers/example")
    for ending in ("atom", "rss", "json")
)
# Of so many states the files are kept: somebody may be held up for a while in reading.
_KEPT = 5
_BODY = "Words that make it longer than what is sent at once. " * 40


class Articles:
    """A directory of articles; each change writes another number into every title."""

    def __init__(self, directory: Path) -> None:
        """Make it, in state 1."""
        self.directory = directory
        self.number = 0
        directory.mkdir()
        self.change()

    def change(self) -> int:
        """Change every article, so that nobody who lists the directory sees some that have changed and some not.

        The articles are behind a link into a hidden directory, and a change moves the link. Who has listed them
        reads them at once; that the next change comes in between is left to those who call this too often.
        """
        self.number += 1
        state = self.directory / f".{self.number}"
        for article in range(ARTICLES):
            write_article(
                state,
                f"{article}.md",
                _BODY,
                title=f"Change {self.number} of article {article}",
                webUrl=f"https://example.org/{article}",
                topics=f"[{('Even', 'Odd')[article % TOPICS]}]",
                updatedDateTime=(_BEGIN + timedelta(minutes=self.number)).isoformat(),
            )
        link = self.directory / ".next"
        link.symlink_to(state.name)
        link.replace(self.directory / "articles")
        shutil.rmtree(self.directory / f".{self.number - _KEPT}", ignore_errors=True)
        return self.number


def numbers_in(document: bytes) -> set[int]:
    """The numbers of the changes that a document shows."""
    return {int(number) for number in re.findall(rb"Change (\d+) of article", document)}
