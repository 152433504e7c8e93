"""Readers, as they are: most ask with the tag of what they have, some over a connection that they keep."""

from __future__ import annotations

import gzip
import http.client
import time
from itertools import product
from typing import TYPE_CHECKING

import brotli

from soak.answer import PATIENCE_SECONDS, Crew, Told
from soak.articles import PROVIDERS, TOPICS

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

_FEEDS = ("/feeds/all", *(f"/topics/t{n}" for n in range(TOPICS)), *(f"/providers/p{n}" for n in range(PROVIDERS)))
PATHS = tuple(f"{feed}.{ending}" for feed, ending in product(_FEEDS, ("atom", "rss", "json")))
_CODINGS = ("identity", "gzip", "br", "gzip, deflate, br", "br;q=0.5, gzip;q=0.9", "")
_DECODERS = {"gzip": gzip.decompress, "br": brotli.decompress}
_PAUSE_SECONDS = 0.04


def read(port: int, dice: random.Random) -> Iterator[Told]:
    """One who polls every feed in every coding, with what they got last, or anew."""
    tags: dict[tuple[str, str], str] = {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    left = 0
    while True:
        if left == 0:
            connection.close()
            left = dice.choice((1, 1, 5, 50))
        left -= 1
        path, coding = dice.choice(PATHS), dice.choice(_CODINGS)
        headers = {"Accept-Encoding": coding}
        if dice.random() < 0.8 and (path, coding) in tags:
            headers["If-None-Match"] = tags[path, coding]
        begun = time.perf_counter()
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            left = 0
            yield Told("poll", 0, wrong=f"no answer for {path}: {error!r}")
            continue
        seconds = time.perf_counter() - begun
        wrong = ""
        if response.status == 200:
            tags[path, coding] = response.headers["ETag"]
            decode = _DECODERS.get(response.headers.get("Content-Encoding", ""), bytes)
            wrong = "" if b"example.org" in decode(body) else f"{path} is no feed"
        elif response.status != 304:
            wrong = f"{path} is {response.status}"
        yield Told("poll", response.status, seconds, wrong)


READERS: Crew = [(read, _PAUSE_SECONDS)] * 6
