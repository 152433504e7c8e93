"""The table of attacks: what was tried, how often, and what came of it. docs/security.md shows it.

These are hooks of pytest, which tests/conftest.py takes up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DOCUMENT = ROOT / "docs/security.md"
_BEGIN, _END = "<!-- attacks -->\n", "<!-- end of attacks -->\n"
_HEAD = "| | attack | tried | what happens |\n|---|---|---|---|\n"


class Row(NamedTuple):
    """An attack of some area, as the table tells it."""

    area: str
    attack: str
    times: int
    result: str


@pytest.fixture
def tried(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Call it with an attack, how often it was tried, and what came of it, once that was seen."""

    def tell(attack: str, times: int, result: str) -> None:
        record_property("attack", [request.module.AREA, attack, times, result])

    return tell


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-attacks` brings the table in docs/security.md up to date."""
    parser.addoption(
        "--write-attacks", action="store_true", help="write the table of attacks into docs/security.md"
    )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where all attacks were run, the document shows them, or it is a failure."""
    rows = _rows(session.config)
    if rows is None or exitstatus != pytest.ExitCode.OK:
        return
    if session.config.getoption("--write-attacks"):
        DOCUMENT.write_text(_with(_table(rows)), "utf-8")
    elif _with(_table(rows)) != DOCUMENT.read_text("utf-8"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    rows = _rows(terminalreporter.config)
    if rows is None:
        if _are_all(terminalreporter.config) and (count := len(_skipped(terminalreporter))):
            terminalreporter.section("attacks")
            terminalreporter.line(
                f"no table of attacks: {count} could not be tried here; -rs says why", yellow=True
            )
        return
    terminalreporter.section("attacks")
    for area, attack, times, result in sorted(rows):
        terminalreporter.line(f"{area:8} {times:7,}  {attack}: {result}")
    if _with(_table(rows)) != DOCUMENT.read_text("utf-8"):
        terminalreporter.line("docs/security.md tells otherwise; bring it up to date: make attacks", red=True)


def _rows(config: pytest.Config) -> list[Row] | None:
    """What was tried, where the tests ran that try it all, and none was skipped for want of something."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    # A process that runs some of the tests for another has no summary of its own.
    if reporter is None or hasattr(config, "workerinput") or not _are_all(config):
        return None
    if _skipped(reporter):
        return None
    reports = reporter.stats.get("passed", [])
    found = {Row(*value) for each in reports for name, value in each.user_properties if name == "attack"}
    return sorted(found)


def _skipped(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    return [each for each in reporter.stats.get("skipped", []) if "tests/attacks/" in str(each.nodeid)]


def _are_all(config: pytest.Config) -> bool:
    """Whether nothing was said about which tests to run, but for all of them here."""
    chosen = config.option.keyword or config.option.markexpr or getattr(config.option, "lf", False)
    return not chosen and config.args in (config.getini("testpaths"), ["tests/attacks"])


def _table(rows: Iterable[Row]) -> str:
    lines, last = [], ""
    for area, attack, times, result in rows:
        lines.append(f"| {area if area != last else ''} | {attack} | {times:,} | {result} |\n")
        last = area
    return _HEAD + "".join(lines)


def _with(table: str) -> str:
    """The document with this table."""
    before, _, rest = DOCUMENT.read_text("utf-8").partition(_BEGIN)
    return f"{before}{_BEGIN}\n{table}\n{_END}{rest.partition(_END)[2]}"
