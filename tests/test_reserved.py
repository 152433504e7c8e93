"""Names of what is private: a file that could mean one, but is not clear about it, is not used."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import front_matter

from feedsvc.articles.parse import parse
from feedsvc.articles.reserved import Names, Reserved, _known
from feedsvc.config import load_settings
from feedsvc.publisher import Publisher
from feedsvc.rules import load_rules
from feedsvc.store.database import DatabaseStore

if TYPE_CHECKING:
    from pathlib import Path

    from feedsvc.articles.parse import Parsed

RESERVED = Reserved(
    Names(
        frozenset({"secret", "r&d", "c", "\u26a0\ufe0f", "deal flow", "editor's desk"}), frozenset({"c++", "news"})
    ),
    Names(frozenset({"press", "press.example"})),
)
UTC = ZoneInfo("UTC")
CONFIGURATION = """
topics:
  Secret: {access: private}
  Once: {alias: Secret}
  Above: {access: private, rollup: true}
  Below: {parent: Above}
  News: {access: public}
providers:
  Press: {access: private}
"""


def read(text: str, reserved: Reserved | None = RESERVED) -> Parsed:
    """What becomes of a file of this text where these names are private."""
    return parse("a.md", text.encode(), UTC, None, reserved)


def settings_of(articles: Path, configuration: str = CONFIGURATION) -> Path:
    """The file of a configuration."""
    path = articles.parent / "private.yaml"
    path.write_text(configuration, "utf-8")
    return path


@pytest.mark.parametrize(
    ("fields", "named", "line"),
    [
        ({"topics": "[Secret: draft]"}, "topics[0]", 7),
        ({"topics": "{Secret: 1}"}, "topics", 7),
        ({"topics": "[[Secret]]"}, "topics[0]", 7),
        ({"topics": f"[{', '.join(map(str, range(51)))}, Secret]"}, "topics", 7),
        ({"topics": f"[{'x' * 201}]"}, "topics[0]", 7),
        ({"topics": "[Secret]\ntopics: [News]"}, "topics", 8),
        ({"topics": "|\n  - Secret\n  - News"}, "topics", 7),
        ({"topics": "\n  Secret\n  News"}, "topics", 8),
        ({"topics": "\n  -AI\n  -Secret"}, "topics", 8),
        ({"topics": "\n  - AI\n  - #Secret"}, "topics[1]", 9),
        ({"topics": "#Secret"}, "topics", 7),
        ({"topics": None, "Topics": "[Secret]"}, "Topics", 8),
        ({"Topics": "[Secret]"}, "Topics", 9),
        ({"topic": "Secret"}, "topic", 9),
        ({"topics": "[]", "topic": "Secret"}, "topic", 9),
        ({"topics": None, "\u200btopics": "[News, Secret]"}, "\\u200btopics", 8),
        ({"topics": None, "provider": "{name: X, topics: [Secret]}"}, "topics", 7),
        ({"topics": None, "images": "[{url: https://example.org/i, topics: [Secret]}]"}, "topics", 8),
        ({"topics": None, "related": "[{title: X, topics: [Secret]}]"}, "topics", 8),
        ({"provider": "[Press]"}, "provider", 8),
        ({"provider": "{name: [Press]}"}, "provider.name", 8),
        ({"provider": "{name: A, name: Press}"}, "provider.name", 8),
        ({"provider": "{Name: Press}"}, "provider.Name", 8),
        ({"provider": "{Name: Press, domain: press.example}"}, "provider.Name", 8),
        ({"provider": "{domain: [press.example]}"}, "provider.domain", 8),
        ({"provider": "P\u200cress"}, "provider", 8),
        ({"provider": "{name: 'Press, Ltd'}"}, "provider.name", 8),
        ({"provider": None, "Provider": "Press"}, "Provider", 8),
        ({"Provider": "{name: Press}"}, "Provider", 9),
        ({"Topics": "[Secret]\nTopics: [News]"}, "Topics", 10),
        ({"article": "[[{topics: [Secret]}]]"}, "topics", 9),
        ({"topic": f"'{', '.join(map(str, range(100)))}, Secret'"}, "topic", 9),
        ({"topic": "\n  Secret\n  News"}, "topic", 10),
        ({"topics": "&Secret"}, "topics", 7),
        ({"topics": f"[{'News, ' * 100}'Secret; News']"}, "topics[100]", 7),
        ({"provider": "#Press"}, "provider", 8),
        ({"provider": "\n  name: #Press\n  domain: press.example"}, "provider", 9),
        ({"topic": "[" + "a, " * 1_001 + "a]"}, "topic", 9),
        ({"topics": "[\n  News,\n  #Secret\n  ]"}, "topics", 7),
        ({"topics": "\n- News\n# - Top secret"}, "topics", 8),
        ({"topics": "[News]\n" + "# x\n" * 2_000}, "topics", 7),
        ({"topics": "null", "related": "[{title: X, topics: [Secret]}]"}, "topics", 9),
        ({"provider": "\nname: Press\ndomain: a.example"}, "name", 9),
        ({"provider": None, "provider.name": "Press"}, "provider.name", 8),
    ],
)
def test_an_unclear_name_is_a_mistake_where_something_is_private(
    fields: dict[str, str | None], named: str, line: int
) -> None:
    """Whatever keeps us from knowing the topics or the provider, the file is not used, and the field and its line
    are named; where nothing is private, the same file is an article.
    """
    text = front_matter(**fields)
    parsed = read(text)
    assert parsed.article is None
    assert [(each.field, each.line) for each in parsed.problems if each.fatal] == [(named, line)]
    assert read(text, None).article


@pytest.mark.parametrize(
    "name",
    [
        "Secret, News", "News; Secret", "News|Secret", "News\u3001Secret", "News\uff0cSecret", "News\uff1bSecret",
        "Secret & News", "Secret and News", "AI+Secret", "Secret - News", "Secret: draft", "Secret (draft)",
        "News > Secret", "News::Secret", "News/Secret", "News \u2022 Secret", "News\tSecret", "1. Secret, 2. News",
        "1. Secret 2. News", "_Secret_", "@Secret", "#Secret", "#AI #Secret", "-Secret", '"Secret"',
        "<b>Secret</b>", "Secret\\nNews", "News\\nSecret", "Se\u00adcret", "\u200bSecret", "Secret\ufe0f",
        "Se\U0001d173cret",
        "Se\ufff9cret", "Se\u2800cret", "\uff33\uff45\uff43\uff52\uff45\uff54",
        '"Secret" "AI"', "`Secret` `News`", "Secret\u2014News", "Secret \u2212 News", "News\u3002Secret",
        "News \u2192 Secret", "News. Secret", "News or Secret", "Secret\u2028News", "Secret\u0085News",
        "R&amp;D", "R & D", "R&D, News",
        "\u26a0", "Deal-Flow", "deal_flow", "DealFlow", "Deal\u2011Flow", "Editor\u2019s desk", "C#",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["[News, {}]", "{}"])
def test_a_name_that_could_be_private_is_a_mistake(name: str, form: str) -> None:
    """Several names in one, signs around it, letters that nobody sees, or another way to write it."""
    assert read(front_matter(topics=form.format(json.dumps(name)))).article is None


@pytest.mark.parametrize("text", ["Secret News", "Top secret", "Secret service", "the r&d team"])
def test_words_in_the_place_of_a_list_may_be_one(text: str) -> None:
    """Names under each other without dashes are words on one line to YAML; in a list, they are one name."""
    assert read(front_matter(topics=text)).article is None
    assert read(front_matter(topics=f"[{text}]")).article


@pytest.mark.parametrize(
    "fields",
    [
        {"topics": "[Secret]"},
        {"topics": "[' SECRET ', News]"},
        {"topics": "[C++]"},
        {"topics": "C++"},
        {"topics": "[Secretary, Top secret, Vitamin C, St. Ives, \u0915\u093f]"},
        {"topics": None},
        {"topics": "null", "provider": "null"},
        {"topics": "[]", "provider": "Press"},
        {"topics": "[]", "related": "[{title: X, webUrl: https://example.org/r, topics: [Secret]}]"},
        {"topics": "[News] # and no more", "title": "'A #secret'"},
        {"provider": None, "name": "A"},
        {"topic": "", "Topics": "[AI]"},
        {"provider": "{domain: press.example}"},
        {"provider": "{name: Press, domain: 'no domain'}"},
        {"provider": "{name: A, authors: [Press], founded: 1900}"},
        {"provider": None, "related": "[{title: X, webUrl: https://example.org/r, provider: {name: Press}}]"},
        {"related": "[{title: X, webUrl: https://example.org/r, topics: [Secret]}]"},
        {"provider": None, "video": "{provider: youtube}", "images": "[{provider: Getty}]"},
    ],
)
def test_a_clear_name_is_an_article(fields: dict[str, str | None]) -> None:
    """The name itself, however it is spaced, a public one that is configured, and one that merely holds it, are
    clear; so is a file that names nothing, and what is said of others than the article.
    """
    assert read(front_matter(**fields)).article


def test_only_what_can_be_private_has_to_be_clear() -> None:
    """Where no provider is private, one that cannot be read is left out as ever; and so it is with topics."""
    topics, providers = Reserved(topics=RESERVED.topics), Reserved(providers=RESERVED.providers)
    assert read(front_matter(provider="[BBC]"), topics).article
    assert read(front_matter(provider="[BBC]"), providers).article is None
    assert read(front_matter(topics="[[Secret]]"), providers).article


def test_what_is_unclear_costs_little() -> None:
    """Names and lists without bound are neither compared nor kept as they are."""
    hostile = (
        {"topics": json.dumps("a" + "\u0300\u0327" * 40_000)},
        {"topics": json.dumps([f"{number} Secret of many" for number in range(90_000)])},
        {"a:\n" * 10_000 + "topics": "[" + "[]," * 10_000 + "]"},
        {"x": "{topics: {a: " * 28 + json.dumps([f"a{number}" for number in range(5_000)]) + "}}" * 28},
        {"topics": None, "x" * 400_000: "{" + ", ".join(f"k{number}: v" for number in range(30_000)) + "}"},
        {"y": "&y " + json.dumps(",".join(map(str, range(1_000)))), "x": "[" + "{topic: *y}, " * 9_000 + "]"},
        {"provider": "{" + ", ".join(f"k{number}: v w" for number in range(30_000)) + "}"},
    )
    names = Names(frozenset(f"private {number}" for number in range(1_000)))
    tracemalloc.start()
    try:
        for fields in hostile:
            before = sum(_known.cache_info()[:2])
            read(front_matter(**fields), Reserved(names, names))
            assert sum(_known.cache_info()[:2]) - before <= 2_500
        assert tracemalloc.get_traced_memory()[0] < 10_000_000
    finally:
        tracemalloc.stop()


@given(name=st.sampled_from(["secret", "r&d"]), unseen=st.data())
def test_what_nobody_sees_makes_no_other_name(name: str, unseen: st.DataObject) -> None:
    """A private name with characters in it that nobody sees, wherever they are, never makes a public article."""
    hidden = "\u00ad\u034f\u200b\u200c\u200d\u200e\u202e\u2060\u2063\ufe0f\ufeff\U000e0061\U000e0100"
    for _ in range(3):
        place = unseen.draw(st.integers(0, len(name)))
        name = name[:place] + unseen.draw(st.sampled_from(hidden)) + name[place:]
    assert read(front_matter(topics=f'["{name}"]')).article is None


def test_names_that_stand_for_a_private_one_are_reserved_too(articles: Path) -> None:
    """An alias of a private topic, and one that rolls up to a private one, are as private; what is configured
    otherwise is public. Without anything private, nothing is reserved.
    """
    settings = load_settings(settings_of(articles), {}, {"articles": str(articles)})
    assert load_rules(settings).reserved == Reserved(
        Names(frozenset({"secret", "once", "above", "below"}), frozenset({"news"})),
        Names(frozenset({"press"}), frozenset()),
    )
    plain = load_settings(settings_of(articles, "topics: {News: {}}"), {}, {"articles": str(articles)})
    assert load_rules(plain).reserved is None


def test_the_last_good_state_stands_unless_it_is_of_the_same_bytes(articles: Path, file: str) -> None:
    """An edit that makes a file unclear keeps what it said before. But what became private since the file was read
    does not stay public because the file was good enough then, nor because it is broken now.
    """
    (articles / "a.md").write_text(front_matter(title="Edited", topics="[News]"), "utf-8")
    (articles / "b.md").write_text(
        front_matter(title="Unclear", topics="[Se\u00adcret]", webUrl="https://example.org/b"), "utf-8"
    )
    broken = articles / "c.md"
    broken.write_text(front_matter(title="Broken", topics="[Secret: 1]", webUrl="https://example.org/c"), "utf-8")
    titles = {}
    for configuration in ("topics: {News: {}}", CONFIGURATION):
        settings = load_settings(settings_of(articles, configuration), {}, {"articles": str(articles)})
        with closing(DatabaseStore(file, write=True)) as store:
            publisher = Publisher(settings, store=store)
            publisher.open()
            for text in ("[News]", "[News: 1]"):
                (articles / "a.md").write_text(front_matter(title="Edited", topics=text), "utf-8")
                state = publisher.reload(accept=True).state
                assert state.snapshot
                document = state.snapshot.document("/feeds/all.atom")
                assert document
                titles[configuration, text] = [
                    each for each in ("Edited", "Unclear", "Broken") if each in document.content.decode()
                ]
                broken.write_text("---\ntitle: [\n---\n", "utf-8")
    everything = ["Edited", "Unclear", "Broken"]
    assert list(titles.values()) == [everything, everything, ["Edited"], ["Edited"]]
