"""What a start costs without a memory and with one, and a reload that changes one file; and what takes the time.

Usage: python benchmarks/restart.py [FILES]

Makes 10,000 article files, or as many as given. A restart may parse none of them, and has to serve the same bytes
under the same ETags; otherwise the exit status is 1. Beside each time stands how many times as long as it takes to
walk the same directory, which is the least that any start has to do.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from stopwatch import Stopwatch
from synthetic import Newsroom, walk, write

from feedsvc.config import load_settings
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from synthetic import Story

    from feedsvc.settings import Settings

FILES = 10_000
# One article every so often; all of them so long ago that the files' times are trusted.
BEGIN = datetime(2015, 1, 1, tzinfo=UTC)
PACE = timedelta(minutes=30)


class Service:
    """A process of the service, as far as a start needs it."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._store = DatabaseStore(url, write=True)
        self._publisher = Publisher(settings, store=self._store)

    def reload(self, title: str, least: float) -> int:
        """Reload, print how long it takes, and tell how many files were parsed."""
        watch = Stopwatch()
        begin, begin_cpu = time.perf_counter(), time.process_time()
        # As the server does in its first reload, and after it.
        if self._publisher.snapshot is None:
            gc.disable()
        with watch.running():
            outcome = self._publisher.reload()
        took, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        gc.enable()
        gc.freeze()
        if outcome.error or outcome.forgetting:
            sys.exit(f"{title}: {outcome.error or outcome.forgetting}")
        library, snapshot = outcome.state.library, outcome.state.snapshot
        rendered = snapshot.rendered if snapshot else 0
        print(
            f"{title:32} {took:8.2f} s, CPU {cpu:.2f} s, {took / least:.0f} walks; "
            f"{library.parsed:,} files parsed, {rendered:,} feeds rendered"
        )
        print(watch.table())
        return library.parsed

    def documents(self) -> dict[str, tuple[str, bytes]]:
        """Everything that is served, with its ETag."""
        snapshot = self._publisher.snapshot
        return {path: (each.etag, each.content) for path, each in snapshot.documents.items()} if snapshot else {}

    def stop(self) -> None:
        """Let go of the store."""
        self._store.close()


def make(root: Path, count: int) -> list[Story]:
    """Write that many files."""
    newsroom = Newsroom(topics=60, providers=200)
    stories = []
    for number in range(count):
        moment = BEGIN + number * PACE
        stories.append(newsroom.story(number, moment))
        write(root, stories[-1], moment)
        if sys.stderr.isatty() and number % 500 == 0:
            print(f"making files: {number:,} of {count:,}", end="\r", file=sys.stderr, flush=True)
    return stories


def main() -> None:
    """Start, start again, change one file, and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    with tempfile.TemporaryDirectory() as made:
        root, url = Path(made) / "articles", f"sqlite:///{made}/memory.db"
        stories = make(root, count)
        settings = load_settings(None, {}, {"articles": str(root)})
        least = min(walk(root) for _ in range(5))
        print(f"{count:,} files; a walk of the directory {least:.3f} s")
        service = Service(settings, url)
        service.reload("start without a memory", least)
        before = service.documents()
        service.stop()
        service = Service(settings, url)
        parsed = service.reload("restart", least)
        after = service.documents()
        same = before == after
        print(f"{len(after):,} documents, {'the same bytes and ETags' if same else 'NOT THE SAME'} as before")
        service.reload("nothing changed", least)
        stories[count // 2].heat += 1
        write(root, stories[count // 2], datetime(2021, 1, 1, tzinfo=UTC))
        service.reload("one score changed", least)
        stories[-1].title += " again"
        write(root, stories[-1], datetime(2021, 1, 1, tzinfo=UTC))
        service.reload("one title changed", least)
        service.stop()
    sys.exit(0 if same and parsed == 0 else 1)


if __name__ == "__main__":
    main()
