"""What the pages look like: in any width, in the light and in the dark, and when pictures cannot be had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from service import wait_for

from browser.corpus import ARABIC_TOPIC, EMOJI, FILM, LONG, MARKUP_TOPIC, PROVIDERS
from browser.window import style

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from browser.conftest import OpenWindow
    from browser.pictures import Pictures

WIDTHS = (320, 390, 768, 1280)
# What reaches beyond the window, but for what scrolls by itself.
_BEYOND = """() => [...document.querySelectorAll("body *")]
  .filter((element) => !element.closest(".wide table") && element.checkVisibility())
  .filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
  })
  .map((element) => element.outerHTML.slice(0, 80))"""


def brightness(element: Locator, name: str) -> float:
    """Of a colour, from 0 (black) to 255."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", style(element, name))]
    return sum(numbers[:3]) / 3


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["/", "/topics/ai", "/feeds/all", ARABIC_TOPIC, MARKUP_TOPIC, PROVIDERS[-1]])
def test_nothing_is_wider_than_the_window(name: str, width: int, window: OpenWindow) -> None:
    """From phone to desktop, no page scrolls sideways, whatever is in it, and also when pictures have failed."""
    reader = window(viewport={"width": width, "height": 800})
    page = reader.open(name) if name.startswith("/") else reader.open_topic(name)
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_BEYOND) == []
        reader.scroll_through()


def test_tables_can_be_read_on_a_phone(window: OpenWindow) -> None:
    """The columns of a wide table keep their words whole; the table alone scrolls."""
    page = window(viewport={"width": 320, "height": 800}).open("/topics/ai")
    table = page.get_by_role("group", name="Table").first
    assert table.evaluate("(box) => box.scrollWidth > box.clientWidth")
    assert {cell.evaluate("(cell) => cell.clientHeight < 50") for cell in table.get_by_role("cell").all()} == {
        True
    }


@pytest.mark.parametrize("script", [True, False])
def test_pictures_that_fail_leave_no_hole(script: bool, window: OpenWindow) -> None:
    """Where a picture cannot be had, title, date, text and topics follow each other as if there were none."""
    reader = window(viewport={"width": 390, "height": 800}, java_script_enabled=script)
    page = reader.open("/topics/ai")
    reader.scroll_through()
    for title in (EMOJI, LONG, FILM):
        for image in page.get_by_role("article", name=title).locator("img").all():
            assert image.evaluate("(image) => image.getBoundingClientRect().height") == 0
    emoji = page.get_by_role("article", name=EMOJI)
    text, date = emoji.get_by_text("Words below").bounding_box(), emoji.locator("time").bounding_box()
    assert text
    assert date
    # Without a script, a line stays empty.
    assert 0 < text["y"] - date["y"] - date["height"] < (20 if script else 60)


def test_nothing_jumps_when_a_picture_comes(window: OpenWindow, pictures: Pictures) -> None:
    """A picture of known size has its place before it comes, and what stands below stays where it is."""
    pictures.open.clear()
    page = window().open("/topics/ai")
    text = page.get_by_role("heading", name="First")
    before = text.bounding_box()
    assert before
    assert before["y"] > 400
    pictures.open.set()
    image = page.locator("img").first
    wait_for(lambda: image.evaluate("(image) => image.naturalWidth") == 800, "the picture")
    assert text.bounding_box() == before


def test_links_outlive_their_pictures(window: OpenWindow) -> None:
    """A link that was a picture is still one when the picture fails, and says where it leads."""
    reader = window()
    page = reader.open("/topics/ai")
    reader.scroll_through()
    article = page.get_by_role("article", name="A film without a picture")
    assert article.get_by_role("link", name="Play at player.example").is_visible()
    assert article.get_by_role("link", name="elsewhere.example").inner_text() == "elsewhere.example"
    assert page.get_by_role("article", name=FILM).get_by_role("link", name="Play at player.example").is_visible()


@pytest.mark.parametrize("path", ["/", "/topics/ai", "/feeds/all"])
def test_light_and_dark(path: str, window: OpenWindow) -> None:
    """A page is light or dark as the reader's device is, and follows when that changes."""
    page = window(color_scheme="light").open(path)
    body = page.locator("body")
    assert brightness(body, "background-color") > 230
    assert brightness(body, "color") < 50
    page.emulate_media(color_scheme="dark")
    assert brightness(body, "background-color") < 50
    assert brightness(body, "color") > 200
    assert style(page.locator("html"), "color-scheme") == "light dark"
    for element in page.locator("a, button, input, h1, h2, time, .soft").all():
        assert brightness(element, "color") > 120
