"""Stalls: clients that ask for something, and take nothing of the answer."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from contextlib import suppress

# For how long a client may take nothing of what it has asked for.
_STALL_SECONDS = 30
# By when the server listens, if it ever will.
_PATIENCE_SECONDS = 60
_OWN_FILES = "/proc/self/fd"


def cut_off_who_takes_nothing(port: int, seconds: int = _STALL_SECONDS) -> None:
    """See that the system ends connections of this port whose client takes nothing for so long.

    granian waits for such a client for ever, and opens its port itself, after this. What a listening socket is
    told holds for every connection that it takes (tcp(7)). Where the system knows no such bound, as on macOS, a
    proxy in front has to have one.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT") and os.path.isdir(_OWN_FILES):  # noqa: PTH112 - no path of ours
        threading.Thread(target=_bound, args=(port, seconds), name="stalls", daemon=True).start()


def _bound(port: int, seconds: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for name in os.listdir(_OWN_FILES):  # noqa: PTH208 - the same
            # Others come and go meanwhile.
            with suppress(OSError):
                if stat.S_ISSOCK(os.fstat(int(name)).st_mode) and _bound_one(int(name), port, seconds):
                    return
        time.sleep(0.02)


def _bound_one(descriptor: int, port: int, seconds: int) -> bool:
    with socket.socket(fileno=os.dup(descriptor)) as found:
        if not _listens(found, port):
            return False
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)
        return True


def _listens(found: socket.socket, port: int) -> bool:
    return (
        found.family in {socket.AF_INET, socket.AF_INET6}
        and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        and found.getsockname()[1] == port
    )
