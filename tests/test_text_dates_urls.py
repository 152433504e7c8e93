"""Texts, dates and URLs as an article's fields hold them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from feedsvc.articles.dates import parse_date
from feedsvc.text import clean, fold, one_line, unescape
from feedsvc.urls import clean_domain, clean_url, normalise_url

ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
ANY_TEXT = st.text(st.characters(exclude_categories=[]))

# --- text


@given(ANY_TEXT)
@example("\x00\x0b\x1f\x7f\x80\x9f\ud800\udfff\ufffe\uffff\U0001f600")
def test_clean_text_is_accepted_by_xml(text: str) -> None:
    """Whatever was cleaned can be an element's text, and comes back from the document."""
    element = etree.Element("x")
    element.text = clean(text)
    back = etree.fromstring(etree.tostring(element, encoding="utf-8"))
    assert (back.text or "") == clean(text)
    assert clean(clean(text)) == clean(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"])))
def test_clean_keeps_what_people_write(text: str) -> None:
    """Every character that people write stays."""
    assert clean(text) == text


def test_clean_drops_what_no_xml_can_hold() -> None:
    """Control characters and lone surrogates go, white space and emoji stay."""
    assert clean("a\x00\x08\x0b\x1b\x7f\x9f\ud800\ufffeb\t\n\r\x85 😀") == "ab\t\n\r\x85 😀"


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    """Text on one line has no line break, no space at its ends, and no two spaces in a row."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert "  " not in line


def test_one_line_makes_single_spaces() -> None:
    """Any white space becomes one space; what stood between forbidden characters comes together."""
    assert one_line("  a\n\n b\tc\u00a0d\u2028e\x00 ") == "a b c d e"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It&#8217;s", "It’s"),
        ("a&nbsp;&nbsp;b", "a b"),
        ("AT&amp;T", "AT&T"),
        ("AT&T", "AT&T"),
        ("&#1;&#xD800;&#x7f;a", "\ufffda"),
        ("&lt;b&gt;", "<b>"),
        ("a\n b", "a\n b"),
    ],
)
def test_character_references_become_characters(text: str, plain: str) -> None:
    """References become the characters they stand for, and never one that XML forbids."""
    assert unescape(text) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AI", " ai "),
        ("AI  Hardware", "ai hardware"),
        ("Straße", "STRASSE"),
        ("Café", "cafe\u0301"),
        ("a\x00b", "ab"),
    ],
)
def test_two_spellings_of_a_name_fold_to_one(one: str, other: str) -> None:
    """Case, space, composition and forbidden characters do not tell names apart."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("C++", "C#"), ("AI", "A I"), ("cafe", "café")])
def test_different_names_stay_different(one: str, other: str) -> None:
    """Signs, spaces within and accents tell names apart."""
    assert fold(one) != fold(other)


# --- dates


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-12-14T00:50:00Z", "2021-12-14T00:50:00"),
        (" 2021-12-14T00:50:00Z ", "2021-12-14T00:50:00"),
        ("2021-12-14t00:50:00z", "2021-12-14T00:50:00"),
        ("2021-12-14T00:50Z", "2021-12-14T00:50:00"),
        ("2021-12-14T00:50:00+05:30", "2021-12-13T19:20:00"),
        ("2021-12-14T00:50:00-0800", "2021-12-14T08:50:00"),
        ("2021-12-14T00:50:00.999999999Z", "2021-12-14T00:50:00"),
        ("2021-12-14T00:50:00,5Z", "2021-12-14T00:50:00"),
        ("2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43"),
        ("2001-12-15T02:59:43.1Z", "2001-12-15T02:59:43"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-15T02:59:43"),
        ("2001-1-2 3:04:05 +1", "2001-01-02T02:04:05"),
        ("2021-12-14 00:50:00 UTC", "2021-12-14T00:50:00"),
        ("2021-12-14 00:50:00 GMT", "2021-12-14T00:50:00"),
        ("2021-12-14\t00:50:00", "2021-12-13T23:50:00"),
        ("2021-12-14T00:50:00", "2021-12-13T23:50:00"),
        ("2021-12-14 00:50", "2021-12-13T23:50:00"),
        ("2021-07-14 00:50:00", "2021-07-13T22:50:00"),
        ("20211214T005000Z", "2021-12-14T00:50:00"),
        ("20211214T005000", "2021-12-13T23:50:00"),
        ("2021-12-14", "2021-12-13T23:00:00"),
        ("20211214", "2021-12-13T23:00:00"),
        ("2021-W50-2", "2021-12-13T23:00:00"),
        ("Tue, 14 Dec 2021 00:50:00 GMT", "2021-12-14T00:50:00"),
        ("Tue, 14 Dec 2021 00:50:00 +0100", "2021-12-13T23:50:00"),
        ("14 Dec 2021 00:50 EST", "2021-12-14T05:50:00"),
        ("14 Dec 21 00:50:00 -0000", "2021-12-14T00:50:00"),
        ("Tue, 14 Dec 2021 00:50:00", "2021-12-13T23:50:00"),
        ("1000-01-02", "1000-01-01T23:06:32"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59"),
    ],
)
def test_a_date_is_read_in_every_form_that_front_matter_has(text: str, moment: str) -> None:
    """An offset is taken as written, a date without one in the configured zone (Berlin's, here)."""
    assert parse_date(text, BERLIN) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2021",
        "2021-12",
        "1639443000",
        "2021-13-01",
        "2021-02-29",
        "2021-12-14T25:00:00Z",
        "2021-12-14T00:60:00Z",
        "2021-12-14T00:50:00+25:00",
        "2021-12-14 10:50 PM",
        "14.12.2021",
        "12/14/2021",
        "00:50",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0999-12-31",
        "Tue, 32 Dec 2021 00:50:00 GMT",
        "Tue, 14 Foo 2021 00:50:00 GMT",
        "2021-12-14T00:50:00Z and more",
        "- 2021-12-14",
        "abc:",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    """What is no date, no moment that exists, or none that four digits of a year can hold, is None."""
    assert parse_date(text, ZONE) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue, 14 Dec 2021 00:50:00 +01:00", "2021-12-13T23:50:00"),
        ("Tue, 14 Dec 2021 00:50:00 CET", "2021-12-13T23:50:00"),
        ("14 Dec 2021 10:50 PM", "2021-12-14T22:50:00"),
        ("14 Dec 2021 10:50:00 nonsense", "never"),
    ],
)
def test_a_part_of_a_date_is_never_passed_over(text: str, moment: str) -> None:
    """A zone or half of the day that is written counts; a date where it cannot be read is none."""
    right = None if moment == "never" else datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert parse_date(text, ZONE) in (right, None)


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1000, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001 - hypothesis adds the zone


@given(MOMENTS)
def test_any_moment_is_read_from_any_form(moment: datetime) -> None:
    """Any moment with a zone, in any form, is the same moment in UTC, cut to the second."""
    right = moment.astimezone(UTC).replace(microsecond=0)
    assert parse_date(moment.isoformat(), ZONE) == right
    assert parse_date(moment.isoformat(" "), BERLIN) == right
    assert parse_date(moment.strftime("%Y-%m-%dT%H:%M:%S.%f%z"), BERLIN) == right
    assert (
        parse_date(f"{moment:%Y}-{moment.month}-{moment.day} {moment.hour}:{moment:%M:%S} {moment:%z}", BERLIN)
        == right
    )
    assert parse_date(moment.strftime("%Y%m%dT%H%M%S%z"), BERLIN) == right
    assert parse_date(format_datetime(moment), BERLIN) == right
    assert parse_date(right.strftime("%Y-%m-%dT%H:%M:%SZ"), BERLIN) == right
    result = parse_date(moment.isoformat(), BERLIN)
    assert result is not None
    assert result.tzinfo is UTC


@given(st.dates(date(1000, 1, 3)))
def test_any_day_begins_in_the_configured_zone(day: date) -> None:
    """A day without a time is its first moment in the configured zone."""
    right = datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC).replace(microsecond=0)
    assert parse_date(day.isoformat(), BERLIN) == right
    assert parse_date(day.strftime("%Y%m%d"), BERLIN) == right


@given(st.one_of(ANY_TEXT, st.text("0123456789-:+.TZW ,GMTDec", max_size=40)))
@example("2021-12-14T00:50:00+99")
@example("1 Jan 99999999999 00:00:00 GMT")
@example("1 Jan 2021 00:00:00 +9999999999")
@example("Mon, 99999999999999999999 Dec 2021 1:1:1 +0000")
@example("0000-00-00")
@example("\u0662\u0660\u0662\u0661-12-14T00:50:00Z")
def test_any_text_is_a_date_or_none(text: str) -> None:
    """Any text is a moment in UTC with four digits of a year and no part of a second, or none."""
    moment = parse_date(text, BERLIN)
    if moment is not None:
        assert moment.tzinfo is UTC
        assert moment.microsecond == 0
        assert 1000 <= moment.year <= 9999


# --- URLs


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.org/a", "https://example.org/a"),
        (" https://example.org/a\n", "https://example.org/a"),
        ("HTTPS://EXAMPLE.org/A?B=C#D", "https://example.org/A?B=C#D"),
        ("https://example.org", "https://example.org"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80/", "http://example.org/"),
        ("http://example.org:443/", "http://example.org:443/"),
        ("https://example.org:/a", "https://example.org/a"),
        ("https://example.org/a b?c d#e f", "https://example.org/a%20b?c%20d#e%20f"),
        ("https://example.org/é", "https://example.org/%C3%A9"),
        ("https://example.org/%c3%a9%zz%", "https://example.org/%c3%a9%25zz%25"),
        ("https://exämple.org/", "https://xn--exmple-cua.org/"),
        ("https://例え.jp/", "https://xn--r8jz45g.jp/"),
        ('https://example.org/"<>\\^`{|}[]', "https://example.org/%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("https://example.org/a;b=c,d!$&'()*+@:~", "https://example.org/a;b=c,d!$&'()*+@:~"),
        ("https://example.org//a/../b/", "https://example.org//a/../b/"),
        ("https://exa\nmple.org/a\tb", "https://example.org/ab"),
    ],
)
def test_a_url_leaves_as_a_uri(text: str, url: str) -> None:
    """What a URI cannot hold is encoded, the host has one form, and nothing else changes."""
    assert clean_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/a",
        "//example.org/a",
        "example.org/a",
        "a b",
        "javascript:alert(1)",
        "JAVASCRIPT://example.org/%0aalert(1)",
        "data:text/html,x",
        "ftp://example.org/",
        "file:///etc/passwd",
        "mailto:a@example.org",
        "https://",
        "https:///a",
        "https:example.org",
        "https://me:secret@example.org/",
        "https://me@example.org/",
        "https://@example.org/",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://exam ple.org/",
        "https://example.org\\@evil.org/",
        "https://[::1/",
        "https://[evil]/",
        "https://a<b.org/",
        "https://example.org%2fevil/",
        f"https://{'a' * 254}/",
        f"https://{'é' * 70}.org/",
    ],
)
def test_what_is_no_absolute_web_address_is_none(text: str) -> None:
    """What is not absolute, not http(s), carries a user, or has no host that can be, is None."""
    assert clean_url(text) is None


ANY_URL = st.one_of(
    ANY_TEXT,
    st.builds(
        lambda scheme, host, rest: f"{scheme}://{host}{rest}",
        st.sampled_from(["http", "https", "HTTPS", "ftp", " http"]),
        st.one_of(
            st.sampled_from(["example.org", "EXAMPLE.org:80", "[::1]", "exämple.org:443", "a.b:8080"]), ANY_TEXT
        ),
        st.one_of(ANY_TEXT.map(lambda text: f"/{text}"), st.text("/?#%aAzZ09:@[]é ~.", max_size=20)),
    ),
)


@given(ANY_URL)
@example("http://a/\ud800")
@example("http://a/?\udfff")
@example("https://example.org/%%2f%2")
@example("http://ẞ。org/")
def test_a_clean_url_is_http_ascii_and_stays(text: str) -> None:
    """Whatever comes in, what comes out is None or an ASCII http(s) URL with a host that cleans to itself."""
    url = clean_url(text)
    if url is not None:
        assert url.isascii()
        assert url.isprintable()
        assert not set(url) & set(' "<>\\^`{|}')
        assert urlsplit(url).scheme in {"http", "https"}
        assert urlsplit(url).hostname
        assert clean_url(url) == url


@given(ANY_URL)
def test_a_normalised_url_stays(text: str) -> None:
    """A normalised URL is a clean one, and normalises to itself."""
    url = clean_url(clean(text))
    if url is not None:
        normal = normalise_url(url)
        assert normalise_url(normal) == normal
        assert clean_url(normal) == normal
        assert urlsplit(normal).path.startswith("/")


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.org", "https://example.org/"),
        ("https://example.org?a", "https://example.org/?a"),
        ("https://example.org/a#%7Eb", "https://example.org/a#~b"),
        ("https://example.org/%7Ea%2db%5F%2E", "https://example.org/~a-b_."),
        ("https://example.org/%c3%a9%2f", "https://example.org/%C3%A9%2F"),
        ("https://example.org/?q=%61%26", "https://example.org/?q=a%26"),
        ("https://example.org/%2541", "https://example.org/%2541"),
    ],
)
def test_equal_urls_have_one_normal_form(url: str, normal: str) -> None:
    """Empty path and needless escapes do not tell URLs apart; a fragment does."""
    assert normalise_url(url) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/a", "https://example.org/a/"),
        ("https://example.org/a", "https://example.org/A"),
        ("https://example.org/a", "http://example.org/a"),
        ("https://example.org/?a", "https://example.org/?b"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
    ],
)
def test_what_servers_tell_apart_stays_apart(one: str, other: str) -> None:
    """Case of the path, a slash at the end, the scheme, the query and an escaped slash count."""
    assert normalise_url(one) != normalise_url(other)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.ORG", "example.org"),
        (" example.org ", "example.org"),
        ("https://www.example.org/about?x", "www.example.org"),
        ("example.org:8080", "example.org"),
        ("example.org/about", "example.org"),
        ("exämple.org", "xn--exmple-cua.org"),
        ("not a domain", None),
        ("ftp://example.org", None),
        ("me@example.org", None),
        ("", None),
    ],
)
def test_a_domain_is_a_host_in_lower_case(text: str, domain: str | None) -> None:
    """A provider's domain is a host in lower case, also from a whole URL, or none."""
    assert clean_domain(text) == domain


@pytest.mark.parametrize(
    "url", ["https://e.org/" + "x" * 7_987, "https://e.org/" + "é" * 1_332, "é" * 254 + ".org"]
)
def test_a_url_of_any_length_is_none(url: str) -> None:
    """One that no server takes is none, nor is one that grows so long by cleaning, or has too long a host."""
    url = url if ":" in url else f"https://{url}/"
    assert clean_url(url) is None


def test_a_url_of_8000_characters_is_one() -> None:
    """The bound itself passes."""
    url = "https://e.org/" + "x" * 7_986
    assert clean_url(url) == url
