"""Front matter field by field, each read as the type it has."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedsvc.articles.article import Problem
from feedsvc.articles.dates import parse_date
from feedsvc.text import clean, one_line, printable
from feedsvc.tree import Value, describe
from feedsvc.urls import clean_url, looks_clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

URL = "an absolute http or https URL"
DATE = "a date such as 2021-12-14T00:50:00Z"
_DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII)
_PIXELS = re.compile(r"[1-9][0-9]{0,4}")
# Names stand in every entry, and in the list of feeds.
MAX_NAME = 200
# Titles and excerpts stand in every format of every feed of the article.
MAX_TEXT = 20_000
TEXT = f"text of at most {MAX_TEXT} characters"
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(slots=True)
class Fields:
    """Reads one mapping field by field, each as the type it has; what cannot be used goes on the list."""

    path: str
    zone: ZoneInfo
    values: Mapping[str, Value]
    problems: list[Problem]
    prefix: str = ""
    failed: bool = False

    def inner(self, name: str, values: Mapping[str, Value]) -> Fields:
        """The reader of a mapping inside this one."""
        return Fields(self.path, self.zone, values, self.problems, f"{self.prefix}{name}.")

    def warn(self, name: str, line: int | None, found: str, expected: str) -> None:
        """The field is left out."""
        self.problems.append(Problem(self.path, line, self.prefix + printable(name), found, expected, fatal=False))

    def fail(self, name: str, expected: str) -> None:
        """Without the field, the file cannot be used; what was wrong with it is said once."""
        self.failed = True
        self.problems[:] = [each for each in self.problems if each.field != name]
        value = self.values.get(name)
        line, found = (value.line, describe(value)) if value else (1, "nothing")
        self.problems.append(Problem(self.path, line, name, found, expected))

    def scalar(self, name: str, expected: str) -> str | None:
        """The field as it was written; None where it is missing, null, or no scalar."""
        value = self.values.get(name)
        if value is None or value.data is None:
            return None
        if isinstance(value.data, str):
            return value.data
        self.warn(name, value.line, describe(value), expected)
        return None

    def text(self, name: str) -> str:
        """Text on one line; "" where there is none, or more than anybody shows."""
        text = one_line(self.scalar(name, "text") or "")
        if len(text) <= MAX_TEXT:
            return text
        self.warn(name, self.values[name].line, f"{len(text)} characters", TEXT)
        return ""

    def name(self, name: str, value: Value | None) -> str:
        """What something is called, on one line; "" where it is called nothing, or too much to be a name."""
        if value is None or value.data is None:
            return ""
        if not isinstance(value.data, str):
            self.warn(name, value.line, describe(value), "text")
            return ""
        called = one_line(value.data)
        if len(called) <= MAX_NAME:
            return called
        self.warn(name, value.line, f"{len(called)} characters", f"a name of at most {MAX_NAME}")
        return ""

    def url(self, name: str) -> str | None:
        """An absolute URL."""
        text = self.scalar(name, URL)
        if not text:
            return None
        if looks_clean(text):
            return text
        url = clean_url(clean(text))
        if url is None and text.strip():
            self.warn(name, self.values[name].line, describe(self.values[name]), URL)
        return url

    def date(self, name: str) -> datetime | None:
        """A moment in UTC."""
        text = self.scalar(name, DATE)
        if not text or not text.strip():
            return None
        moment = parse_date(text, self.zone)
        if moment is None:
            self.warn(name, self.values[name].line, describe(self.values[name]), DATE)
        return moment

    def number(self, name: str) -> float | None:
        """A finite number."""
        text = self.scalar(name, "a number")
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        self.warn(name, self.values[name].line, describe(self.values[name]), "a number")
        return None

    def pixels(self, name: str) -> int | None:
        """A width or height: a whole number above 0."""
        text = self.scalar(name, "a number of pixels")
        if text is None:
            return None
        if _PIXELS.fullmatch(text.strip()):
            return int(text)
        self.warn(name, self.values[name].line, describe(self.values[name]), "a number of pixels")
        return None

    def duration(self, name: str) -> str:
        """An ISO 8601 duration of days and less; "" where there is none."""
        text = self.text(name)
        if text and not _DURATION.fullmatch(text):
            self.warn(name, self.values[name].line, describe(self.values[name]), "such as PT7M32S")
            return ""
        return text

    def flag(self, name: str) -> bool | None:
        """True or false. What is neither is fatal: to guess could publish what is to be held back."""
        value = self.values.get(name)
        if value is None or value.data is None:
            return None
        known = _BOOLEANS.get(value.data.strip().lower()) if isinstance(value.data, str) else None
        if known is None:
            self.fail(name, "true or false")
        return known

    def items(self, name: str) -> Iterator[tuple[str, Value]]:
        """The items of a list, each with its name for messages; a single value is a list of one."""
        value = self.values.get(name)
        if value is None or value.data is None:
            return
        if isinstance(value.data, list):
            for position, item in enumerate(value.data):
                if item.data is not None:
                    yield f"{name}[{position}]", item
        else:
            yield name, value
