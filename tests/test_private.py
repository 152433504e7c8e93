"""Private feeds: what belongs to one is in it, and nowhere else."""

from __future__ import annotations

import json
import re
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support import NOW, front_matter, tamper

from feedsvc.admission import Admission, find_document
from feedsvc.config import ConfigError, load_settings
from feedsvc.feeds.losses import Loss
from feedsvc.feeds.privacy import is_private
from feedsvc.health import report
from feedsvc.publisher import Publisher
from feedsvc.store.database import DatabaseStore
from feedsvc.store.tokens import Grant, digest_of, grant, grants_in, revoke

if TYPE_CHECKING:
    from pathlib import Path

    from feedsvc.documents.snapshot import Snapshot
    from feedsvc.reload import State
    from feedsvc.settings import Settings

CANARY = "Kanarienvogel"
CONFIGURATION = """
feeds: {changes: true, tombstones: true}
topics:
  Secret: {access: private, title: The secret}
  Other: {access: private}
  Once: {alias: Secret}
  Below: {parent: Above}
  Above: {access: private, rollup: true}
  Given up: {access: private, retired: true}
  Child: {access: private, parent: All of them}
  All of them: {rollup: true}
providers:
  Hidden: {access: private}
"""


def configured(articles: Path, **flags: str) -> Settings:
    """The settings of this configuration."""
    path = articles.parent / "private.yaml"
    path.write_text(CONFIGURATION, "utf-8")
    given = {name.replace("__", "."): value for name, value in flags.items()}
    return load_settings(path, {}, {"articles": str(articles), **given})


def put(articles: Path, name: str, topics: str, title: str = CANARY, **fields: object) -> None:
    """Write an article."""
    values = {"webUrl": f"https://example.org/{name}", "topics": f"[{topics}]", "title": title} | fields
    (articles / f"{name}.md").write_text(front_matter(**values), "utf-8")


def everything_public(snapshot: Snapshot) -> dict[str, bytes]:
    """All that can be asked for without a token."""
    found = {path: snapshot.document(path) for path in snapshot.paths()}
    return {path: each.content + repr(each.headers).encode() for path, each in found.items() if each}


def where(state: State) -> dict[str, list[str]]:
    """The titles in each private feed."""
    assert state.composition
    return {feed.path: [entry.title for entry in feed.entries] for feed in state.composition.private}


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"topics": "AI, Secret"}, {"/private/topics/secret"}),
        ({"topics": "Once, AI"}, {"/private/topics/secret"}),
        ({"topics": "Secret, Other"}, {"/private/topics/secret", "/private/topics/other"}),
        ({"topics": "Below"}, {"/private/topics/above"}),
        ({"topics": "Child"}, {"/private/topics/child"}),
        ({"topics": "Given up, AI"}, set()),
        ({"topics": "AI", "provider": "{name: HIDDEN, domain: hidden.example}"}, {"/private/providers/hidden"}),
    ],
)
def test_a_private_article_is_in_its_private_feeds_alone(
    articles: Path, fields: dict[str, str], places: set[str]
) -> None:
    """Whatever makes an article private, it is in no public document, and in each private feed that it is of."""
    put(articles, "public", "AI", "Public")
    put(articles, "canary", **fields)
    outcome = Publisher(configured(articles)).reload()
    snapshot = outcome.state.snapshot
    assert snapshot
    for path, content in everything_public(snapshot).items():
        assert CANARY.encode() not in content, path
        assert b"canary" not in content, path
        assert b"rivate" not in content, path
    assert {path for path, titles in where(outcome.state).items() if CANARY in titles} == places
    documents = snapshot.private.documents if snapshot.private else {}
    assert {
        path.rpartition(".")[0] for path, each in documents.items() if CANARY.encode() in each.content
    } == places
    assert json.dumps(report(outcome.state, outcome, timedelta(minutes=1), NOW)).count("canary") == 0


def test_a_private_feed_names_no_url_of_its_own(articles: Path) -> None:
    """Its documents hold the newest entries in one piece, and link to no archive; of topics they name those that
    everybody knows.
    """
    put(articles, "public", "AI", "Public")
    for number in range(60):
        put(articles, f"n{number}", "AI, Secret, Other, Unheard of", "x" * 9000, excerpt="y" * 9000)
    state = Publisher(configured(articles, feeds__entries="40")).reload().state
    assert state.snapshot
    assert state.snapshot.private
    documents = state.snapshot.private.documents
    assert {path for path in documents if "secret" in path} == {
        f"/private/topics/secret{ending}" for ending in (".atom", ".rss", ".json")
    }
    for path, document in documents.items():
        text = document.content.decode()
        for word in ("/archive/", "/part/", 'rel="self"', "feed_url", "next_url", "Unheard", "private/"):
            assert word not in text, path
        names = [name for name, _ in document.headers]
        assert "Link" not in names
    found = json.loads(documents["/private/topics/secret.json"].content)
    assert (len(found["items"]), found["title"]) == (40, "The secret")
    assert {tag for item in found["items"] for tag in item["tags"]} == {"AI"}


def test_a_restart_serves_private_feeds_as_they_were(articles: Path, file: str) -> None:
    """What was private is still so, and the very same, before and after the articles have been read again."""
    put(articles, "public", "AI", "Public")
    put(articles, "canary", "Secret")
    settings = configured(articles)
    with closing(DatabaseStore(file, write=True)) as store:
        before = Publisher(settings, store=store).reload().state.snapshot
    with closing(DatabaseStore(file, write=True)) as store:
        publisher = Publisher(settings, store=store)
        publisher.open()
        for snapshot in (publisher.snapshot, publisher.reload().state.snapshot):
            assert before
            assert before.private
            assert snapshot
            assert snapshot.private
            assert snapshot.private.documents == before.private.documents
            assert not any(map(is_private, snapshot.documents))


def test_tokens_are_kept_as_digests(url: str) -> None:
    """A name has one token; the database never has it, and nothing of it once it is revoked."""
    with closing(DatabaseStore(url, write=True)) as owner, closing(DatabaseStore(url, write=False)) as store:
        owner.open()
        given = Grant("Ada", ("/private/topics/secret",), NOW)
        assert grant(store, "a token", given)
        assert not grant(store, "another", given)
        assert dict(grants_in(store)) == {digest_of("a token"): given}
        assert "a token" not in str(tamper(url, "SELECT * FROM tokens"))
        assert revoke(store, "Ada")
        assert not revoke(store, "Ada")
        assert tamper(url, "SELECT * FROM tokens") == []


def test_a_database_without_tokens_is_given_room_for_them(url: str) -> None:
    """One of an older version is brought up to date, of either kind."""
    with closing(DatabaseStore(url, write=True)) as store:
        store.open()
    tamper(url, "DROP TABLE tokens")
    tamper(url, "UPDATE meta SET version = 4")
    with closing(DatabaseStore(url, write=True)) as owner, closing(DatabaseStore(url, write=False)) as store:
        owner.open()
        assert grant(store, "a token", Grant("Ada", (), NOW))
        assert list(grants_in(store)) == [digest_of("a token")]


def test_tokens_are_read_while_something_is_private(url: str) -> None:
    """Without anything private, nothing is read; while it cannot be, what was read last holds."""
    wanted: list[bool] = []
    with closing(DatabaseStore(url, write=True)) as owner, closing(DatabaseStore(url, write=False)) as store:
        owner.open()
        grant(store, "a token", Grant("Ada", (), NOW))
        admission = Admission(store, lambda: bool(wanted))
        admission.look()
        assert admission.grants == {}
        wanted.append(True)
        admission.look()
        assert list(admission.grants) == [digest_of("a token")]
        tamper(url, "DROP TABLE tokens")
        admission.look()
        assert list(admission.grants) == [digest_of("a token")]


@pytest.mark.parametrize("moment", [1 << 40, 1 << 60, -(1 << 62)])
def test_a_token_that_nobody_wrote_is_an_error_of_the_store(articles: Path, moment: int) -> None:
    """Those of before hold while there is one, and those that there are once it is gone."""
    url = f"sqlite:///{articles.parent}/memory.db"
    with closing(DatabaseStore(url, write=True)) as owner, closing(DatabaseStore(url, write=False)) as store:
        owner.open()
        grant(store, "a token", Grant("Ada", (), NOW))
        admission = Admission(store, lambda: True)
        admission.look()
        tamper(url, "UPDATE tokens SET made_at = :moment", moment=moment)
        admission.look()
        assert list(admission.grants) == [digest_of("a token")]
        tamper(url, "DELETE FROM tokens")
        admission.look()
        assert admission.grants == {}


def test_a_private_alias_is_a_mistake(articles: Path) -> None:
    """An old name is as private as the name that it leads to: who says so of the old one is told."""
    path = articles.parent / "alias.yaml"
    path.write_text("topics: {Old: {alias: New, access: private}, New: {access: closed}}", "utf-8")
    with pytest.raises(ConfigError, match="public or private"):
        load_settings(path, {}, {"articles": str(articles)})
    path.write_text("topics: {Old: {alias: New, access: private}}", "utf-8")
    with pytest.raises(ConfigError, match="an alias or private access, not both"):
        load_settings(path, {}, {"articles": str(articles)})


def test_what_is_below_a_private_topic_is_not_left_public_by_mistake(articles: Path) -> None:
    """Only a topic that rolls up makes what is below it private; where it does not, somebody has to say so."""
    path = articles.parent / "below.yaml"
    for below, above, is_right in (
        ("parent: Secret", "access: private", False),
        ("parent: secret", "access: private", False),
        ("parent: Once}, Once: {alias: Secret", "access: private", False),
        ("parent: Secret", "access: private, rollup: true", True),
        ("parent: Secret, access: public", "access: private", True),
        ("parent: Secret", "title: A secret", True),
    ):
        path.write_text(f"topics: {{Below: {{{below}}}, Secret: {{{above}}}}}", "utf-8")
        if is_right:
            load_settings(path, {}, {"articles": str(articles)})
        else:
            with pytest.raises(ConfigError, match=r"topics\.Below\.parent .* one that rolls up, as it is private"):
                load_settings(path, {}, {"articles": str(articles)})


def test_a_loss_names_no_private_feed() -> None:
    """Health tells that a reload would empty feeds; private ones it counts."""
    lost = frozenset({"a"})
    private = ("/private/topics/a", "/private/topics/b")
    assert str(Loss(lost, 1, private[:1])).endswith("; 1 feed would be empty")
    assert str(Loss(lost, 1, ("/topics/a", *private))).endswith("; /topics/a and 2 other feeds would be empty")
    assert str(Loss(lost, 1, ("/topics/a",))).endswith("; /topics/a would be empty")


def test_health_names_no_private_file(articles: Path) -> None:
    """Files that are broken or superseded are named to everybody, those of private articles to nobody."""
    for name, topics in (("public", "AI"), ("canary", "Secret, AI")):
        put(articles, name, topics, name)
        put(articles, f"{name}-2", topics, name, webUrl=f"https://example.org/{name}")
        put(articles, f"{name}-3", topics, name)
    publisher = Publisher(configured(articles))
    publisher.reload()
    for name in ("public", "canary"):
        (articles / f"{name}-3.md").write_text("---\ntitle: [\n---\n", "utf-8")
    outcome = publisher.reload()
    told = report(outcome.state, outcome, timedelta(minutes=1), NOW)
    assert (told["superseded_count"], told["problems"]) == (2, 2)
    named = json.dumps([told["superseded"], told["broken"]])
    assert set(re.findall(r"[a-z]+(?:-\d)?\.md", named)) == {"public.md", "public-2.md", "public-3.md"}


def test_a_token_follows_its_feed(articles: Path, url: str) -> None:
    """A feed that is given another slug is opened by the tokens that were made for it; none is ever given a slug
    that those of another would open.
    """
    put(articles, "one", "Secret")
    put(articles, "two", "Other")
    feeds: list[tuple[str, ...]] = []
    for slugs in (("one", "two"), ("two", "one"), ("three", "one"), ("three", "four")):
        path = articles.parent / "private.yaml"
        listed = zip(("Secret", "Other"), slugs, strict=True)
        lines = [f"  {name}: {{access: private, slug: {slug}}}" for name, slug in listed]
        path.write_text("\n".join(["topics:", *lines]), "utf-8")
        settings = load_settings(path, {}, {"articles": str(articles)})
        with closing(DatabaseStore(url, write=True)) as store:
            publisher = Publisher(settings, store=store)
            publisher.open()
            found = where(publisher.reload().state)
            if not feeds:
                for name, feed in (("Ada", "one"), ("Bob", "two")):
                    assert grant(store, name, Grant(name, (f"/private/topics/{feed}",), NOW))
            (secret,), (other,) = (grants_in(store)[digest_of(name)].feeds for name in ("Ada", "Bob"))
            feeds.append((secret, other))
            assert found.keys() == {secret, other}
            assert publisher.snapshot
            for token, feed, title in (("Ada", secret, "Secret"), ("Bob", other, "Other")):
                place = feed.removeprefix("/private/")
                document = find_document(publisher.snapshot, grants_in(store), f"/private/{token}/{place}.json")
                assert document
                assert json.loads(document.content)["title"].startswith(title)
    names = [tuple(feed.rpartition("/")[2] for feed in each) for each in feeds]
    assert names == [("one", "two"), ("one", "two"), ("three", "two"), ("three", "four")]


def test_what_becomes_private_is_not_held_back(articles: Path) -> None:
    """All articles of a feed are made private at once: that is meant, and readers have none of them any more. What
    leaves a private feed for another one may be a mistake, as anywhere.
    """

    def move(topic: str) -> Publisher:
        for number in range(12):
            put(articles, f"n{number}", topic)
        publisher.reload()
        return publisher

    put(articles, "public", "AI", "Public")
    publisher = Publisher(configured(articles))
    public, private = move("Deals").snapshot, move("Secret").snapshot
    assert public
    assert everything_public(public)["/topics/deals.atom"].count(CANARY.encode()) >= 12
    assert private
    assert not any(CANARY.encode() in content for content in everything_public(private).values())
    assert move("Other").snapshot is private
