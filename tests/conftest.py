"""Fixtures for all tests."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from attacks.table import (  # noqa: F401 - pytest finds them here
    pytest_addoption,
    pytest_sessionfinish,
    pytest_terminal_summary,
    tried,
)
from hypothesis import HealthCheck, settings
from postgres import NAMED, MissingError, Server, own_server

from feedsvc.log import logger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres import OwnServer

# A slow machine is no failure: nothing here is timed. In CI, examples are as new each time as anywhere.
settings.register_profile(
    "feedsvc",
    settings.get_profile("default"),
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("feedsvc")


def pytest_xdist_auto_num_workers() -> int:
    """How many processes run the tests where none is said: one more than processors, since they wait a lot."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's reaches a test."""
    for name in [name for name in os.environ if name.startswith("FEEDSVC_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Processes that these tests start run as fast as anywhere: whether code is covered is not asked of them."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """An empty directory of articles."""
    directory = tmp_path / "articles"
    directory.mkdir()
    return directory


@pytest.fixture
def own_log() -> Iterator[None]:
    """What a command does to the log of its process is undone."""
    root = logging.getLogger()
    handlers, level, own = root.handlers[:], root.level, logger.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logger.setLevel(own)


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[OwnServer]:
    """A PostgreSQL server that a test may stop and start; it leaves it running."""
    try:
        server = own_server()
    except MissingError as error:
        # With CI set, one that is missing is a failure.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"POSTGRESQL IS MISSING: {error}")
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Server:
    """The PostgreSQL server on which tests may create databases."""
    server: Server = Server(NAMED) if NAMED else request.getfixturevalue("own_postgres")
    return server


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The URL of an empty database, for one test."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that nobody has written, once of each kind.

    The file is not there yet, and its directory is not either.
    """
    return request.getfixturevalue("database") if request.param == "postgresql" else file_url(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The URL of such a file alone, for what is about files."""
    return file_url(tmp_path)


def file_url(directory: Path) -> str:
    """The URL of a file that is not there yet."""
    return f"sqlite:///{directory}/var/memory.db"
