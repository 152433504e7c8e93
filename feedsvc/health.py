"""Health: what is served, how fresh it is, and what stands against it (draft-inadarei-api-health-check)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from feedsvc import __version__
from feedsvc.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from feedsvc.articles.revisions import Superseded
    from feedsvc.feeds.feed import Feed
    from feedsvc.outcome import Outcome
    from feedsvc.reload import State

# What health names one by one, it names up to this many of; the rest is counted, and `feedsvc check` has all.
_NAMED = 20
# For so many intervals a reload may run, and for no longer than this, before it looks as if it never ended.
_INTERVALS = 10
_LONG = timedelta(minutes=5)


# Of a reload that does not end.
STALLED = "is the disk or network that has the articles stalled?"


def patience(every: timedelta) -> timedelta:
    """How long a reload may run before it is not waited for, where there is one in each such interval."""
    return min(_INTERVALS * every, _LONG)


def report(  # noqa: PLR0913 - each comes from elsewhere
    state: State,
    last: Outcome | None,
    every: timedelta,
    now: datetime,
    *,
    opening: bool = False,
    running: timedelta | None = None,
) -> dict[str, object]:
    """The state for people and monitors.

    `status` is fail before the first snapshot, warn while what is served is not known to be current, and pass
    otherwise; files with problems do not change it, since they do not hold up anything else. "The directory was
    last read without error" and "the content last changed" are told apart: a silent stop is no quiet day.

    Args:
        state: what the last good reload left.
        last: how the last reload ended.
        every: the interval between two.
        now: the moment.
        opening: whether what is served is that of before the start, and the first reload runs.
        running: for how long the current reload has been running.
    """
    begun = None if running is None else iso((now - running).replace(microsecond=0))
    stalled = running is not None and running > patience(every)
    age = (now - state.reloaded_at).total_seconds() if state.reloaded_at else None
    status, output = "pass", None
    if stalled and (opening or state.snapshot):
        status, output = "warn", f"what was read last is served: a reload has run since {begun}; {STALLED}"
    elif opening:
        status, output = "warn", "what was served before the start is served; the articles are being read"
    elif state.snapshot is None:
        status, output = "fail", (last.error if last else None) or "the articles have not been read yet"
    elif last and last.error:
        status, output = "warn", f"the last good state is served: {last.error}"
    elif age is not None and age > 3 * every.total_seconds() + 60:
        status, output = "warn", "the last good state is served: no reload has ended for too long"
    elif last and last.forgetting:
        status, output = "warn", f"what readers were told is not kept over a restart: {last.forgetting}"
    body: dict[str, object] = {
        "status": status,
        "version": __version__,
        "serviceId": "feedsvc",
        "reloaded_at": iso(state.reloaded_at),
        "reload_age_seconds": None if age is None else max(0, round(age)),
        "reload_every_seconds": int(every.total_seconds()),
        "reload_running_since": begun,
        "content_changed_at": iso(state.snapshot.changed_at) if state.snapshot else None,
        "files": len(state.library.files),
        "articles": len(state.articles),
        "selected": len(state.selection.articles),
        "held": state.held,
        "next_change_at": iso(state.selection.next_change),
        "superseded": [{"file": each.path, "by": each.by} for each in islice(_superseded(state), _NAMED)],
        "superseded_count": len(state.superseded),
        "problems": len(state.problems),
        "broken": [{"file": path, "since": since} for path, since in _broken(state).items()],
        "feeds": len(state.snapshot.feeds) if state.snapshot else 0,
    }
    if last and last.held:
        body["held_back"] = {"loss": str(last.held.loss), "since": iso(last.held.since)}
    return body if output is None else {"status": status, "output": output, **body}


def _broken(state: State) -> dict[str, str | None]:
    """The first files whose last good state stands for them, and since when."""
    broken = {each.path: iso(each.since) for each in state.problems if each.since and _may_name(state, each.path)}
    return dict(islice(broken.items(), _NAMED))


def _superseded(state: State) -> Iterator[Superseded]:
    return (each for each in state.superseded if _may_name(state, each.path) and _may_name(state, each.by))


def _may_name(state: State, path: str) -> bool:
    """Whether anybody may know the name of a file: whoever reaches the port may, and often it is the title."""
    known, basis = state.library.files.get(path), state.selection.basis
    if known is None or known.article is None or basis is None:
        return basis is not None and not basis.rules.privacy
    return not basis.rules.is_private(known.article)


def check_report(state: State) -> dict[str, object]:
    """What `feedsvc check` tells programs: what was found, and every problem."""
    return {
        "files": len(state.library.files),
        "articles": len(state.articles),
        "selected": len(state.selection.articles),
        "held": state.held,
        "superseded": [{"file": each.path, "by": each.by} for each in state.superseded],
        "problems": [
            {
                "file": each.path,
                "line": each.line,
                "field": each.field,
                "found": each.found,
                "expected": each.expected,
                "fatal": each.fatal,
                "since": iso(each.since),
            }
            for each in state.problems
        ],
    }


def summary(state: State) -> str:
    """What was found, on one line."""
    held = "".join(f", {count:,} {reason}" for reason, count in state.held.items())
    return (
        f"{count_of(len(state.library.files), 'file')}: {count_of(len(state.articles), 'article')}, "
        f"{len(state.selection.articles):,} selected, {len(state.selection.held):,} held{_in_brackets(held)}, "
        f"{count_of(len(state.problems), 'problem')}"
    )


def served(feeds: Mapping[str, Feed], *, pages: bool) -> str:
    """What is served, on one line."""
    formats = "Atom, RSS, JSON and page" if pages else "Atom, RSS and JSON"
    kinds = Counter(feed.kind for feed in feeds.values())
    domains = f", {count_of(kinds['domain'], 'domain')}" if kinds["domain"] else ""
    return (
        f"{count_of(len(feeds), 'feed')} as {formats}: all articles, {count_of(kinds['topic'], 'topic')}, "
        f"{count_of(kinds['provider'], 'provider')}{domains}"
    )


def count_of(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `2 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _in_brackets(text: str) -> str:
    return f" ({text.removeprefix(', ').replace('_', ' ')})" if text else ""


def reload_report(outcome: Outcome) -> dict[str, object]:
    """What the caller of an admin reload is told."""
    state = outcome.state
    problems = state.problems
    snapshots = [each for each in (state.snapshot, state.snapshot and state.snapshot.private) if each]
    return {
        "ok": outcome.error is None,
        "error": outcome.error,
        "seconds": round(outcome.seconds, 3),
        "files": len(state.library.files),
        "parsed": state.library.parsed,
        "articles": len(state.articles),
        "selected": len(state.selection.articles),
        "held": state.held,
        "feeds": sum(len(each.feeds) for each in snapshots),
        "rendered": state.snapshot.rendered if state.snapshot else 0,
        "problem_count": len(problems),
        "problems": [str(problem) for problem in problems[:100]],
    }
