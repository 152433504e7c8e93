"""The command line."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from feedsvc import __version__, health, log
from feedsvc.build import BuildError, build
from feedsvc.clock import iso
from feedsvc.config import ConfigError, load_settings
from feedsvc.documents.format import FEED_ENDINGS
from feedsvc.explain import ExplainError, explain
from feedsvc.log import fields, logger
from feedsvc.publisher import Publisher
from feedsvc.remote import TOKEN, RemoteError, reload_remote
from feedsvc.rules import load_rules
from feedsvc.serve import StartError, serve
from feedsvc.store.database import DatabaseStore
from feedsvc.store.store import Remembered, StoreError
from feedsvc.text import printable

if TYPE_CHECKING:
    from feedsvc.articles.library import Progress
    from feedsvc.feeds.memory import Event
    from feedsvc.reload import State
    from feedsvc.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FLAGS: dict[str, tuple[str, str, str]] = {
    "config": ("config", "FILE", "The configuration file (config/feedsvc.yaml where it exists)."),
    "articles": ("articles", "DIR", "The directory of articles."),
    "host": ("host", "ADDRESS", "The address to listen on."),
    "port": ("port", "NUMBER", "The port to listen on."),
    "base-url": ("base_url", "URL", "What the public URLs begin with."),
    "store": ("store.url", "URL", "Where it is kept what readers were told, such as sqlite:///var/feedsvc.db."),
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
    return os.environ.get(TOKEN, "").strip() or None


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"feedsvc: {message}", err=True)
    sys.exit(code)


def _loaded(settings: Settings) -> State:
    """The state after one reload, with progress on a terminal. What is remembered is read, and left as it is."""
    logger.setLevel("ERROR")
    return _reloaded(settings, Publisher(settings, remembered=_remembered(settings)), accept=True)


def _remembered(settings: Settings) -> Remembered:
    """What is remembered; nothing, and a note, where that cannot be had: the rest can be told all the same."""
    try:
        with closing(DatabaseStore(settings.store.url, write=False)) as store:
            return store.load(load_rules(settings))
    except StoreError as error:
        click.echo(f"feedsvc: note: {error}", err=True)
        return Remembered()


def _reloaded(settings: Settings, publisher: Publisher, *, accept: bool) -> State:
    outcome = publisher.reload(_progress(), accept=accept)
    if outcome.error:
        _fail(f"{settings.articles}: {outcome.error}")
    if outcome.forgetting:
        click.echo(f"feedsvc: note: the memory is not kept: {outcome.forgetting}", err=True)
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
@_flags("articles", "host", "port", "base-url", "reload-every", "store")
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
@click.option("--accept", is_flag=True, help="Publish what is held back as a mistake.")
def reload_command(*, accept: bool, **flags: str | None) -> None:
    """Make a running service reload now, and wait until the new feeds are served.

    Needs the token that the service was started with in FEEDSVC_ADMINTOKEN.

    \b
    Example: FEEDSVC_ADMINTOKEN=… feedsvc reload --port 8080
    """
    settings = _settings(flags)
    token = _token()
    if not token:
        _fail(f"{TOKEN} is not set; set it to the token that the service was started with")
    try:
        report = reload_remote(settings.host, settings.port, token, accept=accept)
    except RemoteError as error:
        _fail(str(error))
    click.echo(
        f"reloaded in {report['seconds']} s: {health.count_of(report['files'], 'file')}, "
        f"{report['selected']} selected, {report['rendered']} of {health.count_of(report['feeds'], 'feed')} "
        f"rendered, {health.count_of(report['problem_count'], 'problem')}"
    )
    for problem in report["problems"]:
        click.echo(problem)


@commands.command("check")
@_flags("articles", "store")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", help="text or json.")
def check_command(style: str, **flags: str | None) -> None:
    """List every problem of every file, with its place. Exit status 1 if there is one.

    \b
    Example: feedsvc check --articles seeds
    """
    state = _loaded(_settings(flags))
    problems = state.problems
    if style == "json":
        click.echo(json.dumps(health.check_report(state), ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            click.echo(str(problem))
        for each in state.superseded:
            click.echo(f"{each.path}: note: superseded by {each.by}, a revision of the same article")
        click.echo(health.summary(state))
    sys.exit(1 if problems else 0)


@commands.command("list")
@_flags("articles", "base-url", "store")
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
@_flags("articles", "store")
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
@_flags("articles", "base-url", "store")
@click.option("--accept", is_flag=True, help="Also where readers would lose much by it.")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def build_command(out: Path, *, accept: bool, **flags: str | None) -> None:
    """Write all feeds and pages as files below OUT, for a static host or a CDN.

    \b
    Example: feedsvc build public --base-url https://feeds.example.org
    """
    settings = _settings(flags)
    logger.setLevel("WARNING")
    with closing(DatabaseStore(settings.store.url, write=True)) as store:
        state = _reloaded(settings, Publisher(settings, store=store), accept=accept)
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


@commands.command("history")
@_flags("articles", "store")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many events.")
@click.argument("about", required=False)
def history_command(about: str | None, limit: int, **flags: str | None) -> None:
    """Tell what happened to articles for their readers, the newest first.

    ABOUT is an article's file, title, URL or id, or a feed such as /topics/ai; without it, all articles are meant.

    \b
    Example: feedsvc history seeds/001_ead6f760b060af40.txt
    """
    settings = _settings(flags)
    with closing(DatabaseStore(settings.store.url, write=False)) as store:
        names = [None] if about is None else [about, _relative(about, settings.articles), _feed(about)]
        events: list[Event] = next((found for name in names if (found := store.history(name, limit))), [])
    for event in events:
        parts = f" ({', '.join(event.parts)})" if event.parts else ""
        click.echo(f"{iso(event.at)}  {event.happening:9}  {printable(event.path)}  {event.title}{parts}")
    if not events:
        click.echo("nothing is known of it" if about else "nothing has happened yet")


def _relative(name: str, root: Path) -> str:
    """A file's path relative to the articles, as it is remembered."""
    path = Path(name).absolute()
    return str(path.relative_to(root.absolute())) if path.is_relative_to(root.absolute()) else name


def _feed(path: str) -> str:
    """A feed's path, of that of one of its forms."""
    return next((path.removesuffix(each) for each in FEED_ENDINGS if path.endswith(each)), path)


def main() -> None:
    """Run the command. No traceback reaches a user: it is logged where `log.level` is debug."""
    try:
        commands(prog_name="feedsvc")
    except StoreError as error:
        _fail(f"the memory cannot be used: {error}")
    except Exception:  # noqa: BLE001 - the last stop before a traceback
        logger.exception("internal error", extra=fields(hint="FEEDSVC_LOG_LEVEL=debug shows where"))
        sys.exit(70)
