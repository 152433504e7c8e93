"""Requests that no reader makes, to the port of a real service."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from front import fronting, serving_process
from service import PATIENCE_SECONDS, TOKEN, Service, command, environment, free_port, running, wait_for
from support import ROOT, SEEDS, write_article

from feedsvc.stalls import cut_off_who_takes_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AREA = "HTTP"
EVIL = "evil.example"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The seeds, served."""
    with running(tmp_path_factory.mktemp("requests"), SEEDS) as service:
        yield service


def connect(port: int, patience: float = 20) -> socket.socket:
    """A connection to a port of this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=patience)


def send(port: int, request: bytes) -> bytes:
    """What is answered to these bytes, until the connection is closed, or nothing more comes."""
    with connect(port) as connection:
        found = b""
        with suppress(ConnectionError):
            connection.sendall(request)
        with suppress(ConnectionError, TimeoutError):
            while chunk := connection.recv(65536):
                found += chunk
                # What more there is to say to what was sent is said at once.
                connection.settimeout(0.3)
        return found


def statuses(answer: bytes) -> list[int]:
    """The status of each answer in these bytes."""
    return [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def get(path: str, *headers: str) -> bytes:
    """A request."""
    lines = [f"GET {path} HTTP/1.1", *(headers or ("Host: x",)), "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


# Each as it stands in the request line.
PATHS = (
    "/../etc/passwd",
    "/feeds/../../etc/passwd",
    "/feeds/..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/feeds/all.atom%00",
    "/feeds/all%00.atom",
    "/%00",
    "/feeds/all%0d%0a.atom",
    "/feeds/all%c2%85.atom",
    "/feeds/..;/health",
    "/feeds/%5c..%5cx",
    "//feeds//all.atom",
    "/feeds/%c0%ae%c0%ae/x",
    "/feeds/%u002e%u002e/x",
    "/feeds/all.atom/..",
    "/%ff%fe",
    "/feeds/%",
    "/feeds/all.atom%0d%0aX-Injected:%20yes",
    "/topics/%0aSet-Cookie:a=b",
    "/topics/" + "a" * 6000,
    "/" + "../" * 500,
    "/.git/config",
    "/.env",
    "/feedsvc.db",
    "/seeds/",
    "/config/feedsvc.yaml",
    "/static/../feedsvc/cli.py",
    # Accents to be put in order, which once took all other requests' time.
    "/topics/a" + ("\u0300\u0327" * 7000).encode().decode("latin-1"),
)


def test_paths_that_lead_out_lead_nowhere(service: Service, tried: Callable[..., None]) -> None:
    """Whatever a path tries, it is no path of ours: 404 in few words, or where it is no request, 400."""
    for path in PATHS:
        head, _, body = send(service.port, get(path)).partition(b"\r\n\r\n")
        assert set(statuses(head)) <= {400, 404}, (path, head)
        assert b"x-injected" not in head.lower()
        assert b"set-cookie" not in head.lower()
        assert len(body) < 200
    tried("paths that lead out: `..`, escaped, overlong, NUL, line ends", len(PATHS), "404, or 400")


# What tells a browser to be careful, by where it is told.
_GUESS_NOTHING = {"x-content-type-options": "nosniff"}
_OF_A_PAGE = _GUESS_NOTHING | {"referrer-policy": "strict-origin-when-cross-origin"}
CAREFUL = {
    "/": _OF_A_PAGE, "/feeds/all": _OF_A_PAGE, "/feeds/all.atom": _GUESS_NOTHING, "/feeds/all.rss": _GUESS_NOTHING,
    "/feeds/all.json": _GUESS_NOTHING, "/feeds/all/archive/1.atom": _GUESS_NOTHING, "/feeds.opml": _GUESS_NOTHING,
    "/FEEDS/all.atom": _GUESS_NOTHING, "/nothing": _GUESS_NOTHING, "/health": _GUESS_NOTHING,
    "/metrics": _GUESS_NOTHING,
}  # fmt: skip
_TOLD = {"x-content-type-options", "referrer-policy", "strict-transport-security", "x-robots-tag"}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_browsers_are_told_to_be_careful(tmp_path: Path, scheme: str, tried: Callable[..., None]) -> None:
    """Nothing is taken for what it is not, pages let no script but ours run, nobody frame them, and no form send
    anything; over https, who came once comes by it for a year. Feed readers are told nothing of that.
    """
    with running(tmp_path, SEEDS, "--base-url", f"{scheme}://feeds.example.org") as service:
        for path, expected in CAREFUL.items():
            answer = service.ask(path)
            is_page = expected is _OF_A_PAGE
            secure = {"strict-transport-security": "max-age=31536000"} if is_page and scheme == "https" else {}
            told = {name: value for name, value in answer.headers.items() if name in _TOLD}
            assert told == expected | secure, path
            policy = dict(
                each.strip().split(" ", 1)
                for each in answer.headers.get("content-security-policy", "").split(";")
                if each
            )
            assert bool(policy) == is_page, path
            if is_page:
                assert {
                    policy[name] for name in ("default-src", "base-uri", "form-action", "frame-ancestors")
                } == {"'none'"}
                assert not any("unsafe" in each or "*" in each for each in policy.values())
                assert re.fullmatch(r"'sha256-[^' ]+'", policy["script-src"])
    tried(f"what browsers are told by pages, feeds, errors and redirects, {scheme}", len(CAREFUL), "what is right")


def test_the_host_header_reaches_nothing(service: Service, tried: Callable[..., None]) -> None:
    """Whatever a client calls us, no document, redirect or error says it."""
    hosts = (
        (f"Host: {EVIL}",),
        ("Host: x", f"X-Forwarded-Host: {EVIL}"),
        ("Host: x", f"Forwarded: host={EVIL};proto=https"),
        ("Host: x", f"X-Forwarded-Server: {EVIL}", f"X-Original-URL: https://{EVIL}/", f"X-Rewrite-URL: /{EVIL}"),
        (f"Host: {EVIL}:80@x",),
        ("Host: x", f"Host: {EVIL}"),
    )
    paths = ("/feeds/all.atom", "/topics/AI", "/", "/feeds.opml", "/nothing", "/feeds/all.atom/", "/health")
    for headers in hosts:
        for path in paths:
            answer = send(service.port, get(path, *headers))
            assert statuses(answer)
            assert EVIL.encode() not in answer, (headers, path)
    # As RFC 9112 §3.2.2 has it, and as a proxy would be asked.
    assert EVIL.encode() not in send(service.port, get(f"http://{EVIL}/topics/AI"))
    tried(
        "another host, in Host, X-Forwarded-Host, Forwarded and others",
        len(hosts) * len(paths) + 1,
        "said nowhere",
    )


def test_names_inject_no_headers(tmp_path: Path, tried: Callable[..., None]) -> None:
    """Line ends in names of topics and providers, of articles and of the site, end no header."""
    articles = tmp_path / "articles"
    names = [
        f"A{end}Set-Cookie: a=b{end}{end}<script>"
        for end in ("\\r\\n", "\\n", "\\r", "\\u2028", "\\x85", "%0d%0a")
    ]
    for number, name in enumerate(names):
        write_article(
            articles,
            f"{number}.md",
            title=f'"{name}"',
            webUrl=f"https://example.org/{number}",
            topics=f'["{name}"]',
            provider=f'{{name: "{name}", domain: "{name}"}}',
        )
    flags = tmp_path / "feedsvc.yaml"
    flags.write_text(f'site: {{title: "{names[0]}", description: "{names[1]}"}}\n', "utf-8")
    with running(tmp_path, articles, "--config", str(flags)) as service:
        opml = service.ask("/feeds.opml").body.decode()
        paths = [part.split('"')[0].removeprefix(service.base_url) for part in opml.split('xmlUrl="')[1:]]
        paths += ["/", "/feeds/all", "/topics/A%0d%0aSet-Cookie:%20a=b"]
        assert len(paths) > len(names)
        for path in paths:
            head, _, _ = send(service.port, get(path)).partition(b"\r\n\r\n")
            assert statuses(head)
            assert all(not line.lower().startswith(b"set-cookie") for line in head.split(b"\n")), path
    tried("line ends in the names of topics, providers and the site", len(paths), "no header more")


def test_requests_are_not_smuggled(service: Service, tried: Callable[..., None]) -> None:
    """A request whose length can be read in two ways is one that everybody reads as we do, or none: what stands in
    its body is never answered as a request of its own before the connection is closed.
    """
    inner = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    post = b"POST /feeds/all.atom HTTP/1.1\r\nHost: x\r\n"
    bodies = (
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + inner,
        b"Content-Length: +5\r\n\r\n" + inner,
        b"Content-Length: 0x5\r\n\r\n" + inner,
        b"Content-Length: -1\r\n\r\n" + inner,
        b"Content-Length: 99999999999999999999999\r\n\r\n" + inner,
        b"Content-Length : 5\r\n\r\n" + inner,
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n" + inner,
        b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + inner,
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + inner,
        b"Content-Length: %d\r\n\r\n" % len(inner) + inner,
        b"\x00: y\r\n\r\n" + inner,
        b"X\x01: y\r\n\r\n" + inner,
        b": y\r\n\r\n" + inner,
    )
    for body in bodies:
        answer = send(service.port, post + body)
        assert statuses(answer)[0] in {400, 405}, (body, answer[:200])
        assert b'"pass"' not in answer, (body, answer)
    tried("bodies whose length can be read in two ways", len(bodies), "400, or 405 and the connection closed")


def test_bytes_that_are_no_request(service: Service, tried: Callable[..., None]) -> None:
    """Whatever comes instead of a request, it is 400 or the end, and the next client is answered."""
    starts = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1 HTTP/1.1\r\n\r\n",
        b"GET  /  HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\r\n" * 5000,
        b"\x00" * 5000,
        b"A" * 5000,
        b"GET / HTTP/1.1\nHost: x\nX\n\n",
        b"SSH-2.0-x\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: x\r\nCookie: secret\r\n\r\n",
        b"FOO /feeds/all.atom HTTP/1.1\r\nHost: x\r\n\r\n",
        b"DELETE /feeds/all.atom HTTP/1.1\r\nHost: x\r\n\r\n",
        b"* / HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    for start in starts:
        answer = send(service.port, start)
        assert set(statuses(answer)) <= {400, 404, 405, 505}, (start, answer[:200])
        assert b"secret" not in answer
        assert service.ask("/health/live").status == 200
    tried("bytes that are no HTTP, other methods, other protocols", len(starts), "400, 404, 405 or closed")


def test_large_requests_are_refused(service: Service, tried: Callable[..., None]) -> None:
    """A request line or headers of more than 64 KiB, or more than a hundred of them, are refused, and not kept;
    a body is not read.
    """
    large = (
        get("/" + "a" * 70_000),
        get("/feeds/all.atom", "Host: x", "X: " + "a" * 70_000),
        get("/feeds/all.atom", "Host: x", *(f"X{number}: a" for number in range(200))),
        get("/feeds/all.atom", "Host: x", "Accept-Encoding: " + "br," * 20_000),
        get("/feeds/all.atom", "Host: x", "If-None-Match: " + '"x",' * 20_000),
    )
    found = [statuses(send(service.port, request)) for request in large]
    # Where more is sent than is read, the system may drop the answer; of the many headers, none is.
    assert {431} == {status for each in found for status in each}
    assert found[2] == [431]
    begin = b"POST /admin/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n"
    assert statuses(send(service.port, begin + b"x" * 100_000)) == [401]
    tried(
        "request lines, headers and bodies that are too large",
        len(large) + 1,
        "431 or closed; bodies are not read",
    )


def test_ranges_are_ignored(service: Service, tried: Callable[..., None]) -> None:
    """Whoever asks for a part gets the whole (RFC 9110 §14.2), once, however many parts are named."""
    whole = service.ask("/feeds/all.atom").body
    ranges = (
        "bytes=0-0",
        "bytes=-1",
        "bytes=5-",
        "bytes=0-1,2-3",
        "bytes=" + ",".join(["0-"] * 1300),
        "x=1",
        "bytes=9-1",
    )
    for each in ranges:
        answer = service.ask("/feeds/all.atom", Range=each)
        assert (answer.status, answer.body) == (200, whole)
        assert "content-range" not in answer.headers
    tried("Range, also a thousand at once", len(ranges), "the whole, once")


def test_slow_clients_starve_nobody(service: Service, tried: Callable[..., None]) -> None:
    """While 500 clients send their request a byte now and then, or none, others are answered; after ten seconds,
    who has not sent a whole request is cut off.
    """
    with ExitStack() as opened:
        slow = [opened.enter_context(connect(service.port)) for _ in range(500)]
        for number, each in enumerate(slow):
            each.sendall(get("/feeds/all.atom")[: number % 30])
        begin = time.monotonic()
        answered = 0
        while time.monotonic() < begin + 3:
            for each in slow[answered % 50 :: 50]:
                with suppress(ConnectionError):
                    each.sendall(b"a")
            assert service.ask("/feeds/all.atom").status == 200
            answered += 1
        assert answered > 50
        for each in slow:
            with suppress(ConnectionError):
                while each.recv(4096):
                    pass
        assert 8 < time.monotonic() - begin < 20
    tried(
        "clients that send a request a byte at a time", len(slow), "others answered meanwhile; cut off after 10 s"
    )


def test_who_takes_nothing_is_cut_off(tried: Callable[..., None]) -> None:
    """A client that asks for much and reads nothing holds its connection for a while, and not for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        cut_off_who_takes_nothing(port, seconds=1)
        option = socket.TCP_USER_TIMEOUT
        wait_for(lambda: listening.getsockopt(socket.IPPROTO_TCP, option) == 1000, "the bound to be set")
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        with client:
            client.connect(("127.0.0.1", port))
            served, _ = listening.accept()
            with served:
                served.settimeout(20)
                with pytest.raises(TimeoutError) as caught:
                    served.sendall(bytes(100_000_000))
                # The system's own, and not that of the test.
                assert caught.value.errno is not None
    tried("a client that takes nothing, of a socket bounded as the service's", 1, "cut off after 30 s (here: 1 s)")


def test_nginx_bounds_what_an_address_takes(tmp_path: Path, articles: Path, tried: Callable[..., None]) -> None:
    """Behind nginx, an address that asks for much and takes nothing of it has a hundred answers waiting at most;
    others are answered.
    """
    for number in range(50):
        body = base64.b64encode(os.urandom(100_000)).decode()
        write_article(articles, f"{number}.md", body, title=number, webUrl=f"https://example.org/{number}")
    with ExitStack() as stack:
        service = stack.enter_context(running(tmp_path, articles))
        front = stack.enter_context(fronting(tmp_path, [service, service]))
        assert len(front.ask("/feeds/all.rss").body) > 5_000_000
        greedy = []
        for _ in range(130):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.settimeout(PATIENCE_SECONDS)
            client.connect(("127.0.0.1", front.port))
            client.sendall(get("/feeds/all.rss"))
            greedy.append(client)
        for _ in range(50):
            stack.enter_context(connect(front.port))
        found = Counter(client.recv(12)[9:12] for client in greedy)
        assert found == {b"200": 100, b"429": 30}
        with socket.create_connection(("127.0.0.1", front.port), source_address=("127.0.0.2", 0)) as other:
            other.sendall(get("/topics/ai.rss"))
            assert other.recv(12)[9:12] == b"200"
        both = (
            b"POST /feeds/all.atom HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert statuses(send(front.port, both + b"\r\n0\r\n\r\n"))[0] in {400, 405}
    tried("clients of nginx, of one address, that take nothing", len(greedy), "100 wait, 429; others are answered")


def test_wrong_tokens_are_refused(tmp_path: Path, tried: Callable[..., None]) -> None:
    """Whoever guesses tokens gets five tries a minute, and the right one is none then; no try is logged."""
    guesses = [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer \xff\xfe",
    ]
    with running(tmp_path, SEEDS, port=free_port()) as service:
        found = [service.ask("/admin/reload", "POST", Authorization=guess) for guess in guesses]
        assert [answer.status for answer in found] == [401] * 5 + [429] * 2
        right = service.ask("/admin/reload", "POST", Authorization=f"Bearer {TOKEN}")
        assert right.status == 429
        assert 0 < int(right.headers["retry-after"]) <= 60
        assert service.ask("/admin/reload", "GET", Authorization=f"Bearer {TOKEN}").status == 405
        assert service.ask("/feeds/all.atom").status == 200
    assert TOKEN not in service.log.read_text("utf-8")
    tried("wrong tokens for the admin route", len(guesses), "401 five times, then 429 for a minute")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_admin_has_an_address_of_its_own(tmp_path: Path, workers: str, tried: Callable[..., None]) -> None:
    """Where one is configured, the port that everybody asks has no admin route, whoever asks; there, it has one,
    and all the rest; `feedsvc reload` finds it.
    """
    port = free_port()
    flags = tmp_path / "feedsvc.yaml"
    flags.write_text(f"admin: {{listen: '127.0.0.1:{port}'}}\nstore: {{cache: {tmp_path}}}\n", "utf-8")
    with running(tmp_path, SEEDS, "--config", str(flags), "--workers", workers) as service:
        # Each of the workers may answer.
        wait_for(lambda: all(service.ask("/nothing").status == 404 for _ in range(20)), "all to be ready")
        never = service.ask("/admin/nothing", "POST")
        for name in ("", f"Bearer {TOKEN}", "Bearer x"):
            answer = service.ask("/admin/reload", "POST", Authorization=name)
            assert (answer.status, answer.body) == (404, never.body)
        own = Service(port, service.process, service.log)
        assert own.ask("/admin/reload", "POST", Authorization="Bearer x").status == 401
        # From a client that sends nothing, nobody else waits; and of hundreds, readers feel nothing.
        with connect(port):
            assert own.reload()["http_status"] == 200
        with ExitStack() as opened:
            for _ in range(300):
                opened.enter_context(connect(port))
            assert service.ask("/feeds/all.atom").status == 200
            files = Path(f"/proc/{serving_process(service)}/fd") if workers == "1" else None
            assert files is None or len(list(files.iterdir())) < 150
        assert own.ask("/feeds/all.atom").body == service.ask("/feeds/all.atom").body
        assert "erkzeug" not in str(own.ask("/health").headers)
        done = subprocess.run(
            command("reload", "--config", str(flags)),
            cwd=ROOT,
            env=environment(FEEDSVC_ADMIN_TOKEN=TOKEN),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.startswith("reloaded in "), done.stderr
    if workers == "1":
        tried("admin requests to the public port, where admin has its own", 3, "the 404 of what never was")


def refused(tmp_path: Path, port: int, listen: str) -> str:
    """What a service says that does not start, with this address for admin requests."""
    done = subprocess.run(
        command("serve", "--articles", str(SEEDS), "--port", str(port)),
        cwd=ROOT,
        env=environment(FEEDSVC_ADMIN_LISTEN=listen, FEEDSVC_STORE_URL=f"sqlite:///{tmp_path}/memory.db"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.strip()


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """It is said at the start which one is, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = refused(tmp_path, free_port(), f"127.0.0.1:{taken.getsockname()[1]}")
    assert told.endswith("stop what runs there, or choose another with admin.listen")
    port = free_port()
    assert refused(tmp_path, port, f"127.0.0.1:{port}").endswith("choose another port for it")


def test_an_address_without_a_token_is_told_of(tmp_path: Path) -> None:
    """An address for admin requests, at which nobody can make one, is hardly meant."""
    log, port = tmp_path / "service.log", free_port()
    settings = {"FEEDSVC_ADMIN_LISTEN": f"127.0.0.1:{free_port()}", "FEEDSVC_ADMIN_TOKEN": ""}
    with log.open("w") as stream:
        arguments = command("serve", "--articles", str(SEEDS), "--port", str(port))
        process = subprocess.Popen(
            arguments, cwd=ROOT, env=environment(**settings), stdout=stream, stderr=stream, text=True
        )
    try:
        wait_for(Service(port, process, log).is_ready, "the service to be ready")
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
    assert "admin.listen is set, and no token" in log.read_text("utf-8")


def test_greedy_clients_are_told_to_wait(tmp_path: Path, tried: Callable[..., None]) -> None:
    """Who fetches the same bytes over and over is told to wait; a reader that asks every quarter of an hour and
    never on a condition, or as often as it likes with one, and everybody else is answered. What a client says of
    itself before the proxy's own word counts for nothing, nor does another address of its IPv6 network.
    """
    flags = tmp_path / "feedsvc.yaml"
    flags.write_text("http: {trusted_proxies: [127.0.0.1]}\n", "utf-8")
    with running(tmp_path, SEEDS, "--config", str(flags)) as service:
        for greedy, same in (("203.0.113.9", "8.8.8.8, 203.0.113.9"), ("2001:db8::1", "2001:db8::2:1")):
            found = [service.ask("/feeds/all.atom", X_Forwarded_For=greedy) for _ in range(70)]
            assert [answer.status for answer in found] == [200] * 60 + [429] * 10
            assert 0 < int(found[-1].headers["retry-after"]) <= 3600
            assert service.ask("/feeds/all.atom", X_Forwarded_For=same).status == 429
            tag = found[0].headers["etag"]
            for _ in range(100):
                polled = service.ask("/feeds/all.atom", X_Forwarded_For=greedy, If_None_Match=tag)
                assert polled.status == 304
            assert service.ask("/feeds/all.rss", X_Forwarded_For=greedy).status == 200
        assert service.ask("/feeds/all.atom", X_Forwarded_For="203.0.113.10").status == 200
        for _ in range(70):
            assert service.ask("/feeds/all.atom").status == 200
        metrics = service.ask("/metrics").body.decode()
        assert 'status="429"' in metrics
    tried("the same feed without a condition, over and over", 140, "200 for 60 times an hour, then 429")
