"""Metrics: the state as numbers, for Prometheus; read when they are asked for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from feedsvc import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from prometheus_client import Metric

    from feedsvc.candidate import Candidate
    from feedsvc.clock import Clock
    from feedsvc.publisher import Publisher
    from feedsvc.reload import State
    from feedsvc.replica import Replica
    from feedsvc.web.counts import Counts

_ANSWERED = ("kind", "format", "status", "encoding")


def make_metrics(publisher: Publisher, counts: Counts, clock: Clock) -> Callable[[], bytes]:
    """What answers a scrape, in Prometheus' text format."""
    registry = CollectorRegistry()
    # Memory, file descriptors and processor time, where the system tells them.
    ProcessCollector(registry=registry)
    registry.register(_State(publisher, counts, clock, clock()))
    return lambda: generate_latest(registry)


def make_shared_metrics(
    replica: Replica, candidate: Candidate | None, counts: Counts, clock: Clock
) -> Callable[[], bytes]:
    """The same of a process that follows a store; with all of the publisher, while it is that."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Shared(replica, candidate, counts, clock))
    return lambda: generate_latest(registry)


class _Shared(Collector):
    """What a replica serves, and the publisher where it is here."""

    def __init__(self, replica: Replica, candidate: Candidate | None, counts: Counts, clock: Clock) -> None:
        self._replica = replica
        self._candidate = candidate
        self._counts = counts
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        replica, term = self._replica, self._candidate.term if self._candidate else None
        if term:
            yield from _State(term.publisher, self._counts, self._clock, term.started_at).collect()
        else:
            yield _gauge("info", "The version that runs.", {(__version__,): 1}, "version")
            yield from requests_of(self._counts)
            if replica.snapshot:
                yield _snapshot_age(replica.snapshot.changed_at, self._clock())
        yield _gauge("generation", "What is served, counted by the publisher.", {(): replica.served.generation})
        yield _gauge("store_generation", "What is published, as last heard.", {(): replica.standing.generation})
        yield _gauge("publisher", "Whether this process publishes.", {(): int(bool(term))})
        if replica.heard_at:
            age = {(): max(0.0, (self._clock() - replica.heard_at).total_seconds())}
            yield _gauge("store_age_seconds", "Since the store was last heard.", age)


class _State(Collector):
    """Reads what there is; nothing is counted twice, and nothing while nobody asks."""

    def __init__(self, publisher: Publisher, counts: Counts, clock: Clock, started_at: datetime) -> None:
        self._publisher = publisher
        self._counts = counts
        self._clock = clock
        self._started_at = started_at

    def collect(self) -> Iterator[Metric]:
        yield _gauge("info", "The version that runs.", {(__version__,): 1}, "version")
        yield from requests_of(self._counts)
        yield from self._reloads()
        yield from _found(self._publisher.state)
        yield from self._ages(self._publisher.state)

    def _reloads(self) -> Iterator[Metric]:
        tally = self._publisher.tally
        number = CounterMetricFamily("feedsvc_reloads", "Reloads by how they ended.", labels=["result"])
        for result in ("ok", "failed", "held"):
            number.add_metric([result], tally.results[result])
        spent = CounterMetricFamily("feedsvc_reload_seconds", "Time that they took, by phase.", labels=["phase"])
        for phase, seconds in sorted(tally.seconds.items()):
            spent.add_metric([phase], seconds)
        yield from (number, spent)

    def _ages(self, state: State) -> Iterator[Metric]:
        now = self._clock()
        # Before the first reading, since the start: one that never ends must be seen too.
        since = state.reloaded_at or self._started_at
        age = {(): max(0.0, (now - since).total_seconds())}
        yield _gauge("reload_age_seconds", "Since the directory was last read without error, or the start.", age)
        if state.snapshot:
            yield _snapshot_age(state.snapshot.changed_at, now)


def requests_of(counts: Counts) -> Iterator[Metric]:
    """What was answered."""
    totals = counts.totals()
    number = CounterMetricFamily("feedsvc_requests", "Requests by what was answered.", labels=_ANSWERED)
    size = CounterMetricFamily("feedsvc_response_bytes", "Bytes of the bodies sent.", labels=_ANSWERED)
    for answered, (requests, sent) in sorted(totals.items()):
        number.add_metric(answered, requests)
        size.add_metric(answered, sent)
    yield from (number, size)


def _snapshot_age(changed_at: datetime, now: datetime) -> GaugeMetricFamily:
    # What changes within a second of something else is dated a second later.
    age = {(): max(0.0, (now - changed_at).total_seconds())}
    return _gauge("snapshot_age_seconds", "Since what is served last changed.", age)


def _found(state: State) -> Iterator[Metric]:
    """What the directory holds, and what becomes of it."""
    broken = sum(each.broken for each in state.library.files.values())
    files = {("usable",): len(state.library.files) - broken, ("broken",): broken}
    yield _gauge("files", "Files by whether they can be used as they are.", files, "state")
    yield _gauge("articles_selected", "Articles that are published.", {(): len(state.selection.articles)})
    held = {(reason,): count for reason, count in state.held.items()}
    yield _gauge("articles_held", "Articles that are held back, by reason.", held, "reason")
    kinds = Counter("fatal" if each.fatal else "field" for each in state.problems)
    problems = {(kind,): kinds[kind] for kind in ("fatal", "field")}
    yield _gauge("problems", "Problems of files: fatal ones, and of single fields.", problems, "kind")
    yield _gauge("feeds", "Feeds that are served.", {(): len(state.snapshot.feeds) if state.snapshot else 0})


def _gauge(name: str, text: str, values: Mapping[Any, float], *labels: str) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"feedsvc_{name}", text, labels=labels)
    for each, value in values.items():
        gauge.add_metric(each, value)
    return gauge
