"""Private feeds: what belongs to one is in it, and nowhere else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support import NOW, front_matter

from feedsvc.config import load_settings
from feedsvc.health import report
from feedsvc.publisher import Publisher

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
