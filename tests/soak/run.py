"""A run: the quiet service, then the edited one, then the attacked one; and what should not have been."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service import running, wait_for

from soak.articles import edit, fill, put
from soak.crowd import Crowd
from soak.measures import Sample, files_of, memory_of, middle, percentile, processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service import Service

QUIET, EDITED, ATTACKED, RESTING, BETWEEN = "quiet", "edited", "attacked", "while attackers rest", ""
# The attackers rest at the end of each minute: what polls take then is what the machine makes of them, whoever
# else it works for. Around that, nobody knows under what to note an answer.
_REST_SECONDS = 10
_BETWEEN_SECONDS = 2
# What grows after this is a leak; before, there is much that comes once.
_WARM_SECONDS = 300.0
_SAMPLE_SECONDS = 2.0
_EDIT_SECONDS = 1.0
GROWTH = 1.10
SLOWER = 3.0


@dataclass
class Run:
    """What was measured and what was wrong."""

    seconds: float
    samples: list[Sample] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    files_at_rest: tuple[int, int] = (0, 0)
    wrongs: list[str] = field(default_factory=list)

    def p(self, phase: str, share: float) -> float:
        """So many of the polls of a phase took no longer than this, in milliseconds."""
        return percentile(self.milliseconds.get(phase, []), share)

    @property
    def growth(self) -> float:
        """The memory at the end, as a share of what it was when the service was warm."""
        warm, window = min(_WARM_SECONDS, self.seconds / 4), self.seconds / 8
        return middle(self.samples, self.seconds - window, self.seconds) / middle(
            self.samples, warm, warm + window
        )

    def check_measures(self) -> None:
        """Fail where it became slower or larger than it may."""
        assert self.growth <= GROWTH, f"the memory has grown to {self.growth:.0%} of what it was when warm"
        slower = self.p(ATTACKED, 0.99) / self.p(QUIET, 0.99)
        assert slower <= SLOWER, f"of 100 polls, one takes {slower:.1f} times as long as on the quiet service"

    def summary(self) -> Iterator[str]:
        """What there is to tell."""
        yield f"answers: {dict(sorted(self.statuses.items()))}"
        for phase, values in self.milliseconds.items():
            p50, p99 = self.p(phase, 0.5), self.p(phase, 0.99)
            yield f"{len(values)} polls {phase}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {max(values):.0f} ms"
        quarters = [self.samples[(len(self.samples) - 1) * number // 4] for number in range(5)]
        yield (
            "memory: " + ", ".join(f"{each.memory:.1f} MiB" for each in quarters) + f"; {self.growth:.1%} of warm"
        )
        yield "open files: " + ", ".join(str(each.files) for each in quarters)
        yield f"open files at rest: {self.files_at_rest[0]} before, {self.files_at_rest[1]} afterwards"


def soak(directory: Path, seconds: float, seed: int) -> Run:
    """Have a service read, edited and attacked for so long."""
    dice = random.Random(seed)  # noqa: S311 - dice, and the same ones every time
    run = Run(seconds)
    articles = directory / "articles"
    articles.mkdir()
    fill(articles)
    _say(f"{seconds / 60:.1f} minutes, SEED={seed}, load {os.getloadavg()[0]:.1f}")
    with running(directory, articles, "--reload-every", "5s", watch=True) as service:
        session = service.process.pid
        # What is opened with the first request stays open.
        service.health()
        serving = [path.name for path in processes_of(session)]
        before = files_of(session)
        with ExitStack() as stack:
            _play(service, articles, dice, run, stack)
        put(articles, "the very last")
        wait_for(lambda: b"the very last" in service.ask("/topics/ai.atom").body, "the last edit to be served")
        # The connection of who asks is not at rest.
        wait_for(lambda: files_of(session) <= before, f"no more than {before} files to be open")
        run.files_at_rest = before, files_of(session)
        now = [path.name for path in processes_of(session)]
        if now != serving:
            run.wrongs.append(f"the processes are {now}, and were {serving}")
        if service.health()["status"] != "pass":
            run.wrongs.append(f"health says {service.health()}")
        log = service.log.read_text("utf-8", "replace")
        if "Traceback" in log or "internal error" in log:
            run.wrongs.append(f"the log has an error of ours: {log[log.find('Traceback') - 500 :][:2500]}")
    assert service.process.returncode == 0, "it did not end well"
    for line in run.summary():
        _say(line)
    return run


def _play(service: Service, articles: Path, dice: random.Random, run: Run, stack: ExitStack) -> None:
    """Two minutes of nothing but readers, one of editors too, and all of it for the rest; less of a short run."""
    session, seed = service.process.pid, dice.randrange(10**6)
    quiet, edited = min(120.0, run.seconds / 6), min(180.0, run.seconds / 4)
    begun = time.monotonic()
    over, busy = threading.Event(), threading.Event()
    readers = stack.enter_context(Crowd("readers", service.port, seed))
    readers.phase = QUIET
    crowds = [readers]

    def edit_all_the_while() -> None:
        number = 0
        busy.wait()
        while not over.wait(_EDIT_SECONDS):
            number += 1
            edit(articles, dice, number)

    editor = threading.Thread(target=edit_all_the_while, name="editor")
    editor.start()
    try:
        told = 0
        while (at := time.monotonic() - begun) < run.seconds:
            if readers.phase == QUIET and at > quiet:
                busy.set()
                readers.phase = EDITED
            if readers.phase == EDITED and at > edited:
                crowds.append(stack.enter_context(Crowd("attackers", service.port, seed)))
            if len(crowds) > 1:
                readers.phase = _phase(at)
                crowds[1].freeze(frozen=at % 60 > 60 - _REST_SECONDS)
            run.samples.append(Sample(at, memory_of(session), files_of(session)))
            if at > 60 * (told + 1):
                told += 1
                _say(_progress(run, readers))
            assert service.process.poll() is None, f"it ended: {service.log.read_text('utf-8')[-2000:]}"
            time.sleep(min(_SAMPLE_SECONDS, run.seconds / 40))
    finally:
        over.set()
        busy.set()
        editor.join()
        stack.close()
        for crowd in crowds:
            run.statuses.update(crowd.statuses)
            run.wrongs += crowd.wrongs
        run.milliseconds = readers.milliseconds


def _phase(at: float) -> str:
    """What the attacked service is at a moment."""
    second = at % 60
    if second < _BETWEEN_SECONDS or 0 <= second - (60 - _REST_SECONDS) < _BETWEEN_SECONDS:
        return BETWEEN
    return ATTACKED if second < 60 - _REST_SECONDS else RESTING


def _progress(run: Run, readers: Crowd) -> str:
    last = run.samples[-1]
    phase = ATTACKED if ATTACKED in readers.milliseconds else list(readers.milliseconds)[-1]
    values = readers.milliseconds[phase][-5_000:]
    return (
        f"minute {last.at / 60:.0f}, {phase}: {sum(readers.statuses.values())} polls, lately p50 "
        f"{percentile(values, 0.5):.2f} and p99 {percentile(values, 0.99):.2f} ms; {last.memory:.1f} MiB, "
        f"{last.files} files, load {os.getloadavg()[0]:.1f}; {len(readers.wrongs)} wrong"
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what happened is half of the result
