"""What a page asks for, runs and complains of: nothing but what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from service import wait_for

from browser.corpus import ARABIC_TOPIC, LAST, MARKUP, MARKUP_TOPIC, PROVIDERS
from browser.pictures import HOST

if TYPE_CHECKING:
    from service import Service

    from browser.conftest import OpenWindow
    from browser.pictures import Pictures

PATHS = ("/", "/topics/ai", "/feeds/all")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_asks_nobody_for_anything_but_pictures(path: str, window: OpenWindow, service: Service) -> None:
    """A page is one request to the service; read to its end, others were asked for pictures alone."""
    reader = window()
    reader.open(path)
    reader.scroll_through()
    documents = [request.url for request in reader.requests if request.resource_type != "image"]
    assert documents == [f"{service.base_url}{path}"]
    assert bool(reader.pictures) == (path != "/")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_keeps_to_its_strict_policy_and_says_nothing(
    path: str, window: OpenWindow, service: Service
) -> None:
    """The policy lets nothing in by default and is never broken, and the console has nothing to say."""
    policy = service.ask(path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    reader = window()
    reader.open(path)
    reader.scroll_through()
    assert reader.violations() == []
    assert reader.complaints == []


def test_the_policy_is_enforced_and_a_breach_is_noticed(window: OpenWindow) -> None:
    """A script that came into a page would not run, and these tests would notice."""
    reader = window()
    page = reader.open("/")
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.injected = 1";
        document.body.append(script);
        document.body.setAttribute("style", "color: red");
    }""")
    assert page.evaluate("window.injected") is None
    wait_for(lambda: len(reader.violations()) == 2, "both to be noticed")
    assert [violation.split()[0] for violation in reader.violations()] == ["script-src-elem", "style-src-attr"]
    assert len(reader.complaints) == 2
    # Noticed; now nothing is left that went wrong.
    reader.complaints.clear()
    page.evaluate("window.violations.length = 0")


def test_pictures_come_when_they_are_scrolled_to(window: OpenWindow) -> None:
    """The picture of the last article is asked for when the reader comes near, and then it is shown."""
    reader = window(viewport={"width": 1280, "height": 800})
    page = reader.open("/feeds/all")
    last = f"http://{HOST}/400x300.png"
    first = page.locator("img").first
    wait_for(lambda: first.evaluate("(image) => image.naturalWidth") == 800, "the first picture")
    assert last not in reader.pictures
    page.get_by_role("heading", name=LAST).scroll_into_view_if_needed()
    final = page.locator("img").last
    wait_for(lambda: final.evaluate("(image) => image.naturalWidth") == 400, "the last picture")
    assert last in reader.pictures
    assert final.is_visible()


def test_who_has_the_pictures_is_not_told_whose_page_they_are_on(window: OpenWindow, pictures: Pictures) -> None:
    """Pictures are asked for without a referrer, and those that only count readers are not asked for."""
    reader = window()
    reader.open("/topics/ai")
    reader.scroll_through()
    assert pictures.referrers
    assert set(pictures.referrers) == {None}
    assert not [url for url in reader.pictures if "1x1" in url]


@pytest.mark.parametrize("name", [None, MARKUP_TOPIC, ARABIC_TOPIC, *PROVIDERS])
def test_names_and_titles_run_nothing(name: str | None, window: OpenWindow) -> None:
    """Markup in a title, a name or a body is text or gone: none of it runs."""
    reader = window()
    page = reader.open_topic(name) if name else reader.open("/feeds/all")
    reader.scroll_through()
    assert page.evaluate("window.injected") is None
    assert page.get_by_role("heading", level=1).inner_text() == (name or "All articles")
    if name in (None, MARKUP_TOPIC):
        assert page.get_by_role("heading", name=MARKUP).is_visible()
