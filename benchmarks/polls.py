"""What a poll costs: feedsvc beside nginx, which serves the same bytes from files, and beside what granian costs.

Usage: python benchmarks/polls.py [ROUNDS]

Without a round, it is only seen to that all servers answer as they should.

One feed of about 50 KB (8 KB gzipped), from `feedsvc serve` as anyone starts it. nginx has one worker, the same
bytes in files, compressed before, and the same headers. It is measured as Debian sets it up, and at its fastest:
with its files held open, and without sendfile, which is slow for small ones. `granian alone` is a WSGI function
that answers with ready-made bytes and looks at nothing: no WSGI application behind this server can cost less.

All run at once, and are asked in turns. The servers share one core, wrk has the other. A request costs the CPU
time of all processes of the server, as the kernel counts it, over the requests that wrk counts. 64 connections ask
at once unless it is said otherwise.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from figures import Figure
from floor import FEED
from servers import HOST, ask, cores, find, free_port, pinned, running
from synthetic import Newsroom, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from servers import Server

PAGE = "/feeds/all"
# So many make a feed of 50 KB, which is 8 KB when it is gzipped.
ARTICLES = 31
SECONDS = 2.0
SERVICE, FLOOR, NGINX, DEBIAN = "feedsvc", "granian alone", "nginx", "nginx as in Debian"
# By work, then by server.
Results: TypeAlias = dict[str, dict[str, Figure]]


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of request, from so many connections at once."""

    name: str
    path: str
    status: int = 200
    method: str = "GET"
    connections: int = 64

    def headers(self, server: Server) -> dict[str, str]:
        """Those of the request; a conditional one has the tag that this server gave."""
        accept = {"Accept-Encoding": "gzip"}
        if self.status != 304:
            return accept
        return accept | {"If-None-Match": ask(server.port, self.path, headers=accept).headers["etag"]}


WORKS = (
    Work("200 gzip", FEED),
    Work("304", FEED, 304),
    Work("HEAD", FEED, method="HEAD"),
    Work("200 gzip, page", PAGE),
    Work("200 gzip, 16 connections", FEED, connections=16),
    Work("304, 16 connections", FEED, 304, connections=16),
)


def missing() -> list[str]:
    """What is not installed, and what cannot be told without it."""
    lost = {"wrk": "NOTHING is measured", "nginx": "feedsvc is compared with NOTHING but granian alone"}
    return [
        f"{program} is NOT INSTALLED: {what} (Debian: {program})"
        for program, what in lost.items()
        if not find(program)
    ]


def measure(rounds: int = 5, seconds: float = SECONDS) -> Results:
    """Every kind of work, asked of every server in turns; nothing without wrk."""
    if not find("wrk"):
        return {}
    figures: Results = {work.name: {} for work in WORKS}
    with servers() as all_, pinned(cores()[1]):
        check(all_)
        for server in all_:
            _load(WORKS[0], server, 1)
        runs = [
            (work, server, _load(work, server, seconds))
            for _ in range(rounds)
            for work in WORKS
            for server in all_
        ]
        for work in WORKS:
            for server in all_:
                its = [figure for each, by, figure in runs if each is work and by is server]
                wall, cpu, p99 = zip(*its, strict=True)
                latency = p99 if work.method != "HEAD" else ()
                figures[work.name][server.name] = Figure(server.name, wall, cpu, p99=latency)
    return figures


def check(all_: list[Server]) -> None:
    """See to it that the servers really answer what is going to be measured."""
    for work in WORKS:
        for server in all_:
            answer = ask(server.port, work.path, work.method, work.headers(server))
            coding = answer.headers.get("content-encoding")
            if answer.status != work.status or (work.status == 200 and coding != "gzip"):
                sys.exit(f"{server.name} answers {work.name} with {answer.status}, {coding}")


@contextmanager
def servers() -> Iterator[list[Server]]:
    """All that can be measured here, up."""
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        # nginx gives up its rights, and reads the files as nobody.
        root = Path(made)
        root.chmod(0o755)
        make_articles(root / "articles")
        port = free_port()
        command = [sys.executable, "-m", "feedsvc", "serve", "--articles", "articles", "--port", str(port)]
        service = stack.enter_context(running(SERVICE, command, port, root))
        port = free_port()
        command = [sys.executable, str(Path(__file__).with_name("floor.py")), str(port), str(service.port)]
        all_ = [service, stack.enter_context(running(FLOOR, command, port, root))]
        if nginx := find("nginx"):
            for name, fast in ((NGINX, True), (DEBIAN, False)):
                port = free_port()
                config = _configure_nginx(root / name, port, service, fast=fast)
                command = [nginx, "-p", str(root), "-e", "stderr", "-c", str(config)]
                all_.append(stack.enter_context(running(name, command, port, root)))
        yield all_


def make_articles(directory: Path) -> None:
    """Write what makes feeds of about 50 KB."""
    newsroom = Newsroom(topics=8, providers=12)
    for number in range(ARTICLES):
        at = datetime(2021, 1, 1, tzinfo=UTC) + number * timedelta(hours=9)
        story = newsroom.story(number, at)
        # What is related to it would double the feed.
        story.related = ()
        write(directory, story, at)


def _configure_nginx(directory: Path, port: int, service: Server, *, fast: bool) -> Path:
    """Put what the service serves into files, and write a configuration that serves them with the same headers."""
    headers: Mapping[str, str] = {}
    for path in (PAGE, FEED):
        for coding, ending in (("identity", ""), ("gzip", ".gz")):
            answer = ask(service.port, path, headers={"Accept-Encoding": coding})
            file = directory / f"www{path}{ending}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(answer.body)
            headers = answer.headers
    own = {"etag", "last-modified", "vary", "date", "server", "connection"}
    added = "".join(
        f"add_header {name} '{value}';\n"
        for name, value in headers.items()
        if name not in own and not name.startswith("content-")
    )
    speed = "sendfile off; open_file_cache max=100;" if fast else "sendfile on; tcp_nopush on;"
    paths = "".join(f"{kind}_temp_path temp;\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = directory / "nginx.conf"
    config.write_text(
        f"worker_processes 1; daemon off; pid '{directory}/pid';\n"
        "events { worker_connections 768; }\n"
        "http {\n"
        f"access_log off; keepalive_requests 1000000000; {speed}\n"
        "gzip_static on; gzip_vary on; etag on; if_modified_since before;\n"
        f"types {{ application/atom+xml atom; }} default_type text/html; charset utf-8;\n{paths}{added}"
        f"server {{ listen {HOST}:{port}; root '{directory}/www'; }}\n"
        "}\n",
        "utf-8",
    )
    return config


def _load(work: Work, server: Server, seconds: float) -> tuple[float, float, float]:
    """Wall and CPU seconds a request, and the 99th percentile of the latency."""
    ask_all = _ask_heads if work.method == "HEAD" else _ask_with_wrk
    headers = work.headers(server)
    begin, begin_cpu = time.perf_counter(), server.cpu()
    requests, p99 = ask_all(work, server.port, headers, seconds)
    return (time.perf_counter() - begin) / requests, (server.cpu() - begin_cpu) / requests, p99


def _ask_with_wrk(work: Work, port: int, headers: Mapping[str, str], seconds: float) -> tuple[int, float]:
    """Requests answered, and the 99th percentile of their latency in seconds."""
    command = ["wrk", "-t1", f"-c{work.connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
    command.append("--latency")
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(f"http://{HOST}:{port}{work.path}")
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests = re.search(r"(\d+) requests in", told)
    p99 = re.search(r"99%\s+([0-9.]+)(us|ms|s)", told)
    if not requests or not p99 or "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"wrk fails:\n{told}")
    return int(requests[1]), float(p99[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[p99[2]]


def _ask_heads(work: Work, port: int, headers: Mapping[str, str], seconds: float) -> tuple[int, float]:
    """The same without wrk, which waits for the bodies that answers to HEAD tell of; without latencies."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"{work.method} {work.path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n{lines}\r\n".encode()
    requests = 0
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection((HOST, port))) for _ in range(work.connections)]
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            for each in sockets:
                each.sendall(request)
            for each in sockets:
                answer = each.recv(65536)
                while not answer.endswith(b"\r\n\r\n"):
                    more = each.recv(65536)
                    if not more:
                        sys.exit("a server ends connections")
                    answer += more
            requests += len(sockets)
    return requests, 0.0


def table(results: Results) -> str:
    """A line for each work and server: medians with least and most, and the service as a multiple of it."""
    lines = [f"{'':40} {'us CPU':>7} {'least':>7} {'most':>7} {'p99 ms':>7}   feedsvc / it: CPU, p99"]
    for work, figures in results.items():
        lines.append(work)
        own = figures[SERVICE]
        for name, figure in figures.items():
            cpu = [each * 1e6 for each in (figure.middle_cpu, min(figure.cpu), max(figure.cpu))]
            p99 = f"{figure.middle_p99 * 1e3:7.2f}" if figure.p99 else f"{'':7}"
            ratios = f"{own.middle_cpu / figure.middle_cpu:15.2f}" if figure is not own else ""
            if figure.p99 and ratios:
                ratios += f" {own.middle_p99 / figure.middle_p99:8.2f}"
            lines.append(f"    {name:36} {cpu[0]:7.2f} {cpu[1]:7.2f} {cpu[2]:7.2f} {p99} {ratios}")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for loss in missing():
        print(loss)
    if not rounds:
        with servers() as all_:
            check(all_)
            print(f"{', '.join(server.name for server in all_)} answer as they should")
    elif results := measure(rounds):
        print(f"median of {rounds} runs of {SECONDS:.0f} s each")
        print(table(results))


if __name__ == "__main__":
    main()
