"""Clients: who asks, as far as that can be known, and how often of late."""

from __future__ import annotations

import tracemalloc
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from feedsvc.web import clients
from feedsvc.web.clients import MAX_BODIES, Recent, client_of, politeness

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def request(peer: str, forwarded: str = "") -> WSGIEnvironment:
    """What is known of a request."""
    return {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("8.8.8.8", "", "8.8.8.8"),
        ("::ffff:8.8.8.8", "", "8.8.8.8"),
        ("2001:4860::1", "", "2001:4860::/64"),
        ("192.168.0.2", "", None),
        ("127.0.0.1", "", None),
        ("8.8.8.8", "9.9.9.9", None),
        ("", "", None),
        ("a socket", "", None),
    ],
)
def test_without_a_proxy_the_peer_is_the_client(peer: str, forwarded: str, client: str | None) -> None:
    """One from this network, or that speaks for others, may be many readers in one: nobody knows."""
    assert client_of(request(peer, forwarded), ()) == client


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "1.2.3.4, 9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "1.2.3.4, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", None),
        ("10.0.0.1", "", None),
        ("10.0.0.1", "nonsense", None),
        ("10.0.0.1", "nonsense, 9.9.9.9", "9.9.9.9"),
        ("fd00::1", "2001:4860::1", "2001:4860::/64"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),
        ("10.0.0.1", "1.1.1.1, " * 5_000 + "9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "x" * 30_000, None),
        ("10.0.0.1", "10.0.0.2," * 3_000 + "10.0.0.3", None),
    ],
)
def test_a_trusted_proxy_says_who_asks(peer: str, forwarded: str, client: str | None) -> None:
    """The last address that no trusted proxy has; what a client wrote before it is not believed."""
    assert client_of(request(peer, forwarded), PROXIES) == client


@pytest.mark.parametrize("trusted", [(), PROXIES])
def test_what_clients_write_takes_no_memory(trusted: clients.Networks) -> None:
    """However many long headers come, and each another one, only their ends are ever kept."""
    tracemalloc.start()
    try:
        for number in range(1_000):
            client_of(request("10.0.0.1", f"{number}{'x' * 30_000}, 9.9.9.9"), trusted)
        assert tracemalloc.get_traced_memory()[0] < 5_000_000
    finally:
        tracemalloc.stop()


def test_everything_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened counts until its stretch of time ends, or until there is too much of it."""
    now = [0.0]
    recent = Recent(60, lambda: now[0])
    assert [recent.add("a"), recent.add("a"), recent.add("b"), recent.count("a")] == [1, 2, 1, 2]
    now[0] = 45.0
    assert recent.seconds_left == 15
    now[0] = 60.0
    assert [recent.count("a"), recent.seconds_left] == [0, 60]
    monkeypatch.setattr(clients, "_MAX_KEYS", 10)
    assert [recent.add(number) for number in range(11)] == [1] * 11
    assert recent.count(0) == 0


def test_only_who_fetches_the_same_over_and_over_waits() -> None:
    """The bound is for each client and each document as it is; nobody else is told to wait."""
    wait = politeness(())
    reader, other = request("8.8.8.8"), request("9.9.9.9")
    assert not any(wait(reader, '"a"') for _ in range(MAX_BODIES))
    assert wait(reader, '"a"') > 0
    assert [wait(reader, '"b"'), wait(other, '"a"'), wait(request("127.0.0.1"), '"a"')] == [0, 0, 0]
