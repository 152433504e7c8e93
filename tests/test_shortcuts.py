"""What is read in a shorter way, because of how it looks, is read as it is in the long one."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from feedsvc import text as texts
from feedsvc import urls
from feedsvc.articles import dates, front, parse
from feedsvc.articles.identity import address_of, addresses_of, identity_of

ANY_TEXT = st.text(st.characters(exclude_categories=[]))
BERLIN = ZoneInfo("Europe/Berlin")

REST = st.lists(
    st.sampled_from([*"ab/?#%:@&=+~!$,;'()*-_.[]|\\^ é\n\t", "%2f", "%41", "%zz", "//", ".."]), max_size=9
)
HOSTS = st.one_of(
    st.sampled_from(
        ["example.org", "EXAMPLE.org", "example.org:80", "a:443", "a:", "[::1]", "exämple.org", "a.", "a..b", ""]
    ),
    st.sampled_from(
        ["a@b", "_a-b.c", "127.0.0.1", "x" * 253, "x" * 254, ".".join("x" * 127), "a%20b", "ａ", " a ", "a\nb"]
    ),
    st.text("ab.-_:@%é[] ", max_size=8),
)
URLS = st.builds(
    lambda scheme, host, rest: f"{scheme}{host}{''.join(rest)}",
    st.sampled_from(
        ["http://", "https://", "https://", "HTTPS://", "https:/", "https:", "ftp://", "//", " https://", ""]
    ),
    HOSTS,
    REST,
)


def test_what_python_calls_printable_is_clean() -> None:
    """No printable character is one that clean text may not have, so text of such is not gone through."""
    printable = "".join(char for char in map(chr, range(sys.maxunicode + 1)) if char.isprintable())
    assert texts._FORBIDDEN.search(printable) is None


@given(st.one_of(ANY_TEXT, st.text(" ab\u3000\xa0\xad\u2028\n", max_size=9)))
def test_text_that_is_one_line_stays(text: str) -> None:
    """Text that is left as it is, but for space at its ends, is what taking it apart and joining it makes."""
    assert texts.one_line(text) == texts._joined(text)


@given(st.one_of(ANY_TEXT, URLS))
@example("https://example.org?")
@example("https://example.org/?#")
@example("https://example.org/#a#b")
@example("https://example.org/a\n")
def test_a_url_that_looks_clean_is_clean(text: str) -> None:
    """A URL that is passed as clean comes out of cleaning as it is."""
    assert urls.clean_url(text) == urls._cleaned(text)


@given(st.one_of(ANY_TEXT, URLS))
def test_a_url_that_looks_normal_is_normal(text: str) -> None:
    """A clean URL that is passed as normal comes out of the long way as it is."""
    url = urls._cleaned(text)
    if url is not None:
        assert urls.normalise_url(url) == urls._normalised(url)


@given(st.one_of(ANY_TEXT, HOSTS))
def test_a_domain_that_looks_clean_is_clean(text: str) -> None:
    """A domain that is passed as clean comes out of cleaning as it is."""
    assert urls.clean_domain(text) == urls._cleaned_domain(text)


@given(
    st.one_of(
        st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fullmatch=True),
        st.from_regex(r"[0-2]\d\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\dZ\n?"),
        st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}"),
    )
)
@example("2021-12-14T24:00:00Z")
@example("2021-12-14T23:59:60Z")
@example("0999-12-14T00:00:00Z")
def test_the_usual_date_is_read_like_any_other(text: str) -> None:
    """A date in the form that nearly all have is the same moment, or none, as by trying all forms."""
    assert dates.parse_date(text, BERLIN) == dates._any_date(text, BERLIN)


CLEAN_URLS = st.one_of(st.none(), URLS.map(urls.clean_url))


def address(name: str) -> str:
    """A name as an address, made in the long way: cleaned again, and taken apart."""
    url = urls._cleaned(name)
    identity = urls._normalised(url) if url else name
    return address_of(identity)


@given(st.one_of(st.just(""), ANY_TEXT, URLS), CLEAN_URLS, CLEAN_URLS)
@example("", "https://example.org/a%41/#b", "https://example.org/aA/#b")
@example("", None, "https://example.org")
@example("#", None, "https://example.org/")
def test_addresses_are_made_of_clean_urls_as_of_any(given_id: str, url: str | None, other: str | None) -> None:
    """That URLs are known to be clean changes neither identity nor addresses, nor their order."""
    identity = identity_of(given_id, url or other or "")
    assert identity == identity_of(given_id or url or other or "", "")
    names = [address(name) for name in (given_id, url, other) if name]
    assert addresses_of(identity, url, other) == tuple(dict.fromkeys(names))


@given(st.lists(st.sampled_from([*"a./", "yaml", ".yml", ".html", "HTML"]), max_size=6).map("".join))
@example(".html")
@example("a/.html")
@example("..html")
@example("a.html.txt")
def test_the_ending_of_a_path_decides(path: str) -> None:
    """The ending of the last name of a path tells how a body is read; a name that is an ending alone has none."""
    suffix = PurePosixPath(path).suffix.lower()
    matter = "---\ntitle: a\nwebUrl: https://e.org/\npublishedDateTime: 2021-12-14\n---\n"
    read = parse.parse(path, f"{matter}*b* <b>c</b>".encode(), BERLIN).article
    assert read is not None
    if not path.endswith(("/", "/.")):
        assert read.details.body == ("*b* <b>c</b>" if suffix == ".html" else "<p><em>b</em> <b>c</b></p>")
        read = parse.parse(path, matter.replace("---\n", "").encode(), BERLIN).article
        assert (read is not None) == (suffix in {".yaml", ".yml"})


LINES = st.lists(
    st.sampled_from(["---", "...", "--- ", "...\t", "---a", "....", " ---", "a", "", "---\r", "\r"]), max_size=6
)


@given(LINES.map("\n".join), st.booleans())
@example("---\n---", False)
@example("---", True)
def test_the_end_of_front_matter_is_the_first_line_that_is_one(text: str, plain_yaml: bool) -> None:
    """However the end of the front matter is looked for, it is the first line that can be it."""
    opening = front._MARKER.match(text)
    matter, body, _ = front.split(text, plain_yaml=plain_yaml)
    if opening:
        closing = front._END.search(text, opening.end())
        rest = text[opening.end() :]
        whole = rest if plain_yaml else None
        assert matter == (text[opening.end() : closing.start()] if closing else whole)
        assert body == (text[closing.end() :] if closing else "")
    else:
        assert (matter, body) == (text if plain_yaml else None, "")
