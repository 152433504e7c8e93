"""The catalog: topics and providers as the configuration wants them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from support import NOW, SITE, ask, compose_all, make_article, make_settings, write_article

from feedsvc.articles.article import Provider
from feedsvc.config import ConfigError, load_settings
from feedsvc.feeds.catalog import Catalog, Listing, apply_catalog
from feedsvc.feeds.feed import View
from feedsvc.feeds.memory import Memory
from feedsvc.feeds.selection import Selection
from feedsvc.publisher import Publisher
from feedsvc.schedule import Schedule
from feedsvc.service import make_application
from feedsvc.text import fold

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIApplication


def listed(*listings: Listing) -> dict[str, Listing]:
    """Listings by their folded names."""
    return {fold(listing.name): listing for listing in listings}


def configured(tmp_path: Path, text: str) -> Path:
    """A configuration file."""
    path = tmp_path / "feedsvc.yaml"
    path.write_text(text, "utf-8")
    return path


def application(tmp_path: Path, text: str) -> WSGIApplication:
    """A service of the articles directory, with this configuration."""
    articles = str(tmp_path / "articles")
    settings = load_settings(
        configured(tmp_path, text), {}, {"articles": articles, "base_url": "https://f.example"}
    )
    publisher = Publisher(settings, lambda: NOW)
    assert publisher.reload().error is None
    return make_application(publisher, Schedule(publisher.reload, settings.reload.every), settings, None)


def test_alias_makes_two_names_one(articles: Path, tmp_path: Path) -> None:
    """A renamed topic has one feed, under its new name; what named the old one leads there for ever."""
    write_article(articles, "a.md", topics="[AI]", webUrl="https://example.org/a")
    write_article(articles, "b.md", topics="[A. I., AI]", webUrl="https://example.org/b")
    service = application(
        tmp_path, "topics:\n  A. I.: {alias: Machine Minds}\n  Machine Minds: {}\n  AI: {alias: A. I.}\n"
    )
    feed = etree.fromstring(ask(service, "/topics/machine-minds.rss").body)
    assert len(feed.findall("channel/item")) == 2
    assert feed.xpath("channel/item/category/text()") == ["Machine Minds"] * 2
    for old in ("/topics/ai", "/topics/AI", "/topics/a-i", "/topics/A.%20I.".replace("%20", " ")):
        for ending in ("", ".atom", ".json"):
            answer = ask(service, old + ending)
            assert (answer.status, answer.headers["location"]) == (
                301,
                f"https://f.example/topics/machine-minds{ending}",
            )


def test_retired_topic_is_gone(articles: Path, tmp_path: Path) -> None:
    """PUBLISHING 28: a feed that was given up on purpose answers 410; its articles stay in other feeds."""
    write_article(articles, topics="[Old Stuff, AI]")
    service = application(tmp_path, "topics:\n  Old stuff: {retired: true}\n")
    for path in ("/topics/old-stuff", "/topics/old-stuff.atom", "/topics/Old Stuff.rss"):
        answer = ask(service, path)
        assert answer.status == 410
        assert answer.headers["content-type"] == "application/problem+json"
    assert b"Old Stuff" not in ask(service, "/topics/ai.atom").body
    assert ask(service, "/topics/older.atom").status == 404


def test_retired_provider_is_gone_and_its_articles_stay(articles: Path, tmp_path: Path) -> None:
    """An article of a retired provider still names who brought it out."""
    write_article(articles, provider="{name: Example, domain: example.org}")
    service = application(tmp_path, "providers:\n  Example: {retired: true}\n")
    assert ask(service, "/providers/example.atom").status == 410
    assert b"<name>Example</name>" in ask(service, "/feeds/all.atom").body


def test_what_a_topic_is_called(articles: Path, tmp_path: Path) -> None:
    """Title, description, slug, language and icon of a feed are those that are configured."""
    write_article(articles, topics="[AI]")
    service = application(
        tmp_path,
        "topics:\n  ai:\n    title: Artificial\n    description: Minds\n    slug: minds\n    language: he\n"
        "    icon: https://example.org/i.png\n",
    )
    feed = etree.fromstring(ask(service, "/topics/minds.atom").body)
    space = {"a": "http://www.w3.org/2005/Atom"}
    assert feed.xpath("a:title/text() | a:subtitle/text() | a:icon/text()", namespaces=space) == [
        "Artificial",
        "https://example.org/i.png",
        "Minds",
    ]
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "he"
    assert b'<article lang="he"' in ask(service, "/topics/minds").body
    assert ask(service, "/topics/AI").headers["location"] == "https://f.example/topics/minds"


def test_articles_count_for_a_parent_that_rolls_up() -> None:
    """An article of a child is one of its parent too, and of that one's, as far as these roll up."""
    catalog = Catalog(
        listed(
            Listing("Chips", parent="Hardware"),
            Listing("Hardware", parent="Technology", rollup=True),
            Listing("Technology", parent="World", rollup=True),
            Listing("World"),
        )
    )
    article = make_article(topics=("chips", "AI"))
    assert apply_catalog(article, catalog, {}).topics == ("Chips", "Hardware", "Technology", "AI")
    feeds = {feed.path: feed for feed in compose_all(Selection((article,)), SITE, Memory(), View(), catalog).feeds}
    assert feeds["/topics/technology"].total == 1
    assert "/topics/world" not in feeds


def test_nothing_is_said_of_most() -> None:
    """An article that the catalog does not concern is the very same."""
    article = make_article(topics=("AI",), provider=Provider("Example", "example.org"))
    assert apply_catalog(article, Catalog(listed(Listing("Other", alias="AI"))), {}) is article


@pytest.mark.parametrize(
    ("listings", "key", "line"),
    [
        ("A: {alias: a}", "topics.A.alias", 2),
        ("A: {alias: B}\n  B: {alias: A}", "topics.A.alias", 2),
        ("A: {parent: B}\n  B: {parent: A}", "topics.B.parent", 3),
        ("A: {alias: B}\n  B: {retired: true}", "topics.A.alias", 2),
        ("A: {alias: B}\n  B: {parent: C}\n  C: {parent: A}", "topics.C.parent", 4),
        ("A: {alias: B, retired: true}", "topics.A.retired", 2),
        ("A: {}\n  a: {title: x}", "topics.a", 3),
        ("'': {title: x}", "topics.", 2),
        ('"\\x01": {title: x}', "topics.", 2),
        ("A: {slug: x}\n  B: {slug: x}", "topics.B.slug", 3),
        ("A: {slug: Not A Slug}", "topics.A.slug", 2),
        ("A: {icon: /i.png}", "topics.A.icon", 2),
        ("A: {retired: perhaps}", "topics.A.retired", 2),
        ("A: {language: '-'}", "topics.A.language", 2),
        ("A: {tilte: x}", "topics.A.tilte", 2),
        ("A: x", "topics.A", 2),
        ("A.b: {slug: Not}", "topics.A.b.slug", 2),
    ],
)
def test_mistakes_in_listings_are_named(
    tmp_path: Path, articles: Path, listings: str, key: str, line: int
) -> None:
    """Whatever cannot be meant is a mistake at the start, by its key and line; circles and dead ends are such."""
    path = configured(tmp_path, f"topics:\n  {listings}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {}, {"articles": str(articles)})
    assert (key, f"{path}:{line}") in {(mistake.key, mistake.origin) for mistake in caught.value.mistakes}


def test_text_of_the_configuration_is_as_documents_can_hold_it(articles: Path, tmp_path: Path) -> None:
    """A control character in a title, a name or an alias stops nothing and leaves nowhere."""
    write_article(articles, topics="[AI, Old]")
    service = application(
        tmp_path,
        'site: {title: "S\\x01ite\\n"}\ntopics:\n  "A\\x02I": {title: "T\\x03", description: "D\\x04"}\n'
        '  Old: {alias: "A\\x05I"}\n',
    )
    for path in ("/", "/feeds.opml", "/topics/ai.atom", "/topics/ai.rss", "/topics/ai.json", "/topics/ai"):
        answer = ask(service, path)
        assert answer.status == 200
        assert not re.search(rb"[\x00-\x08\x0b-\x1f]", answer.body)
    assert ask(service, "/topics/old").status == 301


def test_a_renamed_provider_is_one_though_its_domain_changed(articles: Path, tmp_path: Path) -> None:
    """Articles under the old name and domain stand in the feed of the new one, which has the configured slug."""
    write_article(articles, "a.md", provider="{name: Old, domain: a-old.example}", webUrl="https://example.org/a")
    write_article(articles, "b.md", provider="{name: New, domain: new.example}", webUrl="https://example.org/b")
    service = application(tmp_path, "providers:\n  Old: {alias: New}\n  New: {slug: fresh}\n")
    assert len(etree.fromstring(ask(service, "/providers/fresh.rss").body).findall("channel/item")) == 2
    for old in ("/providers/old.rss", "/providers/Old.rss", "/providers/new.example.rss"):
        assert ask(service, old).headers["location"] == "https://f.example/providers/fresh.rss"
    assert ask(service, "/providers/a-old.example").status == 404


def test_an_alias_leads_to_its_own_topic(articles: Path, tmp_path: Path) -> None:
    """An alias leads to the topic of that name, also where another topic's address looks like it."""
    write_article(articles, topics="[c-sharp, C#]")
    service = application(tmp_path, "topics:\n  CSharp: {alias: C#}\n")
    assert (
        etree.fromstring(ask(service, "/topics/c-sharp.rss").body).findtext("channel/title") == "c-sharp · feedsvc"
    )
    feed = ask(service, ask(service, "/topics/csharp.rss").headers["location"].removeprefix("https://f.example"))
    assert etree.fromstring(feed.body).findtext("channel/title") == "C# · feedsvc"


def test_what_is_retired_hides_nothing_that_lives(articles: Path, tmp_path: Path) -> None:
    """A retired topic whose address another has does not take it away, in any spelling."""
    write_article(articles, topics="[C#]")
    service = application(tmp_path, "topics:\n  C-Sharp: {retired: true}\n")
    assert ask(service, "/topics/c-sharp.atom").status == 200
    assert ask(service, "/topics/C-Sharp.atom").headers["location"] == "https://f.example/topics/c-sharp.atom"


def test_archives_move_with_their_feed(articles: Path, tmp_path: Path) -> None:
    """PUBLISHING 28: the archive of a renamed topic is 301, of a retired one 410, one that never was 404."""
    for number in range(3):
        write_article(articles, f"{number}.md", topics="[AI, Gone]", webUrl=f"https://example.org/{number}")
    service = application(tmp_path, "feeds: {entries: 1}\ntopics:\n  Old: {alias: AI}\n  Gone: {retired: true}\n")
    assert ask(service, "/topics/ai/archive/2.atom").status == 200
    for path in ("/topics/Old/archive/2.atom", "/topics/AI/archive/2.ATOM"):
        assert ask(service, path).headers["location"] == "https://f.example/topics/ai/archive/2.atom"
    assert ask(service, "/topics/gone/archive/1.rss").status == 410
    for path in ("/topics/ai/archive/9.atom", "/topics/AI/archive/9.atom", "/topics/ai/archive/0.atom"):
        assert ask(service, path).status == 404


def test_providers_have_no_parents(tmp_path: Path, articles: Path) -> None:
    """What only topics can have is a mistake for a provider; a list is no mapping by name."""
    for text in ("providers:\n  A: {parent: B}\n", "providers: [A]\n"):
        with pytest.raises(ConfigError):
            load_settings(configured(tmp_path, text), {}, {"articles": str(articles)})
    assert make_settings(articles).providers == {}
