"""Words that nobody may see, in every place that the service knows, and everything that it says."""

from __future__ import annotations

import html
import re
import secrets
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from service import TOKEN, Service, begin, free_port, running, wait_for
from support import ask, front_matter

from feedsvc.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


AREA = "Leaks"
_CODINGS = ("br", "gzip", "identity")
_PATH = re.compile(r"http://localhost:\d+(/[^\s\"'<>\\]*)")
# What is held back, and by what.
_HELD: dict[str, dict[str, object]] = {
    "unpublished": {"published": "false"},
    "missing_published": {"published": None},
    "removed": {"removed": "true"},
    "deleted": {"deleted": "true"},
    "scheduled": {"publishedDateTime": "2999-01-01"},
    "category": {"category": "other"},
    "type": {"type": "other"},
    "quality": {"quality": "1"},
    "heat": {"heat": "1"},
    "age": {"publishedDateTime": "1999-01-01"},
}
_LETS_THROUGH: dict[str, object] = {"category": "news", "type": "article", "quality": "70", "heat": "70"}
_CONFIGURATION = """\
selection:
  {min_quality: 50, min_heat: 50, categories: news, types: article, max_age: 7000d}
feeds:
  {entries: 2, changes: true, tombstones: true}
topics:
  Given up: {retired: true}
"""
# Paths that no feed leads to, and how they are asked for.
_OTHERS = (
    ("GET", "/health"), ("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/metrics"), ("GET", "/none"),
    ("POST", "/feeds/all.atom"), ("DELETE", "/health"), ("OPTIONS", "/feeds/all.rss"), ("POST", "/admin/reload"),
    ("GET", "/admin/reload"), ("GET", "/topics/given-up.atom"), ("GET", "/Topics/AI.atom"), ("TRACE", "/"),
    ("GET", "/config/feedsvc.yaml"), ("GET", "/.env"), ("GET", "/proc/self/environ"),
)  # fmt: skip


class Canaries:
    """Words that are nowhere else, by where they are."""

    def __init__(self) -> None:
        self.words: dict[str, str] = defaultdict(lambda: f"canary{secrets.token_hex(8)}")

    def __call__(self, place: str) -> str:
        """The word of a place."""
        return self.words[place]

    def heard_in(self, said: bytes | str) -> set[str]:
        """The places whose words are in there, in whatever case."""
        text = (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).lower()
        return {place for place, word in self.words.items() if word in text}


@pytest.fixture(scope="module")
def canary() -> Canaries:
    """The words of this module."""
    return Canaries()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, canary: Canaries) -> Iterator[Service]:
    """A service of good articles among all that is none of a reader's business."""
    directory = tmp_path_factory.mktemp("leaks")
    articles = directory / canary("name of the directory") / "articles"
    _write_good(articles, canary)
    for reason, fields in _HELD.items():
        word = canary(f"held: {reason}")
        own = {"title": word, "excerpt": word, "topics": f"[{word}]", "provider": f"{{name: {word}}}"}
        own |= {"webUrl": f"https://example.org/{word}", "images": f"['https://example.org/{word}.png']"}
        _write(articles, f"held/{reason}.md", word, **{**own, **fields})
    (articles / "broken.md").write_text(f"---\ntitle: [{canary('broken YAML')}\n---\n", "utf-8")
    _write(articles, "wrong.md", webUrl=canary("broken field"))
    for name in (".env", ".hidden.md", "notes.doc", "README.md", "key.pem", ".git/config.md"):
        _write(articles, name, title=canary(f"neighbour {name}"))
    outside = _write(directory, "outside.md", title=canary("outside"))
    (articles / "link.md").symlink_to(outside)
    configuration = directory / "feedsvc.yaml"
    configuration.write_text(_CONFIGURATION, "utf-8")
    canary.words["token"] = TOKEN
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_OF_ANOTHER", canary("environment"))
        with running(directory, articles, "--config", str(configuration)) as service:
            yield service


def _write(directory: Path, name: str, body: str = "", **fields: object) -> Path:
    """An article that every rule lets through, with these fields changed."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(front_matter(**{**_LETS_THROUGH, **fields}) + body, "utf-8")
    return path


def _write_good(articles: Path, canary: Canaries) -> None:
    """Articles that are served, with fields that are not; enough of them for archives."""
    secured, unknown = canary("secured"), canary("unknown field")
    withheld = f"[{{title: x, webUrl: 'https://example.org/{canary('held: removed')}', provider: y}}]"
    for number in range(9):
        fields: dict[str, object] = {
            "title": f"Served {number}",
            "webUrl": f"https://example.org/{number}",
            "topics": "[AI, Given up]" if number % 2 else "[AI]",
            "provider": f"{{name: Example, mail: {unknown}, authors: [{{name: Ann, id: {unknown}}}]}}",
            "images": f"[{{url: 'https://example.org/{number}.png', credit: {unknown}}}]",
            "related": withheld,
            "secured": f'"{secured}"',
            "notes": unknown,
            "deeper": f"{{secured: {{secured: [{secured}]}}}}",
        }
        body = f"Words. <!-- {canary('comment')} --> <script>{canary('script')}</script>"
        _write(articles, f"{canary('name of a file')}-{number}.md", body, **fields)


def everything(service: Service) -> Iterator[tuple[str, str]]:
    """All that is served, with its headers: what a document names is asked for too, in each coding."""
    found, asked = ["/", "/feeds.opml", "/changes.atom"], set()
    while found:
        path = found.pop()
        if path in asked:
            continue
        asked.add(path)
        for coding in _CODINGS:
            answer = service.ask(path, Accept_Encoding=coding)
            said = f"{answer.headers}\n{answer.content.decode()}"
            yield path, said
            found += [html.unescape(each) for each in _PATH.findall(said)]


def test_nothing_served_says_what_is_not_published(
    service: Service, canary: Canaries, tried: Callable[..., None]
) -> None:
    """No document, in any coding, has a word of what is held back, of fields that are nobody's business, of other
    files, of names of files, of the environment, or of what is broken.
    """
    paths = []
    for path, said in everything(service):
        assert canary.heard_in(said) == set(), path
        paths.append(path)
    kinds = {"/feeds/all", "/feeds/all.atom", "/topics/ai.json", "/feeds/all/archive/1.atom", "/changes.atom"}
    assert kinds | {"/providers/example.rss"} <= set(paths)
    assert "Served 8" in service.ask("/feeds/all.atom").body.decode()
    assert set(service.health()["held"]) == set(_HELD)
    assert service.health()["problems"] == 2
    tried(
        f"words in {len(canary.words)} places that are not published", len(paths), "in no document, in no coding"
    )


def test_no_other_answer_says_it_either(service: Service, canary: Canaries, tried: Callable[..., None]) -> None:
    """Health, metrics, redirects and errors have none of these words, nor what was asked, nor where the files are;
    a reload tells who has the token what is wrong, and the log names no more than files.
    """
    statuses = set()
    for method, path in _OTHERS:
        for query in ("", "?asked-for=echo"):
            for headers in (
                dict[str, str](),
                {"Authorization": "Bearer echo", "Cookie": "a=echo", "X_Request_Id": "echo"},
            ):
                answer = service.ask(path + query, method, **headers)
                statuses.add(answer.status)
                said = str(answer.headers).encode() + answer.body
                assert canary.heard_in(said) == set(), (method, path)
                assert b"echo" not in said, (method, path)
                assert b"/tmp" not in said, (method, path)
                assert b"Traceback" not in said, (method, path)
    assert statuses >= {200, 204, 301, 401, 404, 405, 410}
    report = service.reload()
    assert report["ok"]
    assert canary.heard_in(str(report)) <= {"broken field"}
    allowed = {"name of the directory", "name of a file"}
    assert canary.heard_in(service.log.read_text("utf-8")) <= allowed
    times = len(_OTHERS) * 4
    tried(
        "the same words in health, metrics, redirects, errors and the log", times, "in none; the log names files"
    )


def test_a_database_that_fails_tells_no_password(
    tmp_path: Path, canary: Canaries, tried: Callable[..., None]
) -> None:
    """A service that has nothing to serve yet, as its database does not answer, says so without its password."""
    _write(tmp_path / "articles", "a.md")
    port, log = free_port(), tmp_path / "service.log"
    url = f"postgresql://name:{canary('password')}@127.0.0.1:1/name?password={canary('another password')}"
    cache = str(tmp_path / "cache")
    arguments = ("--articles", str(tmp_path / "articles"), "--store", url)
    service = Service(port, begin(port, log, *arguments, FEEDSVC_STORE_CACHE=cache), log)
    try:
        wait_for(lambda: _told(service), "it to tell why it has nothing")
        paths = ("/", "/health", "/health/ready", "/metrics", "/feeds/all.atom", "/no/such")
        answers = [service.ask(path) for path in paths]
        assert {answer.status for answer in answers} == {200, 503}
        said = "".join(f"{answer.headers}{answer.body!r}" for answer in answers) + str(service.reload())
        assert canary.heard_in(said + log.read_text("utf-8")) == set()
    finally:
        service.stop()
    tried(
        "a password in the URL of a database that does not answer", len(paths), "in no answer, and not in the log"
    )


def _told(service: Service) -> bool:
    with suppress(OSError):
        return "127.0.0.1" in str(service.health())
    return False


def test_an_error_of_ours_tells_nothing(canary: Canaries, tried: Callable[..., None]) -> None:
    """Whatever fails inside, who asked learns that something did, and nothing of what or where."""

    def fail(**_: object) -> Any:
        raise RuntimeError(canary("error"))

    app = create_app(lambda: None, fail, fail, lambda: "https://feeds.example", "token", metrics=fail)
    requests = (("/health", "GET"), ("/metrics", "GET"), ("/admin/reload", "POST"))
    for path, method in requests:
        answer = ask(app, path, method, authorization="Bearer token")
        assert answer.status == 500
        assert canary.heard_in(f"{answer.headers}{answer.body!r}") == set()
        assert b"RuntimeError" not in answer.body
        assert b".py" not in answer.body
    tried("errors of our own, in the application by itself", len(requests), "500, in few words")
