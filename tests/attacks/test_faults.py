"""Faults of the machine, under a real service: what its readers get, and what /health says."""

from __future__ import annotations

import http.client
import json
import os
import random
import resource
import shutil
import signal
import socket
import struct
import subprocess
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mounts import remount, small_disk
from needs import need
from replicas import Replica
from service import PATIENCE_SECONDS, TOKEN, running, wait_for
from support import ROOT, write_article

from attacks.sight import AUTHORIZED, is_well, over, polled, served, serving_process, shows, warns

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("unmeasured")
AREA = "Faults"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _two_articles(articles: Path) -> None:
    write_article(articles, "a.md", title="First")
    write_article(articles, "b.md", title="Other", webUrl="https://example.org/b")


def test_a_full_disk(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """Where the memory's disk is full, readers get every change, and health warns that none is kept; once there is
    room, all of it is kept, and a restart serves the same bytes.
    """
    with small_disk(tmp_path / "disk", "4m") as disk:
        flags = ("--store", f"sqlite:///{disk}/memory.db")
        with running(tmp_path, articles, *flags) as service:
            filler = disk / "filler"
            filler.write_bytes(bytes(shutil.disk_usage(disk).free))
            body = " ".join(str(random.random()) for _ in range(20_000))  # noqa: S311 - does not compress
            write_article(articles, "a.md", body, title="Second")
            assert service.reload()["ok"]
            assert shows(service, "Second")
            assert warns(service, "not kept over a restart")
            assert warns(service, "disk")
            filler.unlink()
            assert service.reload()["ok"]
            assert is_well(service)
            before = served(service)
        with running(tmp_path, articles, *flags, port=service.port) as again:
            assert served(again) == before
    tried("the memory's disk is full", 1, "every change is served; health warns that it is not kept, until it is")


def test_a_disk_that_can_only_be_read(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """A service that starts while its memory's disk is read-only serves the bytes of before, and what is new;
    health warns, until the disk can be written again.
    """
    with small_disk(tmp_path / "disk", "8m") as disk:
        flags = ("--store", f"sqlite:///{disk}/memory.db")
        with running(tmp_path, articles, *flags) as service:
            before = served(service)
        remount(disk, writable=False)
        with running(tmp_path, articles, *flags, port=service.port) as again:
            assert served(again) == before
            assert warns(again, "writable")
            write_article(articles, "a.md", title="Second")
            assert again.reload()["ok"]
            assert shows(again, "Second")
            remount(disk, writable=True)
            assert again.reload()["ok"]
            assert is_well(again)
    tried("the memory's disk is read-only", 1, "what was served and what is new is; health warns until it is not")


def test_no_more_files(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """Where idle connections have taken every file that the process may open, polls over connections that stand
    are answered, a reload fails and says why, and what was served is; once they are gone, all is as it was.
    """
    idle = 200
    with running(tmp_path, articles) as service, ExitStack() as held:
        before, process = served(service), serving_process(service)
        reader = held.enter_context(closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)))
        assert over(reader, "/feeds/all.atom").status == 200
        allowed = len(os.listdir(f"/proc/{process}/fd")) + 20  # noqa: PTH208 - only counted
        resource.prlimit(process, resource.RLIMIT_NOFILE, (allowed, allowed))
        waiting = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(idle)]
        wait_for(
            lambda: "many open files" in over(reader, "/admin/reload", "POST", **AUTHORIZED).body.decode(), "it"
        )
        for path, (status, body, _) in before.items():
            assert (over(reader, path).status, over(reader, path).body) == (status, body)
        report = json.loads(over(reader, "/health").body)
        assert (report["status"], "many open files" in report["output"]) == ("warn", True)
        for connection in waiting:
            connection.close()
        wait_for(lambda: service.reload()["ok"], "a reload over a new connection")
        assert served(service) == before
        assert is_well(service)
    tried(
        "every file that the process may open is an idle connection",
        idle,
        "who is connected polls on; then all do",
    )


def test_a_killed_process(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """Where the kernel kills the serving process, as for want of memory, another serves the same bytes and tags a
    moment later.
    """
    with running(tmp_path, articles) as service:
        before, process = served(service), serving_process(service)
        with polled(service) as heard:
            os.kill(process, signal.SIGKILL)
            wait_for(lambda: serving_process(service) not in {0, process}, "another process")
            wait_for(service.is_ready, "it to serve")
        assert {each for each in heard if isinstance(each, int)} <= {200}
        assert served(service) == before
        assert is_well(service)
    tried("the serving process is killed", 1, "the same bytes and tags after a moment, from another process")


def test_a_clock_that_jumps(
    articles: Path, tmp_path: Path, tried: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is set forward publishes what is due by it, at the next interval. One that is set back takes
    nothing from readers, and edits are found by the interval all the same.
    """
    compiler = need("cc", "gcc libc6-dev")
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    source = ROOT / "tests/clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)

    def put(clock: timedelta) -> None:
        with offset.open("r+b" if offset.exists() else "wb") as stream:
            stream.write(struct.pack("l", int(clock.total_seconds())))

    put(timedelta(0))
    write_article(
        articles, "c.md", title="Due", webUrl="https://example.org/c",
        publishedDateTime=(datetime.now(UTC) + DAY / 2).isoformat(),
    )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setenv("CLOCK_OFFSET", str(offset))
        patch.setenv("LD_PRELOAD", str(library))
        with running(tmp_path, articles, "--reload-every", "1s") as service:
            assert not shows(service, "Due")
            put(DAY)
            wait_for(lambda: shows(service, "Due"), "what is due by then")
            before = served(service)
            put(-DAY)
            wait_for(lambda: service.health()["reloaded_at"] < datetime.now(UTC).isoformat(), "a reload since")
            assert served(service) == before
            write_article(articles, "a.md", title="Second")
            wait_for(lambda: shows(service, "Second"), "an edit to be found")
            assert shows(service, "Due")
            assert is_well(service)
    tried(
        "the clock is set forward by a day, and back by two", 2, "what is due is served, and stays; reloads go on"
    )


def test_a_database_without_a_name(
    articles: Path, tmp_path: Path, database: str, tried: Callable[..., None]
) -> None:
    """A replica whose database's host has no address any more serves what it did before; health warns, and nobody
    sees the password.
    """
    with Replica(tmp_path, "one", "both", database, articles) as replica:
        wait_for(lambda: replica.is_ready() and is_well(replica), "the first generation")
        before = served(replica)
    nowhere = "postgresql://feedsvc:very-secret@nowhere.invalid/feedsvc"
    # As if it had had that name until now.
    name = blake2b(nowhere.encode(), digest_size=4).hexdigest()
    for kept in (tmp_path / "cache-one").iterdir():
        kept.rename(kept.with_name(f"replica-{name}-{kept.name.split('-', 2)[2]}"))
    with Replica(tmp_path, "one", "both", nowhere, articles) as replica:
        wait_for(lambda: replica.is_ready() and warns(replica, "nowhere.invalid"), "a warning")
        assert served(replica) == before
        answer = replica.ask("/admin/reload", "POST", **AUTHORIZED)
        assert answer.status == 503
        told = replica.ask("/health").body + answer.body + replica.ask("/metrics").body + replica.log.read_bytes()
        assert b"secret" not in told
    tried("the database's host has no address", 1, "what was served is; health warns; the password is nowhere")


def test_signals(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """Signals that are not meant to end it do not. SIGHUP has the serving process replaced by one that serves the
    same, and is there first: the port is never closed, though who had connected to the old one a moment before its
    end may have to connect again.
    """
    dice = random.Random(1)  # noqa: S311 - dice
    signals = (signal.SIGHUP, signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGURG, signal.SIGPIPE)
    with running(tmp_path, articles) as service:
        before, process = served(service), serving_process(service)
        with polled(service) as heard:
            for _ in range(1000):
                for each in (service.process.pid, process):
                    # Until it is replaced.
                    if Path(f"/proc/{each}").exists():
                        os.kill(each, dice.choice(signals))
                time.sleep(0.001)
            wait_for(lambda: not Path(f"/proc/{process}").exists(), "the first process to be replaced")
        closed = [
            each for each in heard if isinstance(each, http.client.RemoteDisconnected | ConnectionResetError)
        ]
        assert {each for each in heard if each not in closed} == {200}
        assert len(closed) <= 3
        assert service.process.poll() is None
        assert served(service) == before
    tried(
        "signals at random: SIGHUP, SIGCHLD, SIGWINCH, SIGPIPE …",
        2000,
        "readers are answered on; SIGHUP replaces the serving process",
    )


def test_reloads_by_the_thousand(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """Of a thousand who ask for a reload at once, each is answered, by its result or by when to come again;
    whoever polls meanwhile is answered.
    """
    number = 1000
    request = (
        f"POST /admin/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    )
    with running(tmp_path, articles) as service:
        with polled(service) as heard, ExitStack() as held:
            asking = [
                held.enter_context(socket.create_connection(("127.0.0.1", service.port), PATIENCE_SECONDS))
                for _ in range(number)
            ]
            for each in asking:
                each.sendall(request.encode())
            answers = [each.makefile("rb").read() for each in asking]
        statuses = [int(answer.split()[1]) for answer in answers]
        assert set(statuses) <= {200, 503}
        assert statuses.count(200) > 0
        assert all(b"retry-after:" in each.lower() for each in answers if b" 503 " in each[:20])
        assert set(heard) == {200}
        assert is_well(service)
    tried("reloads at once, with the token", number, "200, or 503 with `Retry-After`; polls go on")
