"""Publishers and replicas that share a database, in short: `make chaos` is the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chaos.articles import DOCUMENTS, Articles, numbers_in
from chaos.judge import Heard, Judge, check_published
from chaos.rounds import new_seed, play
from service import running

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import OwnServer

pytestmark = pytest.mark.usefixtures("unmeasured")


def heard(status: int, *numbers: int, etag: str = '"a"', replica: str = "r0") -> Heard:
    """An answer."""
    return Heard(0, 0, replica, "/feeds/all.atom", "gzip", status, etag, frozenset(numbers))


def verdict(*answers: Heard) -> list[str]:
    """What the judge says of answers that came one after the other, without the answers themselves."""
    judge = Judge()
    for answer in answers:
        judge.take(answer, judge.newest(answer.replica))
    return [wrong.partition(": Heard")[0] for wrong in judge.wrongs]


def test_three_rounds(tmp_path: Path, own_postgres: OwnServer) -> None:
    """Three rounds of random faults, as `make chaos` plays 200 of them: readers notice nothing."""
    play(tmp_path, own_postgres, 3, new_seed())


def test_every_document_shows_the_change(tmp_path: Path) -> None:
    """Each document that readers ask for shows the number of the last change, in several titles, and no other."""
    articles = Articles(tmp_path / "articles")
    with running(tmp_path, articles.directory) as service:
        for number in (2, 3):
            articles.change()
            service.reload()
            for path in DOCUMENTS:
                body = service.ask(path).body
                assert numbers_in(body) == {number}, path
                assert body.count(b"Change ") > 1


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ([heard(503), heard(404), heard(200, 1), heard(304, 1), heard(200, 2, etag='"b"')], []),
        ([heard(200, 2), heard(200, 1, replica="r1", etag='"b"')], []),
        ([heard(200, 1), heard(503)], ["r0: answered 503 though it had a snapshot"]),
        ([heard(200, 1, 2)], ["r0: a document that is not of one generation"]),
        ([heard(200)], ["r0: a document that is not of one generation"]),
        ([heard(200, 2), heard(200, 1, etag='"b"')], ["r0: change 1 after 2"]),
        ([heard(200, 2), heard(304, 1, etag='"b"')], ["r0: change 1 after 2"]),
        ([heard(200, 1), heard(200, 1, etag='"b"', replica="r1")], ['r1: change 1 had the tag "a" before']),
    ],
)
def test_judge_finds_what_is_wrong(answers: list[Heard], wrong: list[str]) -> None:
    """An answer is wrong where it fails after a first one, mixes, goes back, or differs from one of its kind."""
    assert verdict(*answers) == wrong


@pytest.mark.parametrize(
    ("published", "wrong"),
    [
        ([("p0", 1, 1), ("p1", 3, 2), ("p0", 2, 1), ("p0", 7, 4)], []),
        ([("p0", 1, 1), ("p1", 1, 2)], ["generation 1 was published by p0 and by p1"]),
        ([("p0", 1, 2), ("p1", 2, 1)], ["generation 2 is of term 1, one before of term 2"]),
        ([("p0", 1, 1), ("p1", 2, 1)], ["term 1 was that of p0 and of p1"]),
    ],
)
def test_judge_finds_two_publishers(published: list[tuple[str, int, int]], wrong: list[str]) -> None:
    """A generation is published once, terms do not go back, and each is one process's."""
    assert check_published(published) == wrong
