"""A crowd: readers or attackers in a process of their own, so that none waits for the interpreter of another.

`python -m soak.crowd readers PORT SEED`: it tells each second what came of it, as a line of JSON, and ends when
its input does. `Crowd` is the other end.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from typing import TYPE_CHECKING, Self

from support import ROOT

from soak.attackers import ATTACKERS
from soak.readers import READERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.answer import Crew, Told

_TELL_SECONDS = 1.0
# After the first nobody needs all.
_WRONGS = 20


class Crowd:
    """A crowd of some kind, and what it told; `phase` is what the times of its answers are noted under, if any."""

    def __init__(self, kind: str, port: int, seed: int) -> None:
        """Of whom, where, and with which dice."""
        self.phase = ""
        self.statuses: Counter[str] = Counter()
        self.milliseconds: dict[str, list[float]] = {}
        self.wrongs: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "soak.crowd", kind, str(port), str(seed)],
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._thread = threading.Thread(target=self._listen, name=kind)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.freeze(frozen=False)
        assert self.process.stdin
        self.process.stdin.close()
        self._thread.join()
        assert self.process.stdout
        self.process.stdout.close()
        if self.process.wait():
            self.wrongs.append(f"a crowd ended with status {self.process.returncode}")

    def freeze(self, *, frozen: bool) -> None:
        """Let it do nothing for a while, with all its connections; or let it go on."""
        self.process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            told = json.loads(line)
            self.statuses.update(told["statuses"])
            if self.phase:
                self.milliseconds.setdefault(self.phase, []).extend(told["milliseconds"])
            self.wrongs += told["wrongs"]


class _Notes:
    """What a crowd has to tell; any of its threads adds to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._milliseconds: list[float] = []
        self._wrongs: list[str] = []

    def add(self, told: Told) -> None:
        """What came of one request."""
        with self._lock:
            self._statuses[f"{told.what} {told.status or 'closed'}"] += 1
            if told.seconds is not None:
                self._milliseconds.append(round(told.seconds * 1000, 3))
            if told.wrong and len(self._wrongs) < _WRONGS:
                self._wrongs.append(f"{told.what}: {told.wrong}")

    def line(self) -> str:
        """All of it since the last time."""
        with self._lock:
            line = json.dumps(
                {"statuses": self._statuses, "milliseconds": self._milliseconds, "wrongs": self._wrongs}
            )
            self._clear()
        return line


def _work(told: Iterator[Told], pause: float, notes: _Notes, over: threading.Event) -> None:
    """One of the crowd, until it is over."""
    try:
        while not over.wait(pause):
            notes.add(next(told))
    except Exception:  # noqa: BLE001 - no thread may end unheard
        traceback.print_exc()
        os._exit(1)


def main(kind: str, port: int, seed: int) -> None:
    """Begin with all of the crowd, and tell of them until the input ends."""
    crew: Crew = {"readers": READERS, "attackers": ATTACKERS}[kind]
    notes, over = _Notes(), threading.Event()
    threads = [
        threading.Thread(
            target=_work,
            args=(one(port, random.Random(f"{seed} {number}")), pause, notes, over),  # noqa: S311 - dice
            daemon=True,
        )
        for number, (one, pause) in enumerate(crew)
    ]
    for thread in threads:
        thread.start()
    ended = threading.Thread(target=sys.stdin.read, daemon=True)
    ended.start()
    while ended.is_alive():
        ended.join(_TELL_SECONDS)
        print(notes.line(), flush=True)  # noqa: T201 - this is how it is told
    over.set()
    deadline = time.monotonic() + 10
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    print(notes.line(), flush=True)  # noqa: T201 - the same


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
