"""What a request's headers ask for (RFC 9110): a content coding, and whether the reader has it already."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from feedsvc.documents.document import Coding

# In the order of our preference: smaller first.
_CODINGS: tuple[Coding, ...] = ("br", "gzip")
# What was read is kept, so that it is read once; nobody has longer ones, and they would take much memory.
_MAX_HEADER = 256
# Nobody has so many forms of one document.
_MAX_TAGS = 100
_ALIASES = {"x-gzip": "gzip"}


@lru_cache(maxsize=1024)
def accepted_codings(header: str) -> tuple[Coding, ...]:
    """The codings that an Accept-Encoding header takes (§12.5.3), best first, without `identity`.

    What the client likes better comes first, and of equals the smaller. An empty header takes none, and what
    cannot be read is passed over: the plain bytes are always right.
    """
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        name, _, parameters = item.partition(";")
        name = name.strip()
        weights[_ALIASES.get(name, name)] = _weight(parameters)
    default = weights.get("*", 0.0)
    liked = {coding: weights.get(coding, default) for coding in _CODINGS}
    least = weights.get("identity", 0.0)
    chosen = [coding for coding in _CODINGS if liked[coding] > 0 and liked[coding] >= least]
    return tuple(sorted(chosen, key=lambda coding: -liked[coding]))


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def choose_coding(header: str, available: Collection[Coding]) -> Coding:
    """The coding to answer with."""
    for coding in accepted_codings(header[:_MAX_HEADER]):
        if coding in available:
            return coding
    return "identity"


def is_fresh(if_none_match: str | None, if_modified_since: str | None, etag: str, modified: datetime) -> bool:
    """Whether the reader has this representation (§13.2.2): then the answer is 304.

    While If-None-Match is there, If-Modified-Since is ignored, whatever it says; a date that cannot be read is
    ignored; readers make dates of their own, so they are compared by order.
    """
    if if_none_match is not None:
        return _matches(if_none_match, etag)
    if if_modified_since is not None:
        since = _http_date(if_modified_since[:_MAX_HEADER])
        return since is not None and modified <= since
    return False


def _matches(header: str, etag: str) -> bool:
    """Weak comparison (§8.8.3.2). No entity tag of ours holds a comma, so the list can be split at commas."""
    if header == etag:
        return True
    return any(item.strip().removeprefix("W/") in {etag, "*"} for item in header.split(",", _MAX_TAGS))


@lru_cache(maxsize=1024)
def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
