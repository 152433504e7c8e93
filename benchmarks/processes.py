"""Processes: what a program and all that it starts take, by the clock, of the processor and of memory."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Between two questions whether it is so by now. It costs whoever answers a millisecond of CPU a second or so.
ASK_SECONDS = 0.005
# Between two looks at the memory of a tree.
LOOK_SECONDS = 0.05
# For a start or an answer with the largest of corpora, and for an edit to be seen.
_LONGEST_SECONDS = 3600
_PATIENCE_SECONDS = 120
# Of CPU within half a second: less is a process at rest.
_REST_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took once: seconds by the clock and of CPU, and bytes at the peak."""

    wall: float
    cpu: float
    peak: int = 0


def figure(name: str, costs: Sequence[Cost]) -> Figure:
    """All the times together."""
    wall, cpu = tuple(each.wall for each in costs), tuple(each.cpu for each in costs)
    peak = tuple(each.peak for each in costs)
    return Figure(name, wall if any(wall) else (), cpu if any(cpu) else (), peak if any(peak) else ())


def run(command: Sequence[str | Path], directory: Path) -> Cost:
    """Run a program to its end. Its peak is that of its largest process.

    Raises:
        RuntimeError: it failed.
    """
    with (directory / "output.log").open("w+", encoding="utf-8") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{command[0]} failed: {output.read()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in (_PROC / str(each) / "task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def cpu_of(pids: Iterable[int]) -> float:
    """Seconds of CPU of these processes, and of those below them that have ended."""
    total = 0.0
    for pid in pids:
        with suppress(OSError):
            # The clock of another process, as clock_getcpuclockid(3) numbers it; /proc counts in hundredths.
            total += time.clock_gettime((~pid << 3) | 2)
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) / _TICKS
    return total


def memory_of(pids: Iterable[int], name: str, file: str = "status") -> int:
    """Bytes of a line such as VmHWM, VmRSS or (of smaps_rollup) Pss, all processes together."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            for line in (_PROC / str(pid) / file).read_text().splitlines():
                if line.startswith(f"{name}:"):
                    total += int(line.split()[1]) * 1024
    return total


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Daemon:
    """A program that serves HTTP on a port of this machine."""

    def __init__(
        self, command: Sequence[str | Path], port: int, directory: Path, variables: Mapping[str, str] | None = None
    ) -> None:
        self._command = command
        self.port = port
        self._directory = directory
        self._variables = variables
        self._log = directory / f"daemon-{port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *sights: tuple[str, bytes]) -> Cost:
        """Start it, and wait until each of these paths shows these words.

        The peak is the largest sum of what every process had at its own peak, of those that ran at the same time.
        """
        with self._log.open("ab") as output:
            begin = time.perf_counter()
            self._process = subprocess.Popen(
                self._command, cwd=self._directory, env=self._variables, stdout=output, stderr=output
            )
        peak, look = 0, begin
        for path, words in sights:
            while not self.shows(path, words):
                if time.perf_counter() > look:
                    peak = max(peak, memory_of(self.pids, "VmHWM"))
                    look = time.perf_counter() + LOOK_SECONDS
                self._rest_a_moment(begin, _LONGEST_SECONDS)
        wall, pids = time.perf_counter() - begin, self.pids
        return Cost(wall, cpu_of(pids), max(peak, memory_of(pids, "VmHWM")))

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    @property
    def pids(self) -> list[int]:
        """All its processes."""
        return tree(self._process.pid) if self._process else []

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """One request; the status and the body."""
        connection = self.connect()
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """For many requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_LONGEST_SECONDS)

    def shows(self, path: str, words: bytes) -> bool:
        """Whether there is something at that path, and these words in it."""
        try:
            status, body = self.ask(path)
        except (OSError, http.client.HTTPException):
            return False
        return status == 200 and words in body

    def wait_for(self, path: str, words: bytes, begin: float) -> float:
        """Ask until it shows; how many seconds after the begin."""
        while not self.shows(path, words):
            self._rest_a_moment(begin, _PATIENCE_SECONDS)
        return time.perf_counter() - begin

    def settle(self) -> None:
        """Wait until it does nothing more."""
        before = -1.0
        while cpu_of(self.pids) - before > _REST_SECONDS:
            before = cpu_of(self.pids)
            time.sleep(0.5)

    def _rest_a_moment(self, begin: float, patience: float) -> None:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self._command[0]} ended: {self._log.read_text('utf-8')[-2000:]}")
        if time.perf_counter() - begin > patience:
            raise RuntimeError(f"{self._command[0]} does not show what it should")
        time.sleep(ASK_SECONDS)
