"""What axe-core finds wrong with the pages: nothing; and the landmarks by which one goes about a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from browser.corpus import ARABIC_TOPIC, MARKUP_TOPIC

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.conftest import OpenWindow
    from browser.window import Window

PAGES = ("/", "/topics/ai", "/feeds/all", ARABIC_TOPIC, MARKUP_TOPIC)
# The roles of what has to have a name.
_NAMED = "article|button|group|heading|img|link|navigation|region|searchbox"
# All rules that hold by default, best practice among them, and one of WCAG 2.2 that does not.
_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


def go(reader: Window, name: str) -> Page:
    """To a path, or to the page of a topic."""
    return reader.open(name) if name.startswith("/") else reader.open_topic(name)


def judge(page: Page) -> str:
    """What axe-core has to say, "" if nothing."""
    results = Axe().run(page, options=_OPTIONS)
    return str(results.generate_report()) if results.violations_count else ""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(name: str, scheme: str, width: int, window: OpenWindow) -> None:
    """On no page does axe-core find a violation, in light and dark, on phone and desktop."""
    reader = window(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = go(reader, name)
    reader.scroll_through()
    assert not judge(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("words", ["xyzzy", "ai"])
def test_axe_finds_nothing_in_what_the_filter_leaves(words: str, scheme: str, window: OpenWindow) -> None:
    """Nor in a list that is filtered, also to nothing, nor with the skip link shown."""
    page = window(color_scheme=scheme).open("/")
    page.get_by_role("searchbox").fill(words)
    page.locator(".skip").focus()
    assert not judge(page)


def test_axe_would_find_something(window: OpenWindow) -> None:
    """What is wrong is found: a picture without words, and text that is too pale."""
    page = window().open("/")
    page.evaluate("""() => {
        document.querySelector("main").append(document.createElement("img"));
        document.querySelector("h1").style.color = "#ccc";
    }""")
    report = judge(page)
    assert "color-contrast" in report or "contrast" in report
    assert "alternative text" in report


@pytest.mark.parametrize("name", PAGES)
def test_landmarks(name: str, window: OpenWindow) -> None:
    """A page has one banner, one main part and one first heading; every article, list and section has a name."""
    page = go(window(), name)
    assert (page.get_by_role("banner").count(), page.get_by_role("main").count()) == (1, 1)
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("navigation").count() == (0 if name == "/" else 1)
    assert page.get_by_role("search").count() == (1 if name == "/" else 0)
    assert page.get_by_role("region").count() == (3 if name == "/" else 1)
    assert page.title()
    # One a line, as `- link "Name"`.
    tree = str(page.locator("body").aria_snapshot())
    assert '- link "AI"' in tree
    assert re.findall(rf"^ *- (?:{_NAMED})(?! \"| /).*", tree, re.MULTILINE) == []
