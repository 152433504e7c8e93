"""Several files hold revisions of one article: which of them counts."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.articles.article import Article
from feedsvc.articles.revisions import Superseded, choose


def revision(path: str, identity: str = "i", updated: int | None = None, **fields: bool | None) -> Article:
    """A published revision in a file of this path, updated in this year, with these flags."""
    moment = datetime(2021, 1, 1, tzinfo=UTC)
    return Article(
        path=path,
        identity=identity,
        title=path,
        url="https://example.org/",
        published_at=moment,
        updated_at=moment.replace(year=updated) if updated else None,
        published=fields.get("published", True),
        removed=bool(fields.get("removed")),
        deleted=bool(fields.get("deleted")),
    )


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (revision("a"), revision("b", published=False)),
        (revision("a", updated=2020), revision("b", updated=2021, published=False)),
        (revision("a"), revision("b", published=None)),
        (revision("a", updated=2021), revision("b", updated=2020)),
        (revision("a", updated=2020), revision("b")),
        (revision("b"), revision("a")),
        (revision("é"), revision("z")),
        (revision("a/b"), revision("a-b")),
        (revision("b1"), revision("a2")),
        (revision("\udcf5"), revision("\uff01")),
        (revision("a", updated=2020), revision("b", updated=2021, removed=True)),
        (revision("a", updated=2020), revision("b", updated=2021, deleted=True)),
        (revision("b", published=False), revision("a", published=False)),
        (revision("a", published=False, updated=2021), revision("b", published=False, updated=2020)),
        (revision("b", published=None), revision("a", published=False)),
    ],
    ids=lambda each: ascii(each.path),
)
def test_one_revision_stands_before_the_other(winner: Article, loser: Article) -> None:
    """A published revision stands before a held one, then the newest, then the last path in byte order."""
    for both in ([winner, loser], [loser, winner]):
        assert choose(both, publish_missing=False) == ([winner], [Superseded(loser.path, winner.path)])


def test_a_revision_that_does_not_say_may_count_as_published() -> None:
    """Where the rule says so, a revision that does not say whether it is published stands with the published."""
    one, other = revision("a", published=True), revision("b", published=None)
    assert choose([one, other], publish_missing=True)[0] == [other]
    assert choose([one, other], publish_missing=False)[0] == [one]


def test_different_articles_do_not_meet() -> None:
    """Articles of different identity all stay, in their order."""
    articles = [revision("b", "1"), revision("a", "2"), revision("c", "3")]
    assert choose(articles, publish_missing=False) == (articles, [])
    assert choose([], publish_missing=False) == ([], [])


def test_all_others_point_to_the_one_that_counts() -> None:
    """Every other revision is named with the one that counts, in the byte order of paths, whatever came first."""
    revisions = [
        revision("a"),
        revision("b", updated=2020),
        revision("c", updated=2021),
        revision("d", published=False),
    ]
    for order in permutations(revisions):
        chosen, superseded = choose(order, publish_missing=False)
        assert chosen == [revisions[2]]
        assert superseded == [Superseded(path, "c") for path in ("a", "b", "d")]


REVISIONS = st.lists(
    st.builds(
        revision,
        st.from_regex(r"[a-cé\udce9]{1,3}", fullmatch=True),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from([None, 2020, 2021]),
        published=st.sampled_from([True, False, None]),
        removed=st.booleans(),
    ),
    unique_by=lambda each: each.path,
    max_size=8,
)


@given(REVISIONS, st.booleans())
def test_order_does_not_matter(revisions: list[Article], publish_missing: bool) -> None:
    """One of each article is chosen, all others are named, and the order of the files does not matter."""
    chosen, superseded = choose(revisions, publish_missing=publish_missing)
    assert {each.identity for each in chosen} == {each.identity for each in revisions}
    assert len(chosen) + len(superseded) == len(revisions)
    backwards, others = choose(reversed(revisions), publish_missing=publish_missing)
    assert ({each.path for each in backwards}, others) == ({each.path for each in chosen}, superseded)
