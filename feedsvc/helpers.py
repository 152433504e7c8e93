"""Helpers: the same work on many things, in as many processes as there are processors.

This process works too, and looks after each thing whether a helper has an answer. Helpers are programs of their
own, which import no more than the work takes (docs/decisions/helpers.md). Whatever happens to one costs time and
nothing else: what it was asked for is done here.
"""

from __future__ import annotations

import os
import pickle
import select
import socket
import struct
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from feedsvc.log import fields, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Self

# More helpers would want more answers than one process can take.
_MOST = 7
# No answer takes so long.
_PATIENCE_SECONDS = 60.0
_END_SECONDS = 1.0

_Thing = TypeVar("_Thing")
_Answer = TypeVar("_Answer")


class Work(NamedTuple, Generic[_Thing, _Answer]):
    """What is to be done with each thing.

    `there` does it in a helper, and is found there by its name: a function of a module, or a partial of one.
    `give` tells what a helper is given of a thing. `here` does the same in this process. A helper is asked for
    `at_once` things at a time, which should take some ten milliseconds.
    """

    there: Callable[[Any], _Answer]
    give: Callable[[_Thing], object]
    here: Callable[[_Thing], _Answer]
    at_once: int


def others() -> int:
    """How many helpers can work at the same time as this process."""
    try:
        processors = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        processors = os.cpu_count() or 1
    return min(processors - 1, _MOST)


def do_all(work: Work[_Thing, _Answer], things: Sequence[_Thing], helpers: int) -> Generator[_Answer, None, None]:
    """Do the work on all; the answers come in the order of the things."""
    chunks = [things[begin : begin + work.at_once] for begin in range(0, len(things), work.at_once)]
    todo = deque(range(len(chunks)))
    done: dict[int, list[_Answer]] = {}

    def given(number: int) -> list[object]:
        return [work.give(thing) for thing in chunks[number]]

    ready: list[_Answer] = []
    with _Helpers(work.there, given, todo, done) as helping:
        helping.start(helpers)
        for number in range(len(chunks)):
            while number not in done:
                if not todo:
                    helping.collect(_PATIENCE_SECONDS)
                    continue
                mine = todo.popleft()
                answers = []
                for thing in chunks[mine]:
                    answers.append(work.here(thing))
                    helping.collect()
                done[mine] = answers
            yield from ready
            ready = done.pop(number)
    # The helpers are gone before the last ones are taken, whether or not anybody asks for more than these.
    yield from ready


@dataclass(slots=True)
class _Helper:
    process: subprocess.Popen[bytes]
    connection: Connection
    # Which chunk it works on.
    number: int | None = None


class _Helpers(Generic[_Answer]):
    """The other processes. What they answer goes to `done`; what they cannot goes back to `todo`."""

    def __init__(
        self,
        work: Callable[[Any], _Answer],
        given: Callable[[int], list[object]],
        todo: deque[int],
        done: dict[int, list[_Answer]],
    ) -> None:
        self._work, self._given, self._todo, self._done = work, given, todo, done
        self._all: list[_Helper] = []
        self._busy: dict[int, _Helper] = {}
        self._poll = select.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for helper in self._all:
            helper.connection.close()
            if kind:
                helper.process.kill()
        for helper in self._all:
            try:
                helper.process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                helper.process.kill()
                helper.process.wait()

    def start(self, count: int) -> None:
        """Start so many, if that is possible."""
        for _ in range(count):
            try:
                helper = _start()
            except (OSError, ValueError, TypeError) as error:
                logger.debug("no process could be started that helps", extra=fields(error=str(error)))
                return
            self._all.append(helper)
            try:
                helper.connection.send(self._work)
                self._ask(helper)
            except OSError:
                self._lose(helper)

    def collect(self, seconds: float = 0.0) -> None:
        """Take what was answered; wait for it so long, and no longer for those who did not answer."""
        if not self._busy:
            return
        answered = self._poll.poll(seconds * 1000)
        for descriptor, _ in answered:
            self._receive(self._busy[descriptor])
        if seconds and not answered:
            for helper in list(self._busy.values()):
                self._lose(helper)

    def _ask(self, helper: _Helper) -> None:
        descriptor = helper.connection.fileno()
        if self._todo:
            helper.number = self._todo.popleft()
            helper.connection.send(self._given(helper.number))
            self._busy[descriptor] = helper
            self._poll.register(descriptor, select.POLLIN)
        elif self._busy.pop(descriptor, None):
            helper.number = None
            self._poll.unregister(descriptor)

    def _receive(self, helper: _Helper) -> None:
        try:
            answer = helper.connection.recv_bytes()
        except (EOFError, OSError):
            self._lose(helper)
            return
        number, helper.number = helper.number, None
        try:
            # It has something to do while the answer is taken apart.
            self._ask(helper)
        except OSError:
            # What it answered is good all the same.
            self._lose(helper)
        if number is not None:
            try:
                self._done[number] = pickle.loads(answer)  # noqa: S301 - from our own program
            except Exception:  # noqa: BLE001 - it may have been replaced by another version meanwhile
                self._todo.appendleft(number)
                self._lose(helper)

    def _lose(self, helper: _Helper) -> None:
        logger.warning("a process that helped ended, or did not answer; its part is done here")
        descriptor = helper.connection.fileno()
        if self._busy.pop(descriptor, None):
            self._poll.unregister(descriptor)
        if helper.number is not None:
            self._todo.appendleft(helper.number)
            helper.number = None
        helper.process.kill()


def _start() -> _Helper:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        # One that stops in the middle of a word is not waited for either.
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(_PATIENCE_SECONDS), 0))
        descriptor = theirs.fileno()
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "feedsvc.helper", str(descriptor)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            pass_fds=[descriptor],
            # What ends us from the keyboard is none of its business: it ends when we do.
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return _Helper(process, Connection(ours.detach()))
