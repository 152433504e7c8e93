"""Corpora: directories of articles, the same on every machine, as the service reads them and as Hugo does.

Small ones are like the news articles of the field, 1.4 KB; seed-like ones are like those of `seeds/`, 7 KB, with
long lists of related coverage, a field that is private, and a body.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import synthetic
from synthetic import Newsroom

from feedsvc.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synthetic import Story

Kind: TypeAlias = Literal["small", "seed-like"]

# When the newest article is of, and how often there is one: so long ago that the files' times are trusted, and so
# often that a million of them have times that a file system knows.
END = datetime(2024, 12, 31, tzinfo=UTC)
PACE = timedelta(minutes=10)
TOPICS, PROVIDERS = 40, 400


@dataclass(frozen=True, slots=True)
class Corpus:
    """Articles below a directory; of each topic and each provider there is one at least."""

    root: Path
    kind: Kind
    files: int
    topics: int
    providers: int

    def __str__(self) -> str:
        return f"{self.files:,} {self.kind}, {self.feeds:,} feeds"

    @property
    def feeds(self) -> int:
        """How many there are; that of all articles is one, too."""
        return 1 + self.topics + self.providers

    @property
    def newest(self) -> str:
        """The path of the newest article."""
        return self.name(self.files - 1)

    def at(self, number: int) -> datetime:
        """When that article was published."""
        return END - (self.files - 1 - number) * PACE

    def name(self, number: int) -> str:
        """Its file."""
        return f"{self.at(number):%Y-%m}/{number}.md"

    @property
    def articles(self) -> Path:
        """The files as publishers write them."""
        return self.root / "articles"

    @property
    def content(self) -> Path:
        """The same for Hugo: it cannot take a mapping as a term, so another line names the provider."""
        return self.root / "content"

    @property
    def title(self) -> bytes:
        """What the newest article is called; by this word a feed is known to have everything."""
        found = re.search(r'^title: "(.*)"$', (self.articles / self.newest).read_text("utf-8"), re.MULTILINE)
        return found[1].encode() if found else b""


def plan(cache: Path, kind: Kind, files: int, topics: int = TOPICS, providers: int = PROVIDERS) -> Corpus:
    """What a corpus will be, and where in the cache."""
    topics, providers = min(topics, files), min(providers, files)
    return Corpus(cache / f"{kind}-{files}-{topics}-{providers}", kind, files, topics, providers)


def make(corpus: Corpus, *, with_content: bool) -> None:
    """Make the files, with a line of progress, unless an earlier run left them; those for Hugo where asked."""
    wanted = [corpus.articles, corpus.content] if with_content else [corpus.articles]
    missing = [each for each in wanted if _read_stamp(each) != _stamp()]
    if not missing:
        return
    for each in missing:
        shutil.rmtree(each, ignore_errors=True)
    newsroom = Newsroom(corpus.topics, corpus.providers)
    for number in range(corpus.files):
        text, at = _text(newsroom, corpus, number), corpus.at(number).timestamp()
        for each in missing:
            path = each / corpus.name(number)
            _write(path, text if each == corpus.articles else _for_hugo(text))
            os.utime(path, (at, at))
        if number % 1000 == 0 and sys.stderr.isatty():
            print(f"making files: {number:,} of {corpus.files:,}", end="\r", file=sys.stderr, flush=True)
    for each in missing:
        _stamp_file(each).write_text(_stamp(), "utf-8")


@contextmanager
def edited(root: Path, path: str) -> Iterator[Editor]:
    """Edit a file, and put it back as it was at the end."""
    file = root / path
    text, at = file.read_text("utf-8"), file.stat().st_mtime_ns
    editor = Editor(root, path, text)
    try:
        yield editor
    finally:
        editor.put(text)
        os.utime(file, ns=(at, at))


@dataclass(slots=True)
class Editor:
    """Gives an article one title after the other, and each file whole, as a version control system does."""

    root: Path
    path: str
    text: str

    def retitle(self) -> bytes:
        """Write it anew under a title that it never had; which one."""
        title = f"Edition {time.time_ns()}"
        self.put(re.sub(r'^title: ".*"$', f'title: "{title}"', self.text, count=1, flags=re.MULTILINE))
        return title.encode()

    def put(self, text: str) -> None:
        """Write this in its place at once, and nothing else within the directory."""
        aside = self.root.with_name("aside.md")
        aside.write_text(text, "utf-8")
        aside.replace(self.root / self.path)


def _text(newsroom: Newsroom, corpus: Corpus, number: int) -> str:
    story = newsroom.story(number, corpus.at(number))
    if number < corpus.topics:
        story.topics = tuple(dict.fromkeys((f"Topic {number}", *story.topics)))
    if number < corpus.providers:
        story.provider = number
    return story.text() if corpus.kind == "small" else _seed_like(newsroom, story)


def _seed_like(newsroom: Newsroom, story: Story) -> str:
    """The same with what the seeds have beyond it."""
    chance, words = newsroom.chance, newsroom.words
    related = []
    for place in range(chance.randint(3, 8)):
        url = f"other{place}.example/{story.published_at:%Y/%m}/{words(7).replace(' ', '-')}"
        related.append(
            f'  - title: "{words(10)}"\n    excerpt: "{words(22)}"\n'
            f"    publishedDateTime: {iso(story.published_at)}\n"
            f'    webUrl: "https://www.{url}/"\n    ampWebUrl: "https://www.{url}/amp/"\n'
            f'    cdnAmpWebUrl: "https://other{place}-example.cdn.ampproject.example/c/s/www.{url}/amp/"\n'
            f"    type: article\n    provider:\n      name: Other {place}\n      domain: other{place}.example\n"
            f"    quality: {chance.randint(20, 95)}\n    images:\n"
            f'      - url: "https://images.other{place}.example/{chance.getrandbits(64):016x}.jpg"\n'
            "        width: 1280\n        height: 640\n        isCached: true\n"
        )
    front = story.text().partition("related:\n")[0].removesuffix("---\n")
    private = f'secured: "{chance.getrandbits(2400):0600x}"\n'
    body = "\n\n".join(words(chance.randint(25, 45)) for _ in range(3))
    return f"{front}related:\n{''.join(related)}\n{private}---\n\n{body}\n"


def _for_hugo(text: str) -> str:
    return re.sub(
        r"^(provider: {name: (.*), domain: .*)$", r'providers: ["\2"]\n\1', text, count=1, flags=re.MULTILINE
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except FileNotFoundError:
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")


def _stamp() -> str:
    """Which program makes the files: another one makes others."""
    sources = (Path(__file__), Path(synthetic.__file__))
    return hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()


def _stamp_file(directory: Path) -> Path:
    return directory.with_suffix(".made")


def _read_stamp(directory: Path) -> str:
    try:
        return _stamp_file(directory).read_text("utf-8")
    except FileNotFoundError:
        return ""
