"""The command line."""

from __future__ import annotations

import ipaddress
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from feedsvc import __version__, health, log
from feedsvc.build import BuildError, build
from feedsvc.clock import iso
from feedsvc.config import ConfigError, load_settings
from feedsvc.explain import ExplainError, explain
from feedsvc.log import fields, logger
from feedsvc.publisher import Publisher, State
from feedsvc.serve import StartError, serve

if TYPE_CHECKING:
    from feedsvc.articles.article import Problem
    from feedsvc.articles.library import Progress
    from feedsvc.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])

_TOKEN = "FEEDSVC_ADMIN_TOKEN"  # noqa: S105 - the variable's name
_FLAGS: dict[str, tuple[str, str, str]] = {
    "config": ("config", "FILE", "The configuration file (config/feedsvc.yaml where it exists)."),
    "articles": ("articles", "DIR", "The directory of articles."),
    "host": ("host", "ADDRESS", "The address to listen on."),
    "port": ("port", "NUMBER", "The port to listen on."),
    "base-url": ("base_url", "URL", "What the public URLs begin with."),
    "reload-every": ("reload.every", "DURATION", "How often the directory is read again, such as 60s."),
}


def _flags(*names: str) -> Callable[[_Command], _Command]:
    def decorate(command: _Command) -> _Command:
        for name in reversed(("config", *names)):
            _, metavar, text = _FLAGS[name]
            command = click.option(f"--{name}", metavar=metavar, help=text)(command)
        return command

    return decorate


def _settings(flags: dict[str, str | None]) -> Settings:
    path = flags.pop("config", None)
    keys = {_FLAGS[name.replace("_", "-")][0]: value for name, value in flags.items()}
    try:
        settings = load_settings(Path(path) if path else None, os.environ, keys)
    except ConfigError as error:
        click.echo(f"feedsvc: the configuration has {health.count_of(len(error.mistakes), 'mistake')}:", err=True)
        for mistake in error.mistakes:
            click.echo(f"  {mistake}", err=True)
        sys.exit(2)
    log.configure(settings.log.level, settings.log.format)
    return settings


def _token() -> str | None:
    return os.environ.get(_TOKEN, "").strip() or None


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"feedsvc: {message}", err=True)
    sys.exit(code)


def _loaded(settings: Settings) -> State:
    """The state after one reload, with progress on a terminal."""
    logger.setLevel("WARNING")
    outcome = Publisher(settings).reload(_progress())
    if outcome.error:
        _fail(f"{settings.articles}: {outcome.error}")
    return outcome.state


def _progress() -> Progress | None:
    """Shows how far the reading is, once it has taken a second; nothing where nobody looks."""
    if not sys.stderr.isatty():
        return None
    begin = shown = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal shown
        moment = time.monotonic()
        if moment > begin + 1 and (moment > shown + 0.2 or done == total):
            shown = moment
            click.echo(f"\rreading file {done:,} of {total:,}", nl=done == total, err=True)

    return show


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="feedsvc", message="%(prog)s %(version)s")
def commands() -> None:
    """Publish a directory of articles as Atom and RSS feeds.

    Every setting is in config/feedsvc.yaml; an environment variable (FEEDSVC_PORT) overrides it, and a flag
    (--port) overrides both.
    """


@commands.command("serve")
@_flags("articles", "host", "port", "base-url", "reload-every")
def serve_command(**flags: str | None) -> None:
    """Serve the feeds, and keep them current while the files change.

    \b
    Example: feedsvc serve --articles seeds --port 8080
    """
    settings = _settings(flags)
    try:
        serve(settings, _token())
    except StartError as error:
        _fail(str(error))


@commands.command("reload")
@_flags("host", "port")
def reload_command(**flags: str | None) -> None:
    """Make a running service reload now, and wait until the new feeds are served.

    Needs the token that the service was started with in FEEDSVC_ADMIN_TOKEN.

    \b
    Example: FEEDSVC_ADMIN_TOKEN=… feedsvc reload --port 8080
    """
    settings = _settings(flags)
    token = _token()
    if not token:
        _fail(f"{_TOKEN} is not set; set it to the token that the service was started with")
    url = f"http://{_reachable(settings.host)}:{settings.port}/admin/reload"
    request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=600) as response:  # noqa: S310 - the scheme is ours
            report = json.load(response)
    except urllib.error.HTTPError as error:
        _fail(_refused(url, error))
    except OSError as error:
        reason = getattr(error, "reason", error)
        _fail(f"no service answers at {url}: {reason}; is it running, on this host and port?")
    except ValueError:
        _fail(f"{url} does not answer as feedsvc does; what runs there?")
    click.echo(
        f"reloaded in {report['seconds']} s: {health.count_of(report['files'], 'file')}, "
        f"{report['selected']} selected, {report['rendered']} of {health.count_of(report['feeds'], 'feed')} "
        f"rendered, {health.count_of(report['problem_count'], 'problem')}"
    )
    for problem in report["problems"]:
        click.echo(problem)


def _reachable(host: str) -> str:
    """Where a server that listens on `host` can be reached from the same machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "[::1]" if address.version == 6 else "127.0.0.1"
    return f"[{host}]" if address.version == 6 else host


def _refused(url: str, error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return f"{url} refuses the token; is {_TOKEN} the one that the service was started with?"
    if error.code == 404:
        return f"{url} is switched off; start the service with {_TOKEN} set"
    try:
        body = json.load(error)
    except ValueError:
        body = {}
    return f"{url} answers {error.code}: {body.get('error') or body.get('detail') or error.reason}"


@commands.command("check")
@_flags("articles")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", help="text or json.")
def check_command(style: str, **flags: str | None) -> None:
    """List every problem of every file, with its place. Exit status 1 if there is one.

    \b
    Example: feedsvc check --articles seeds
    """
    state = _loaded(_settings(flags))
    problems = state.problems
    if style == "json":
        click.echo(json.dumps(_check_report(state, problems), ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            click.echo(str(problem))
        for each in state.superseded:
            click.echo(f"{each.path}: note: superseded by {each.by}, a revision of the same article")
        click.echo(health.summary(state))
    sys.exit(1 if problems else 0)


def _check_report(state: State, problems: list[Problem]) -> dict[str, object]:
    return {
        "files": len(state.library.files),
        "articles": len(state.articles),
        "selected": len(state.selection.articles),
        "held": state.held,
        "superseded": [{"file": each.path, "by": each.by} for each in state.superseded],
        "problems": [
            {
                "file": each.path,
                "line": each.line,
                "field": each.field,
                "found": each.found,
                "expected": each.expected,
                "fatal": each.fatal,
            }
            for each in problems
        ],
    }


@commands.command("list")
@_flags("articles", "base-url")
def list_command(**flags: str | None) -> None:
    """List the feeds, with the number of articles and the date of the newest.

    \b
    Example: feedsvc list --articles seeds
    """
    state = _loaded(_settings(flags))
    feeds = state.snapshot.feeds if state.snapshot else {}
    width = max(map(len, feeds), default=0)
    for path, feed in feeds.items():
        click.echo(f"{path:{width}}  {feed.total:6,}  {iso(feed.newest) or '-':20}  {feed.name}")


@commands.command("explain")
@_flags("articles")
@click.argument("file", type=click.Path(path_type=Path))
def explain_command(file: Path, **flags: str | None) -> None:
    """Tell what was read of FILE, and which feeds carry it or what holds it back.

    \b
    Example: feedsvc explain seeds/003_efb2269f08c59097.txt
    """
    settings = _settings(flags)
    try:
        for line in explain(_loaded(settings), settings.articles, file):
            click.echo(line)
    except ExplainError as error:
        _fail(str(error))


@commands.command("build")
@_flags("articles", "base-url")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def build_command(out: Path, **flags: str | None) -> None:
    """Write all feeds and pages as files below OUT, for a static host or a CDN.

    \b
    Example: feedsvc build public --base-url https://feeds.example.org
    """
    settings = _settings(flags)
    state = _loaded(settings)
    if state.snapshot is None:  # pragma: no cover - a reload without an error leaves a snapshot
        _fail("nothing to write")
    try:
        built = build(state.snapshot, out, settings.articles)
    except BuildError as error:
        _fail(str(error))
    click.echo(
        f"{out}: {health.count_of(built.files, 'file')}, {built.written} written, {built.removed} removed, "
        f"{health.count_of(len(state.problems), 'problem')}"
    )


def main() -> None:
    """Run the command. No traceback reaches a user: it is logged where `log.level` is debug."""
    try:
        commands(prog_name="feedsvc")
    except Exception:  # noqa: BLE001 - the last stop before a traceback
        logger.exception("internal error", extra=fields(hint="FEEDSVC_LOG_LEVEL=debug shows where"))
        sys.exit(70)
