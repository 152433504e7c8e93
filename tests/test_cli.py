"""The command line, as a real process, and its texts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from service import PATIENCE_SECONDS, TOKEN, command, environment, free_port, running
from support import ROOT, SEEDS, write_article

from feedsvc.cli import commands

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("serve", "reload", "check", "list", "explain", "build")


def run(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `feedsvc …` to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_what_is_not_installed_is_said_in_one_line(tmp_path: Path) -> None:
    """After an upgrade without its dependencies, a command says what is missing and what to do."""
    (tmp_path / "deflate.py").write_text("raise ImportError('no deflate here')", "utf-8")
    result = run("check", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert result.returncode == 1
    assert result.stderr == "feedsvc: no deflate here: install what feedsvc needs again, as README says\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    """`--help` says what a command is for and shows an example."""
    result = CliRunner().invoke(commands, [name, "--help"])
    assert result.exit_code == 0
    assert "Example: " in result.output
    assert f"feedsvc {name}" in result.output


def test_check_of_the_seeds_finds_no_problem() -> None:
    """`check` names what is superseded as a note, ends with a line of totals, and with status 0."""
    result = run("check")
    assert result.returncode == 0
    *notes, totals = result.stdout.splitlines()
    assert len(notes) == 1
    assert notes[0].startswith("000_5f820907c64a49d9.txt: note: superseded by 001_ead6f760b060af40.txt")
    assert totals == "5 files: 4 articles, 2 selected, 2 held (2 unpublished), 0 problems"


def test_check_lists_every_problem_with_its_place(articles: Path) -> None:
    """Each problem is one line: file, line, field, found, expected; with problems, the status is 1."""
    write_article(articles, "good.md")
    write_article(articles, "bad.md", publishedDateTime="yesterday")
    (articles / "empty.md").touch()
    result = run("check", "--articles", str(articles))
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        'bad.md:4: publishedDateTime: found "yesterday", expected a date such as 2021-12-14T00:50:00Z',
        "empty.md: the file: found an empty file, expected front matter between two lines ---",
        "3 files: 1 article, 1 selected, 0 held, 2 problems",
    ]


def test_check_as_json(articles: Path) -> None:
    """`--format json` says the same for programs."""
    write_article(articles, "bad.md", heat="warm", published=None)
    result = run("check", "--format", "json", "--articles", str(articles))
    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert report["held"] == {"missing_published": 1}
    assert report["problems"] == [
        {
            "file": "bad.md",
            "line": 8,
            "field": "heat",
            "found": '"warm"',
            "expected": "a number",
            "fatal": False,
            "since": None,
        }
    ]


def test_list_shows_feeds_with_counts_and_dates() -> None:
    """`list` has a line a feed: path, number of articles, date of the newest, name."""
    result = run("list")
    assert result.returncode == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["/feeds/all", "2", "2021-12-14T00:50:00Z", "All", "articles"],
        ["/topics/ai", "2", "2021-12-14T00:50:00Z", "AI"],
        ["/topics/ai-hardware", "1", "2021-12-14T00:50:00Z", "AI", "Hardware"],
        ["/providers/techcrunch", "1", "2021-12-13T05:54:00Z", "TechCrunch"],
        ["/providers/techwireasia-com", "1", "2021-12-14T00:50:00Z", "techwireasia.com"],
    ]


def test_explain_tells_what_holds_an_article_back() -> None:
    """`explain` takes a file by its path and says which rule holds its article back."""
    result = run("explain", "seeds/003_efb2269f08c59097.txt")
    assert result.returncode == 0
    assert "held back: it says `published: false`" in result.stdout


def test_explain_of_no_file_says_so() -> None:
    """A file that is not there is an error of one line."""
    result = run("explain", "nowhere.md")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "feedsvc: nowhere.md: there is no such file in seeds\n"


def test_build_writes_the_documents(tmp_path: Path) -> None:
    """`build` writes every document, says how many, and the second time writes nothing."""
    out = tmp_path / "public"
    first = run("build", str(out), "--base-url", "https://feeds.example.org")
    assert first.returncode == 0
    assert "22 files, 22 written, 0 removed, 0 problems" in first.stdout
    assert b'href="https://feeds.example.org/topics/ai.atom"' in (out / "topics/ai.atom").read_bytes()
    assert "0 written" in run("build", str(out), "--base-url", "https://feeds.example.org").stdout


def test_build_into_somebody_elses_directory_is_refused(tmp_path: Path) -> None:
    """What `build` did not make, it does not touch."""
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    result = run("build", str(tmp_path))
    assert result.returncode == 1
    assert "is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_reload_command_reloads_a_running_service(tmp_path: Path) -> None:
    """`reload` returns when the new feeds are served, and says what was done and what is wrong."""
    copy = shutil.copytree(SEEDS, tmp_path / "copy")
    with running(tmp_path, copy) as service:
        (copy / "bad.md").write_text("no front matter", "utf-8")
        write_article(copy, "new.md", topics="[Fresh]")
        port = str(service.port)
        done = run("reload", "--port", port, FEEDSVC_ADMIN_TOKEN=TOKEN)
        assert done.returncode == 0
        assert "7 files, 3 selected" in done.stdout
        assert "bad.md:1: the file: found no front matter" in done.stdout
        assert service.ask("/topics/fresh.atom").status == 200
        wrong = run("reload", "--port", port, FEEDSVC_ADMIN_TOKEN="wrong")
        assert wrong.returncode == 1
        assert "refuses the token" in wrong.stderr
        copy.rename(tmp_path / "away")
        failed = run("reload", "--port", port, FEEDSVC_ADMIN_TOKEN=TOKEN)
        assert failed.returncode == 1
        assert "the articles directory cannot be read" in failed.stderr


@pytest.mark.parametrize("written", [f"{TOKEN}\n", f"\ufeff{TOKEN}\r\n"])
def test_a_token_may_be_in_a_file(tmp_path: Path, written: str) -> None:
    """With what an editor adds to it; on a host without articles, too."""
    file = tmp_path / "token"
    file.write_text(written, "utf-8")
    with running(tmp_path, shutil.copytree(SEEDS, tmp_path / "copy")) as service:
        done = run("reload", "--port", str(service.port), cwd=tmp_path, FEEDSVC_ADMIN_TOKEN_FILE=str(file))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "cannot be read"),
        (b"two\nlines", "has no token"),
        (b"nothing\0else", "has no token"),
        ("s\u00fc\u00df".encode(), "has no token"),
        (b"x" * 100_000, "has no token"),
    ],
)
@pytest.mark.parametrize("name", ["serve", "reload"])
@pytest.mark.usefixtures("own_log")
def test_a_file_without_a_token_is_said_to_be_one(
    tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    """What is wrong with it is said in one line, and nothing of it is shown; no service starts without."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    variables = {"FEEDSVC_STORE_URL": "sqlite://", "FEEDSVC_ADMIN_TOKEN_FILE": str(file)}
    done = CliRunner().invoke(commands, [name, "--port", str(free_port())], env=variables)
    told = done.stderr.replace(str(file), "")
    assert (done.exit_code, done.stdout) == (1, "")
    assert expected in told
    assert len(told.splitlines()) == 1
    assert not any(word in told for word in ("two", "nothing", "xxx"))


def test_a_token_without_end_is_not_read_to_it() -> None:
    """A device in the place of the file is no token, and takes no memory."""
    done = run("reload", FEEDSVC_ADMIN_TOKEN_FILE="/dev/zero")
    assert (done.returncode, "has no token" in done.stderr) == (1, True)


def test_a_token_is_given_once() -> None:
    """In a variable or in a file, and not in both; a variable with what no header can hold has none."""
    both = run("reload", FEEDSVC_ADMIN_TOKEN=TOKEN, FEEDSVC_ADMIN_TOKEN_FILE="/nothing")
    assert (both.returncode, "leave one out" in both.stderr) == (1, True)
    odd = run("reload", FEEDSVC_ADMIN_TOKEN="two\nlines")
    assert (odd.returncode, "has no token" in odd.stderr) == (1, True)


def test_tokens_need_no_articles(tmp_path: Path) -> None:
    """Who may read private feeds is said where the store can be reached; before anything is private, too."""
    store = f"sqlite:///{tmp_path}/memory.db"
    with running(tmp_path, SEEDS, "--store", store):
        pass
    added = run("tokens", "add", "Ada", "--base-url", "https://e.org", "--store", store, cwd=tmp_path)
    assert added.returncode == 0
    assert added.stdout.startswith("https://e.org/private/")
    assert added.stdout.endswith("/topics/<slug>.atom\n")
    assert "no private feed is published yet" in added.stderr
    for name, refusal in (
        (" Ada ", "Ada has a token"),
        ("A" * 201, "at most 200 characters"),
        (" ", "a name is text"),
    ):
        again = run("tokens", "add", name, "--store", store, cwd=tmp_path)
        assert (again.returncode, refusal in again.stderr) == (1, True), again.stderr
    listed = run("tokens", "list", "--store", store, cwd=tmp_path)
    assert (listed.returncode, "Ada  all private feeds" in listed.stdout) == (0, True)


def test_reload_without_token_or_service_says_what_to_do() -> None:
    """What keeps `reload` from working is said in one line."""
    without = run("reload")
    assert without.returncode == 1
    assert "FEEDSVC_ADMIN_TOKEN is not set" in without.stderr
    nobody = run("reload", "--port", str(free_port()), FEEDSVC_ADMIN_TOKEN=TOKEN)
    assert nobody.returncode == 1
    assert "no service answers" in nobody.stderr
    assert TOKEN not in nobody.stderr


def test_wrong_configuration_lists_every_mistake(tmp_path: Path) -> None:
    """A wrong configuration ends the start with status 2 and a line for each mistake, wherever it was made."""
    file = tmp_path / "feedsvc.yaml"
    file.write_text("prot: 80\nport: 0.5\nsite:\n  titel: x\nlanguage: no\n", "utf-8")
    result = run(
        "serve", "--config", str(file), "--base-url", "feeds.example.org",
        FEEDSVC_ARTICLES="README.md", FEEDSVC_RELOAD_EVRY="5s",
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stdout == ""
    keys = [line.split(" (")[0].strip() for line in result.stderr.splitlines()[1:]]
    assert sorted(keys) == sorted(
        ["prot", "port", "site.titel", "language", "base_url", "articles", "FEEDSVC_RELOAD_EVRY"]
    )
    assert f'port ({file}:2): found "0.5", expected a whole number from 1 to 65535' in result.stderr


def test_language_no_is_norwegian(tmp_path: Path) -> None:
    """`language: no` is the language, not the opposite of yes."""
    file = tmp_path / "feedsvc.yaml"
    file.write_text("site:\n  language: no\n", "utf-8")
    out = tmp_path / "out"
    assert run("build", str(out), "--config", str(file)).returncode == 0
    assert "<language>no</language>" in (out / "feeds/all.rss").read_text("utf-8")


def test_unreadable_directory_is_an_error_of_one_line(tmp_path: Path) -> None:
    """No command shows a traceback where the directory is missing."""
    result = run("check", "--articles", str(tmp_path / "nowhere"))
    assert result.returncode == 2
    assert "articles (--articles): found" in result.stderr
    assert "Traceback" not in result.stderr


def test_version_is_told() -> None:
    """`--version` names the program and its version."""
    assert run("--version").stdout == "feedsvc 0.1.0\n"
