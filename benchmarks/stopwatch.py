"""A stopwatch: how much of the CPU's time the stages of a reload take, each without those that it calls.

Other processes and threads, which a stage may have to wait for, count for nothing in it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from feedsvc.documents.format import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Where a function is looked up when it is called, and the stage that it is.
_STAGES = {
    "feedsvc.articles.library.scan": "walk the directory",
    "feedsvc.articles.readers.read": "read and parse files",
    "feedsvc.articles.library.load": "compare with the directory",
    "feedsvc.store.rows._load_library": "load files",
    "feedsvc.store.rows.decode": "decode files",
    "feedsvc.store.rows._load_memory": "load memory",
    "feedsvc.store.rows.load_documents": "load memory",
    "feedsvc.store.database.save_all": "save",
    "feedsvc.reload.choose": "choose revisions",
    "feedsvc.reload.select": "select",
    "feedsvc.reload.group": "group",
    "feedsvc.reload.places_of": "group",
    "feedsvc.guard.loss_of": "look for losses",
    "feedsvc.reload.observe": "observe",
    "feedsvc.reload.compose": "compose",
    "feedsvc.reload.publish": "compare feeds",
    "feedsvc.documents.snapshot.Sources.of": "look for kept documents",
    "feedsvc.documents.format.restore": "restore documents",
    "feedsvc.documents.document.brotli.compress": "compress",
    "feedsvc.documents.document.deflate.gzip_compress": "compress",
}


class _Stages(threading.local):
    """Those that a thread is in: how many seconds each has spent in others."""

    def __init__(self) -> None:
        self.inner = [0.0]


class Stopwatch:
    """Seconds by stage, in all threads; a stage within another interrupts it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._stages = _Stages()
        self._counting = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is done in here is of this stage."""
        inner = self._stages.inner
        inner.append(0.0)
        begin = time.thread_time()
        try:
            yield
        finally:
            took = time.thread_time() - begin
            with self._counting:
                self.seconds[name] += took - inner.pop()  # type: ignore[assignment]  # a Counter of seconds
            inner[-1] += took

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, as that stage."""

        @wraps(function)
        def run(*args: Any, **keywords: Any) -> Any:
            with self.stage(name):
                return function(*args, **keywords)

        return run

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time all stages, and what is left as `other`."""
        with ExitStack() as stack:
            for place, name in _STAGES.items():
                original, _ = patch(place).get_original()
                stack.enter_context(patch(place, self.timed(name, original)))
            timed = {end: replace(form, render=self.timed("render", form.render)) for end, form in FORMATS.items()}
            stack.enter_context(patch.dict(FORMATS, timed))
            with self.stage("other"):
                yield

    def table(self) -> str:
        """A line each, the longest first."""
        longest = self.seconds.most_common()
        return "\n".join(f"    {name:28} {took:8.3f} s" for name, took in longest if took >= 0.001)
