"""Histories: whatever happens to files, service and memory, readers are told what changed, and no more.

The histories are like those of a git checkout that people and scripts write to. What the feeds should say is
worked out by an oracle of its own: it knows the files as the tests wrote them and the rules as the documents tell
them, and shares no code with the service.
"""

from __future__ import annotations

import json
import os
import tempfile
from calendar import timegm
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from uuid import NAMESPACE_URL, uuid5

import feedparser
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from lxml import etree
from support import NOW, front_matter, make_settings, write_article

from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from time import struct_time

    from postgres import Server

    from feedsvc.documents.document import Document
    from feedsvc.documents.snapshot import Snapshot
    from feedsvc.feeds.memory import Event

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BASE = "http://localhost:8080"
ENDINGS = (".atom", ".rss", ".json")
ATOM = "{http://www.w3.org/2005/Atom}"
# A feed that had more is not emptied without a question, which is tested elsewhere.
MOST = 10
TOPICS = ("AI", "C++", "C#")
PROVIDERS = (("One", "one.example"), ("Two", "two.example"))
# Some articles share a moment, and some are due while the history runs.
MOMENTS = (NOW - 9 * DAY, NOW - 8 * DAY, NOW - 8 * DAY, NOW - 8 * DAY + HOUR, NOW + 8 * HOUR, NOW + 20 * HOUR)
BROKEN = ("", "---\ntitle: [\n---\n", "---\ntitle: Only that\n---\n", "no front matter")
Parts: TypeAlias = dict[str, object]


# --- the oracle: what is in the files, and what readers should see of it


@dataclass(frozen=True)
class Revision:
    """What a file says of an article. The numbers choose among a few values, so that some edits change nothing."""

    number: int
    title: int = 0
    link: int = 0
    published: datetime = MOMENTS[0]
    updated: datetime | None = None
    summary: int = 0
    content: int = 0
    type: int = 0
    provider: int = 0
    topics: tuple[str, ...] = ("AI",)
    picture: int = 0
    related: int | None = None
    # What no reader sees.
    is_published: str | None = "true"
    removed: str | None = None
    noise: int = 0

    @property
    def shown(self) -> bool:
        """Whether its publisher wants it to be seen."""
        return self.is_published == "true" and self.removed != "true"

    @property
    def url(self) -> str:
        """Where people read it."""
        return f"https://example.org/{self.number}" + (f"?at={self.link}" if self.link else "")

    def text(self) -> str:
        """The file."""
        name, domain = PROVIDERS[self.provider]
        values = {
            "title": f"Title {self.number} {self.title}",
            "originalUrl": identity_of(self.number),
            "webUrl": self.url,
            "publishedDateTime": stamp(self.published),
            "updatedDateTime": self.updated and stamp(self.updated),
            "excerpt": f"Summary {self.summary}.",
            "type": ("article", "video")[self.type],
            "provider": f"{{name: {name}, domain: {domain}}}",
            "topics": json.dumps(self.topics),
            "images": f"[{{url: 'https://example.org/{self.picture}.png'}}]" if self.picture else None,
            "related": self.related
            and f"[{{title: Related, webUrl: '{identity_of(self.related)}', quality: {self.noise}}}]",
            "published": self.is_published,
            "removed": self.removed,
            "quality": self.noise,
            "heat": self.noise * 2,
            "comment": f"Of no meaning {self.noise}",
        }
        return front_matter(**values) + (f"Content {self.content}.\n" if self.content else "")


@dataclass
class File:
    """A file: its text, what it says (None: nothing), and what the service last knew of it."""

    text: str
    says: Revision | None
    known_text: str | None = None
    known: Revision | None = None


@dataclass
class Told:
    """What readers were told of an article: the parts that they saw last, and when anything was."""

    parts: Parts
    turn: int
    at: datetime
    path: str
    places: frozenset[str] = frozenset()
    updated: datetime = NOW
    there: bool = True


@dataclass
class Sealed:
    """A document as a reader may have kept it."""

    content: bytes
    etag: str
    last_modified: datetime
    # By which process.
    made: int


@dataclass
class Shown:
    """Everything that a document shows."""

    entries: list[tuple[int, Parts]]
    previous: str | None
    following: str | None

    def without_updates(self) -> Shown:
        """What is left in RSS, whose items do not say when they were updated."""
        entries = [(number, parts | {"updated": None}) for number, parts in self.entries]
        return replace(self, entries=entries)


def stamp(moment: datetime) -> str:
    """A moment as publishers write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def identity_of(number: int) -> str:
    """What tells the article from all others."""
    return f"https://example.org/{number}"


@cache
def id_of(number: int) -> str:
    """Its id in all feeds, whatever becomes of it."""
    return uuid5(NAMESPACE_URL, identity_of(number)).urn


# --- reading documents as a reader would


@dataclass(frozen=True)
class Item:
    """An entry as it was read; `updated` and `tags` where the format has them."""

    id: str
    title: str
    link: str
    published: datetime
    updated: datetime | None
    tags: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Read:
    """A document as it was read."""

    items: tuple[Item, ...]
    own: str
    previous: str | None
    following: str | None

    @property
    def ids(self) -> list[str]:
        """Of its entries, in their order."""
        return [item.id for item in self.items]


@lru_cache(maxsize=4096)
def read(content: bytes, ending: str) -> Read:
    """Read a document of a format."""
    return read_json(content) if ending == ".json" else read_xml(content)


def read_json(content: bytes) -> Read:
    """Read a JSON Feed."""
    feed = json.loads(content)
    items = tuple(
        Item(
            each["id"],
            each["title"],
            each["url"],
            datetime.fromisoformat(each["date_published"]),
            datetime.fromisoformat(each["date_modified"]),
            tuple(each.get("tags", ())),
            json.dumps(each),
        )
        for each in feed["items"]
    )
    return Read(items, feed["feed_url"], feed.get("next_url"), None)


def moment_of(parsed: struct_time) -> datetime:
    """A moment as feedparser reads it."""
    return datetime.fromtimestamp(timegm(parsed), UTC)


def read_xml(content: bytes) -> Read:
    """Read an Atom or an RSS feed."""
    parsed = feedparser.parse(content)
    assert parsed.bozo == 0
    root = etree.fromstring(content)
    links = root.findall(f"{ATOM}link") or root.findall(f"channel/{ATOM}link")
    urls = {link.get("rel", ""): link.get("href", "") for link in links}
    is_atom = root.tag == f"{ATOM}feed"
    sources = root.findall(f"{ATOM}entry") if is_atom else root.findall("channel/item")
    items = tuple(
        Item(
            each.id,
            each.title,
            each.link,
            moment_of(each.published_parsed),
            moment_of(each.updated_parsed) if is_atom else None,
            tuple(tag.term for tag in each.get("tags", ()) if "/topics/" in (tag.scheme or "")),
            etree.tostring(source, encoding="unicode"),
        )
        for each, source in zip(parsed.entries, sources, strict=True)
    )
    return Read(items, urls["self"], urls.get("prev-archive"), urls.get("next-archive"))


# --- the histories


class Histories(RuleBasedStateMachine):
    """Edits, restarts and losses in any order; after every reload, the oracle is asked."""

    directory: tempfile.TemporaryDirectory[str]
    publisher: Publisher
    store: DatabaseStore

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, File] = {}
        self.now = NOW
        self.touched = 0
        self.turn = 0
        self.opened = False
        self.processes = 0
        self.forget()

    def forget(self) -> None:
        """What readers were told is forgotten, but for what is made of the files alone."""
        self.told: dict[int, Told] = {}
        self.told_of = 0
        self.newest = datetime.min.replace(tzinfo=UTC)
        self.names: dict[str, str] = {}
        self.sealed: dict[str, Sealed] = {}
        self.shown: dict[str, Shown] = {}
        # Of each feed, who stands in each full archive document, gone or not.
        self.full: dict[str, list[set[int]]] = {}
        self.redated: set[int] = set()
        for file in self.files.values():
            file.known_text = file.known = None

    @initialize(
        size=st.sampled_from([1, 2, 2, 3, 4]),
        order=st.sampled_from(["published", "arrived"]),
        revisions=st.lists(
            st.builds(
                Revision, st.integers(1, MOST), published=st.sampled_from(MOMENTS), summary=st.integers(0, 3)
            ),
            min_size=5,
            max_size=9,
            unique_by=lambda revision: revision.number,
        ),
    )
    def begin(self, size: int, order: str, revisions: list[Revision]) -> None:
        """A directory with some articles, one file each."""
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name)
        self.articles = self.root / "articles"
        self.articles.mkdir()
        self.size, self.order = size, order
        self.settings = make_settings(
            self.articles,
            feeds__entries=str(size),
            feeds__order=order,
            guard__share="1",
            guard__minimum="1000000",
        )
        for revision in revisions:
            self.write(f"{revision.number}.md", revision)
        self.start()
        self.reload()

    def teardown(self) -> None:
        """Nothing is left behind."""
        if self.opened:
            self.store.close()
        if hasattr(self, "directory"):
            self.directory.cleanup()

    def memory(self) -> str:
        """The URL of the memory."""
        return f"sqlite:///{self.root}/memory.db"

    def lose_memory(self) -> None:
        """The memory is gone."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.root}/memory.db{suffix}").unlink(missing_ok=True)

    def start(self) -> None:
        """A new process over the same files and the same memory."""
        self.store = DatabaseStore(self.memory(), write=True)
        self.opened = True
        self.processes += 1
        self.publisher = Publisher(self.settings, lambda: self.now, self.store)

    def stop(self) -> None:
        """The process ends."""
        self.store.close()
        self.opened = False

    # --- what is written

    def touch(self, path: str) -> None:
        """Give a file a time that it never had, long enough ago for it to count as settled."""
        self.touched += 1
        os.utime(self.articles / path, (1_500_000_000 + self.touched,) * 2)

    def write(self, path: str, what: Revision | str) -> None:
        """Write a file: a revision, or something that is none."""
        text = what if isinstance(what, str) else what.text()
        (self.articles / path).write_text(text, "utf-8")
        self.touch(path)
        says = None if isinstance(what, str) else what
        known = self.files.get(path)
        self.files[path] = File(text, says, known.known_text, known.known) if known else File(text, says)

    def pick(self, number: int, *, good: bool = True) -> str | None:
        """One of the files that can be read, or of those that cannot."""
        paths = [path for path, file in sorted(self.files.items()) if (file.says is not None) == good]
        return paths[number % len(paths)] if paths else None

    def edit(self, number: int, reload: bool, **changes: object) -> None:
        """Change what a file says."""
        path = self.pick(number)
        revision = path and self.files[path].says
        if path and revision:
            self.write(path, replace(revision, **changes))  # type: ignore[arg-type]  # as the rules say
            self.pass_by(reload)

    def pass_by(self, reload: bool) -> None:
        """Time goes on; where the service notices, the oracle is asked."""
        self.now += MINUTE
        if reload:
            self.reload()

    @rule(
        number=st.integers(1, MOST),
        published=st.sampled_from(MOMENTS),
        topics=st.lists(st.sampled_from(TOPICS), unique=True, max_size=2).map(tuple),
        is_published=st.sampled_from(["true", "true", "true", "false", None]),
        related=st.none() | st.integers(1, MOST),
        reload=st.booleans(),
    )
    def add(
        self,
        *,
        number: int,
        published: datetime,
        topics: tuple[str, ...],
        is_published: str | None,
        related: int | None,
        reload: bool,
    ) -> None:
        """A file of a new article, or one that takes the place of another."""
        related = None if related == number else related
        revision = Revision(
            number,
            published=published,
            topics=topics,
            is_published=is_published,
            related=related,
            provider=number % 2,
        )
        self.write(f"{number}.md", revision)
        self.pass_by(reload)

    @rule(
        number=st.integers(0, 20),
        change=st.one_of(
            st.fixed_dictionaries(
                {"title": st.integers(0, 3), "summary": st.integers(0, 3), "content": st.integers(0, 3)}
            ),
            st.sampled_from(["title", "summary", "content"]).flatmap(
                lambda name: st.integers(0, 3).map(lambda value: {name: value})
            ),
            st.sampled_from(["link", "type", "provider", "picture"]).flatmap(
                lambda name: st.integers(0, 1).map(lambda value: {name: value})
            ),
            st.lists(st.sampled_from(TOPICS), unique=True, max_size=2).map(
                lambda topics: {"topics": tuple(topics)}
            ),
            st.sampled_from(MOMENTS).map(lambda moment: {"published": moment}),
            st.sampled_from([None, *MOMENTS]).map(lambda moment: {"updated": moment}),
        ),
        reload=st.booleans(),
    )
    def edit_what_readers_see(self, number: int, change: dict[str, object], reload: bool) -> None:
        """An edit for readers."""
        self.edit(number, reload, **change)

    @rule(number=st.integers(0, 20), noise=st.integers(0, 9), reload=st.booleans())
    def edit_what_nobody_sees(self, number: int, noise: int, reload: bool) -> None:
        """An edit of scores and comments."""
        self.edit(number, reload, noise=noise)

    @rule(number=st.integers(0, 20), reload=st.booleans())
    def touch_only(self, number: int, reload: bool) -> None:
        """A file that gets another time and keeps its text."""
        path = self.pick(number)
        if path:
            self.touch(path)
            self.pass_by(reload)

    @rule(number=st.integers(0, 20), reload=st.booleans())
    def publish(self, number: int, reload: bool) -> None:
        """What was held back is published."""
        self.edit(number, reload, is_published="true", removed=None)

    @rule(
        number=st.integers(0, 20),
        how=st.sampled_from([{"is_published": "false"}, {"is_published": None}, {"removed": "true"}]),
        reload=st.booleans(),
    )
    def withdraw(self, number: int, how: dict[str, object], reload: bool) -> None:
        """What was published is held back."""
        self.edit(number, reload, **how)

    @rule(number=st.integers(0, 20), name=st.sampled_from("abc"), good=st.booleans(), reload=st.booleans())
    def rename(self, number: int, name: str, good: bool, reload: bool) -> None:
        """A file gets another name, in another directory; it keeps its time."""
        path = self.pick(number, good=good)
        target = f"{name}/{number}.md"
        if path and target not in self.files:
            (self.articles / name).mkdir(exist_ok=True)
            (self.articles / path).rename(self.articles / target)
            file = self.files.pop(path)
            self.files[target] = File(file.text, file.says)
            self.pass_by(reload)

    @rule(
        number=st.integers(0, 20),
        name=st.sampled_from(["0", "z"]),
        title=st.integers(0, 3),
        is_published=st.sampled_from(["true", "false"]),
        updated=st.sampled_from([None, *MOMENTS]),
        reload=st.booleans(),
    )
    def duplicate(
        self, *, number: int, name: str, title: int, is_published: str, updated: datetime | None, reload: bool
    ) -> None:
        """A second file with another revision of an article."""
        path = self.pick(number)
        revision = path and self.files[path].says
        if revision:
            second = replace(revision, title=title, is_published=is_published, updated=updated)
            self.write(f"{name}-{number}.md", second)
            self.pass_by(reload)

    @rule(number=st.integers(0, 20), text=st.sampled_from(BROKEN), reload=st.booleans())
    def break_file(self, number: int, text: str, reload: bool) -> None:
        """A file that can be read no more."""
        path = self.pick(number)
        if path:
            self.write(path, text)
            self.pass_by(reload)

    @rule(number=st.integers(0, 20), title=st.integers(0, 3), reload=st.booleans())
    def restore(self, number: int, title: int, reload: bool) -> None:
        """A broken file is as it was, or says something new."""
        path = self.pick(number, good=False)
        if path:
            known = self.files[path].known or Revision(number % MOST + 1)
            self.write(path, replace(known, title=title))
            self.pass_by(reload)

    @rule(number=st.integers(0, 20), good=st.booleans(), reload=st.booleans())
    def delete(self, number: int, good: bool, reload: bool) -> None:
        """A file is gone."""
        path = self.pick(number, good=good)
        if path:
            (self.articles / path).unlink()
            del self.files[path]
            self.pass_by(reload)

    @rule(hours=st.sampled_from([0, 1, 13]))
    def reload_later(self, hours: int) -> None:
        """Some time later, the service looks."""
        self.now += hours * HOUR + MINUTE
        self.reload()

    @rule(moved=st.sampled_from([MINUTE, DAY, -DAY]))
    def restart(self, moved: timedelta) -> None:
        """The service ends and begins anew; meanwhile the clock goes on, or is set back."""
        self.stop()
        self.now += moved
        self.start()
        self.reload()

    @rule(moved=st.sampled_from([MINUTE, -DAY]))
    def restart_unchanged(self, moved: timedelta) -> None:
        """Over a restart with nothing between, nobody is told anything, and no file is read again."""
        self.reload()
        self.restart(moved)

    @precondition(lambda self: self.turn > 3)
    @rule(moved=st.sampled_from([MINUTE, -DAY]))
    def lose_the_database(self, moved: timedelta) -> None:
        """The memory is lost while the service is down: all but the history is as it was."""
        self.stop()
        self.lose_memory()
        self.now += moved
        self.forget()
        self.start()
        self.reload()

    # --- what must hold

    def reload(self) -> None:
        """Reload, and ask the oracle."""
        self.turn += 1
        parsed = sum(file.text != file.known_text for file in self.files.values())
        outcome = self.publisher.reload()
        assert outcome.error is None
        assert outcome.forgetting is None
        assert outcome.state.library.parsed == parsed
        for file in self.files.values():
            file.known_text, file.known = file.text, file.says or file.known
        snapshot = outcome.state.snapshot
        assert snapshot
        selected = self.selected()
        seen = {number: self.seen(revision) for number, (_, revision) in selected.items()}
        self.names |= self.read_names(snapshot, selected)
        feeds = self.feeds(selected)
        assert snapshot.feeds.keys() == feeds.keys()
        self.check_events(selected, seen, feeds)
        updated = self.updated(seen)
        for path, numbers in feeds.items():
            self.check_feed(snapshot, path, self.in_order(numbers, selected), seen, updated)

    def due(self, number: int, moment: datetime) -> bool:
        """Whether a moment has come; what has come for an article's readers stays so if the clock goes back."""
        told = self.told.get(number)
        return moment <= max(self.now, told.at if told and told.there else self.now)

    def selected(self) -> dict[int, tuple[str, Revision]]:
        """The articles that readers should have, each with the file that counts."""
        chosen: dict[int, tuple[tuple[bool, datetime, bytes], str, Revision]] = {}
        for path, file in self.files.items():
            if file.known:
                rank = (file.known.shown, file.known.updated or NOW - 999 * DAY, os.fsencode(path))
                number = file.known.number
                if number not in chosen or rank > chosen[number][0]:
                    chosen[number] = (rank, path, file.known)
        self.held = set(chosen)
        selected: dict[int, tuple[str, Revision]] = {}
        for number, (_, path, revision) in chosen.items():
            if revision.shown and self.due(number, revision.published):
                update = revision.updated if revision.updated and self.due(number, revision.updated) else None
                selected[number] = (path, replace(revision, updated=update))
        self.held -= selected.keys()
        return selected

    def seen(self, revision: Revision) -> Parts:
        """The parts that readers see of an article."""
        return {
            "title": f"Title {revision.number} {revision.title}",
            "link": revision.url,
            "published": revision.published,
            "updated": revision.updated,
            "summary": f"Summary {revision.summary}.",
            "content": f"Content {revision.content}." if revision.content else "",
            "type": ("article", "video")[revision.type],
            "provider": PROVIDERS[revision.provider][0],
            "topics": revision.topics,
            "picture": f"https://example.org/{revision.picture}.png" if revision.picture else "",
            # No coverage leads to what is held back here.
            "related": identity_of(revision.related)
            if revision.related and revision.related not in self.held
            else "",
        }

    def read_names(self, snapshot: Snapshot, selected: Mapping[int, tuple[str, Revision]]) -> dict[str, str]:
        """The path of each feed by its name, as the list of all feeds tells it; one once given is kept."""
        root = etree.fromstring(snapshot.documents["/feeds.opml"].content)
        outlines = [each for each in root.iter("outline") if each.get("xmlUrl")]
        names = {
            (each.get("text") or "").partition(" · ")[0]: (each.get("xmlUrl") or "")[len(BASE) : -len(".atom")]
            for each in outlines
        }
        assert len(names) == len(outlines) == len(set(names.values()))
        assert self.names.items() <= names.items()
        revisions = [revision for _, revision in selected.values()]
        wanted = {topic for each in revisions for topic in each.topics}
        wanted |= {PROVIDERS[each.provider][0] for each in revisions}
        assert names.keys() - self.names.keys() - {"feedsvc", "All articles"} <= wanted
        assert wanted <= names.keys()
        return names

    def feeds(self, selected: Mapping[int, tuple[str, Revision]]) -> dict[str, list[int]]:
        """The articles of each feed, in no order."""
        feeds: dict[str, list[int]] = {path: [] for path in self.names.values()}
        for number, (_, revision) in selected.items():
            feeds["/feeds/all"].append(number)
            for name in (*revision.topics, PROVIDERS[revision.provider][0]):
                feeds[self.names[name]].append(number)
        return feeds

    def in_order(self, numbers: Iterable[int], selected: Mapping[int, tuple[str, Revision]]) -> list[int]:
        """The newest first, ties by id; or, where so configured, who came last first."""
        ordered = sorted(numbers, key=id_of)
        ordered.sort(key=lambda number: selected[number][1].published, reverse=True)
        if self.order == "arrived":
            ordered.sort(key=lambda number: self.told[number].turn, reverse=True)
        return ordered

    def check_events(
        self,
        selected: Mapping[int, tuple[str, Revision]],
        seen: Mapping[int, Parts],
        feeds: Mapping[str, list[int]],
    ) -> None:
        """The history tells one event for each arrival, visible change, withdrawal and return, and no other."""
        happened = self.store.history(None, 1_000_000)[::-1]
        events = happened[self.told_of :]
        self.told_of = len(happened)
        found = {(event.happening, event.identity): event for event in events}
        assert len(found) == len(events)
        expected: dict[tuple[str, str], tuple[str, set[str], frozenset[str]]] = {}
        told = dict(self.told)
        self.redated = set()
        for number, (path, _) in selected.items():
            places = frozenset(place for place, numbers in feeds.items() if number in numbers)
            before = told.get(number)
            parts = {name for name in seen[number] if before and before.parts[name] != seen[number][name]}
            if "published" in parts:
                # Who is dated anew has no place in full archives any more.
                self.redated.add(number)
            happening = "changed"
            if before is None or not before.there:
                happening = "returned" if before else "arrived"
            if happening != "changed" or parts:
                left = before.places if before and happening == "changed" else frozenset()
                expected[happening, identity_of(number)] = (path, parts, places | left)
            turn, at = (before.turn, before.at) if before else (self.turn, self.now)
            self.told[number] = Told(seen[number], turn, at, path, places, before.updated if before else NOW)
        for number in told.keys() - selected.keys():
            if told[number].there:
                expected["withdrawn", identity_of(number)] = (told[number].path, set(), told[number].places)
                self.told[number] = replace(told[number], there=False)
        assert {
            key: (event.path, set(event.parts), frozenset(event.places)) for key, event in found.items()
        } == expected
        self.check_moments(events)

    def check_moments(self, events: list[Event]) -> None:
        """What happens is dated when it happens, and never before what happened before it."""
        for event in events:
            assert event.at == self.now or event.at > self.newest >= self.now
            assert event.at >= self.newest
            assert event.at - self.now <= max(timedelta(), self.newest - self.now) + timedelta(seconds=1)
            number = int(event.identity.rpartition("/")[2])
            assert event.id == id_of(number)
            self.told[number].at = event.at
        self.newest = max([self.newest, *(event.at for event in events)])
        self.changed = {int(event.identity.rpartition("/")[2]): event.at for event in events if event.parts}

    def updated(self, seen: Mapping[int, Parts]) -> dict[int, datetime]:
        """When each entry was updated: as its file says, else when it last changed, else when it was published."""
        updated: dict[int, datetime] = {}
        for number, parts in seen.items():
            told = self.told[number]
            if number in self.changed:
                told.updated = self.changed[number]
            elif self.turn == told.turn:
                told.updated = NOW - 999 * DAY
            said = parts["updated"] or told.updated
            assert isinstance(said, datetime)
            assert isinstance(parts["published"], datetime)
            updated[number] = max(said, parts["published"])
        return updated

    def check_feed(
        self,
        snapshot: Snapshot,
        path: str,
        ordered: list[int],
        seen: Mapping[int, Parts],
        updated: Mapping[int, datetime],
    ) -> None:
        """A feed in all formats, and all that lies behind it."""
        atom = [read(document.content, ".atom") for document in self.walk(snapshot, path, ".atom")]
        full = [{self.number(each) for each in archive.ids} for archive in atom[1:] if archive.following][::-1]
        self.check_archives(path, full, ordered)
        archived = {number for numbers in self.full[path] for number in numbers}
        free = [number for number in ordered if number not in archived]
        shown = free[: self.size]
        for ending in ENDINGS:
            documents = self.walk(snapshot, path, ending)
            chain = [read(document.content, ending) for document in documents]
            assert [each.ids for each in chain] == [each.ids for each in atom]
            items = [item for each in chain for item in each.items]
            assert sorted(item.id for item in items) == sorted(map(id_of, ordered))
            assert chain[0].ids == [id_of(number) for number in shown]
            for each in chain:
                places = [ordered.index(self.number(name)) for name in each.ids]
                assert places == sorted(places)
            for item in items:
                number = self.number(item.id)
                self.check_item(item, seen[number], updated[number])
            for each, document in zip(chain, documents, strict=True):
                numbers = [self.number(name) for name in each.ids]
                entries = [(number, seen[number] | {"updated": updated[number]}) for number in numbers]
                now = Shown(entries, each.previous, each.following)
                self.check_document(each.own.removeprefix(BASE), document, now)

    def walk(self, snapshot: Snapshot, path: str, ending: str) -> list[Document]:
        """The documents of a feed and its archives, the newest first, as a reader finds them by their links."""
        documents = []
        url: str | None = f"{BASE}{path}{ending}"
        while url:
            document = snapshot.document(url.removeprefix(BASE))
            assert document
            documents.append(document)
            found = read(document.content, ending)
            assert found.own == url
            url = found.previous
        return documents

    def number(self, name: str) -> int:
        """The article of an id."""
        return next(number for number in range(1, MOST + 30) if id_of(number) == name)

    def check_archives(self, path: str, full: list[set[int]], ordered: list[int]) -> None:
        """Who stands in a full archive document stays there, gone or not, unless the feed would be half empty."""
        before = [numbers - self.redated for numbers in self.full.get(path, [])]
        kept = before[: len(full)]
        for numbers, now in zip(kept, full, strict=False):
            assert now == numbers & set(ordered)
        for count in range(len(full), len(before)):
            # All that is left to show when this one is not opened.
            closed = {number for numbers in before[: count + 1] for number in numbers}
            assert len(set(ordered) - closed) < max(1, self.size // 2)
        for now in full[len(before) :]:
            assert len(now) == self.size
        self.full[path] = kept + full[len(before) :]

    def check_item(self, item: Item, parts: Parts, updated: datetime) -> None:
        """An entry says what its article says."""
        assert (item.title, item.link, item.published) == (parts["title"], parts["link"], parts["published"])
        assert item.updated in {updated, None}
        assert item.tags in {parts["topics"], ()}
        for name in ("content", "provider", "picture", "related", "type"):
            assert str(parts[name]) in item.text, name

    def check_document(self, path: str, document: Document, now: Shown) -> None:
        """A document changes, and its tag and date with it, where something that it shows did, and only there."""
        before, last = self.shown.get(path), self.sealed.get(path)
        self.shown[path] = now
        self.sealed[path] = Sealed(document.content, document.etag, document.last_modified, self.processes)
        if before is None or last is None:
            return
        same = (last.content, last.etag) == (document.content, document.etag)
        if before == now:
            assert same, path
            # Archive documents are made when they are asked for. Of one that another process had made, the date is
            # forgotten: it is that of what changed last.
            if "/archive/" in path and last.made != self.processes:
                assert document.last_modified >= last.last_modified, path
            else:
                assert document.last_modified == last.last_modified, path
            if document.last_modified == last.last_modified:
                self.sealed[path].made = last.made
        elif not path.endswith(".rss") or before.without_updates() != now.without_updates():
            assert not same, path
        if not same:
            assert document.content != last.content
            assert document.etag != last.etag
            # A reader may ask by date alone.
            assert document.last_modified > last.last_modified, path


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_histories_on_postgresql(postgres: Server) -> None:
    """The same of a few histories whose memory is in PostgreSQL."""

    class Elsewhere(Histories):
        def __init__(self) -> None:
            self.stack = ExitStack()
            self.lose_memory()
            super().__init__()

        def memory(self) -> str:
            return self.url

        def lose_memory(self) -> None:
            self.stack.close()
            self.url = self.stack.enter_context(postgres.database())

        def teardown(self) -> None:
            super().teardown()
            self.stack.close()

    run_state_machine_as_test(
        Elsewhere, settings=settings(TestHistories.settings, max_examples=3, stateful_step_count=20)
    )


# --- single histories with a clock that is set back


@dataclass
class Seen:
    """What a run served, and what it told."""

    documents: dict[str, Sealed]
    events: list[Event]

    def document(self, path: str) -> Sealed:
        """One that must be there."""
        return self.documents[path]


def run(articles: Path, *clock: datetime, **flags: str) -> Seen:
    """A service that looks at each of these moments, and ends."""
    with closing(DatabaseStore(f"sqlite:///{articles.parent}/memory.db", write=True)) as store:
        before = len(store.history(None, 999))
        publisher = Publisher(make_settings(articles, **flags), lambda: now, store)
        for now in clock:  # noqa: B007 - the clock reads it
            publisher.reload()
        snapshot = publisher.snapshot
        assert snapshot
        found = {path: snapshot.document(path) for path in snapshot.paths() if path.endswith((*ENDINGS, ".opml"))}
        events = store.history(None, 999)
    documents = {
        path: Sealed(each.content, each.etag, each.last_modified, 0) for path, each in found.items() if each
    }
    return Seen(documents, events[: len(events) - before])


def write_numbered(articles: Path, number: int, **fields: object) -> Path:
    """One of some articles, each of an hour of its own."""
    values = {
        "webUrl": identity_of(number),
        "title": f"Title {number}",
        "publishedDateTime": stamp(NOW - 9 * DAY + number * HOUR),
    }
    return write_article(articles, f"{number}.md", "", **(values | fields))


def test_a_clock_set_back_takes_nothing_away(articles: Path) -> None:
    """What was due once stays so: no article leaves, and no update is undone, when the clock is a day behind."""
    write_numbered(articles, 1, publishedDateTime=stamp(NOW - HOUR))
    write_numbered(articles, 2, updatedDateTime=stamp(NOW - HOUR))
    first = run(articles, NOW)
    assert len(first.events) == 2
    for clock in (NOW - DAY, NOW - 2 * DAY, NOW + DAY):
        again = run(articles, clock)
        assert again.events == []
        assert again.documents == first.documents


def test_what_was_too_old_does_not_come_back(articles: Path) -> None:
    """An article that left for its age does not return when the clock is set back."""
    write_numbered(articles, 1, publishedDateTime=stamp(NOW - HOUR))
    rules = {"selection__max_age": "2h", "guard__minimum": "1000000"}
    run(articles, NOW, **rules)
    gone = run(articles, NOW + 2 * HOUR, **rules)
    assert [event.happening for event in gone.events] == ["withdrawn"]
    assert run(articles, NOW - DAY, **rules).events == []


def test_what_is_new_while_the_clock_is_behind_comes_last(articles: Path) -> None:
    """With a clock that was set back, what happens is dated after what happened before: who looks at the top of a
    feed in the order of arrival, or asks by date, misses nothing.
    """
    write_numbered(articles, 1)
    flags = {"feeds__order": "arrived"}
    first = run(articles, NOW, **flags)
    write_numbered(articles, 2, publishedDateTime=stamp(NOW - 99 * DAY))
    second = run(articles, NOW - DAY, **flags)
    write_numbered(articles, 3, publishedDateTime=stamp(NOW - 199 * DAY))
    third = run(articles, NOW - DAY, **flags)
    path = "/feeds/all.json"
    assert read(third.document(path).content, ".json").ids == [id_of(number) for number in (3, 2, 1)]
    moments = [event.at for seen in (first, second, third) for event in seen.events]
    dates = [seen.document(path).last_modified for seen in (first, second, third)]
    assert moments == sorted(set(moments))
    assert dates == sorted(set(dates))


def test_a_second_change_while_the_clock_is_behind_is_seen(articles: Path) -> None:
    """Each visible change moves `updated` of its entry, and that of its feed, forward."""
    updated = []
    for title, clock in (("A", NOW), ("B", NOW + HOUR), ("C", NOW - DAY), ("D", NOW - DAY)):
        write_numbered(articles, 1, title=title)
        document = run(articles, clock).document("/feeds/all.atom")
        feed = feedparser.parse(document.content)
        assert feed.feed.updated == feed.entries[0].updated
        updated.append(feed.entries[0].updated)
    assert updated == sorted(set(updated))


@pytest.mark.parametrize("runs_on", [True, False])
def test_a_date_that_a_late_change_makes_due_is_told(articles: Path, runs_on: bool) -> None:
    """A change that is told while the clock is behind is dated after what happened before. An `updated` of the
    file that has come by that moment is the next news, whether the service runs on or is started anew.
    """
    write_numbered(articles, 1)
    run(articles, NOW - 15 * HOUR)
    write_numbered(articles, 2)
    run(articles, NOW)
    write_numbered(articles, 1, title="A", updatedDateTime=stamp(NOW - 5 * HOUR))
    moments = [NOW - 13 * HOUR, NOW - 12 * HOUR]
    if runs_on:
        told = run(articles, *moments).events
    else:
        told = [event for moment in moments for event in run(articles, moment).events]
    assert [event.parts for event in sorted(told, key=lambda event: event.at)] == [("title",), ("updated",)]
    assert run(articles, NOW - 11 * HOUR).events == []


def test_archives_keep_their_dates_over_a_restart(articles: Path) -> None:
    """An archive document has the tag and the date that it had, whatever the clock says; a change moves both."""
    for number in range(1, 6):
        write_numbered(articles, number)
    flags = {"feeds__entries": "2"}
    first = run(articles, NOW, **flags)
    path = "/feeds/all/archive/1.atom"
    assert run(articles, NOW + DAY, **flags).documents == first.documents
    assert run(articles, NOW - DAY, **flags).documents == first.documents
    write_numbered(articles, 1, title="Another")
    changed = run(articles, NOW - DAY, **flags).document(path)
    assert changed.etag != first.document(path).etag
    assert changed.last_modified > first.document(path).last_modified


def test_what_came_due_and_went_while_the_service_was_down_was_never_there(articles: Path) -> None:
    """A dated article whose file is deleted before it could be served is not told of, neither come nor gone."""
    write_numbered(articles, 1)
    dated = write_numbered(articles, 2, publishedDateTime=stamp(NOW + HOUR), topics="[Later]")
    run(articles, NOW)
    dated.unlink()
    later = run(articles, NOW + DAY)
    assert later.events == []
    assert "/topics/later.atom" not in later.documents


def test_without_the_memory_all_but_the_history_is_there(articles: Path) -> None:
    """The memory lost, what was not edited while it was there has the bytes and the tags that it had."""
    for number in range(1, 6):
        write_numbered(articles, number)
    first = run(articles, NOW, feeds__entries="2")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{articles.parent}/memory.db{suffix}").unlink(missing_ok=True)
    again = run(articles, NOW + DAY, feeds__entries="2")
    assert {path: each.content for path, each in again.documents.items()} == {
        path: each.content for path, each in first.documents.items()
    }
    assert [event.happening for event in again.events] == ["arrived"] * 5
