"""The command line."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from feedsvc import __version__, health
from feedsvc.flags import fail, flags, settings_of, token
from feedsvc.log import fields, logger
from feedsvc.remote import TOKEN, TOKEN_FILE, RemoteError, reload_remote
from feedsvc.store.errors import StoreError

# What these need takes half a second to import.
_LATER = ("build", "check", "explain", "history", "list", "serve", "tokens")


class _Commands(click.Group):
    """All commands; most of them are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module("feedsvc.commands"), f"{cmd_name}_command")
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="feedsvc", message="%(prog)s %(version)s")
def commands() -> None:
    """Publish a directory of articles as Atom, RSS and JSON feeds.

    Every setting is in config/feedsvc.yaml; an environment variable (FEEDSVC_PORT) overrides it, and a flag
    (--port) overrides both.
    """


@commands.command("reload")
@flags("host", "port")
@click.option("--accept", is_flag=True, help="Publish what is held back as a mistake.")
def reload_command(*, accept: bool, **given: str | None) -> None:
    """Make a running service reload now, and wait until the new feeds are served.

    Needs the token that the service was started with in FEEDSVC_ADMIN_TOKEN, or in the file that
    FEEDSVC_ADMIN_TOKEN_FILE names.

    \b
    Example: FEEDSVC_ADMIN_TOKEN=… feedsvc reload --port 8080
    """
    settings = settings_of(given, with_articles=False)
    secret = token()
    if not secret:
        fail(f"{TOKEN} is not set, nor {TOKEN_FILE}; set one to the token that the service was started with")
    try:
        report = reload_remote(*settings.admin_address, secret, accept=accept)
    except RemoteError as error:
        fail(str(error))
    click.echo(
        f"reloaded in {report['seconds']} s: {health.count_of(report['files'], 'file')}, "
        f"{report['selected']} selected, {report['rendered']} of {health.count_of(report['feeds'], 'feed')} "
        f"rendered, {health.count_of(report['problem_count'], 'problem')}"
    )
    for problem in report["problems"]:
        click.echo(problem)


def main() -> None:
    """Run the command. No traceback reaches a user: it is logged where `log.level` is debug."""
    try:
        commands(prog_name="feedsvc")
    except StoreError as error:
        fail(f"the memory cannot be used: {error}")
    except ImportError as error:
        fail(f"{error}: install what feedsvc needs again, as README says")
    except Exception:  # noqa: BLE001 - the last stop before a traceback
        logger.exception("internal error", extra=fields(hint="FEEDSVC_LOG_LEVEL=debug shows where"))
        sys.exit(70)
