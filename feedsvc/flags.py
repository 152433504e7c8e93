"""What all commands share: their flags, the settings that these lead to, and how they fail."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from feedsvc import health, log
from feedsvc.config import ConfigError, load_settings
from feedsvc.remote import TOKEN, TOKEN_FILE

if TYPE_CHECKING:
    from feedsvc.settings import Settings

# What a header can hold, and more than anybody needs.
_LONGEST = 1024
_IS_TOKEN = re.compile(rf"[ -~]{{1,{_LONGEST}}}")
_Command = TypeVar("_Command", bound=Callable[..., Any])

_FLAGS: dict[str, tuple[str, str, str]] = {
    "config": ("config", "FILE", "The configuration file (config/feedsvc.yaml where it exists)."),
    "articles": ("articles", "DIR", "The directory of articles."),
    "host": ("host", "ADDRESS", "The address to listen on."),
    "port": ("port", "NUMBER", "The port to listen on."),
    "base-url": ("base_url", "URL", "What the public URLs begin with."),
    "store": ("store.url", "URL", "Where it is kept what readers were told, such as sqlite:///var/feedsvc.db."),
    "role": ("role", "ROLE", "What this process does: both, publish (reload alone) or serve (follow the store)."),
    "workers": ("workers", "NUMBER", "How many processes serve."),
    "reload-every": ("reload.every", "DURATION", "How often the directory is read again, such as 60s."),
}


def flags(*names: str) -> Callable[[_Command], _Command]:
    """Give a command these flags, and `--config`."""

    def decorate(command: _Command) -> _Command:
        for name in reversed(("config", *names)):
            _, metavar, text = _FLAGS[name]
            command = click.option(f"--{name}", metavar=metavar, help=text)(command)
        return command

    return decorate


def settings_of(given: dict[str, str | None], *, with_articles: bool = True) -> Settings:
    """What is configured, with what the flags say over it; a wrong configuration ends the command.

    Without articles, the host may have none.
    """
    path = given.pop("config", None)
    keys = {_FLAGS[name.replace("_", "-")][0]: value for name, value in given.items()}
    if not with_articles:
        # A directory that is there.
        keys["articles"] = "."
    try:
        settings = load_settings(Path(path) if path else None, os.environ, keys)
    except ConfigError as error:
        click.echo(f"feedsvc: the configuration has {health.count_of(len(error.mistakes), 'mistake')}:", err=True)
        for mistake in error.mistakes:
            click.echo(f"  {mistake}", err=True)
        sys.exit(2)
    log.configure(settings.log.level, settings.log.format)
    return settings


def token() -> str | None:
    """What admin requests need, where there is any; a file that cannot be read ends the command."""
    given, file = os.environ.get(TOKEN, "").strip(), os.environ.get(TOKEN_FILE, "")
    if given and file:
        fail(f"both {TOKEN} and {TOKEN_FILE} are set; leave one out")
    if file:
        given = _token_in(file) or fail(f"the file that {TOKEN_FILE} names is empty: {file}; put the token in it")
    if given and not _IS_TOKEN.fullmatch(given):
        origin = f"the file that {TOKEN_FILE} names" if file else TOKEN
        fail(f"{origin} has no token: one is a line of at most {_LONGEST} ASCII characters")
    return given or None


def _token_in(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            # What is longer is none, and may have no end.
            return stream.read(2 * _LONGEST).decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        fail(f"the file that {TOKEN_FILE} names cannot be read: {file}: {reason}")


def fail(message: str, code: int = 1) -> NoReturn:
    """End with a message."""
    click.echo(f"feedsvc: {message}", err=True)
    sys.exit(code)
