"""The reader's own: time zone, script and direction, and a browser without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from browser.corpus import ARABIC, ARABIC_TOPIC, CHINESE, ENGLISH, HEBREW, NEWEST, PROVIDERS, TOPICS
from browser.window import style

if TYPE_CHECKING:
    from datetime import datetime

    from browser.conftest import OpenWindow


def day(moment: datetime) -> str:
    """A date in English."""
    return f"{moment.day} {moment:%B %Y}"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_dates_are_of_the_readers_zone(zone: str, window: OpenWindow) -> None:
    """Dates and times are those of where the reader is; machines find the moment itself."""
    reader = window(timezone_id=zone)
    local = NEWEST.astimezone(ZoneInfo(zone))
    assert (local.date() > NEWEST.date()) == zone.startswith("Asia")
    page = reader.open("/topics/ai")
    time = page.get_by_role("article", name=ENGLISH).locator("time")
    assert time.inner_text() == f"{day(local)} at {local:%H:%M}"
    assert time.get_attribute("datetime") == NEWEST.isoformat()
    page = reader.open("/")
    assert f"newest {day(local)}" in page.locator("li").first.inner_text()


def test_titles_have_their_direction(window: OpenWindow) -> None:
    """An article runs as its title does, from the right or from the left, whatever the feed's language is."""
    reader = window()
    for page in (reader.open("/topics/ai"), reader.open_topic(ARABIC_TOPIC)):
        for title, direction in ((ARABIC, "rtl"), (HEBREW, "rtl"), ("An English title among Arabic ones", "ltr")):
            article = page.get_by_role("article", name=title)
            for part in (article, article.get_by_role("heading", level=2), article.locator(".content")):
                assert style(part, "direction") == direction
            assert style(article.locator("time"), "direction") == "ltr"
    for title in (ENGLISH, CHINESE):
        assert style(reader.open("/topics/ai").get_by_role("article", name=title), "direction") == "ltr"


def test_a_feed_of_another_language_says_so(window: OpenWindow) -> None:
    """What is in the feed's language is marked so, on its page and on the index; what stands around is English."""
    reader = window()
    page = reader.open_topic(ARABIC_TOPIC)
    assert page.locator("html").get_attribute("lang") == "en"
    heading = page.get_by_role("heading", level=1)
    assert (heading.get_attribute("lang"), style(heading, "direction")) == ("ar", "rtl")
    assert {article.get_attribute("lang") for article in page.get_by_role("article").all()} == {"ar"}
    page = reader.open("/")
    names = {str(name.inner_text()): name for name in page.locator("a.name").all()}
    assert names[ARABIC_TOPIC].get_attribute("lang") == "ar"
    assert style(names[ARABIC_TOPIC], "direction") == "rtl"
    assert names["AI"].get_attribute("lang") == "en"


def test_without_javascript_the_index_is_whole(window: OpenWindow) -> None:
    """Without JavaScript the index lists all, with dates and links, and has no box or button that does nothing."""
    page = window(java_script_enabled=False).open("/")
    for name in (*TOPICS, *PROVIDERS):
        expect(page.locator("a.name").get_by_text(name, exact=True)).to_be_visible()
    expect(page.locator("li").first).to_contain_text(f"newest {day(NEWEST)}")
    assert page.get_by_role("button").count() == 0
    assert page.get_by_role("searchbox").count() == 0
    expect(page.get_by_text("No topic or provider")).to_be_hidden()
    page.get_by_role("link", name="AI", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("AI")


@pytest.mark.parametrize("path", ["/topics/ai", "/feeds/all"])
def test_without_javascript_articles_can_be_read(path: str, window: OpenWindow) -> None:
    """Without JavaScript a feed's page has titles, links, dates in UTC, bodies, and the three formats."""
    page = window(java_script_enabled=False).open(path)
    article = page.get_by_role("article", name=ENGLISH)
    expect(article.get_by_role("link", name=ENGLISH)).to_have_attribute("href", "https://wire.example/0")
    expect(article.locator("time")).to_have_text(day(NEWEST))
    expect(article.get_by_text("A paragraph with")).to_be_visible()
    for name in ("Atom", "RSS", "JSON Feed"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert page.get_by_role("button").count() == 0
