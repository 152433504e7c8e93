"""Many files are read in several processes, and whatever happens to one of them, all are read."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support import ROOT, SEEDS, write_article

from feedsvc import helpers as helping
from feedsvc.articles import readers
from feedsvc.articles.library import LoadRules, load
from feedsvc.articles.parse import parse
from feedsvc.articles.reading import How, Reading, Wanted
from feedsvc.feeds.sightings import note, print_of

ZONE = ZoneInfo("UTC")
FILES = 450


@pytest.fixture
def paths(articles: Path) -> list[str]:
    """Files of all kinds, some of which are gone, in more than one piece of work for each process."""
    names = [f"{number:03}.md" for number in range(FILES)]
    for number, name in enumerate(names):
        write_article(articles, name, f"Body *{number}*", title=f"Title {number}", topics=f"[AI, T{number % 5}]")
    (articles / names[3]).write_bytes(b"---\ntitle: [\n---\n")
    (articles / names[104]).write_bytes(b"\xff\xfe")
    (articles / names[205]).write_bytes(b"x" * 5000)
    (articles / names[306]).unlink()
    (articles / names[306]).mkdir()
    write_article(articles, names[7], quality="high", publishedDateTime="soon")
    names.insert(8, os.fsdecode(b"00\xff.md"))
    write_article(articles, names[8], quality="high")
    for name in (names[0], names[150], names[-1]):
        (articles / name).unlink()
    return names


def read(articles: Path, paths: list[str], helpers: int) -> list[Reading | None]:
    """What so many helpers and this process read."""
    how = How(str(articles), ZONE, 4096)
    return list(readers.read_all(how, paths, lambda path: Wanted(path, 0), helpers))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The helpers that are started."""
    processes = []
    start = helping._start

    def _start() -> helping._Helper:
        helper = start()
        processes.append(helper.process)
        return helper

    monkeypatch.setattr(helping, "_start", _start)
    return processes


@pytest.mark.parametrize("helpers", [1, 3])
def test_helpers_read_what_one_process_reads(
    articles: Path, paths: list[str], started: list[subprocess.Popen[bytes]], helpers: int
) -> None:
    """However many processes read, all that is read and all that is wrong is the same, in the same order."""
    alone = read(articles, paths, 0)
    assert started == []
    assert len(alone) == len(paths)
    assert read(articles, paths, helpers) == alone
    assert [process.returncode for process in started] == [0] * helpers


@pytest.mark.parametrize("helpers", [0, 1])
def test_what_readers_see_is_noted_by_who_reads(articles: Path, paths: list[str], helpers: int) -> None:
    """In whatever process an article is read, its print is made there: the very one that would be made later."""
    how = How(str(articles), ZONE, 4096, note)
    readings = readers.read_all(how, paths, lambda path: Wanted(path, 0), helpers)
    found = [each.parsed.article for each in readings if each and each.parsed and each.parsed.article]
    assert found
    assert [article.print for article in found] == [print_of(article) for article in found]


def test_the_library_is_the_same(articles: Path, paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that helpers read is the one that is read without, and its next reload reads nothing."""
    for path in paths:
        if (articles / path).is_file():
            os.utime(articles / path, (1_600_000_000, 1_600_000_000))
    rules = LoadRules(file_bytes=4096)
    alone = load(articles, rules)
    monkeypatch.setattr(readers, "_PAYS", 1)
    monkeypatch.setattr(readers, "others", lambda: 2)
    told: list[int] = []
    library = load(articles, rules, progress=lambda done, _all: told.append(done))
    assert library == alone
    assert told == list(range(1, len(library.files) + 1))
    assert load(articles, rules, library).parsed == 0


def test_what_was_known_is_not_parsed_again(articles: Path, paths: list[str]) -> None:
    """A file of the digest that it had is not parsed again, whoever reads it."""
    how = How(str(articles), ZONE, 4096)
    first = read(articles, paths, 0)
    digests = {path: each.digest if each else b"" for path, each in zip(paths, first, strict=True)}
    again = list(readers.read_all(how, paths, lambda path: Wanted(path, 0, digests[path]), 1))
    assert [each and each.digest for each in again] == [each and each.digest for each in first]
    assert all(each.parsed is None for each in again if each and each.digest)


def test_what_helpers_read_is_shared(articles: Path, paths: list[str]) -> None:
    """Equal providers and topics are one object, whichever process read them."""
    found = [
        each.parsed.article for each in read(articles, paths, 1) if each and each.parsed and each.parsed.article
    ]
    assert len({id(article.provider) for article in found}) == 1
    assert len({id(article.topics) for article in found}) == len({article.topics for article in found})


@pytest.mark.parametrize("path", sorted(SEEDS.iterdir()), ids=lambda path: path.name)
def test_what_was_parsed_comes_through_a_pipe(path: Path) -> None:
    """What is pickled comes back equal."""
    parsed = parse(path.name, path.read_bytes(), ZONE)
    assert parsed.article
    assert pickle.loads(pickle.dumps(parsed, pickle.HIGHEST_PROTOCOL)) == parsed  # noqa: S301 - our own


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_helper_that_is_killed_loses_nothing(
    articles: Path, paths: list[str], started: list[subprocess.Popen[bytes]], ending: signal.Signals
) -> None:
    """What a helper was asked for when it was killed is read here."""

    def wanted(path: str) -> Wanted:
        if path == "250.md":
            for process in started:
                process.send_signal(ending)
        return Wanted(path, 0)

    how = How(str(articles), ZONE, 4096)
    assert list(readers.read_all(how, paths, wanted, 2)) == read(articles, paths, 0)
    assert len(started) == 2
    assert all(process.returncode for process in started)


def test_a_helper_that_ends_behind_its_answer_loses_nothing(
    articles: Path, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a helper answered before it was killed is taken, and what it was to read next is read here."""
    ended: list[int | None] = []
    ask = helping._Helpers._ask

    def ask_the_dead(helpers: helping._Helpers[Reading | None], helper: helping._Helper) -> None:
        # Not the first time: it has just answered, and there is more to read.
        if helper in helpers._busy.values() and helpers._todo:
            helper.process.kill()
            ended.append(helper.process.wait())
        ask(helpers, helper)

    monkeypatch.setattr(helping._Helpers, "_ask", ask_the_dead)
    assert read(articles, paths * 5, 1) == read(articles, paths * 5, 0)
    assert ended == [-signal.SIGKILL]


@pytest.mark.parametrize("program", ["", "/nonexistent", "/bin/true"])
def test_without_helpers_all_is_read_here(
    articles: Path, paths: list[str], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """Where no helper can be started, or what starts is none, this process reads everything."""
    alone = read(articles, paths, 0)
    monkeypatch.setattr(sys, "executable", program)
    assert read(articles, paths, 2) == alone


def test_a_helper_that_never_answers_is_not_waited_for(
    articles: Path, paths: list[str], started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A helper that is stopped, and does not answer for long, is ended, and its files are read here."""
    monkeypatch.setattr(helping, "_PATIENCE_SECONDS", 0.05)
    start = helping._start

    def _start() -> helping._Helper:
        helper = start()
        helper.process.send_signal(signal.SIGSTOP)
        return helper

    monkeypatch.setattr(helping, "_start", _start)
    assert read(articles, paths, 1) == read(articles, paths, 0)
    assert [process.returncode for process in started] == [-signal.SIGKILL]


def test_whoever_stops_reading_leaves_no_process(
    articles: Path, paths: list[str], started: list[subprocess.Popen[bytes]]
) -> None:
    """If nobody wants the rest, the helpers end."""
    how = How(str(articles), ZONE, 4096)
    reading = readers.read_all(how, paths * 5, lambda path: Wanted(path, 0), 2)
    assert next(reading) is None
    reading.close()
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2


@pytest.mark.parametrize(("processors", "helpers"), [(1, 0), (2, 1), (64, 7)])
def test_helpers_are_as_many_as_pay(
    articles: Path,
    monkeypatch: pytest.MonkeyPatch,
    started: list[subprocess.Popen[bytes]],
    processors: int,
    helpers: int,
) -> None:
    """With one processor, or for few files, there is no helper; nor are there more than can be listened to."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(processors)))
    assert helping.others() == helpers
    how = How(str(articles), ZONE, 4096)
    assert list(readers.read_all(how, ["none.md"] * 900, lambda path: Wanted(path, 0))) == [None] * 900
    assert started == []


SCRIPT = """
import os, signal, sys, time
from zoneinfo import ZoneInfo
from feedsvc import helpers as helping
from feedsvc.articles import readers
from feedsvc.articles.reading import How, Wanted

# What a shell starts in the background does not hear of SIGINT, and nor would this.
signal.signal(signal.SIGINT, signal.default_int_handler)
root, wait = sys.argv[1], sys.argv[2] == "wait"
paths = sorted(os.listdir(root)) * 3
start = helping._start

def told():
    helper = start()
    print(helper.process.pid, flush=True)
    return helper

def wanted(path):
    if wait and path == paths[200]:
        print("waiting", flush=True)
        time.sleep(60)
    return Wanted(path, 0)

helping._start = told
print(sum(each is not None for each in readers.read_all(How(root, ZoneInfo("UTC"), 4096), paths, wanted, 1)))
"""


def run(articles: Path, what: str) -> subprocess.Popen[str]:
    """A program from standard input, which has no module that another process could import."""
    process = subprocess.Popen(
        [sys.executable, "-", str(articles), what],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin
    process.stdin.write(SCRIPT)
    process.stdin.close()
    process.stdin = None
    return process


def is_running(process: int) -> bool:
    """Whether there is a process that does something."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def test_any_program_can_have_helpers(articles: Path, paths: list[str]) -> None:
    """Whatever the program is that reads, its helpers find what they need, and end with it."""
    with run(articles, "go") as process:
        output, errors = process.communicate()
    helper, count = output.split()
    assert (int(count), errors) == (3 * (len(paths) - 3), "")
    assert not is_running(int(helper))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.usefixtures("paths")
def test_helpers_end_with_the_program(articles: Path, ending: signal.Signals) -> None:
    """However the program is ended, from the keyboard too, its helpers end, and say nothing."""
    with run(articles, "wait") as process:
        assert process.stdout
        helper = int(process.stdout.readline())
        assert process.stdout.readline() == "waiting\n"
        os.killpg(process.pid, ending)
        _, errors = process.communicate()
    assert process.returncode
    assert errors.count("Traceback") == (1 if ending == signal.SIGINT else 0)
    wait_for_end(helper)


def wait_for_end(process: int) -> None:
    """Wait until a process is gone."""
    for _ in range(1000):
        if not is_running(process):
            return
        time.sleep(0.01)
    pytest.fail("the helper still runs")
