"""A disk or network that has the articles and does not answer: what readers get, and what /health says."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from mounts import stalled
from service import Service, begin, running, wait_for
from soak.measures import files_of
from support import write_article

from attacks.sight import AUTHORIZED, has_something, is_well, served, shows, warns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured")
AREA = "Faults"


@pytest.fixture(autouse=True)
def _an_article(articles: Path) -> None:
    write_article(articles, "a.md", title="First")


def test_a_stalled_mount(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """While the articles are on a network mount whose server does not answer, readers get what they got; after
    ten intervals health warns and tells since when, and who asks for a reload is told to come later, at once. When
    the mount is gone, reloads go on; and while it is stalled, the service stops as ever.
    """
    (articles / "mount").mkdir()
    with running(tmp_path, articles, "--reload-every", "1s") as service:
        before, at_rest = served(service), files_of(service.process.pid)
        with stalled(articles / "mount"):
            wait_for(lambda: service.health()["reload_running_since"] is not None, "a reload")
            begun = time.monotonic()
            first = service.ask("/admin/reload", "POST", **AUTHORIZED)
            assert time.monotonic() - begun < 15
            assert (first.status, first.headers["retry-after"]) == (503, "60")
            assert b"goes on" in first.body
            wait_for(lambda: warns(service, "a reload has run since"), "the warning")
            begun = time.monotonic()
            for _ in range(20):
                assert service.ask("/admin/reload", "POST", **AUTHORIZED).status == 503
                assert served(service) == before
            assert time.monotonic() - begun < 5
            write_article(articles, "a.md", title="Second")
        wait_for(lambda: shows(service, "Second"), "the reload to go on")
        wait_for(lambda: is_well(service), "health to pass")
        wait_for(lambda: files_of(service.process.pid) <= at_rest, "what was opened to be closed")
        with stalled(articles / "mount"):
            wait_for(lambda: service.health()["reload_running_since"] is not None, "a reload")
            begun = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - begun < 6
    tried(
        "the articles' mount does not answer",
        2,
        "what was served is; health tells since when a reload runs; then all goes on",
    )


def test_a_start_beside_a_stalled_mount(articles: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    """A service that is started while its articles do not answer serves the bytes of before, and says so; it reads
    them when they do.
    """
    with running(tmp_path, articles) as service:
        before = served(service)
    store = f"sqlite:///{tmp_path}/memory-{service.port}.db"
    flags = ("--articles", str(articles), "--store", store, "--reload-every", "1s")
    with ExitStack() as held:
        mount = held.enter_context(ExitStack())
        mount.enter_context(stalled(articles))
        again = Service(service.port, begin(service.port, service.log, *flags), service.log)
        held.callback(again.stop)
        wait_for(lambda: has_something(again), "it to serve")
        assert served(again) == before
        assert warns(again, "the articles are being read")
        mount.close()
        wait_for(lambda: is_well(again), "it to read the articles")
        assert served(again) == before
    tried("a start while the articles' mount does not answer", 1, "what was served is; health warns")
