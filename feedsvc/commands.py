"""The commands that work on articles, or on what is remembered of them."""

from __future__ import annotations

import json
import secrets
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feedsvc import health, heap
from feedsvc.build import BuildError, build
from feedsvc.clock import iso, now
from feedsvc.documents.format import FEED_ENDINGS
from feedsvc.explain import ExplainError, explain
from feedsvc.feeds.privacy import PRIVATE
from feedsvc.flags import fail, flags, settings_of, token
from feedsvc.log import logger
from feedsvc.publisher import Publisher
from feedsvc.rules import load_rules
from feedsvc.serve import StartError, serve
from feedsvc.store import tokens
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.store.store import Remembered
from feedsvc.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedsvc.articles.library import Progress
    from feedsvc.feeds.memory import Event
    from feedsvc.reload import State
    from feedsvc.settings import Settings

# Of who has a token: it stands in lists.
_LONGEST_NAME = 200


@click.command("serve")
@flags("articles", "host", "port", "base-url", "reload-every", "store", "role", "workers")
def serve_command(**given: str | None) -> None:
    """Serve the feeds, and keep them current while the files change.

    \b
    Example: feedsvc serve --articles seeds --port 8080
    """
    heap.share()
    settings = settings_of(given)
    try:
        serve(settings, token())
    except StartError as error:
        fail(str(error))


@click.command("check")
@flags("articles", "store")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", help="text or json.")
def check_command(style: str, **given: str | None) -> None:
    """List every problem of every file, with its place. Exit status 1 if there is one.

    \b
    Example: feedsvc check --articles seeds
    """
    state = _loaded(settings_of(given))
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


@click.command("list")
@flags("articles", "base-url", "store")
def list_command(**given: str | None) -> None:
    """List the feeds, with the number of articles and the date of the newest.

    \b
    Example: feedsvc list --articles seeds
    """
    state = _loaded(settings_of(given))
    composed = state.composition
    feeds = (*composed.feeds, *composed.private) if composed else ()
    width = max((len(feed.path) for feed in feeds), default=0)
    for feed in feeds:
        click.echo(f"{feed.path:{width}}  {feed.total:6,}  {iso(feed.newest) or '-':20}  {feed.name}")


@click.command("explain")
@flags("articles", "store")
@click.argument("file", type=click.Path(path_type=Path))
def explain_command(file: Path, **given: str | None) -> None:
    """Tell what was read of FILE, and which feeds carry it or what holds it back.

    \b
    Example: feedsvc explain seeds/003_efb2269f08c59097.txt
    """
    settings = settings_of(given)
    try:
        for line in explain(_loaded(settings), settings.articles, file):
            click.echo(line)
    except ExplainError as error:
        fail(str(error))


@click.command("build")
@flags("articles", "base-url", "store")
@click.option("--accept", is_flag=True, help="Also where readers would lose much by it.")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def build_command(out: Path, *, accept: bool, **given: str | None) -> None:
    """Write all feeds and pages as files below OUT, for a static host or a CDN.

    \b
    Example: feedsvc build public --base-url https://feeds.example.org
    """
    settings = settings_of(given)
    logger.setLevel("WARNING")
    if settings.is_shared:
        # Who publishes there is elected, and this is not.
        state = _reloaded(settings, Publisher(settings, remembered=_remembered(settings)), accept=accept)
    else:
        with closing(DatabaseStore(settings.store.url, write=True)) as store:
            state = _reloaded(settings, Publisher(settings, store=store), accept=accept)
    if state.snapshot is None:  # pragma: no cover - a reload without an error leaves a snapshot
        fail("nothing to write")
    try:
        built = build(state.snapshot, out, settings.articles)
    except BuildError as error:
        fail(str(error))
    click.echo(
        f"{out}: {health.count_of(built.files, 'file')}, {built.written} written, {built.removed} removed, "
        f"{health.count_of(len(state.problems), 'problem')}"
    )


@click.command("history")
@flags("articles", "store")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many events.")
@click.argument("about", required=False)
def history_command(about: str | None, limit: int, **given: str | None) -> None:
    """Tell what happened to articles for their readers, the newest first.

    ABOUT is an article's file, title, URL or id, or a feed such as /topics/ai; without it, all articles are meant.

    \b
    Example: feedsvc history seeds/001_ead6f760b060af40.txt
    """
    settings = settings_of(given)
    with closing(DatabaseStore(settings.store.url, write=False)) as store:
        names = [None] if about is None else [about, _relative(about, settings.articles), _feed(about)]
        events: list[Event] = next((found for name in names if (found := store.history(name, limit))), [])
    for event in events:
        parts = f" ({', '.join(event.parts)})" if event.parts else ""
        click.echo(f"{iso(event.at)}  {event.happening:9}  {printable(event.path)}  {event.title}{parts}")
    if not events:
        click.echo("nothing is known of it" if about else "nothing has happened yet")


@click.group("tokens", context_settings={"help_option_names": ["-h", "--help"]})
def tokens_command() -> None:
    """Say who may read private feeds: each subscriber has URLs of its own, with a token in them.

    A running service takes it up within seconds.

    \b
    Example: feedsvc tokens add Ada --feed topics/research
    """


@tokens_command.command("add")
@flags("base-url", "store")
@click.option(
    "--feed", "wanted", multiple=True, metavar="FEED", help="Only this one, such as topics/ai; repeatable."
)
@click.argument("name")
def tokens_add(name: str, wanted: tuple[str, ...], **given: str | None) -> None:
    """Make a token for NAME, and print its URLs. They are kept nowhere, and cannot be printed again."""
    settings = settings_of(given, with_articles=False)
    name = name.strip()
    if not name or printable(name) != name or len(name) > _LONGEST_NAME:
        fail(f"a name is text on one line, of at most {_LONGEST_NAME} characters")
    with _tokens_of(settings) as store:
        there = tokens.private_feeds(store)
        feeds = tuple(dict.fromkeys(f"{PRIVATE}{_feed(each).removeprefix('/')}" for each in wanted))
        if unknown := [each.removeprefix(PRIVATE) for each in feeds if each not in there]:
            known = ", ".join(each.removeprefix(PRIVATE) for each in there) or "none"
            fail(f"there is no private feed {unknown[0]}; there are: {known}")
        secret = secrets.token_urlsafe(32)
        if not tokens.grant(store, secret, tokens.Grant(name, feeds, now())):
            fail(f"{name} has a token; revoke it first, or choose another name")
    if not there:
        click.echo("feedsvc: note: no private feed is published yet; its URLs will be like this", err=True)
    for path in feeds or there or (f"{PRIVATE}topics/<slug>",):
        click.echo(f"{settings.public_url}{PRIVATE}{secret}/{path.removeprefix(PRIVATE)}.atom")


@tokens_command.command("list")
@flags("store")
def tokens_list(**given: str | None) -> None:
    """List the tokens: for whom, since when, and for which feeds. What they are is not known."""
    with _tokens_of(settings_of(given, with_articles=False)) as store:
        grants = tokens.grants_in(store).values()
        for each in grants:
            feeds = ", ".join(path.removeprefix(PRIVATE) for path in each.feeds) or "all private feeds"
            click.echo(f"{iso(each.made_at)}  {each.name}  {feeds}")
    if not grants:
        click.echo("nobody has a token; feedsvc tokens add makes one")


@tokens_command.command("revoke")
@flags("store")
@click.argument("name")
def tokens_revoke(name: str, **given: str | None) -> None:
    """Let the token of NAME open nothing any more."""
    with _tokens_of(settings_of(given, with_articles=False)) as store:
        if not tokens.revoke(store, name.strip()):
            fail(f"{name} has no token; feedsvc tokens list tells who has")
    click.echo(f"the token of {name} opens nothing any more, within seconds")


@contextmanager
def _tokens_of(settings: Settings) -> Iterator[DatabaseStore]:
    if settings.store.url == "sqlite://":
        fail("tokens need a memory that is kept; set store.url, such as sqlite:///var/feedsvc.db")
    with closing(DatabaseStore(settings.store.url, write=False)) as store:
        yield store


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
    if outcome.held:
        fail(f"{settings.articles}: held back: {outcome.held.loss}; if that is meant: feedsvc build --accept")
    if outcome.error:
        fail(f"{settings.articles}: {outcome.error}")
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


def _relative(name: str, root: Path) -> str:
    """A file's path relative to the articles, as it is remembered."""
    path = Path(name).absolute()
    return str(path.relative_to(root.absolute())) if path.is_relative_to(root.absolute()) else name


def _feed(path: str) -> str:
    """A feed's path, of that of one of its forms."""
    return next((path.removesuffix(each) for each in FEED_ENDINGS if path.endswith(each)), path)
