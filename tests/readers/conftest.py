"""Fixtures for the tests with real readers: one service for all, and a home for each reader."""

from __future__ import annotations

import os
import urllib.request
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from service import running

from readers.corpus import write_corpus
from readers.home import Home
from readers.recorder import recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from readers.recorder import Recorder


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine's stands between a reader and the service."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    """The articles, served behind a recorder."""
    directory = tmp_path_factory.mktemp("readers")
    articles = directory / "articles"
    write_corpus(articles)
    with recording() as recorder, running(directory, articles, "--base-url", recorder.base_url) as service:
        recorder.service_port = service.port
        yield recorder


@pytest.fixture
def recorder(served: Recorder) -> Recorder:
    """What stands before the service, with nothing noted yet."""
    served.take()
    return served


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new home directory."""
    return Home(tmp_path)


@pytest.fixture
def opml(recorder: Recorder, tmp_path: Path) -> Path:
    """The file that people download to import it."""
    file = tmp_path / "feeds.opml"
    with urllib.request.urlopen(f"{recorder.base_url}/feeds.opml") as answer:
        file.write_bytes(answer.read())
    recorder.take()
    return file


@pytest.fixture
def listed(opml: Path) -> list[str]:
    """The URLs of all feeds that the OPML lists."""
    return [str(outline.get("xmlUrl")) for outline in etree.parse(opml).iter("outline") if outline.get("xmlUrl")]
