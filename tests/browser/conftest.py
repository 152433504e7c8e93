"""Fixtures for the tests in a browser: one service and one browser for all, and windows for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
from needs import need
from service import free_port, running

from browser.corpus import CONFIGURATION, write_corpus
from browser.pictures import Pictures, hanging
from browser.window import Window, browsing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from service import Service


class OpenWindow(Protocol):
    """What the fixture `window` is: it opens a window with these options of Playwright's."""

    def __call__(self, base_url: str = ..., **options: Any) -> Window:
        """A new window, with no memory of others."""


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The articles, served."""
    need("chromium", "chromium")
    directory = tmp_path_factory.mktemp("browser")
    port = free_port()
    write_corpus(directory / "articles", f"http://localhost:{port}")
    configuration = directory / "feedsvc.yaml"
    configuration.write_text(CONFIGURATION, "utf-8")
    with running(directory, directory / "articles", "--config", str(configuration), port=port) as service:
        yield service


@pytest.fixture(scope="session")
def pictures() -> Iterator[Pictures]:
    """The host of the pictures."""
    with hanging() as pictures:
        yield pictures


@pytest.fixture(scope="session")
def browser(service: Service, pictures: Pictures) -> Iterator[Browser]:
    """Chromium."""
    with browsing(service.port, pictures.server_port) as browser:
        yield browser


@pytest.fixture
def window(browser: Browser, service: Service) -> Iterator[OpenWindow]:
    """Opens windows. In none of them may anything have gone wrong at the end."""
    opened: list[Window] = []

    def open_window(base_url: str = service.base_url, **options: Any) -> Window:
        opened.append(Window(browser, base_url, **options))
        return opened[-1]

    yield open_window
    for each in opened:
        each.close()
