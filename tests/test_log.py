"""Events: one line each."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Literal

import pytest

from feedsvc.log import configure, fields, logger

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def _restored() -> Iterator[None]:
    """Logging is the process's: leave it as it was."""
    root = logging.getLogger()
    before, level, own = root.handlers[:], root.level, logger.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    logger.setLevel(own)


def logged(level: str, style: Literal["auto", "human", "json"], *, terminal: bool = False) -> list[str]:
    """The lines that an event and an error with a cause make."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stream = Terminal()
    configure(level, style, stream)
    logger.info("reloaded", extra=fields(feeds=3, path="a\nb"))
    try:
        int("no number")
    except ValueError:
        logger.exception("reload failed")
    logger.debug("nothing new")
    return stream.getvalue().splitlines()


@pytest.mark.usefixtures("_restored")
def test_events_are_json_where_nobody_looks() -> None:
    """Without a terminal an event is one JSON object on one line, whatever its data."""
    first, second = map(json.loads, logged("info", "auto"))
    assert (first["event"], first["level"], first["feeds"], first["path"]) == ("reloaded", "info", 3, "a\nb")
    assert (second["event"], second["level"]) == ("reload failed", "error")
    assert second["error"] == "ValueError: invalid literal for int() with base 10: 'no number'"
    assert "traceback" not in second


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize(("style", "terminal"), [("auto", True), ("human", False)])
def test_events_are_words_on_a_terminal(style: Literal["auto", "human"], terminal: bool) -> None:
    """On a terminal an event is one line of words, with the level where it is no plain news."""
    first, second = logged("info", style, terminal=terminal)
    assert first.endswith(" reloaded feeds=3 path=a\\nb")
    assert second.endswith(
        " error: reload failed error=ValueError: invalid literal for int() with base 10: 'no number'"
    )


@pytest.mark.usefixtures("_restored")
def test_debug_shows_where_an_error_came_from() -> None:
    """At the level debug, and only there, errors have their traceback."""
    _, failed, last = map(json.loads, logged("debug", "json"))
    assert "test_log.py" in failed["traceback"]
    assert last["event"] == "nothing new"
