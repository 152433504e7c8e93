"""What each way and level of compression costs in time and saves in bytes, on the feeds of a directory.

Usage: python benchmarks/compression.py [DIRECTORY]

Without a directory, 50 articles like the small ones of the field are made, which give feeds of about 50 KB. Every
figure is the median of 7 runs over the same documents, beside that of zlib's fastest level in the same run.
"""

from __future__ import annotations

import gzip
import random
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import deflate

from feedsvc.config import load_settings
from feedsvc.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 7
WORDS = (
    "the a of to in on with for by from at as model data market chip cloud service update release team new".split()
)


def make_articles(directory: Path) -> None:
    """Write 50 articles whose text compresses about as news does."""
    chance = random.Random(4287)  # noqa: S311 - the same articles on every machine, no secret
    syllables = [a + b for a in "bcdfglmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "in", "on", "al")]
    words = WORDS * 8 + ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(1500)]
    for number in range(50):
        text = " ".join(chance.choices(words, k=90))
        front = (
            f'---\ntitle: "{text[:70]}"\nexcerpt: "{text}"\npublished: true\n'
            f"publishedDateTime: 2021-12-{number % 28 + 1:02}T00:50:00Z\n"
            f"webUrl: https://example.org/{number}/{text[:40].replace(' ', '-')}\n"
            f"topics: [AI]\nprovider: {{name: Example {number % 7}, domain: example{number % 7}.org}}\n---\n"
        )
        (directory / f"{number}.md").write_text(front, "utf-8")


def measure(documents: list[bytes], compress: Callable[[bytes], bytes | bytearray]) -> tuple[float, int]:
    """Median milliseconds a document, and the bytes of all."""
    times = []
    size = 0
    for _ in range(RUNS):
        begin = time.perf_counter()
        size = sum(len(compress(document)) for document in documents)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000 / len(documents), size


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(sys.argv[1] if len(sys.argv) > 1 else made)
        if len(sys.argv) < 2:
            make_articles(directory)
        publisher = Publisher(load_settings(None, {}, {"articles": str(directory)}))
        publisher.reload()
    if publisher.snapshot is None:
        sys.exit(f"{directory} cannot be read")
    documents = [each.content for path, each in publisher.snapshot.documents.items() if path.endswith(("m", "s"))]
    total = sum(map(len, documents))
    print(f"{len(documents)} documents, {total / len(documents):,.0f} bytes each, median of {RUNS} runs")
    print(f"{'':13} {'ms':>8} {'of plain':>9} {'time / zlib 1':>14}")
    ways: dict[str, Callable[[bytes], bytes | bytearray]] = {
        f"zlib {level}": partial(gzip.compress, compresslevel=level, mtime=0) for level in (1, 4, 6, 9)
    }
    ways |= {
        f"libdeflate {level}": partial(deflate.gzip_compress, compresslevel=level)
        for level in (1, 4, 5, 6, 7, 9, 12)
    }
    ways |= {
        f"brotli {quality}": partial(brotli.compress, mode=brotli.MODE_TEXT, quality=quality)
        for quality in (1, 3, 4, 5, 6, 7, 9, 11)
    }
    first: float | None = None
    for name, compress in ways.items():
        took, size = measure(documents, compress)
        first = first or took
        print(f"{name:13} {took:8.2f} {size / total:9.1%} {took / first:14.1f}")


if __name__ == "__main__":
    main()
