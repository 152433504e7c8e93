"""All of the service, killed 42 times: `feedsvc serve` with granian's two processes, over a real socket.

Now the whole process group is killed, now the serving process alone, which granian starts again, and now granian's
alone, with which the serving one ends. The clock is the machine's, so articles say themselves when they changed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Self

from service import TOKEN, Service, command, environment, free_port, wait_for
from support import ROOT, front_matter, make_settings

from feedsvc.publisher import Publisher

if TYPE_CHECKING:
    from support import Answer

LANES = 3
KILLS_A_LANE = 14
# With granian's own way of starting its worker again, which gives up where one dies twice within seconds.
KILLS = ("group", "worker", "group", "parent")
RELOAD_SECONDS = 1
TOPICS = ", ".join(f"T{number}" for number in range(6))


class Lane:
    """One directory, one memory, one port, and one service after another that is killed over them."""

    def __init__(self, root: Path, seed: int) -> None:
        root.mkdir()
        self.root = root
        self.articles = root / "articles"
        self.articles.mkdir()
        self.port = free_port()
        self.dice = random.Random(seed)  # noqa: S311 - dice, and the same ones every time
        self.edits = 0
        self.process: subprocess.Popen[str] | None = None
        self.tally: Counter[str] = Counter()
        for number in range(5):
            (self.articles / f"{number}.md").write_text(
                front_matter(webUrl=f"https://example.org/{number}"), "utf-8"
            )
        self.edit()
        settings = make_settings(self.articles, port=str(self.port), pages="false")
        self.oracle = Publisher(settings)
        self.expected = self.publish()

    def edit(self) -> None:
        """Change an article that is in most feeds, at once."""
        self.edits += 1
        updated = f"2022-01-01T{self.edits // 60:02}:{self.edits % 60:02}:00Z"
        aside = self.root / "seen.md"
        aside.write_text(
            front_matter(title=f"Edit {self.edits}", topics=f"[{TOPICS}]", updatedDateTime=updated), "utf-8"
        )
        aside.replace(self.articles / "seen.md")

    def publish(self) -> dict[str, bytes]:
        """What readers must get of the directory as it is."""
        snapshot = self.oracle.reload().state.snapshot
        assert snapshot
        return {path: document.content for path, document in snapshot.documents.items()}

    def start(self) -> Service:
        """A service with a process group of its own."""
        log = self.root / "service.log"
        flags = (
            "--articles",
            str(self.articles),
            "--port",
            str(self.port),
            "--reload-every",
            f"{RELOAD_SECONDS}s",
        )
        with log.open("a", encoding="utf-8") as stderr:
            process = self.process = subprocess.Popen(
                command("serve", *flags, "--store", f"sqlite:///{self.root}/memory.db"),
                cwd=ROOT,
                env=environment(FEEDSVC_ADMIN_TOKEN=TOKEN, FEEDSVC_PAGES="false"),
                stdout=stderr,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        service = Service(self.port, process, log)
        wait_for(service.is_ready, "the service to be ready")
        return service

    def run(self) -> Counter[str]:
        """Kill one after the other; what was seen how often."""
        try:
            service = self.start()
            before = self.ask_all(service)
            assert {path: answer.body for path, answer in before.items()} == self.expected
            for number in range(KILLS_A_LANE):
                service, before = self.kill_one(service, before, KILLS[number % len(KILLS)])
            self.check_history()
        finally:
            # The last one, whatever became of it.
            if self.process:
                with suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return self.tally

    def kill_one(self, service: Service, before: dict[str, Answer], how: str) -> tuple[Service, dict[str, Answer]]:
        """Edit, kill while that is published, and compare what the next start serves with what readers had."""
        old, posting = self.expected, self.dice.random() < 0.6
        self.edit()
        self.expected = self.publish()
        with Reader(service, self.expected) as reader:
            poster = threading.Thread(target=_post, args=(service,))
            if posting:
                # A reload of so few articles takes some 30 ms, most of it before the commit.
                poster.start()
                time.sleep(self.dice.uniform(0, 0.06))
            else:
                # The edit is found by the interval.
                time.sleep(self.dice.uniform(0, 1.2 * RELOAD_SECONDS))
            survivor = self.kill(service, how)
        if posting:
            poster.join()
        for path, answer in reader.had.items():
            # Whoever reads before the kill has all of the one or all of the other.
            assert answer.body in (old[path], self.expected[path])
        served = any(answer.body == self.expected[path] != old[path] for path, answer in reader.had.items())
        self.tally["served before the kill" if served else "not served before the kill"] += 1
        self.tally[how] += 1
        service = survivor or self.start()
        after = self.ask_all(service)
        assert {path: answer.body for path, answer in after.items()} == self.expected
        for had in (before, reader.had):
            for path, answer in had.items():
                assert _date(after[path]) >= _date(answer)
                assert (after[path].body == answer.body) == (after[path].headers["etag"] == answer.headers["etag"])
                if after[path].body == answer.body:
                    assert _date(after[path]) == _date(answer)
        return service, after

    def kill(self, service: Service, how: str) -> Service | None:
        """Kill it; the same service where it goes on by itself."""
        group, worker = service.process.pid, worker_of(service.process.pid)
        if how == "worker":
            os.kill(worker, signal.SIGKILL)
            wait_for(lambda: worker_of(group) not in (0, worker), "granian to start its worker again")
            wait_for(service.is_ready, "the service to be ready")
            return service
        if how == "parent":
            service.process.kill()
        else:
            os.killpg(group, signal.SIGKILL)
        service.process.wait()
        wait_for(lambda: _is_dead(worker), "the worker to end")
        return None

    def ask_all(self, service: Service) -> dict[str, Answer]:
        """Every document."""
        return {path: service.ask(path) for path in self.expected}

    def check_history(self) -> None:
        """Every edit is told once, in its order."""
        flags = ("--store", f"sqlite:///{self.root}/memory.db", "--limit", "1000")
        listed = subprocess.run(
            command("history", *flags, "seen.md"), cwd=ROOT, env=environment(), capture_output=True, check=True
        ).stdout.decode()
        titles = [line.split("seen.md  ")[1] for line in listed.splitlines()]
        edits = [f"Edit {number} (title, updated)" for number in range(self.edits, 1, -1)]
        assert titles == [*edits, "Edit 1"]


class Reader:
    """Somebody who polls all the while, and what they had last of each document."""

    def __init__(self, service: Service, paths: dict[str, bytes]) -> None:
        self.had: dict[str, Answer] = {}
        self._service = service
        self._paths = list(paths)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def _poll(self) -> None:
        while not self._over.is_set():
            for path in self._paths:
                try:
                    answer = self._service.ask(path)
                except (OSError, HTTPException):
                    break
                self.had[path] = answer
            else:
                continue
            return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def worker_of(parent: int) -> int:
    """The serving process: granian's child that is no housekeeper of multiprocessing; 0 where there is none."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, ppid = status.read_text().rpartition(") ")[2].split()[:2]
            if int(ppid) != parent or state == "Z":
                continue
            if b"resource_tracker" not in (status.parent / "cmdline").read_bytes():
                return int(status.parent.name)
    return 0


def _is_dead(pid: int) -> bool:
    """Whether it has ended, though nobody took notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return True


def _post(service: Service) -> None:
    # It is killed while it answers.
    with suppress(OSError, HTTPException, ValueError):
        service.reload()


def _date(answer: Answer) -> float:
    return parsedate_to_datetime(answer.headers["last-modified"]).timestamp()


def test_42_kills_of_the_service(tmp_path: Path) -> None:
    """A service killed while an edit is published serves, as soon as it is back, the directory as it is, all of
    it; what a reader had before keeps its tag and its date, no date goes back, and every edit is told once.
    """
    with ThreadPoolExecutor(LANES) as pool:
        lanes = [Lane(tmp_path / f"lane-{number}", seed=number) for number in range(LANES)]
        tally = sum(pool.map(Lane.run, lanes), Counter[str]())
    print(dict(tally))  # noqa: T201 - the figures are half of the result
    assert tally["group"] + tally["worker"] + tally["parent"] == LANES * KILLS_A_LANE
    # The moments were where they matter.
    assert min(tally["served before the kill"], tally["not served before the kill"]) >= 3
