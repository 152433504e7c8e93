"""What readers and monitors see of a real service, and what the system does of its processes."""

from __future__ import annotations

import http.client
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from service import TOKEN
from support import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service import Service

FEEDS = tuple(f"{feed}.{ending}" for feed in ("/feeds/all", "/topics/ai") for ending in ("atom", "rss", "json"))
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def served(service: Service) -> dict[str, tuple[int, bytes, str]]:
    """Status, bytes and entity tag of every feed."""
    answers = {path: service.ask(path) for path in FEEDS}
    return {path: (each.status, each.body, each.headers["etag"]) for path, each in answers.items()}


def shows(service: Service, title: str) -> bool:
    """Whether readers get an article of this title."""
    return title.encode() in service.ask("/feeds/all.atom").body


def warns(service: Service, of: str) -> bool:
    """Whether health warns, and says this."""
    report = service.health()
    return report["status"] == "warn" and of in report["output"]


def is_well(service: Service) -> bool:
    """Whether health says that all is well."""
    return bool(service.health()["status"] == "pass")


def has_something(service: Service) -> bool:
    """Whether it answers readers, with whatever it has."""
    try:
        return service.ask("/health/ready").status == 200
    except (OSError, http.client.HTTPException):
        # While nobody listens, who connects to a port of their own machine may meet themselves.
        return False


def serving_process(service: Service) -> int:
    """The process that serves; the other one only watches it. 0 while there is none."""
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text("ascii").split()
    return int(children[0]) if children else 0


def over(connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str) -> Answer:
    """One more request over a connection that stands."""
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    return Answer(response.status, dict(response.getheaders()), response.read())


@contextmanager
def polled(service: Service) -> Iterator[list[int | OSError | http.client.HTTPException]]:
    """Somebody polls all the while, each time over a new connection: what came of it."""
    heard: list[int | OSError | http.client.HTTPException] = []
    end = Event()

    def poll() -> None:
        while not end.wait(0.01):
            try:
                heard.append(service.ask("/feeds/all.atom").status)
            except (OSError, http.client.HTTPException) as error:
                heard.append(error)

    thread = Thread(target=poll)
    thread.start()
    try:
        yield heard
    finally:
        end.set()
        thread.join()
