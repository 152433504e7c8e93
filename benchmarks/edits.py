"""Edits: how long it takes until one is seen over HTTP, of a service that watches and of Hugo's live server."""

from __future__ import annotations

import random
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import hugo
from corpora import edited
from lives import HUGO, SERVICE, name
from processes import Cost, cpu_of, figure
from subject import MAIN_FEED, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from corpora import Corpus, Editor
    from figures import Figure
    from processes import Daemon

EDIT = "edit seen over HTTP"
# Edits a run: how long one takes depends on when it falls into the time for which a program collects changes.
_EDITS = 3
# The first is not counted: both do things once.
_WARM = 1
# From one to the next, at the least and at the most: all such moments shall be met.
_PAUSE_SECONDS = (0.5, 1.0)


def watch(corpus: Corpus, cache: Path, runs: int, progress: Callable[[str], None], *, peer: bool) -> list[Figure]:
    """Retitle the newest article again and again, and ask every 5 ms until it shows; both run all the time."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=cache) as made, ExitStack() as stack:
        progress(f"{EDIT}, {corpus}: start")
        subject = Subject(corpus, Path(made), watch=True)
        stack.callback(subject.stop)
        subject.begin()
        writers: dict[str, tuple[Daemon, str, Editor]] = {
            SERVICE: (subject, MAIN_FEED, stack.enter_context(edited(corpus.articles, corpus.newest)))
        }
        if peer:
            server = hugo.live(corpus, Path(made))
            stack.callback(server.stop)
            server.start((hugo.MAIN_FEED, corpus.title))
            editor = stack.enter_context(edited(corpus.content, corpus.newest))
            writers[HUGO] = (server, hugo.MAIN_FEED, editor)
        chance = random.Random(4287)  # noqa: S311 - the same pauses on every machine, no secret
        count = _WARM + runs * _EDITS
        for number in range(count):
            progress(f"{EDIT}, {corpus}: edit {number + 1} of {count}")
            for who, (daemon, path, editor) in writers.items():
                time.sleep(chance.uniform(*_PAUSE_SECONDS))
                cost = _edit(daemon, path, editor)
                if number >= _WARM:
                    costs[name(EDIT, corpus, who)].append(cost)
    return [figure(each, of) for each, of in costs.items()]


def _edit(daemon: Daemon, path: str, editor: Editor) -> Cost:
    pids = daemon.pids
    before, begin = cpu_of(pids), time.perf_counter()
    wall = daemon.wait_for(path, editor.retitle(), begin)
    return Cost(wall, cpu_of(pids) - before)
