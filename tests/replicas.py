"""Processes of the service that share a database, and what may become of them."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from service import PATIENCE_SECONDS, Service, begin, free_port, wait_for

if TYPE_CHECKING:
    import subprocess

Role: TypeAlias = Literal["publish", "serve", "both"]


class Replica(Service):
    """One of them: all processes that it consists of are killed, frozen and started together, at the same port."""

    def __init__(
        self,
        directory: Path,
        name: str,
        role: Role,
        store: str,
        articles: Path | None = None,
        **variables: str,
    ) -> None:
        """Start one.

        Args:
            directory: where its log is, and what it keeps for its next start.
            name: what it is called there.
            role: what it does.
            store: the URL of the database.
            articles: the directory of articles, for who may publish.
            variables: settings, as environment variables.
        """
        self.name = name
        self.role = role
        self._flags = ["--role", role, "--store", store, *(["--articles", str(articles)] if articles else [])]
        cache = directory / f"cache-{name}"
        self._variables = {"FEEDSVC_STORE_CACHE": str(cache), "FEEDSVC_LOG_FORMAT": "json", **variables}
        # How often it was killed or frozen, or came back from that: a request during which this changed may fail.
        self.turns = 0
        self.log = directory / f"{name}.log"
        self.port = free_port()
        super().__init__(self.port, self._begin(), self.log)

    def _begin(self) -> subprocess.Popen[str]:
        return begin(self.port, self.log, *self._flags, **self._variables)

    def start(self) -> None:
        """Start it again, and do not wait."""
        self.turns += 1
        self.process = self._begin()

    def kill(self) -> None:
        """Kill all of it outright, where it lives."""
        self.turns += 1
        self._signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)
        # What is left of it would still have the port, and could still write.
        wait_for(lambda: not _living(self.process.pid), f"{self.name} to be dead")

    def freeze(self) -> None:
        """Let none of it do anything, and keep all connections."""
        self.turns += 1
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, as if nothing had been."""
        self.turns += 1
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def is_up(self) -> bool:
        """Whether it answers; that it still runs is a must."""
        self.check_alive()
        try:
            return bool(self.health())
        except (OSError, HTTPException, ValueError):
            return False

    def is_ready(self) -> bool:
        """Whether it answers readers; who only publishes has none."""
        if self.role == "publish":
            return self.is_up()
        self.check_alive()
        try:
            return self.ask("/health/ready").status == 200
        except (OSError, HTTPException):
            return False

    def check_alive(self) -> None:
        """Whatever happens, it ends only where it is killed."""
        assert self.process.poll() is None, f"{self.name} ended: {self.log.read_text('utf-8')[-2000:]}"

    def events(self, event: str) -> list[dict[str, Any]]:
        """What it told of this event, in all its lives."""
        found = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            # One that was killed may have left half a line.
            with suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict) and told.get("event") == event:
                    found.append(told)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # It may be frozen, or dead. Where it is alive it ends as it is meant to, so that its coverage is written.
        self.thaw()
        try:
            self.stop()
        finally:
            self.kill()


def _living(group: int) -> list[int]:
    """The processes of a group that are not dead, whether or not anybody took notice."""
    living = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, pgrp = status.read_text().rpartition(") ")[2].split()[:3]
            if int(pgrp) == group and state not in "ZX":
                living.append(int(status.parent.name))
    return living
