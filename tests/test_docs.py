"""The documents are kept true: what they must name they name, and what they show can be run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner
from service import PATIENCE_SECONDS, TOKEN, command, environment, running
from support import ROOT, SEEDS, make_settings

from feedsvc.cli import commands
from feedsvc.config import LISTINGS, default_of, keys, load_settings, variable
from feedsvc.health import report
from feedsvc.publisher import Publisher
from feedsvc.settings import Settings
from feedsvc.tree import Value, parse_tree
from feedsvc.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service import Service

DOCUMENTS = [ROOT / "README.md", ROOT / "deploy/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text("utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text("utf-8")
COMMANDS = commands.list_commands(click.Context(commands))
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")


def examples() -> Iterator[tuple[str, str, str]]:
    """Every command shown in a document, with the output that is shown behind it."""
    for document in DOCUMENTS:
        for block in re.findall(r"```console\n(.*?)```", document.read_text("utf-8"), re.DOTALL):
            for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                line, _, output = example.partition("\n")
                yield document.name, line, output


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """What the examples talk to."""
    with running(tmp_path_factory.mktemp("docs"), SEEDS) as service:
        yield service


@pytest.mark.parametrize(("document", "line", "output"), list(examples()))
def test_example_runs_and_prints_what_is_shown(
    document: str, line: str, output: str, service: Service, tmp_path: Path
) -> None:
    """Every example of a document works on the seeds and prints what is shown; `...` stands for anything."""
    words = shlex.split(line)
    if words[0] == "curl":
        path = words[-1].removeprefix("localhost:8080")
        printed = service.ask(path).body.decode().replace(service.base_url, "http://localhost:8080")
    elif words[:2] == ["feedsvc", "serve"]:
        assert not output, document
        assert set(words[2::2]) <= {"--articles", "--base-url"}, document
        return
    else:
        assert words[0] == "feedsvc", document
        shutil.copytree(SEEDS, tmp_path / "seeds")
        done = subprocess.run(
            command(*words[1:]),
            cwd=tmp_path,
            env=environment(FEEDSVC_ADMIN_TOKEN=TOKEN, FEEDSVC_PORT=str(service.port), PYTHONPATH=str(ROOT)),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        printed = done.stdout
    shown = re.escape(output.strip()).replace(re.escape("..."), "(?s:.*)")
    assert re.fullmatch(shown, printed.strip()), printed


def test_article_example_of_the_readme_is_valid(articles: Path) -> None:
    """The article that README shows can be published as it is."""
    example = re.search(r"```markdown\n(.*?)```", README, re.DOTALL)
    assert example
    (articles / "example.md").write_text(example[1], "utf-8")
    outcome = Publisher(make_settings(articles)).reload()
    assert outcome.state.problems == ()
    assert [article.title for article in outcome.state.selection.articles] == ["AI giant postpones IPO"]


def test_every_setting_is_documented() -> None:
    """Each setting stands in docs/configuration.md with its variable, and in the shipped file."""
    shipped = parse_tree((ROOT / "config/feedsvc.yaml").read_text("utf-8")).root
    for key in keys():
        assert f"| `{key}` | `{variable(key)}` |" in CONFIGURATION, key
        value: Value | None = shipped
        for part in key.split("."):
            value = value.data.get(part) if value and isinstance(value.data, dict) else None
        assert value is not None, key


def test_no_setting_is_documented_that_does_not_exist() -> None:
    """docs/configuration.md has a row for each setting and no other."""
    assert re.findall(r"^\| `([a-z_.]+)` \| `FEEDSVC", CONFIGURATION, re.MULTILINE) == list(keys())


def test_every_member_of_a_listing_is_documented() -> None:
    """What can be said of a topic or a provider stands in docs/configuration.md."""
    for model in LISTINGS.values():
        for member in model.model_fields:
            assert re.search(rf"^\| .*`{member}`.* \|", CONFIGURATION, re.MULTILINE), member


def test_shipped_configuration_is_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """config/feedsvc.yaml changes nothing: it shows the defaults, and works as it is."""
    monkeypatch.chdir(ROOT)
    assert load_settings(ROOT / "config/feedsvc.yaml", {}) == Settings()
    assert default_of("port") == 8080


def test_every_route_is_documented() -> None:
    """Each route that Flask knows, and each kind of document, stands in README."""
    app = create_app(lambda: None, dict, dict, lambda: "http://localhost", "token")
    for rule in app.url_map.iter_rules():
        assert f"{rule.rule}`" in README, rule.rule
    assert "`/feeds.opml`" in README
    for path in (
        "`/feeds/all` `.atom` `.rss` `.json`",
        "`/topics/<slug>` `.atom` `.rss` `.json`",
        "`/providers/<slug>` `.atom` `.rss` `.json`",
    ):
        assert path in README


def test_every_command_is_documented() -> None:
    """Each command stands in README's table."""
    for name in COMMANDS:
        assert f"| `feedsvc {name}" in README, name


def test_every_flag_is_documented() -> None:
    """Each flag that overrides a setting stands beside it in docs/configuration.md."""
    serve = commands.get_command(click.Context(commands), "serve")
    assert serve
    for flag in serve.params:
        assert f"`{flag.opts[0]}`" in CONFIGURATION, flag.opts[0]


def test_every_member_of_health_is_documented(articles: Path) -> None:
    """Each member of /health stands in docs/operations.md."""
    settings = make_settings(articles)
    publisher = Publisher(settings)
    outcome = publisher.reload()
    assert outcome.state.reloaded_at
    members = report(outcome.state, None, settings.reload.every, outcome.state.reloaded_at)
    for name in members.keys() - {"serviceId"}:
        assert f"`{name}`" in OPERATIONS, name


def test_every_link_between_documents_leads_somewhere() -> None:
    """No document links to a file that is not there."""
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_decision_is_listed() -> None:
    """docs/decisions/README.md lists each decision."""
    listed = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    for document in (ROOT / "docs/decisions").glob("*.md"):
        assert document.name == "README.md" or f"({document.name})" in listed


def test_first_screen_of_the_readme_has_the_two_commands() -> None:
    """Whoever opens README sees what this is and how to start it, without scrolling."""
    first_screen = "\n".join(README.splitlines()[:25])
    assert "git clone" in first_screen
    assert "make serve" in first_screen


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_variables_that_there_are(name: str) -> None:
    """Whoever copies a variable out of a help text has the right one."""
    told = CliRunner().invoke(commands, [name, "--help"]).output
    others = {"FEEDSVC_CONFIG", "FEEDSVC_ADMIN_TOKEN", "FEEDSVC_ADMIN_TOKEN_FILE"}
    known = {variable(key) for key in keys()} | others
    assert set(re.findall(r"FEEDSVC_\w+", told)) <= known
