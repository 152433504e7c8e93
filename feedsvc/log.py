"""One line an event: words on a terminal, JSON otherwise.

Use: `logger.info("reloaded", extra=fields(feeds=3))`. The message names the event, the fields carry its data.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import IO, Any, Literal

from feedsvc.text import printable

logger = logging.getLogger("feedsvc")


def fields(**values: object) -> dict[str, object]:
    """The data of an event, for `extra=`."""
    return {"fields": values}


class _HumanFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        data = _data(record)
        traceback = data.pop("traceback", None)
        tail = "".join(f" {key}={value}" for key, value in data.items())
        # Data from outside must not make a line of its own, nor speak to the terminal.
        line = printable(f"{when} {level}{record.getMessage()}{tail}")
        return f"{line}\n{traceback}" if traceback else line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        return json.dumps(event | _data(record), ensure_ascii=False, default=str)


def _data(record: logging.LogRecord) -> dict[str, object]:
    data: dict[str, object] = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        data["error"] = f"{type(error).__name__}: {error}"
        if logger.isEnabledFor(logging.DEBUG):
            data["traceback"] = logging.Formatter().formatException(record.exc_info)
    return data


def configure(level: str, style: Literal["auto", "human", "json"] = "auto", stream: IO[str] | None = None) -> None:
    """Send every event of this process, and of the HTTP server in it, to `stream` (standard error)."""
    stream = stream or sys.stderr
    human = style == "human" or (style == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_HumanFormatter() if human else _JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # It warns of every reload that waits for another; the schedule says so once.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    logger.setLevel(level.upper())


def server_config() -> dict[str, Any]:
    """For granian, which configures its own loggers: let them reach our handler."""
    return {
        "handlers": {},
        "formatters": {},
        "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}},
    }
