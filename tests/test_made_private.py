"""What becomes private: the configuration says so of articles that everybody could read until then."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from support import write_article

from feedsvc.config import load_settings
from feedsvc.documents import document
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore
from feedsvc.store.publication import load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from feedsvc.settings import Settings

CONFIGURATION = "topics: {Secret: {access: private}, News: {access: public}}"


def served(publisher: Publisher) -> list[str]:
    """The titles of all that everybody may read."""
    assert publisher.snapshot
    feed = publisher.snapshot.document("/feeds/all.atom")
    assert feed
    return titles(feed)


def titles(feed: document.Document) -> list[str]:
    """Those of the entries of an Atom feed."""
    return re.findall(r"<entry>.*?<title>(.*?)</title>", feed.content.decode(), re.DOTALL)


def configured(articles: Path, text: str = "") -> Settings:
    """This configuration of these articles."""
    path = articles.parent / "private.yaml"
    path.write_text(text, "utf-8")
    return load_settings(path, {}, {"articles": str(articles)})


def run(articles: Path, url: str, configuration: str = "") -> Publisher:
    """Start over the memory, reload, and stop."""
    with closing(DatabaseStore(url, write=True)) as store:
        publisher = Publisher(configured(articles, configuration), store=store)
        publisher.reload()
    return publisher


@contextmanager
def without(directory: Path) -> Iterator[None]:
    """A directory cannot be read for a while."""
    away = directory.parent.parent / "away"
    directory.rename(away)
    directory.symlink_to("nowhere/x")
    yield
    directory.unlink()
    away.rename(directory)


def test_what_could_not_be_read_when_it_became_private_is_not_public(articles: Path, file: str) -> None:
    """Where a directory is away at the first start under another configuration, what was read under that of before
    does not stand for what nobody has looked at. Once it is back it is read, however often it was started.
    """
    write_article(articles, "a.md", title="Clear", topics="[News]")
    unclear = {"topics": '["Secret, News"]', "webUrl": "https://example.org/b"}
    write_article(articles, "sub/b.md", title="Unclear", **unclear)
    assert served(run(articles, file)) == ["Clear", "Unclear"]
    with without(articles / "sub"):
        for _ in range(2):
            assert served(run(articles, file, CONFIGURATION)) == ["Clear"]
    publisher = run(articles, file, CONFIGURATION)
    assert served(publisher) == ["Clear"]
    assert [problem.path for problem in publisher.state.problems if problem.fatal] == ["sub/b.md"]


def test_what_could_not_be_read_under_other_rules_is_read_later(articles: Path, file: str) -> None:
    """Another zone, say: also where the directory was away when it was configured, and is back after a restart."""
    write_article(articles, "a.md")
    write_article(articles, "sub/b.md", webUrl="https://example.org/b", publishedDateTime="2021-12-14 12:00:00")

    def dates(zone: str) -> set[int]:
        return {each.published_at.hour for each in run(articles, file, f"timezone: {zone}").state.articles}

    assert dates("UTC") == {0, 12}
    with without(articles / "sub"):
        assert 12 in dates("America/New_York")
    assert 17 in dates("America/New_York")


def test_what_becomes_private_is_no_mistake(articles: Path, file: str) -> None:
    """However much of it there is, and whether it is clear or not, nobody has to accept that it is not public."""
    for number in range(30):
        topics = ["[News]", "[Secret]"][number % 5] if number % 5 < 2 else '["Secret, News"]'
        write_article(articles, f"{number}.md", webUrl=f"https://example.org/{number}", topics=topics)
    assert len(served(run(articles, file))) == 30
    publisher = run(articles, file, CONFIGURATION)
    assert publisher.last
    assert (publisher.last.error, publisher.last.held) == (None, None)
    assert len(served(publisher)) == 6


def test_what_is_private_now_is_so_while_nothing_can_be_read(articles: Path, file: str) -> None:
    """For all who follow the store: what is clearly private goes at once, whatever holds the articles back."""
    write_article(articles, "a.md", title="Clear", topics="[News]")
    write_article(articles, "b.md", title="Secret", topics="[Secret]", webUrl="https://example.org/b")
    run(articles, file)
    articles.rename(articles.parent / "away")
    articles.mkdir()
    publisher = run(articles, file, CONFIGURATION)
    assert publisher.last
    assert publisher.last.error
    assert served(publisher) == ["Clear"]
    with closing(DatabaseStore(file, write=False)) as store, store.reading() as connection:
        published = load_documents(connection)
    assert b"Secret" not in document.served(published["/feeds/all.atom"]).content


def test_what_was_made_private_is_not_told_of_again(articles: Path, file: str) -> None:
    """What happened to an article while it was public is told no more once it is private: also when it is held
    back or gone after that, and when it is there again. What happens when it is public once more is.
    """
    write_article(articles, "b.md", title="Beside", topics="[News]", webUrl="https://example.org/b")
    common = {"title": "Takeover", "webUrl": "https://example.org/a"}
    told = []
    with closing(DatabaseStore(file, write=True)) as store:
        publisher = Publisher(configured(articles, f"feeds: {{changes: true}}\n{CONFIGURATION}"), store=store)
        publisher.reload()
        for fields in (
            {"topics": "[News]"},
            {"topics": "[News, Secret]"},
            {"topics": "[News, Secret]", "published": "false"},
            {"topics": "[Secret]"},
            None,
            {"topics": "[News]", "title": "Takeover again"},
        ):
            (articles / "a.md").unlink(missing_ok=True)
            if fields:
                write_article(articles, "a.md", **{**common, **fields})
            publisher.reload(accept=True)
            assert publisher.snapshot
            feed = publisher.snapshot.document("/changes.atom")
            assert feed
            told.append([title for title in titles(feed) if "Takeover" in title])
    assert told == [["Arrived: Takeover"], [], [], [], [], ["Returned: Takeover again"]]
