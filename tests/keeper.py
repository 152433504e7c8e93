"""A real process that is elected to publish, and does as it is told."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Stands until it is elected, says in which term, and that it is alive; each line that it reads is something to do.
_KEEPER = """
import os, select, sys
from contextlib import ExitStack
from feedsvc.articles.library import LoadRules
from feedsvc.store import shared
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.store.publication import begin_generation
from feedsvc.store.store import Remembered

store = DatabaseStore(sys.argv[1], write=True)
while not shared.stand(store, "keeper"):
    select.select([], [], [], 0.05)
print(store.term, flush=True)
with ExitStack() as stack:
    while True:
        if not select.select([0], [], [], 0.5)[0]:
            store.place.holds()
            continue
        done = os.read(0, 99).decode().strip()
        try:
            if done == "save":
                store.save(Remembered(), Remembered(making="the keeper's"), [], LoadRules())
            elif done == "begin":
                begin_generation(stack.enter_context(store.writing()), store.term)
            elif done == "holds":
                done = str(store.place.holds())
            else:
                sys.exit()
        except StoreError as error:
            done = type(error).__name__
        print(done, flush=True)
"""


@dataclass
class Keeper:
    """A real process that is elected."""

    process: subprocess.Popen[str]
    term: int = 0

    def tell(self, what: str) -> None:
        """Have it do something, once it can."""
        assert self.process.stdin
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()

    def said(self) -> str:
        """What it says next."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self, what: str) -> str:
        """Have it do something, and hear how that ended."""
        self.tell(what)
        return self.said()


@contextmanager
def keeper(url: str) -> Iterator[Keeper]:
    """A process that is elected, killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", _KEEPER, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = Keeper(process)
            found.term = int(found.said())
            yield found
        finally:
            process.kill()
