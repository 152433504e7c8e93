"""Markup that made browsers run something, in everything that an article says: here a browser reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attacks.payloads import MARKUP, write_payloads
from service import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service import Service

    from browser.conftest import OpenWindow

# A page of some hundred articles each, and of a topic that has such a name.
PAGES = ("/", "/feeds/all", "/topics/all")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of all payloads."""
    directory = tmp_path_factory.mktemp("payloads")
    write_payloads(directory / "articles")
    configuration = directory / "feedsvc.yaml"
    configuration.write_text("feeds: {entries: 1000}\n", "utf-8")
    with running(directory, directory / "articles", "--config", str(configuration)) as service:
        yield service


@pytest.mark.parametrize("path", PAGES)
def test_no_payload_runs(path: str, window: OpenWindow, hostile: Service) -> None:
    """Nothing runs, covers the page, leads elsewhere or breaks the policy; what was tried is there to read."""
    reader = window(hostile.base_url)
    page = reader.open(path)
    for selector in ("main a", "main summary"):
        for place in page.locator(selector).all()[:5]:
            place.hover(force=True)
    page.keyboard.press("Tab")
    assert page.evaluate("window.injected") is None
    assert page.url == hostile.base_url + path
    assert page.locator("main").is_visible()
    assert page.evaluate("document.scripts.length + document.styleSheets.length") == 2
    assert (
        page.evaluate("document.querySelectorAll('iframe, object, embed, base, body form:not([role])').length")
        == 0
    )
    if path == "/feeds/all":
        assert page.locator("article").count() > 2 * len(MARKUP)


def test_a_payload_in_a_feed_shown_by_a_browser_does_not_run(window: OpenWindow, hostile: Service) -> None:
    """A reader that puts contents into a page of its own, without a policy, runs nothing either."""
    contents = [
        item["content_html"]
        for number in ("", "/part/2", "/part/3", "/part/4")
        for answer in [hostile.ask(f"/feeds/all{number}.json")]
        if answer.status == 200
        for item in json.loads(answer.body)["items"]
        if "content_html" in item
    ]
    assert len(contents) > len(MARKUP)
    reader = window()
    page = reader.page
    for begin in range(0, len(contents), 50):
        page.set_content("<!doctype html><title>x</title>" + "".join(contents[begin : begin + 50]))
        page.evaluate("new Promise(requestAnimationFrame)")
        assert page.evaluate("window.injected") is None
    # Pictures of hosts that there are not; all that was asked for are pictures, or the window tells.
    reader.complaints = [each for each in reader.complaints if "ERR_NAME_NOT_RESOLVED" not in each]
