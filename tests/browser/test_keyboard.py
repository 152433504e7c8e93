"""Without a mouse: everything can be reached, seen where one is, and used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from service import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service import Service

    from browser.conftest import OpenWindow

# What can be used and is seen, in the order of the page; and where the focus is now.
_USABLE = """() => [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
  .filter((element) => element.checkVisibility() && !element.closest("[hidden]"))"""
_OUTLINE = """() => {
  const style = getComputedStyle(document.activeElement);
  const box = document.activeElement.getBoundingClientRect();
  return {
    "outline": style.outlineStyle, "width": parseFloat(style.outlineWidth),
    "seen": box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


def focused(page: Page) -> Any:
    """The text of what has the focus."""
    return page.evaluate("document.activeElement.innerText?.trim()")


@pytest.mark.parametrize("path", ["/", "/topics/ai", "/feeds/all"])
def test_tab_reaches_everything_in_order_and_shows_where_it_is(path: str, window: OpenWindow) -> None:
    """Tab goes through all links, buttons and boxes in the order of the page, and each has a visible outline."""
    reader = window()
    page = reader.open(path)
    # A link that is a picture cannot be seen before that comes.
    reader.scroll_through()
    count = page.evaluate(f"(window.usable = ({_USABLE})()).length")
    assert count > 20
    for number in range(count):
        page.keyboard.press("Tab")
        assert page.evaluate("usable.indexOf(document.activeElement)") == number
        outline = page.evaluate(_OUTLINE)
        assert (outline["outline"], outline["seen"]) == ("solid", True), focused(page)
        assert outline["width"] >= 2
    page.keyboard.press("Tab")
    assert page.evaluate("usable.indexOf(document.activeElement)") in (-1, 0)


@pytest.mark.parametrize(("path", "name"), [("/", "Skip to the feeds"), ("/topics/ai", "Skip to the articles")])
def test_the_first_link_skips_to_what_the_page_is_about(path: str, name: str, window: OpenWindow) -> None:
    """The first Tab shows a link that is otherwise not seen; Enter on it leads past all that stands before."""
    page = window().open(path)
    skip = page.get_by_role("link", name=name)
    box = skip.bounding_box()
    assert box
    assert box["width"] <= 1
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    box = skip.bounding_box()
    assert box
    assert (box["width"] > 50, box["x"] >= 0, box["y"] >= 0) == (True, True, True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.querySelector('main a')")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_filter_and_copy_by_keyboard(key: str, window: OpenWindow, service: Service) -> None:
    """To find a feed, copy its address and paste it takes the keyboard alone."""
    page = window(permissions=["clipboard-read", "clipboard-write"]).open("/")
    while page.evaluate("document.activeElement.type") != "search":
        page.keyboard.press("Tab")
    page.keyboard.type("cloud")
    page.keyboard.press("Tab")
    assert focused(page) == "Cloud"
    for name in ("Atom", "RSS", "JSON", "Copy"):
        page.keyboard.press("Tab")
        assert focused(page) == name
    page.keyboard.press(key)
    expect(page.get_by_role("status")).to_have_text(f"Copied {service.base_url}/topics/cloud.atom")
    assert focused(page) == "Copied"
    while page.evaluate("document.activeElement.type") != "search":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("ControlOrMeta+V")
    expect(page.get_by_role("searchbox")).to_have_value(f"{service.base_url}/topics/cloud.atom")
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.get_by_role("link", name="R&D", exact=True)).to_be_visible()


def test_links_are_followed_by_keyboard(window: OpenWindow) -> None:
    """Enter on a feed's name opens its page."""
    page = window().open("/")
    page.get_by_role("link", name="Cloud", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cloud")


def test_wide_tables_scroll_by_keyboard(window: OpenWindow) -> None:
    """A table that is wider than the page can be scrolled with the arrow keys."""
    page = window(viewport={"width": 390, "height": 800}).open("/topics/ai")
    table = page.get_by_role("group", name="Table").first
    table.focus()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: table.evaluate("(box) => box.scrollLeft") > 0, "the table to scroll")
