"""Hugo, the fastest peer that makes feeds from a directory of files: the feeds alone, by its command and live."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from processes import Daemon, free_port, run

if TYPE_CHECKING:
    from pathlib import Path

    from corpora import Corpus
    from processes import Cost

# RSS, the one format that it has a template for, of all articles, each topic and each provider; nothing else. Even
# so it needs a template for the lists of topics and of providers, or leave to have none.
_SITE = """\
baseURL = "https://feeds.example/"
title = "Feeds"
ignoreErrors = ["error-disable-taxonomy"]
disableKinds = ["section", "taxonomy", "sitemap", "robotsTXT", "404"]
[taxonomies]
topic = "topics"
provider = "providers"
[outputs]
home = ["RSS"]
page = []
term = ["RSS"]
[frontmatter]
date = ["publishedDateTime"]
[services.rss]
limit = 50
"""
MAIN_FEED = "/index.xml"


def version() -> str | None:
    """Which one is installed, if any."""
    program = shutil.which("hugo")
    if program is None:
        return None
    told = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+(\.\d+)+", told.stdout)
    return found[0] if found else "of an unknown version"


def build(corpus: Corpus, directory: Path) -> tuple[Cost, int]:
    """Make the feeds into an empty directory; and how many entries they have, all together.

    Raises:
        RuntimeError: they are not the feeds of the corpus.
    """
    command = _command(corpus, directory)
    public = directory / "public"
    cost = run([*command, "--quiet", "--destination", public], directory)
    feeds = list(public.rglob("index.xml"))
    if len(feeds) != corpus.feeds:
        raise RuntimeError(f"Hugo made {len(feeds):,} feeds, not {corpus.feeds:,}")
    entries = sum(each.read_bytes().count(b"<item>") for each in feeds)
    shutil.rmtree(public)
    return cost, entries


def live(corpus: Corpus, directory: Path) -> Daemon:
    """Its live server, which makes all feeds anew when a file changes.

    Left to itself it makes those pages anew that a browser looks at, and a feed never.
    """
    port = free_port()
    flags = ["--disableFastRender", "--disableLiveReload", "--bind", "127.0.0.1", "--port", str(port)]
    program, *site = _command(corpus, directory)
    return Daemon([program, "server", *site, *flags], port, directory)


def _command(corpus: Corpus, directory: Path) -> list[str | Path]:
    (directory / "config.toml").write_text(_SITE, "utf-8")
    return ["hugo", "--source", directory, "--contentDir", corpus.content, "--cacheDir", directory / "cache"]
