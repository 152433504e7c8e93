"""A process that works for another: `python -m feedsvc.helper DESCRIPTOR`."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from multiprocessing.connection import Connection


def main(descriptor: int) -> None:
    """Answer lists of things with what is made of each, until nobody is there to ask."""
    with Connection(descriptor) as parent, suppress(EOFError, ConnectionError):
        work = parent.recv()
        gc.freeze()
        while True:
            things = parent.recv()
            parent.send([work(thing) for thing in things])


if __name__ == "__main__":
    main(int(sys.argv[1]))
