"""Rolls: how a feed is cut into what it shows and its archives, and who left it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from support import NOW, SITE, make_article

from feedsvc.documents.draft import Draft
from feedsvc.documents.syndication import render_atom
from feedsvc.feeds.catalog import Catalog
from feedsvc.feeds.compose import Composition, compose, compose_archive
from feedsvc.feeds.feed import View
from feedsvc.feeds.groups import group, places_of
from feedsvc.feeds.memory import Memory, Roll, Sighting
from feedsvc.feeds.rolls import DEPARTED_FOR, MAX_DEPARTED, Cut, cut
from feedsvc.feeds.selection import SelectionRules, select
from feedsvc.feeds.sightings import observe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feedsvc.articles.article import Article

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def aged(number: int, hours: float = 0) -> Article:
    """An article that is as old as its number is small."""
    return make_article(f"{number}", published_at=NOW - timedelta(hours=10_000 - number - hours))


def numbers(articles: Iterable[Article]) -> list[int]:
    """Which articles these are."""
    return [int(article.title) for article in articles]


class Service:
    """What reloads at given moments make of given articles."""

    def __init__(self, size: int = 3, **view: object) -> None:
        self.view = View(size, **view)  # type: ignore[arg-type]  # the fields are what the test says
        self.memory = Memory()
        self.last = select([], SelectionRules(), NOW)

    def reload(self, articles: Iterable[Article], after: timedelta = timedelta()) -> Composition:
        """The composition of these articles."""
        selection = select(articles, SelectionRules(), NOW + after)
        grouping = group(selection, self.memory, Catalog())
        memory, _ = observe(grouping.memory, selection, places_of(grouping), NOW + after, self.last)
        composition = compose(grouping, SITE, memory, self.view)
        self.memory, self.last = composition.memory, selection
        return composition

    def archives(self, composition: Composition) -> list[list[int]]:
        """Which articles each archive document of the feed of all articles holds, the oldest document first."""
        return [numbers(document) for document in composition.archives["/feeds/all"]]


def shown(composition: Composition) -> list[int]:
    """Which articles the feed of all articles shows."""
    return [int(entry.title) for entry in composition.feeds[0].entries]


def test_a_late_article_with_an_old_date_moves_no_full_archive() -> None:
    """PUBLISHING 18: it goes to the last document, behind all that came before, and full ones stay as they are."""
    service = Service()
    first = service.reload(map(aged, range(10, 20)))
    assert (shown(first), service.archives(first)) == ([19, 18, 17], [[12, 11, 10], [15, 14, 13], [16]])
    late = service.reload([aged(0), *map(aged, range(10, 20))], HOUR)
    assert (shown(late), service.archives(late)) == ([19, 18, 17], [[12, 11, 10], [15, 14, 13], [16, 0]])
    more = service.reload([aged(0), *map(aged, range(10, 22))], 2 * HOUR)
    assert (shown(more), service.archives(more)[2:]) == ([21, 20, 19], [[18, 17, 16], [0]])


def test_who_is_withdrawn_leaves_a_gap() -> None:
    """A withdrawal changes the document that held the article, and no other; who returns has its place again."""
    service = Service()
    everything = [aged(number) for number in range(10)]
    service.reload(everything)
    without = service.reload([article for article in everything if article.title != "1"], HOUR)
    assert service.archives(without) == [[2, 0], [5, 4, 3], [6]]
    feed = without.feeds[0]
    archive = compose_archive(without, feed, 1)
    assert archive
    assert archive.archive
    assert (archive.archive.full, [entry.title for entry in archive.entries]) == (True, ["2", "0"])
    assert service.archives(service.reload(everything, 2 * HOUR)) == [[2, 1, 0], [5, 4, 3], [6]]


def test_who_gets_a_new_date_comes_to_the_top() -> None:
    """An article of a full archive that is dated anew is a new one for the feed; its place stays a gap."""
    service = Service()
    everything = [aged(number) for number in range(10)]
    service.reload(everything)
    again = replace(everything[1], published_at=NOW)
    composition = service.reload([*everything[:1], again, *everything[2:]], HOUR)
    assert (shown(composition), service.archives(composition)) == ([1, 9, 8], [[2, 0], [5, 4, 3], [7, 6]])
    older = replace(again, published_at=aged(0).published_at - HOUR)
    composition = service.reload([*everything[:1], older, *everything[2:]], 2 * HOUR)
    assert (shown(composition), service.archives(composition)) == ([9, 8, 7], [[2, 0], [5, 4, 3], [6, 1]])


def test_another_spelling_changes_no_archive() -> None:
    """A name that is in use stays as it is, whoever comes with another spelling and however old."""
    service = Service()
    articles = [replace(aged(number), topics=("AI",)) for number in range(1, 10)]
    before = service.reload(articles)
    after = service.reload([*articles, replace(aged(0), topics=("ai",))], HOUR)
    feed, later = (next(each for each in one.feeds if each.path == "/topics/ai") for one in (before, after))
    assert compose_archive(before, feed, 1) == compose_archive(after, later, 1)
    assert service.reload([replace(aged(0), topics=("ai",))], 2 * HOUR).feeds[1].name == "ai"


def test_a_feed_is_not_left_half_empty() -> None:
    """Where so many of the newest are withdrawn, the last full document is opened again; the others stay."""
    service = Service(size=4)
    everything = [aged(number) for number in range(14)]
    before = service.reload(everything)
    assert (shown(before), len(service.archives(before))) == ([13, 12, 11, 10], 3)
    few = service.reload(everything[:9], HOUR)
    assert (shown(few), service.archives(few)) == ([8, 7, 6, 5], [[3, 2, 1, 0], [4]])
    one_less = service.reload(everything[:8], 2 * HOUR)
    assert (shown(one_less), service.archives(one_less)) == ([7, 6, 5, 4], [[3, 2, 1, 0], []])
    half = service.reload(everything[:6], 3 * HOUR)
    assert (shown(half), service.archives(half)) == ([5, 4], [[3, 2, 1, 0], []])
    assert shown(service.reload(everything[:5], 4 * HOUR)) == [4, 3, 2, 1]
    assert shown(service.reload([], 5 * HOUR)) == []


def test_another_size_is_another_cut() -> None:
    """What was cut into documents of another size is cut anew."""
    articles = [aged(number) for number in reversed(range(10))]
    roll = Roll(b"", None, 3, ("https://example.org/9", "https://example.org/8", "https://example.org/7"))
    assert numbers(cut(articles, 3, roll, {}).shown) == [6, 5, 4]
    assert numbers(cut(articles, 4, roll, {}).shown) == [9, 8, 7, 6]


def test_order_by_arrival() -> None:
    """Ordered by arrival, who comes late with an old date is at the top, and a reader of the top alone sees it."""
    service = Service(order="arrived")
    service.reload(map(aged, range(10, 20)))
    late = service.reload([aged(0), *map(aged, range(10, 20))], HOUR)
    assert shown(late) == [0, 19, 18]
    assert service.archives(late)[:2] == [[12, 11, 10], [15, 14, 13]]


@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)), st.booleans()), min_size=1, max_size=8
    )
)
def test_whatever_comes_and_goes(history: list[tuple[set[int], set[int], bool]]) -> None:
    """Each article of a feed is in it or in one archive, once; a document that is full only loses articles, and
    gets back those that it lost, as long as the feed is not half empty.
    """
    service = Service(size=4)
    present: set[int] = set()
    full: list[set[int]] = []
    for step, (coming, going, back) in enumerate(history):
        present = (present | coming) - going
        composition = service.reload(map(aged, present), (-step if back else step) * HOUR)
        archives = service.archives(composition)
        found = [*shown(composition), *(number for document in archives for number in document)]
        assert sorted(found) == sorted(present)
        assert len(shown(composition)) >= min(len(present), 2)
        # The last one is not full, and always there beside full ones.
        for before, now in zip(full, archives[:-1], strict=False):
            if len(archives) > len(full):
                assert set(now) <= before
        kept = service.memory.rolls["/feeds/all"].archived
        full = [{int(each.rpartition("/")[2]) for each in kept[at : at + 4]} for at in range(0, len(kept), 4)]


def test_a_feed_without_memory_is_cut_by_date() -> None:
    """Where nothing is remembered, the oldest by date stand in the oldest document."""
    articles = [aged(number) for number in reversed(range(8))]
    seen = {each.identity: Sighting(each.title, each.path, b"", (), NOW) for each in articles}
    assert cut(articles, 3, None, seen) == cut(articles, 3, None, {})
    assert cut(articles[:3], 3, None, {}) == Cut(tuple(articles[:3]), (), ())
    assert cut([], 3, None, {}) == Cut((), (), ())


def test_archives_that_are_the_same_are_taken_over() -> None:
    """After an edit, the documents of an archive that it does not touch are the very same."""
    articles = [aged(number) for number in reversed(range(11))]
    first = cut(articles, 3, None, {})
    roll = Roll(b"", None, 3, first.archived)
    edited = [*articles[:6], replace(articles[6], title="4 again"), *articles[7:]]
    again = cut(edited, 3, roll, {}, last=first, touched={articles[6].identity})
    assert again == cut(edited, 3, roll, {})
    assert [new is old for new, old in zip(again.archives, first.archives, strict=True)] == [True, False, False]
    assert again.archived is first.archived
    dated = replace(articles[9], published_at=NOW)
    gap = replace(roll, archived=tuple("" if each == dated.identity else each for each in roll.archived))
    anew = [dated, *articles[:9], articles[10]]
    assert cut(anew, 3, gap, {}, last=first, touched={dated.identity}) == cut(anew, 3, gap, {})


def tombstones(composition: Composition, path: str = "/feeds/all") -> list[tuple[str, str]]:
    """Who left a feed, as an Atom document tells."""
    (feed,) = (each for each in composition.feeds if each.path == path)
    root = etree.fromstring(render_atom(Draft(feed)))
    return [
        (element.get("ref", ""), element.get("when", ""))
        for element in root.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    ]


def test_tombstones() -> None:
    """RFC 6721: for 30 days, a feed tells who left it and when; who is back is no longer told of."""
    service = Service(tombstones=True)
    one, two = aged(1), aged(2)
    assert tombstones(service.reload([one, two])) == []
    gone = service.reload([two], HOUR)
    assert tombstones(gone) == [(one.id, "2022-01-01T01:00:00+00:00")]
    assert tombstones(service.reload([one, two], 2 * HOUR)) == []
    service.reload([one], 3 * HOUR)
    # Time alone changes no document.
    assert len(tombstones(service.reload([one], DEPARTED_FOR + DAY))) == 1
    assert tombstones(service.reload([], DEPARTED_FOR + 2 * DAY)) == [(one.id, "2022-02-02T00:00:00+00:00")]


def test_tombstones_of_a_topic() -> None:
    """An article that is no longer of a topic leaves that feed alone."""
    service = Service(tombstones=True)
    service.reload([make_article(topics=("AI", "Chips"))])
    composition = service.reload([make_article(topics=("Chips",))], HOUR)
    assert tombstones(composition, "/topics/ai") == [(make_article().id, "2022-01-01T01:00:00+00:00")]
    assert tombstones(composition, "/topics/chips") == tombstones(composition) == []


def test_tombstones_are_off_and_bounded() -> None:
    """Nothing tells of them where nobody asked for it, not even a namespace; and there are only so many."""
    service = Service()
    service.reload(map(aged, range(MAX_DEPARTED + 10)))
    composition = service.reload([aged(0)], HOUR)
    assert b"tombstones" not in render_atom(Draft(composition.feeds[0]))
    assert len(composition.memory.rolls["/feeds/all"].departed) == MAX_DEPARTED
