"""What a person does on the page of all feeds: find one, and take its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.corpus import PROVIDERS, TOPICS
from browser.window import INSECURE

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service import Service

    from browser.conftest import OpenWindow

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def shown(page: Page) -> list[str]:
    """The names of the feeds that one sees."""
    return [str(name) for name in page.locator("a.name:visible").all_inner_texts()]


def headings(page: Page) -> list[str]:
    """The groups that one sees."""
    return [str(name) for name in page.locator("h2:visible").all_inner_texts()]


def test_every_feed_is_listed_and_leads_to_its_page(window: OpenWindow) -> None:
    """All topics and providers are there, each with a count, the newest date, and bars for the last 30 days."""
    page = window().open("/")
    assert headings(page) == ["Everything", "Topics", "Providers"]
    assert sorted(shown(page)) == sorted(["All articles", *TOPICS, *PROVIDERS])
    for row in page.locator("li").all():
        expect(row.locator(".count")).to_contain_text("newest")
        expect(row.locator("svg path")).to_have_count(1)
    page.get_by_role("link", name="R&D", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("R&D")
    page.get_by_role("navigation").get_by_role("link").click()
    expect(page.get_by_role("link", name="all feeds as OPML")).to_be_visible()


def test_filter_as_you_type(window: OpenWindow) -> None:
    """With each letter the list has only what matches, no group without a feed, and the number is said."""
    page = window().open("/")
    everything = shown(page)
    said = page.get_by_role("status")
    box = page.get_by_role("searchbox", name="Find a topic or provider")
    expect(said).to_have_text("")
    box.press_sequentially("c")
    assert {"Chips", "Cloud"} < set(shown(page)) < set(everything)
    box.press_sequentially("hi")
    assert shown(page) == ["Chips", PROVIDERS[-1]]
    assert headings(page) == ["Topics", "Providers"]
    expect(said).to_have_text("2 feeds")
    box.press_sequentially("p")
    assert shown(page) == ["Chips"]
    assert headings(page) == ["Topics"]
    expect(said).to_have_text("1 feed")
    box.press("Enter")
    assert shown(page) == ["Chips"]
    box.press("ControlOrMeta+A")
    box.press("Delete")
    assert shown(page) == everything
    assert headings(page) == ["Everything", "Topics", "Providers"]
    expect(said).to_have_text("")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nachrichten zürcher", ["Zürcher Nachrichten"]),
        ("ZURCHER", ["Zürcher Nachrichten"]),
        ("  wire ", ["Wire"]),
        ("النيل", ["النيل"]),
        ("北京", ["北京日报"]),
        ("🚀", ["火箭 🚀"]),
        ('">', ['"><img src=x onerror=window.injected=1>']),
    ],
)
def test_filter_finds_words_in_any_order_and_script(words: str, found: list[str], window: OpenWindow) -> None:
    """All words count, in any order; case, space and accents do not."""
    page = window().open("/")
    page.get_by_role("searchbox").fill(words)
    assert shown(page) == found


def test_filter_that_finds_nothing_says_so(window: OpenWindow) -> None:
    """Where nothing matches, a line says so, and it goes when something does."""
    page = window().open("/")
    none = page.get_by_text("No topic or provider has these words in its name.")
    expect(none).to_be_hidden()
    page.get_by_role("searchbox").fill("xyzzy")
    assert (shown(page), headings(page)) == ([], [])
    expect(none).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("0 feeds")
    page.get_by_role("searchbox").fill("")
    expect(none).to_be_hidden()
    assert len(shown(page)) == 1 + len(TOPICS) + len(PROVIDERS)


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize(
    ("path", "what", "copied"),
    [
        ("/", "AI", "/topics/ai.atom"),
        ("/", "All articles", "/feeds/all.atom"),
        ("/topics/ai", "RSS", "/topics/ai.rss"),
        ("/feeds/all", "JSON Feed", "/feeds/all.json"),
    ],
)
def test_copy_puts_the_address_on_the_clipboard(  # noqa: PLR0917  # what is copied where, and the fixtures
    path: str, what: str, copied: str, secure: bool, window: OpenWindow, service: Service
) -> None:
    """A button copies the address and says so, then is what it was; also where browsers have no clipboard API."""
    reader = window(service.base_url if secure else f"http://{INSECURE}", permissions=CLIPBOARD if secure else [])
    reader.page.clock.install()
    page = reader.open(path)
    assert page.evaluate("isSecureContext && !!navigator.clipboard") is secure
    button = page.get_by_role("button", name=f"Copy the address of {what}", exact=True)
    expect(button).to_have_text("Copy")
    before = page.evaluate("scrollY")
    button.click()
    expect(button).to_have_text("Copied")
    expect(button).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(f"Copied {service.base_url}{copied}")
    assert page.evaluate("scrollY") == before
    page.clock.run_for(2000)
    expect(button).to_have_text("Copy")
    # What a person would do with it.
    page = reader.open("/")
    page.get_by_role("searchbox").press("ControlOrMeta+V")
    expect(page.get_by_role("searchbox")).to_have_value(f"{service.base_url}{copied}")


def test_copy_that_is_refused_says_so(window: OpenWindow) -> None:
    """Where the browser does not let anything be copied, the button says that."""
    reader = window(f"http://{INSECURE}")
    page = reader.open("/")
    page.evaluate("document.execCommand = () => false")
    button = page.get_by_role("button", name="Copy the address of AI", exact=True)
    button.click()
    expect(button).to_have_text("Not copied")
    expect(page.get_by_role("status")).to_have_text("The browser did not let the address be copied")
