"""The publisher and its store, killed in the middle of reloads and commits, 200 times.

These are real processes with real files, killed by SIGKILL; what they lack of the service is the server in front.
`test_service_killed.py` kills all of it.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from support import NOW, write_article

from crash.victim import Documents, Nursery, Place, Victim, archives_of, documents_of
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from feedsvc.feeds.memory import Event

LANES = 2
KILLS_A_LANE = 100
ARTICLES = 12
HOUR = timedelta(hours=1)


class Editor:
    """Somebody who changes articles in every way, one change or a few at a time."""

    def __init__(self, articles: Path, dice: random.Random) -> None:
        self._articles = articles
        self._dice = dice
        self._count = 0
        self._files: dict[int, dict[str, object]] = {}
        for number in range(ARTICLES):
            self._write(number, self._fresh(number))

    def edit(self) -> None:
        """Change something that readers see; among it, perhaps, what they do not."""
        self._count += 1
        for number in self._dice.sample(range(ARTICLES), self._dice.randint(1, 4)):
            how = self._dice.choice(["title", "title", "score", "topic", "publish", "name"])
            fields = dict(self._files[number])
            if how == "title":
                fields["title"] = f"Title {self._count}"
            elif how == "score":
                fields["heat"] = self._count
            elif how == "topic":
                fields["topics"] = f"[T{self._dice.randrange(4)}, T{self._dice.randrange(4)}]"
            elif how == "publish":
                fields["published"] = "false" if fields["published"] == "true" else "true"
            else:
                fields["name"] = f"renamed-{number}-{self._count}.md"
            self._write(number, fields)
        self._write(0, self._files[0] | {"title": f"Seen by all {self._count}", "published": "true"})

    def _fresh(self, number: int) -> dict[str, object]:
        return {
            "name": f"{number}.md",
            "title": f"Title of {number}",
            "webUrl": f"https://example.org/{number}",
            "published": "true",
            "topics": f"[T{number % 4}]",
            "publishedDateTime": f"2021-12-{number + 1:02}T00:00:00Z",
        }

    def _write(self, number: int, fields: dict[str, object]) -> None:
        before = self._files.get(number)
        if before and before["name"] != fields["name"]:
            (self._articles / str(before["name"])).unlink()
        self._files[number] = fields
        rest = {key: value for key, value in fields.items() if key != "name"}
        write_article(self._articles, str(fields["name"]), "", **rest)


class Oracle:
    """The same publisher, never killed and without a memory on disk: what readers must be told."""

    def __init__(self, place: Place) -> None:
        self.moment: datetime = NOW
        self._publisher = Publisher(place.settings(), lambda: self.moment)
        self.events: list[Event] = []
        self.documents: Documents = {}
        self.archives: dict[str, str] = {}

    def reload(self, moment: datetime) -> Documents:
        """Publish the directory as it is."""
        self.moment = moment
        state = self._publisher.reload().state
        assert state.snapshot
        self.events.extend(state.events)
        self.documents, self.archives = documents_of(state.snapshot), archives_of(state.snapshot)
        return self.documents


class Lane:
    """One directory, one memory, and one process after another that is killed over them."""

    def __init__(self, root: Path, seed: int) -> None:
        self.place = Place(root)
        self.place.articles.mkdir(parents=True)
        self.nursery = Nursery(self.place)
        self.dice = random.Random(seed)  # noqa: S311 - dice, and the same ones every time
        self.editor = Editor(self.place.articles, self.dice)
        self.oracle = Oracle(self.place)
        self.moment = NOW
        self.reload_seconds = self.save_seconds = 0.0
        self.tally: Counter[str] = Counter()

    def run(self) -> Counter[str]:
        """Kill one process after the other; what was seen how often."""
        try:
            victim = self.nursery.victim(self.place)
            assert victim.reload(self.moment).documents == self.oracle.reload(self.moment)
            self._measure(victim)
            for _ in range(KILLS_A_LANE):
                victim = self._kill_one(victim)
        finally:
            self.nursery.close()
        return self.tally

    def _measure(self, victim: Victim) -> None:
        """For how long a reload takes, and its commit, where nobody is killed."""
        reloads, saves = [], []
        for _ in range(5):
            self._edit()
            begin = time.perf_counter()
            victim.order(self.moment)
            victim.wait("saving")
            saving = time.perf_counter()
            victim.wait("saved")
            saves.append(time.perf_counter() - saving)
            assert victim.wait("done").documents == self.oracle.documents
            reloads.append(time.perf_counter() - begin)
        self.reload_seconds, self.save_seconds = statistics.median(reloads), statistics.median(saves)

    def _edit(self) -> Documents:
        """Edit; what readers were told before."""
        before = self.oracle.documents
        self.moment += HOUR
        self.editor.edit()
        self.oracle.reload(self.moment)
        return before

    def _kill_one(self, victim: Victim) -> Victim:
        """Edit, have the process reload, kill it meanwhile, and see what the next one serves."""
        before = self._edit()
        after = self.oracle.documents
        victim.order(self.moment)
        heard = []
        if self.dice.random() < 0.5:
            heard.append(victim.wait("saving"))
            time.sleep(self.dice.uniform(0, 1.3 * self.save_seconds))
        else:
            time.sleep(self.dice.uniform(0, 1.3 * self.reload_seconds))
        heard += victim.kill()
        stages = {told.stage for told in heard}
        served = [told.documents for told in heard if told.stage == "served"]
        assert served in ([], [after])
        self.tally["in the commit" if "saving" in stages and "saved" not in stages else "elsewhere"] += 1
        victim = self.nursery.victim(self.place)
        if self.dice.random() < 0.7:
            # With the articles away, the memory alone tells what is served.
            with self.place.away():
                remembered = victim.reload(self.moment)
            assert remembered.documents == after if served else remembered.documents in (before, after)
            self.tally["new" if remembered.documents == after else "old"] += 1
        told = victim.reload(self.moment)
        assert told.error is None
        assert (told.documents, told.archives) == (after, self.oracle.archives)
        self._check_database()
        return victim

    def _check_database(self) -> None:
        """The file is sound, and tells everything that happened once, in its order."""
        with closing(sqlite3.connect(f"file:{self.place.database}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with closing(DatabaseStore(self.place.url, write=False)) as store:
            assert store.history(None, 1_000_000)[::-1] == self.oracle.events


def lanes(root: Path) -> Iterator[Lane]:
    """Several, each with dice of its own."""
    for number in range(LANES):
        yield Lane(root / f"lane-{number}", seed=number)


def test_200_kills_around_reloads(tmp_path: Path) -> None:
    """A publisher that is killed at any moment of a reload or of a commit leaves a memory that tells the old state
    or the new one, whole, and the new one where a reader could have got it. The next start tells the directory's:
    every document with the bytes, the tag and the date that one would give it that was never killed. The file is
    sound, and its history has every event once.
    """
    with ThreadPoolExecutor(LANES) as pool:
        tallies = list(pool.map(Lane.run, lanes(tmp_path)))
    tally = sum(tallies, Counter[str]())
    print(dict(tally))  # noqa: T201 - the figures are half of the result
    assert tally["in the commit"] + tally["elsewhere"] == LANES * KILLS_A_LANE >= 200
    # The moments were where they matter: on either side of the commit, and within.
    assert min(tally["in the commit"], tally["old"], tally["new"]) >= 10
