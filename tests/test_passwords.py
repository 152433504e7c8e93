"""Passwords: that of a database is told to nobody, whatever goes wrong."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from click.testing import CliRunner
from replicas import Replica
from service import free_port, wait_for
from support import NOW, write_article

from feedsvc.articles.library import LoadRules
from feedsvc.cli import commands
from feedsvc.config import ConfigError, load_settings
from feedsvc.store import shared
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import StoreError
from feedsvc.store.store import Remembered
from feedsvc.urls import without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from postgres import OwnServer

SECRET = "pass-of-judge"
# URLs that are none, or could be read in two ways.
MALFORMED = [
    f"postgresql://judge:{SECRET}",
    f"postgresql://judge:{SECRET}/name",
    f"postgresql://judge:{SECRET}@host:port/name",
    f"postgresql://judge:{SECRET}@host:5432,other:5432/name",
    f"postgresql://judge:a@{SECRET}@host/name",
    f"postgresql://judge:a?{SECRET}@host/name",
    f"postgresql://judge:a {SECRET}@host/name",
    f"postgresql://host/name with spaces?password={SECRET}",
    f"postgres://judge:{SECRET}@host/name",
    f"postgresql+psycopg://judge:{SECRET}@host/name",
    f"postgresql:/judge:{SECRET}@host/name",
    f"judge:{SECRET}@host/name",
]


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_url_is_a_mistake_that_shows_no_password(articles: Path, url: str) -> None:
    """Wherever it is configured, the mistake names the setting, and not the password."""
    flags, file = {"articles": str(articles)}, articles.parent / "feedsvc.yaml"
    quoted = f"'{url}'"
    for text, environ, more in (
        ("", {}, {"store.url": url}),
        ("", {"FEEDSVC_STORE_URL": url}, {}),
        (f"store:\n  url: {quoted}\n", {}, {}),
        (f"store:\n  url: [{quoted}, {quoted}]\n", {}, {}),
        (f"store: {quoted}\n", {}, {}),
        (f"store:\n  {quoted}: x\n", {}, {}),
        (f"store:\n  url:\n    {quoted}: x\n", {}, {}),
    ):
        file.write_text(text, "utf-8")
        with pytest.raises(ConfigError) as caught:
            load_settings(file, environ, flags | more)
        (mistake,) = caught.value.mistakes
        assert mistake.key.startswith("store")
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("postgresql://judge:***@host:5432/name", f"postgresql://judge:{SECRET}@host:5432/name"),
        ("postgresql://judge@host:5432/name", "postgresql://judge@host:5432/name"),
        ("postgresql://host:5432/name?password=***&a=b", f"postgresql://host:5432/name?password={SECRET}&a=b"),
        ("https://host:99999/", "https://host:99999/"),
        ("Mail: me@example.org", "Mail: me@example.org"),
    ],
)
def test_what_is_no_password_is_shown(told: str, text: str) -> None:
    """A mistake shows what was found but for the password."""
    assert without_password(text) == told


@pytest.fixture
def strict(own_postgres: OwnServer) -> Iterator[str]:
    """The URL of a database at a server that asks its user for another password than this."""
    rules = own_postgres._directory / "data/pg_hba.conf"
    before = rules.read_text("utf-8")
    with own_postgres.database() as url, closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("CREATE ROLE judge LOGIN PASSWORD 'another'")
        rules.write_text(f"host all judge all scram-sha-256\n{before}", "utf-8")
        connection.execute("SELECT pg_reload_conf()")
        wrong = url.replace("//feedsvc@", f"//judge:{SECRET}@")
        try:
            wait_for(lambda: not lets_in(wrong), "the server to ask for passwords")
            yield wrong
        finally:
            rules.write_text(before, "utf-8")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("DROP ROLE judge")


def lets_in(url: str) -> bool:
    """Whether one gets in."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def unreachable() -> list[str]:
    """URLs of databases that are not there."""
    port = free_port()
    return [
        f"postgresql://judge:{SECRET}@127.0.0.1:{port}/name",
        f"postgresql://judge@127.0.0.1:{port}/name?password={SECRET}",
        f"postgresql://judge:{SECRET}@host.invalid/name",
        f"postgresql://judge:{SECRET}@127.0.0.1:{port}/name?nonsense=1",
        f"postgresql://judge:{SECRET}@127.0.0.1:{port}/name?sslmode=nonsense",
    ]


def uses(store: DatabaseStore) -> list[Callable[[], object]]:
    """Whatever a store is used for."""
    rules = LoadRules()
    return [
        store.open,
        lambda: store.load(rules),
        lambda: store.documents("", ""),
        lambda: store.save(Remembered(), Remembered(making="x"), [], rules),
        lambda: store.history(None, 1),
        lambda: shared.stand(store, "name"),
        lambda: shared.ask(store, NOW, accept=False),
        lambda: shared.asked(store, NOW),
        lambda: store.place.wait(0),
    ]


def test_no_error_shows_a_password(strict: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong, and whatever was to be done: the error names the database, and not the password."""
    caplog.set_level("DEBUG")
    for url in [strict, *unreachable()]:
        for write in (True, False):
            with closing(DatabaseStore(url, write=write)) as store:
                for use in uses(store):
                    with pytest.raises(StoreError) as caught:
                        use()
                    assert str(caught.value).startswith("postgresql://"), url
                    assert SECRET not in str(caught.value)
                assert not store.place.holds()
                assert SECRET not in store.place.name
    assert SECRET not in caplog.text


@pytest.mark.usefixtures("own_log")
def test_no_command_shows_a_password(articles: Path, strict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command says what is wrong with the database, or does without it, at any level of the log."""
    article = write_article(articles)
    out = articles.parent / "out"
    monkeypatch.setenv("FEEDSVC_ARTICLES", str(articles))
    monkeypatch.setenv("FEEDSVC_LOG_LEVEL", "debug")
    said = ""
    for url in [strict, unreachable()[1]]:
        for arguments in (("check",), ("list",), ("explain", str(article)), ("build", str(out)), ("history",)):
            result = CliRunner().invoke(commands, [*arguments, "--store", url])
            told = str(result.exception) if isinstance(result.exception, StoreError) else result.stderr
            assert "postgresql://127.0.0.1/" in told, arguments
            said += result.output + told
    assert "authentication failed" in said
    assert SECRET not in said


def test_no_replica_shows_a_password(articles: Path, tmp_path: Path) -> None:
    """A service that cannot reach its database tells that in its log and at /health, and answers who asks it to
    reload; the password is nowhere.
    """
    write_article(articles)
    url = unreachable()[0]
    with Replica(tmp_path, "one", "both", url, articles, FEEDSVC_LOG_LEVEL="debug") as replica:
        wait_for(replica.is_up, "the service to answer")
        wait_for(lambda: "Connection refused" in str(replica.health()), "it to notice")
        answers = [replica.ask(path).body.decode() for path in ("/health", "/health/ready", "/metrics", "/")]
        answers.append(str(replica.reload()))
        wait_for(lambda: bool(replica.events("this process cannot publish")), "it to stand")
    said = "".join([*answers, replica.log.read_text("utf-8")])
    assert "postgresql://127.0.0.1/name" in said
    assert SECRET not in said
