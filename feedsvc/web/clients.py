"""Clients: who asks, and how often of late. Kept in memory, within a bound, and forgotten every hour."""

from __future__ import annotations

import time
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from ipaddress import IPv4Address, IPv6Address
    from wsgiref.types import WSGIEnvironment

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

# A reader that asks every quarter of an hour, and never conditionally, gets four.
MAX_BODIES = 60
_BODIES_SECONDS = 3600
MAX_FAILURES = 5
FAILURES_SECONDS = 60
# Some tens of megabytes. When there are more, all are forgotten: better one client too many than a reader refused.
_MAX_KEYS = 100_000
# What proxies add to a header has room in so many characters, at its end.
_FORWARDED = 512
# Of IPv6, a client has a whole network to itself, and could ask by a new address each time.
_IPV6_CLIENT_BITS = 64


class Recent:
    """How often something happened in this stretch of time, for each of many keys."""

    def __init__(self, seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._counts: dict[Hashable, int] = {}
        self._ends_at = clock() + seconds

    def add(self, key: Hashable) -> int:
        """Once more; how often it was."""
        counts = self._now()
        if len(counts) >= _MAX_KEYS:
            counts.clear()
        count = counts[key] = counts.get(key, 0) + 1
        return count

    def count(self, key: Hashable) -> int:
        """How often it was."""
        return self._now().get(key, 0)

    @property
    def seconds_left(self) -> int:
        """Until all counts are forgotten; at least 1."""
        return max(1, round(self._ends_at - self._clock()))

    def _now(self) -> dict[Hashable, int]:
        now = self._clock()
        if now >= self._ends_at:
            self._counts, self._ends_at = {}, now + self._seconds
        return self._counts


def politeness(trusted: Networks) -> Callable[[WSGIEnvironment, str], int]:
    """Tells of each request for a whole document, by its validator, for how many seconds to wait: mostly 0."""
    bodies = Recent(_BODIES_SECONDS)

    def wait(environ: WSGIEnvironment, etag: str) -> int:
        client = client_of(environ, trusted)
        return bodies.seconds_left if client and bodies.add((client, etag)) > MAX_BODIES else 0

    return wait


def client_of(environ: WSGIEnvironment, trusted: Networks) -> str | None:
    """The address of whoever sends a request, or None where that cannot be known."""
    # Whoever asks may have written most of it, and a different one each time.
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")[-_FORWARDED:]
    return _client_of(environ.get("REMOTE_ADDR", ""), forwarded, trusted)


@lru_cache(maxsize=4096)
def _client_of(peer: str, forwarded: str, trusted: Networks) -> str | None:
    address = _address(peer)
    if address is None:
        return None
    if not trusted:
        # What comes through a proxy, or from this network, may be many readers' in one.
        return None if forwarded or not address.is_global else _key(address)
    # The last proxy added the last address, and what a client says itself stands before it.
    for each in reversed(forwarded.split(",") if forwarded else []):
        if not any(address in network for network in trusted):
            break
        before = _address(each.strip())
        if before is None:
            break
        address = before
    return None if any(address in network for network in trusted) else _key(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _key(address: IPv4Address | IPv6Address) -> str:
    if address.version == 4:
        return str(address)
    return str(ip_network((address, _IPV6_CLIENT_BITS), strict=False))
