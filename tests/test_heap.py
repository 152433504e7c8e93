"""The heap of the real process: from how many places its threads take memory."""

from __future__ import annotations

import ctypes
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attacks.sight import serving_process
from service import running
from support import write_article

if TYPE_CHECKING:
    from service import Service

# glibc reserves so much for each place but the first, at a multiple of it, and uses some of the beginning.
_HEAP = 64 * 1024 * 1024
_MAPPED = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p 0+ 00:00 0 *$")


def places(service: Service) -> int:
    """How many there are besides the first."""
    found = 0
    for line in Path(f"/proc/{serving_process(service)}/maps").read_text("utf-8").splitlines():
        if mapped := _MAPPED.match(line):
            begin, end = int(mapped[1], 16), int(mapped[2], 16)
            found += begin % _HEAP == 0 and end - begin < _HEAP
    return found


def test_threads_share_memory(articles: Path, tmp_path: Path) -> None:
    """However many threads make pages, they take memory from few places: what one has freed, another uses."""
    if not hasattr(ctypes.CDLL(None), "malloc_info"):
        pytest.skip("NOT TESTED: this C library is not glibc, which alone has such arenas")
    for number in range(200):
        write_article(
            articles, f"{number}.md", "A body. " * 200,
            webUrl=f"https://example.org/{number}", topics=f"[T{number % 20}]",
        )  # fmt: skip
    with running(tmp_path, articles, watch=True) as service, ThreadPoolExecutor(16) as pool:
        pages = [f"/topics/t{number}" for number in range(20)] * 5
        statuses = {answer.status for answer in pool.map(service.ask, ["/feeds/all.atom", "/health", *pages])}
        assert 200 in statuses
        # Somebody else's may begin at such an address by chance; where each thread has its own, there are fifteen.
        assert places(service) <= 2
