"""Dates in the forms that front matter has."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

# YAML 1.1's timestamp allows what ISO 8601 does not: one-digit fields, blanks before the zone, `-5` as a zone.
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d*)?)?"
    r"[ \t]*(?:([Zz]|UTC|GMT)|([-+])(\d{1,2})(?::?(\d{2}))?)?"
)

# What nearly all dates look like. Years before 1000 are none.
_PLAIN = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

_RFC_822 = re.compile(
    r"(?:[A-Za-z]{3,9},?[ \t]+)?\d{1,2}[ -][A-Za-z]{3,9}[ -](?:\d{2}|\d{4})[ \t]+\d{1,2}:\d{2}(?::\d{2})?"
    r"(?:[ \t]*(?:[-+]\d{2}:?\d{2}|UTC?|GMT|Z|[ECMP][SD]T))?"
)


def parse_date(text: str, zone: ZoneInfo) -> datetime | None:
    """A moment in UTC, cut to the second, or None where the text is no date.

    Args:
        text: a YAML timestamp, an ISO 8601 date with or without time, or an RFC 822 date.
        zone: holds where the text names none.
    """
    if _PLAIN.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    return _any_date(text, zone)


def _any_date(text: str, zone: ZoneInfo) -> datetime | None:
    for form in (_timestamp, _iso_8601, _rfc_822):
        try:
            moment = form(text.strip())
            if moment is None:
                continue
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone)
            moment = moment.astimezone(UTC).replace(microsecond=0)
        except (ValueError, OverflowError, TypeError):
            continue
        # RFC 822 dates need four digits, and HTTP dates are made from these too.
        return moment if moment.year >= 1000 else None
    return None


def _timestamp(text: str) -> datetime | None:
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute = map(int, match.group(1, 2, 3, 4, 5))
    zone = "Z" if match[7] else ""
    if match[8]:
        zone = f"{match[8]}{int(match[9]):02}:{match[10] or '00'}"
    second = match[6] or "00"
    return datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second}{zone}")


def _iso_8601(text: str) -> datetime | None:
    if not re.match(r"\d{4}-?[\dW]", text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the caller's zone is put on next


def _rfc_822(text: str) -> datetime | None:
    # What the standard library does not understand behind the time, it passes over: a zone, or PM.
    if not _RFC_822.fullmatch(text):
        return None
    text = re.sub(r"([-+]\d{2}):(\d{2})$", r"\1\2", text)
    return parsedate_to_datetime(re.sub(r"-0000$", "+0000", text))
