"""The proxy that stands for the network: each thing that can become of it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from proxy import Proxy
from service import PATIENCE_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres import OwnServer

SILENCE_SECONDS = 0.2


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says again what it hears, and ends when the other side does."""

    def serve() -> None:
        threads = []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break
            threads.append(threading.Thread(target=answer, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while heard := connection.recv(2**16):
                    connection.sendall(heard)
            except ConnectionResetError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        server.join()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    """A proxy before it."""
    with Proxy(echo) as proxy:
        yield proxy


def connect(proxy: Proxy) -> socket.socket:
    """A connection to it, that does not wait for ever."""
    return socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_SECONDS)


def heard(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or those before the end."""
    received = b""
    while len(received) < size and (piece := connection.recv(size - len(received))):
        received += piece
    return received


def attempt(proxy: Proxy) -> None:
    """Connect, and wait for the end, which may be there before one is connected."""
    with connect(proxy) as connection:
        assert not connection.recv(1)


def is_silent(connection: socket.socket) -> bool:
    """Whether nothing is heard for a while, not even an end."""
    connection.settimeout(SILENCE_SECONDS)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        connection.settimeout(PATIENCE_SECONDS)


def test_forwards_every_byte_and_the_end(proxy: Proxy) -> None:
    """What is sent arrives, more than any buffer holds, and so does the end of it, from either side."""
    sent = bytes(range(256)) * 2**16

    def send() -> None:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)

    with connect(proxy) as connection:
        sender = threading.Thread(target=send)
        sender.start()
        assert heard(connection, len(sent) + 1) == sent
        sender.join()
    wait_for(lambda: proxy.connections == 0, "the connection to be forgotten")


def test_cut_resets_all_connections_and_takes_new_ones(proxy: Proxy) -> None:
    """Whoever is connected gets RST at once; who connects afterwards is served."""
    with connect(proxy) as one, connect(proxy) as other:
        for connection in (one, other):
            connection.sendall(b"a")
            assert heard(connection, 1) == b"a"
        assert proxy.connections == 2
        proxy.cut()
        assert proxy.connections == 0
        for connection in (one, other):
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
    with connect(proxy) as connection:
        connection.sendall(b"b")
        assert heard(connection, 1) == b"b"


def test_refusing_closes_new_connections_alone(proxy: Proxy) -> None:
    """Who is connected stays so; who connects is sent away, until it is restored."""
    with connect(proxy) as old:
        old.sendall(b"a")
        assert heard(old, 1) == b"a"
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            attempt(proxy)
        old.sendall(b"b")
        assert heard(old, 1) == b"b"
        proxy.restore()
        with connect(proxy) as new:
            new.sendall(b"c")
            assert heard(new, 1) == b"c"


def test_frozen_passes_nothing_and_later_all(proxy: Proxy) -> None:
    """Connections old and new are kept in silence, without an end; when it is restored, nothing is lost."""
    with connect(proxy) as old:
        old.sendall(b"a")
        assert heard(old, 1) == b"a"
        proxy.freeze()
        old.sendall(b"old")
        with connect(proxy) as new:
            new.sendall(b"new")
            assert is_silent(old)
            assert is_silent(new)
            proxy.restore()
            assert (heard(old, 3), heard(new, 3)) == (b"old", b"new")


def test_frozen_can_be_cut(proxy: Proxy) -> None:
    """A connection that was lost in the black hole can end there."""
    proxy.freeze()
    with connect(proxy) as connection:
        wait_for(lambda: proxy.connections == 1, "it to be taken")
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_delay_keeps_each_piece_back(proxy: Proxy) -> None:
    """With a delay, an answer takes twice as long: there and back."""
    proxy.delay(0.1)
    with connect(proxy) as connection:
        begin = time.monotonic()
        connection.sendall(b"a")
        assert heard(connection, 1) == b"a"
        assert time.monotonic() - begin >= 0.2
        proxy.restore()
        connection.sendall(b"b")
        assert heard(connection, 1) == b"b"


def test_server_that_is_gone_is_a_reset() -> None:
    """Where nothing listens behind it, whoever connects is sent away."""
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        port = nobody.getsockname()[1]
    with Proxy(port) as proxy, pytest.raises(ConnectionResetError):
        attempt(proxy)


def test_database_behind_it_is_lost_and_found(own_postgres: OwnServer) -> None:
    """PostgreSQL is reached by way of it; a connection that is cut is an error of the database's."""
    with Proxy(own_postgres.port) as proxy:
        url = proxy.url(own_postgres.url("postgres"))
        with closing(psycopg.connect(url)) as connection:
            proxy.cut()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        proxy.refuse()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        proxy.restore()
        psycopg.connect(url).close()
