"""The subject: the real service, as users start it, with a store of its own."""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import Cost, Daemon, cpu_of, free_port

if TYPE_CHECKING:
    from corpora import Corpus

ROOT = Path(__file__).parents[1]
MAIN_FEED = "/feeds/all.atom"
_TOKEN = "a token of the benchmarks"  # noqa: S105 - of nothing but these


class Subject(Daemon):
    """The service of a corpus, which reads it anew where it is told to, and else only where it watches it."""

    def __init__(self, corpus: Corpus, directory: Path, *, watch: bool = False) -> None:
        """Begin with nothing, or with the store that an earlier one left in that directory."""
        self.corpus = corpus
        port = free_port()
        configuration = directory / "feedsvc.yaml"
        configuration.touch()
        variables = {name: value for name, value in os.environ.items() if not name.startswith("FEEDSVC_")}
        variables |= {
            # This checkout's, whatever else is installed.
            "PYTHONPATH": str(ROOT),
            "FEEDSVC_CONFIG": str(configuration),
            "FEEDSVC_ADMIN_TOKEN": _TOKEN,
            "FEEDSVC_RELOAD_WATCH": str(watch).lower(),
        }
        command = [sys.executable, "-m", "feedsvc", "serve", "--port", str(port), "--reload-every", "1d"]
        # Whatever the port is, a restart serves the same URLs, and has not to make the documents again.
        command += ["--base-url", "https://feeds.example"]
        command += ["--articles", str(corpus.articles), "--store", f"sqlite:///{directory}/memory.db"]
        super().__init__(command, port, directory, variables)

    def begin(self) -> Cost:
        """Start it, until it is ready and shows the newest article."""
        return self.start(("/health/ready", b""), (MAIN_FEED, self.corpus.title))

    def finish_reading(self) -> None:
        """Wait until it has read the articles, and does not merely serve what it served before its start."""
        while json.loads(self.ask("/health")[1])["reloaded_at"] is None:
            time.sleep(0.02)

    def reload(self) -> tuple[Cost, dict[str, Any]]:
        """Have it read the directory, until the new feeds are served; and what it tells of that."""
        pids = self.pids
        before, begin = cpu_of(pids), time.perf_counter()
        status, body = self.ask("/admin/reload", "POST", {"Authorization": f"Bearer {_TOKEN}"})
        wall = time.perf_counter() - begin
        if status != 200:
            raise RuntimeError(f"the reload failed: {body.decode()}")
        return Cost(wall, cpu_of(pids) - before), json.loads(body)

    def poll(self, count: int, headers: dict[str, str], status: int) -> Cost:
        """What a poll of the main feed takes, of so many one after the other over one connection."""
        pids, connection = self.pids, self.connect()
        before, begin = cpu_of(pids), time.perf_counter()
        for _ in range(count):
            connection.request("GET", MAIN_FEED, headers=headers)
            response = connection.getresponse()
            response.read()
            if response.status != status:
                raise RuntimeError(f"{MAIN_FEED} is answered {response.status}")
        wall, cpu = time.perf_counter() - begin, cpu_of(pids) - before
        connection.close()
        return Cost(wall / count, cpu / count)

    def etag(self, headers: dict[str, str]) -> str:
        """The main feed's tag."""
        connection = self.connect()
        connection.request("GET", MAIN_FEED, headers=headers)
        tag = connection.getresponse().getheader("ETag", "")
        connection.close()
        return tag

    def entries(self) -> int:
        """How many entries the Atom feeds have, all together.

        Raises:
            RuntimeError: it does not serve the feeds of the corpus in every format, compressed.
        """
        _, opml = self.ask("/feeds.opml")
        paths = [each.decode() for each in re.findall(rb'xmlUrl="https?://[^/"]+(/[^"]+)\.atom"', opml)]
        if len(paths) != self.corpus.feeds:
            raise RuntimeError(f"{len(paths):,} feeds are served, not {self.corpus.feeds:,}")
        total = 0
        for path in paths:
            for ending in (".rss", ".json", ".atom"):
                status, body = self.ask(path + ending, headers={"Accept-Encoding": "gzip"})
                if status != 200:
                    raise RuntimeError(f"{path}{ending} is answered {status}")
                total += gzip.decompress(body).count(b"<entry>")
        return total
