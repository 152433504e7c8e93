"""Files that somebody wrote to hurt, beside good ones, in the directory of a real service."""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feedparser
import pytest
from click.testing import CliRunner
from lxml import etree
from service import running
from support import front_matter, write_article

from attacks.hostile import KINDS, Named
from feedsvc.cli import commands
from feedsvc.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service import Service

pytestmark = pytest.mark.usefixtures("unmeasured")
AREA = "Files"
# Bounds that only what is out of all proportion reaches: a reload of such a kind takes a second or two.
MAX_SECONDS = 30
MAX_GROWTH_KIB = 200 * 1024
GOOD = ("Good one", "Good two", "北京 & <good>")


@dataclass
class Victim:
    """The service, and its directory; `peak` is what its processes had taken at most before any attack."""

    service: Service
    articles: Path
    peak: int

    def reload(self) -> dict[str, Any]:
        """Reload, which ends well, soon, and without much memory."""
        report = self.service.reload()
        assert report["ok"], report
        assert report["seconds"] < MAX_SECONDS
        assert peak_of(self.service.process.pid) - self.peak < MAX_GROWTH_KIB
        return report


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """A service of three good articles."""
    directory = tmp_path_factory.mktemp("files")
    articles = directory / "articles"
    for number, title in enumerate(GOOD):
        url = f"https://example.org/good/{number}"
        write_article(articles, f"good-{number}.md", "Words.", title=json.dumps(title), webUrl=url)
    with running(directory, articles) as service:
        yield Victim(service, articles, peak_of(service.process.pid))


def peak_of(pid: int) -> int:
    """The most memory, in KiB, that a process and its children ever had."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return own + sum(map(peak_of, map(int, children)))


def served(service: Service) -> list[set[str]]:
    """The titles that are served, as a reader of each format sees them."""
    atom = etree.fromstring(service.ask("/feeds/all.atom").body)
    titles = {entry.findtext("{*}title") or "" for entry in atom.iter("{*}entry")}
    rss = {item.title for item in feedparser.parse(service.ask("/feeds/all.rss").body).entries}
    return [titles, rss, {item["title"] for item in json.loads(service.ask("/feeds/all.json").body)["items"]}]


def check(articles: Path) -> list[dict[str, Any]]:
    """What `feedsvc check` says is wrong."""
    arguments = ["check", "--articles", str(articles), "--store", "sqlite://", "--format", "json"]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code in {0, 1}, result.output
    problems: list[dict[str, Any]] = json.loads(result.stdout)["problems"]
    return problems


def empty(directory: Path) -> None:
    """Remove it, with whatever names are in it."""
    shutil.rmtree(os.fsencode(directory))


@pytest.mark.usefixtures("own_log")
@pytest.mark.parametrize(("kind", "attack", "result"), KINDS, ids=[kind.__name__ for kind, _, _ in KINDS])
def test_hostile_files_hold_nothing_up(
    kind: Callable[[Path], Named], attack: str, result: str, victim: Victim, tried: Callable[..., None]
) -> None:
    """The good articles beside hostile files are served in every format, soon and without much memory, and what is
    wrong is named by file, line and field; nothing of the directory outside is served, and no file is made.
    """
    directory = victim.articles / "hostile"
    directory.mkdir()
    try:
        named = kind(directory)
        count = len(list(directory.iterdir()))
        write_article(directory, "beside.md", title="Beside", webUrl="https://example.org/beside")
        report = victim.reload()
        assert served(victim.service) == [{*GOOD, "Beside"}] * 3
        found = {(each["file"], each["line"], each["field"]) for each in check(victim.articles)}
        expected = {(printable(f"hostile/{name}"), *place) for name, place in named.items()}
        assert expected <= found, sorted(map(str, expected - found))
        # Some have several, and no others have any.
        assert {file for file, _, _ in found} == {file for file, _, _ in expected}
        assert victim.service.health()["problems"] == report["problem_count"] >= len(expected)
        assert all(text.isprintable() for text in [*report["problems"], *(file for file, _, _ in found)])
        assert not list(victim.articles.rglob("mark"))
        assert not set(victim.service.log.read_text("utf-8")) & {"\x1b", "\x07", "\u202e"}
    finally:
        empty(directory)
    tried(attack, count, f"{result}; the articles beside them are served")


@contextmanager
def restless(change: Callable[[int], None]) -> Iterator[None]:
    """While this is open, a change is made, and the next."""
    ended = threading.Event()

    def work() -> None:
        number = 0
        while not ended.is_set():
            # What it wants to change may be gone by its own doing.
            with suppress(FileNotFoundError, FileExistsError):
                change(number)
            number += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_directory_that_changes_while_it_is_read(victim: Victim, tried: Callable[..., None]) -> None:
    """Files, directories, links and pipes that take each other's place meanwhile hold nothing up."""
    directory = victim.articles / "restless"
    for number in range(8):
        write_article(
            directory, f"{number}-beside.md", title=number, webUrl=f"https://example.org/beside/{number}"
        )
    good = {*GOOD, *map(str, range(8))}
    article = front_matter(title="Restless", webUrl="https://example.org/restless", removed="true").encode()

    def change(number: int) -> None:
        path = directory / f"{number % 5}.md"
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        (
            lambda: path.write_bytes(article),
            path.mkdir,
            lambda: path.symlink_to(victim.articles / f"restless/{(number + 1) % 5}.md"),
            lambda: os.mkfifo(path),
            lambda: path.write_bytes(article[: number % 100]),
            lambda: (path.write_bytes(article), path.rename(directory / "other.md")),
        )[number % 6]()

    try:
        with restless(change):
            for _ in range(30):
                victim.reload()
                assert served(victim.service) == [good] * 3
    finally:
        empty(directory)
    victim.reload()
    assert served(victim.service) == [set(GOOD)] * 3
    assert victim.service.health()["problems"] == 0
    tried(
        "files, links, pipes and directories that change while they are scanned", 30, "everything else is served"
    )


def test_a_file_that_grows_while_it_is_read(victim: Victim, tried: Callable[..., None]) -> None:
    """A file that somebody writes without end is an article as it was, or a problem, until it stands still."""
    path = victim.articles / "growing.md"
    path.write_text(front_matter(title="Growing", webUrl="https://example.org/growing"), "utf-8")

    def change(number: int) -> None:
        with path.open("ab") as file:
            file.write(b"more words\n" * 5_000)
        if number % 30 == 29:
            os.truncate(path, len(front_matter(title="Growing", webUrl="https://example.org/growing")))

    try:
        victim.reload()
        with restless(change):
            for _ in range(30):
                victim.reload()
                assert served(victim.service) == [{*GOOD, "Growing"}] * 3
    finally:
        path.unlink()
    victim.reload()
    assert served(victim.service) == [set(GOOD)] * 3
    tried("files that grow beyond what is read, and shrink, meanwhile", 30, "an article all the while")
