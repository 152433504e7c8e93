"""Private feeds: who has no token, the wrong one, or one of another feed, learns nothing of them."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from front import fronting
from replicas import Replica
from service import TOKEN, Service, begin, command, environment, free_port, wait_for
from support import ROOT, front_matter

from feedsvc.documents.snapshot import PRIVATE_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support import Answer

AREA = "Private"
CANARY = "kanarienvogel"
CODINGS = ("br", "gzip", "identity")
ENDINGS = (".atom", ".rss", ".json")
CONFIGURATION = """
feeds: {changes: true, tombstones: true, entries: 2}
topics:
  Kanarienvogel secret: {access: private, slug: secret}
  Once: {alias: Kanarienvogel secret}
  Other: {access: private}
  Kanarienvogel gone: {access: private, retired: true}
  Parent: {rollup: true}
  Child: {access: private, parent: Parent}
providers:
  Kanarienvogel press: {access: private, slug: press}
"""
# What could have shown that there is something.
PATHS = tuple(
    f"{place}{ending}"
    for place in (
        "/topics/secret", "/topics/once", "/topics/other", "/topics/SECRET", "/topics/kanarienvogel%20secret",
        "/topics/kanarienvogel-gone", "/topics/kanarienvogel%20gone", "/topics/child", "/providers/press",
        "/providers/kanarienvogel%20press", "/providers/kanarienvogel.example", "/topics/secret/archive/1",
        "/topics/secret/part/2", "/private/topics/secret", "/private//topics/secret", "/private/x/topics/secret",
        "/private/%00/topics/secret", "/private/%ff/topics/secret", "/private/../topics/secret",
    )
    for ending in ("", *ENDINGS)
)  # fmt: skip


def write(articles: Path, name: str, **fields: object) -> None:
    """Write an article."""
    values: dict[str, object] = {"webUrl": f"https://example.org/{name}", **fields}
    (articles / f"{name}.md").write_text(front_matter(**values), "utf-8")


def fill(articles: Path) -> None:
    """Public articles, two of which name a private one; and private ones of each kind."""
    coverage = f"[{{title: Coverage, webUrl: 'https://example.org/{CANARY}-1'}}]"
    for number in range(5):
        write(articles, f"public-{number}", title=f"Public {number}", related=coverage, topics="[AI]")
    private = {
        "topics": (
            "[AI, Once, Kanarienvogel elsewhere]",
            "[Other]",
            "[Kanarienvogel gone, AI]",
            "[Child]",
            "[AI]",
        ),
    }
    for number, topics in enumerate(private["topics"], 1):
        provider = "Kanarienvogel press" if topics == "[AI]" else "Example"
        write(
            articles,
            f"{CANARY}-{number}",
            title=f"Kanarienvogel {number}",
            topics=topics,
            provider=f"{{name: {provider}, domain: kanarienvogel.example}}",
        )


def tokens(store: str, articles: Path, *arguments: str) -> list[str]:
    """What `feedsvc tokens …` prints."""
    done = subprocess.run(
        command("tokens", *arguments),
        cwd=ROOT,
        env=environment(FEEDSVC_STORE_URL=store, FEEDSVC_ARTICLES=str(articles)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [line.removeprefix("http://localhost:8080") for line in done.stdout.splitlines()]


@contextmanager
def serving(directory: Path, articles: Path, store: str) -> Iterator[Service]:
    """A service of these articles, with this memory."""
    configuration = directory / "private.yaml"
    configuration.write_text(CONFIGURATION, "utf-8")
    port = free_port()
    log = directory / "service.log"
    flags = ("--articles", str(articles), "--store", store, "--config", str(configuration))
    process = begin(port, log, *flags, FEEDSVC_STORE_CACHE=str(directory / "cache"))
    try:
        service = Service(port, process, log)
        wait_for(service.is_ready, "the service to be ready")
        yield service
    finally:
        process.terminate()
        process.wait(20)


def told(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer but its date."""
    return answer.status, answer.body, {name: each for name, each in answer.headers.items() if name != "date"}


def linked(service: Service) -> dict[str, dict[str, Answer]]:
    """All that anything public leads to, from the list of feeds on, in each coding."""
    found: dict[str, dict[str, Answer]] = {}
    waiting = ["/", "/feeds.opml", "/changes.atom", "/health", "/metrics", "/health/ready", "/nothing"]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = {coding: service.ask(path, Accept_Encoding=coding) for coding in CODINGS}
        body = found[path]["identity"].content.decode()
        waiting += re.findall(rf"{re.escape(service.base_url)}(/[^\"'<>\\ ]*)", body)
    return found


@pytest.fixture
def service(tmp_path: Path, articles: Path, url: str) -> Iterator[Service]:
    """A service with private feeds, on each kind of database."""
    fill(articles)
    with serving(tmp_path, articles, url) as service:
        yield service


def test_nothing_private_is_public(service: Service, tried: Callable[..., None]) -> None:
    """Whatever is served without a token, in every coding, no word of a private article or of its feeds is in it;
    what leads there is an address like any that never was, by whatever method.
    """
    wait_for(lambda: service.ask("/topics/ai/archive/1.atom").status == 200, "the archives")
    found = linked(service)
    for path, answers in found.items():
        for answer in answers.values():
            assert CANARY not in (answer.content.decode() + repr(answer.headers)).lower(), path
    # It went through feeds, archives and pages.
    assert found.keys() >= {"/topics/ai.json", "/topics/ai/archive/1.atom", "/topics/ai", "/changes.atom"}
    assert all(PRIVATE_PATHS not in path for path in found)
    nothing = {
        method: told(service.ask("/topics/never-was.atom", method))
        for method in ("GET", "HEAD", "OPTIONS", "POST")
    }
    assert {each[0] for each in nothing.values()} == {404}
    for path in PATHS:
        for method, expected in nothing.items():
            assert told(service.ask(path, method)) == expected, (method, path)
    tried("a private article looked for in every public answer, in each coding", len(found) * 3, "not in any")
    tried("addresses that a private feed could have", len(PATHS) * len(nothing), "the same 404 as what never was")


def test_what_could_be_private_is_not_public(service: Service, articles: Path, tried: Callable[..., None]) -> None:
    """An article whose file means a private feed, but does not say so as it is configured, is nowhere."""
    name = "Kanarienvogel secret"
    unclear: list[dict[str, object]] = [
        {"topics": f"[{name}: draft]"},
        {"topics": f"{{{name}: 1}}"},
        {"topics": f"AI, {name}"},
        {"topics": f"[{', '.join(f'T{number}' for number in range(60))}, {name}]"},
        {"topics": f"[{name}]\ntopics: [AI]"},
        {"topics": None, "topic": name},
        {"topics": None, "Topics": f"[{name}]"},
        {"topics": None, "provider": f"{{name: Example, topics: [{name}]}}"},
        {"topics": f"['{''.join(chr(ord(char) + 0xFEE0) if char > ' ' else char for char in name)}']"},
        {"topics": f"['#{name}']"},
        {"topics": f"['\"{name}\"']"},
        {"provider": "[Kanarienvogel press]"},
        {"provider": "{name: [Kanarienvogel press]}"},
        {"provider": "{name: Kanarienvogel\u200b press}"},
        {"provider": "{name: 'Kanarienvogel press, Ltd'}"},
    ]
    unclear += [
        {"topics": f"['Kana{unseen}rienvogel secret']"} for unseen in "\u00ad\u200b\u200d\u2060\ufeff\ufe0f"
    ]
    for number, fields in enumerate(unclear):
        write(articles, f"unclear-{number}", title=f"Kanarienvogel {number}", **fields)
    told = service.reload()
    assert told["problem_count"] >= len(unclear)
    for number in range(len(unclear)):
        assert any(f"unclear-{number}.md" in each for each in told["problems"])
    for path, answers in linked(service).items():
        content = answers["identity"].content.decode().lower()
        assert CANARY not in content, path
        assert "unclear-" not in content, path
    tried(
        "articles that name a private feed, but not clearly",
        len(unclear),
        "named as problems; in no public answer",
    )


def test_only_its_token_opens_a_feed(
    service: Service, url: str, articles: Path, tried: Callable[..., None]
) -> None:
    """A token opens the feeds that it was made for, in all formats; another, none, a revoked one or one that is
    nearly right is the very 404 of what never was; nobody's token stands in a document, header or log.
    """
    (one,) = tokens(url, articles, "add", "Ada", "--feed", "topics/other")
    every = tokens(url, articles, "add", "Grace")
    assert len(every) == 4
    secrets = {each.split("/")[2] for each in (one, *every)}
    assert len(secrets) == 2
    wait_for(lambda: service.ask(every[-1]).status == 200, "the token")
    wait_for(lambda: service.ask(one).status == 200, "the other token")
    for path in (one, *every):
        for ending in ENDINGS:
            answer = service.ask(path.replace(".atom", ending))
            assert answer.status == 200
            assert CANARY in answer.body.decode().lower()
            assert answer.headers["cache-control"] == "private, max-age=300"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-robots-tag"] == "noindex"
            assert not any(secret in answer.body.decode() + repr(answer.headers) for secret in secrets)
            assert b"/archive/" not in answer.body
            again = service.ask(path.replace(".atom", ending), If_None_Match=answer.headers["etag"])
            assert (again.status, again.headers["cache-control"]) == (304, "private, max-age=300")
    nothing = told(service.ask("/topics/never-was.atom"))
    mine = one.split("/")[2]
    wrong = [
        one.replace(mine, each)
        for each in (
            mine[:-1],
            mine + "A",
            mine.swapcase(),
            mine[::-1],
            "x",
            "%20" + mine,
            mine + "%00",
            mine * 99,
        )
    ]
    wrong += [
        f"/private/{mine}/{place}" for place in ("topics/secret.atom", "topics/none.atom", "topics/other", "")
    ]
    wrong += [one.removesuffix(".atom"), one + "/", one.replace("/topics", "//topics"), f"/private/{mine}"]
    assert [path for path in wrong if told(service.ask(path)) != nothing] == []
    assert [line.split("  ")[1] for line in tokens(url, articles, "list")] == ["Ada", "Grace"]
    tokens(url, articles, "revoke", "Ada")
    wait_for(lambda: service.ask(one).status == 404, "the token to be revoked")
    assert told(service.ask(one)) == nothing
    assert service.ask(every[0]).status == 200
    log = service.log.read_text("utf-8")
    assert not any(secret in log for secret in secrets)
    tried("wrong, cut, revoked tokens, and those of other feeds", len(wrong) + 1, "the same 404 as what never was")


def test_a_replica_has_the_tokens_also_without_its_store(tmp_path: Path, articles: Path) -> None:
    """Who follows a store opens private feeds for who has a token, and still does when it begins without it."""
    fill(articles)
    store = f"sqlite:///{tmp_path}/memory.db"
    configuration = tmp_path / "private.yaml"
    configuration.write_text(CONFIGURATION, "utf-8")
    settings = {"FEEDSVC_CONFIG": str(configuration)}
    with Replica(tmp_path, "reader", "serve", store) as reader:
        with Replica(tmp_path, "publisher", "publish", store, articles, **settings):
            wait_for(reader.is_ready, "the first generation")
            (path,) = tokens(store, articles, "add", "Ada", "--feed", "topics/secret")
            wait_for(lambda: reader.ask(path).status == 200, "the token")
            assert reader.ask(PRIVATE_PATHS + "topics/secret.atom").status == 404
        reader.kill()
        (tmp_path / "memory.db").rename(tmp_path / "away.db")
        reader.start()
        wait_for(reader.is_ready, "what it served before")
        assert CANARY in reader.ask(path).body.decode().lower()
        assert reader.ask(path.replace("secret", "other")).status == 404


def test_what_becomes_private_leaves_all_that_was_public(
    service: Service, articles: Path, tried: Callable[..., None]
) -> None:
    """An article that was public, and is made private, is nowhere after the next reload: its history neither."""
    write(articles, "public-1", title="Kanarienvogel made private", topics="[Other]")
    assert service.reload()["ok"]
    wait_for(
        lambda: b"Public 1" not in service.ask("/changes.atom", Accept_Encoding="identity").body, "the change"
    )
    for path, answers in linked(service).items():
        content = answers["identity"].content.decode()
        assert CANARY not in content.lower(), path
        assert "Public 1" not in content, path
    tried("a public article made private", 1, "in no public answer, nor in what is told of changes")


def test_what_is_built_holds_nothing_private(tmp_path: Path, articles: Path, tried: Callable[..., None]) -> None:
    """`feedsvc build` writes what is public, and nothing else."""
    fill(articles)
    configuration = tmp_path / "private.yaml"
    configuration.write_text(CONFIGURATION, "utf-8")
    arguments = ("build", str(tmp_path / "out"), "--articles", str(articles), "--config", str(configuration))
    subprocess.run(command(*arguments), cwd=ROOT, env=environment(), check=True, timeout=60, capture_output=True)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(json.loads((tmp_path / "out/.feedsvc-build.json").read_text("utf-8"))["files"]) == len(files) - 1
    for path in files:
        assert CANARY not in str(path.relative_to(tmp_path)).lower()
        assert CANARY.encode() not in path.read_bytes().lower(), path
    tried("a private article looked for in what `feedsvc build` writes", len(files), "not in any file")


def test_a_proxy_hands_private_feeds_on_and_keeps_nothing(
    tmp_path: Path, articles: Path, file: str, tried: Callable[..., None]
) -> None:
    """Through deploy/nginx.conf a token opens its feed, also conditionally and compressed; nothing of it is in the
    cache or in a log, and once it is revoked it opens nothing.
    """
    fill(articles)
    with serving(tmp_path, articles, file) as service, fronting(tmp_path, [service, service]) as front:
        (path,) = tokens(file, articles, "add", "Ada", "--feed", "topics/other")
        wait_for(lambda: front.ask(path).status == 200, "the token")
        for coding in CODINGS:
            answer = front.ask(path, Accept_Encoding=coding)
            assert (answer.status, answer.headers["cache-control"]) == (200, "private, max-age=300")
            assert answer.headers.get("content-encoding", "identity") == coding
            assert CANARY in answer.content.decode().lower()
            assert front.ask(path, Accept_Encoding=coding, If_None_Match=answer.headers["etag"]).status == 304
        assert front.ask(path, "POST").status == 405
        assert front.ask("/private/x/topics/other.atom").status == 404
        tokens(file, articles, "revoke", "Ada")
        wait_for(lambda: front.ask(path).status == 404, "the token to be revoked")
        service.stop()
        assert front.ask(path).status == 503
    kept = [each for each in (tmp_path / "cache").rglob("*") if each.is_file()]
    logs = [tmp_path / "nginx.log", service.log]
    assert not any(path.split("/")[2].encode() in each.read_bytes() for each in (*kept, *logs))
    assert kept == []
    tried("a private feed looked for in the cache and the logs of the proxy in front", 2, "in none")


def test_without_a_memory_tokens_say_what_to_do() -> None:
    """Where nothing is kept, no token can be."""
    done = subprocess.run(
        command("tokens", "add", "Ada"),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "store.url" in done.stderr) == (1, True)
    assert TOKEN not in done.stderr
