"""A process that reads files for another: `python -m feedsvc.articles.helper DESCRIPTOR`."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from feedsvc.articles.reading import How, Wanted, read


def main(descriptor: int) -> None:
    """Answer lists of wanted files with lists of readings, until nobody is there to ask."""
    gc.freeze()
    with Connection(descriptor) as parent, suppress(EOFError, ConnectionError):
        how: How = parent.recv()
        while True:
            chunk: list[Wanted] = parent.recv()
            parent.send([read(wanted, how) for wanted in chunk])


if __name__ == "__main__":
    main(int(sys.argv[1]))
