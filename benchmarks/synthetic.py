"""Synthetic articles, the same on every machine: as long, as linked and as scored as those of the field."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from feedsvc.clock import iso

if TYPE_CHECKING:
    from datetime import datetime

_FEW = (
    "the a of to in on with for by from at as model data market chip cloud service update release team new".split()
)
_VOWELS = ("a", "e", "i", "o", "u", "an", "er", "in", "on", "al")
_SYLLABLES = [consonant + vowel for consonant in "bcdfglmnprstvw" for vowel in _VOWELS]


@dataclass(slots=True)
class Story:
    """An article that a publisher works on. `heat`, `quality`, `cached` and `note` are seen by no reader."""

    number: int
    title: str
    excerpt: str
    published_at: datetime
    topics: tuple[str, ...]
    provider: int
    related: tuple[str, ...]
    published: bool = True
    heat: int = -1
    quality: int = 70
    cached: bool = True
    note: int = 0

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.published_at:%Y-%m}/{self.number}.md"

    def text(self) -> str:
        """The file."""
        url = f"https://www.example{self.provider}.org/{self.published_at:%Y/%m}/{self.number}"
        related = "".join(
            f'  - title: "{title}"\n    excerpt: "{title} {title}"\n'
            f"    publishedDateTime: {iso(self.published_at)}\n"
            f"    webUrl: https://other{place}.example/{self.number}\n    type: article\n"
            f"    quality: {self.quality}\n    provider: {{name: Other {place}, domain: other{place}.example}}\n"
            for place, title in enumerate(self.related)
        )
        return (
            f'---\ntitle: "{self.title}"\nexcerpt: "{self.excerpt}"\ncategory: news\ntype: article\n'
            f"publishedDateTime: {iso(self.published_at)}\nwebUrl: {url}\nampWebUrl: {url}/amp\n"
            f"quality: {self.quality}\nheat: {self.heat}\npublished: {str(self.published).lower()}\n"
            f"note: {self.note}\n"
            f"provider: {{name: Example {self.provider}, domain: example{self.provider}.org}}\n"
            f"topics: [{', '.join(self.topics)}]\n"
            f"images:\n  - url: https://images.example{self.provider}.org/{self.number}.jpg\n"
            f"    width: 1280\n    height: 640\n    isCached: {str(self.cached).lower()}\n"
            + (f"related:\n{related}" if related else "")
            + "---\n"
        )


class Newsroom:
    """Writes stories on a number of topics, for a number of providers, a few of which have most of them."""

    def __init__(self, topics: int, providers: int) -> None:
        self.chance = random.Random(4287)  # noqa: S311 - the same articles on every machine, no secret
        self._topics = topics
        self._providers = providers
        words = ["".join(self.chance.choices(_SYLLABLES, k=self.chance.randint(1, 4))) for _ in range(1500)]
        self._words = _FEW * 8 + words

    def words(self, count: int) -> str:
        """Some text."""
        return " ".join(self.chance.choices(self._words, k=count))

    def _one_of(self, count: int) -> int:
        """Half of all choices fall upon an eighth of what there is."""
        return int(count * self.chance.random() ** 3)

    def story(self, number: int, published_at: datetime) -> Story:
        """A new one."""
        topics = dict.fromkeys(f"Topic {self._one_of(self._topics)}" for _ in range(self.chance.randint(1, 3)))
        return Story(
            number,
            self.words(9),
            self.words(25),
            published_at,
            tuple(topics),
            self._one_of(self._providers),
            tuple(self.words(9) for _ in range(self.chance.randint(0, 4))),
        )


def write(root: Path, story: Story, at: datetime) -> None:
    """Write a story's file at a moment, as a version control system does: a new file in the old one's place."""
    path = root / story.name
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}")
    aside.write_text(story.text(), "utf-8")
    os.utime(aside, (at.timestamp(), at.timestamp()))
    aside.replace(path)


def walk(root: Path) -> float:
    """How many seconds it takes to list a directory, and ask for size and times of each file.

    No reload can take less.
    """
    begin = time.perf_counter()
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
    return time.perf_counter() - begin
