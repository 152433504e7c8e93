"""Whether the time of a 404 tells something of private feeds: each kind of wrong URL, asked in turns.

Usage: python benchmarks/tokens.py [ROUNDS]

The kinds differ in what is wrong: the token, the feed, or that the one does not open the other. The last column
compares each with a token and a feed that both never were. Nobody can tell kinds apart whose medians differ less
than the same kind does from one run to the next.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from polls import make_articles
from servers import HOST, ask, cores, free_port, pinned, running

from feedsvc.clock import now
from feedsvc.store.database import DatabaseStore
from feedsvc.store.tokens import Grant, grant

FEED, OTHER = "topics/secret", "topics/other"
CONFIGURATION = "topics: {Secret: {access: private}, Other: {access: private}}\n"
ARTICLE = """---
title: {0}
webUrl: https://example.org/{0}
publishedDateTime: 2021-01-01
published: true
topics: [{0}]
---
"""


def measure(directory: Path, rounds: int) -> dict[str, list[float]]:
    """The seconds that each kind took, each time."""
    articles = directory / "articles"
    make_articles(articles)
    for name in ("Secret", "Other"):
        (articles / f"{name}.md").write_text(ARTICLE.format(name), "utf-8")
    (directory / "feedsvc.yaml").write_text(CONFIGURATION, "utf-8")
    store, port = f"sqlite:///{directory}/memory.db", free_port()
    command = [sys.executable, "-m", "feedsvc", "serve", "--articles", "articles", "--port", str(port)]
    command += ["--config", "feedsvc.yaml", "--store", store]
    mine, unknown = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with running("feedsvc", command, port, directory), pinned(cores()[1]):
        with closing(DatabaseStore(store, write=False)) as visitor:
            grant(visitor, mine, Grant("Ada", (f"/private/{FEED}",), now()))
        deadline = time.monotonic() + 30
        while ask(port, f"/private/{mine}/{FEED}.atom").status != 200:
            if time.monotonic() > deadline:
                sys.exit("the token does not open its feed")
            time.sleep(0.1)
        kinds = {
            "no such token, no such feed": f"/private/{unknown}/topics/nothing.atom",
            "no such token, a feed": f"/private/{unknown}/{FEED}.atom",
            "a token, no such feed": f"/private/{mine}/topics/nothing.atom",
            "a token, a feed of others": f"/private/{mine}/{OTHER}.atom",
            "no token, a feed": f"/private//{FEED}.atom",
        }
        client = HTTPConnection(HOST, port, timeout=30)
        took: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, path in kinds.items():
                begin = time.perf_counter()
                client.request("GET", path)
                answer = client.getresponse()
                answer.read()
                took[kind].append(time.perf_counter() - begin)
                if answer.status != 404:
                    sys.exit(f"{kind}: {answer.status}")
        client.close()
    return took


def main() -> None:
    """Measure, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with tempfile.TemporaryDirectory() as directory:
        took = measure(Path(directory), rounds)
    first = statistics.median(next(iter(took.values())))
    print(f"{'':30} {'p50 us':>8} {'first half':>11} {'second':>8}   / the first")
    for kind, each in took.items():
        half = len(each) // 2
        parts = [statistics.median(part) * 1e6 for part in (each, each[:half], each[half:])]
        print(f"{kind:30} {parts[0]:8.1f} {parts[1]:11.1f} {parts[2]:8.1f}   {parts[0] / first / 1e6:.3f}")


if __name__ == "__main__":
    main()
