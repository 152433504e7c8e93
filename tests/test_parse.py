"""A file's text becomes an article, or the problems that stand against it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import SEEDS, front_matter

from feedsvc.articles.article import Article, Author, Coverage, Details, Image, Link, Problem, Provider, pack
from feedsvc.articles.parse import Parsed, parse
from feedsvc.articles.related import MAX_RELATED

ZONE = ZoneInfo("UTC")
FRONT_MATTER = "front matter between two lines ---"
URL = "an absolute http or https URL"
DATE = "a date such as 2021-12-14T00:50:00Z"
TEXT = "text of at most 20000 characters"


def read(text: str | bytes, path: str = "a.md", zone: ZoneInfo = ZONE) -> Parsed:
    """What becomes of a file of this text."""
    return parse(path, text.encode() if isinstance(text, str) else text, zone)


def article(**fields: object) -> Article:
    """The article of a file with these fields, without any problem."""
    parsed = read(front_matter(**fields))
    assert parsed.problems == ()
    assert parsed.article is not None
    return parsed.article


def warning(**fields: object) -> tuple[Article, Problem]:
    """The article of a file with these fields, and the one field that was left out."""
    parsed = read(front_matter(**fields))
    (problem,) = parsed.problems
    assert parsed.article is not None
    assert not problem.fatal
    return parsed.article, problem


def failure(text: str | bytes, path: str = "a.md") -> Problem:
    """Why a file of this text cannot be used."""
    parsed = read(text, path)
    assert parsed.article is None
    (problem,) = parsed.problems
    assert problem.fatal
    return problem


def line_of(name: str, **fields: object) -> int:
    """Where a field stands in a file with these fields."""
    lines = front_matter(**fields).split("\n")
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"{name}:"))


# --- the whole


def test_a_file_becomes_an_article() -> None:
    """Every field that is known has its place in the article."""
    text = front_matter(
        updatedDateTime="2021-12-15",
        originalUrl="https://example.org/original",
        type="article",
        category="news",
        quality="74",
        heat="-1.5",
        removed="no",
        deleted="off",
        images="[{url: 'https://example.org/i.png', width: 450, height: 300}]",
        related="[{title: Other, webUrl: 'https://example.org/b'}]",
        ampWebUrl="https://example.org/amp",
        secured="nobody sees this",
    )
    assert read(f"{text}*Body*\n", "sub/a.md") == Parsed(
        Article(
            path="sub/a.md",
            identity="https://example.org/original",
            title="A title",
            url="https://example.org/a",
            published_at=datetime(2021, 12, 14, 0, 50, tzinfo=UTC),
            updated_at=datetime(2021, 12, 15, tzinfo=UTC),
            type="article",
            category="news",
            quality=74.0,
            heat=-1.5,
            published=True,
            provider=Provider("Example", "example.org"),
            topics=("AI",),
            aliases="//example.org/a\n//example.org/amp",
            packed=pack(
                Details(
                    excerpt="An excerpt.",
                    body="<p><em>Body</em></p>",
                    images=(Image("https://example.org/i.png", 450, 300),),
                    related=(Coverage(("//example.org/b",), Link("https://example.org/b", "Other")),),
                    amp_url="https://example.org/amp",
                )
            ),
        ),
        (),
    )


def test_title_date_and_url_are_enough() -> None:
    """A title, a date and a URL are enough; everything else may be missing."""
    text = "---\ntitle: T\npublishedDateTime: 2021-12-14\nwebUrl: https://example.org/a\n---\n"
    parsed = read(text)
    moment = datetime(2021, 12, 14, tzinfo=UTC)
    url = "https://example.org/a"
    assert parsed == Parsed(
        Article(path="a.md", identity=url, title="T", url=url, published_at=moment),
        (),
    )
    assert parsed.article is not None
    assert parsed.article.published is None


@pytest.mark.parametrize("path", sorted(SEEDS.iterdir()), ids=lambda path: path.name)
def test_the_seeds_are_articles_without_a_problem(path: object) -> None:
    """Every seed is an article, and nothing about it is a problem."""
    content = (SEEDS / str(path)).read_bytes()
    parsed = parse("seed.txt", content, ZONE)
    assert parsed.article is not None
    assert parsed.problems == ()
    assert parsed.article.topics
    assert parsed.article.provider is not None


# --- the file


@pytest.mark.parametrize(
    ("content", "line", "field", "found", "expected"),
    [
        (b"", None, None, "an empty file", FRONT_MATTER),
        (b" \n\t\r\n", None, None, "an empty file", FRONT_MATTER),
        (b"\xef\xbb\xbf", None, None, "an empty file", FRONT_MATTER),
        (b"Just text\n", 1, None, "no front matter", FRONT_MATTER),
        (b"title: x\n---\n", 1, None, "no front matter", FRONT_MATTER),
        (b"----\ntitle: x\n----\n", 1, None, "no front matter", FRONT_MATTER),
        (b"---\ntitle: x\n", 1, None, "no line --- that ends the front matter", FRONT_MATTER),
        (b"---", 1, None, "no line --- that ends the front matter", FRONT_MATTER),
        (b"---\n- a\n---\n", 2, "front matter", "a list", "fields such as `title: …`"),
        (b"---\ntext\n---\n", 2, "front matter", '"text"', "fields such as `title: …`"),
        (b"---\n---\n", 2, "front matter", "nothing", "fields such as `title: …`"),
        ("---\ntitle: Caf\u00e9\n".encode("latin-1"), 2, None, "the byte 0xe9", "text in UTF-8"),
        ("---\na: b\n---\n\nCaf\u00e9\n".encode("latin-1"), 5, None, "the byte 0xe9", "text in UTF-8"),
        (b"\xef\xbb\xbf---\ntitle: Caf\n\xe9\n", 3, None, "the byte 0xe9", "text in UTF-8"),
        ("---\ntitle: x\n---\n".encode("utf-16"), 1, None, "the byte 0xff", "text in UTF-8"),
        (
            b"---\ntitle: x\nb: c: d\n---\n",
            3,
            "front matter",
            "a colon and a blank in a value",
            "quotes around it",
        ),
        (b"---\ntitle: x\n\ttopics: []\n---\n", 3, "front matter", "a tab in front of a value", "blanks"),
        (b"---\ntitle: @x\n---\n", 2, "front matter", None, "quotes around it"),
        (
            b"---\ntitle: x\n topics: y\n---\n",
            3,
            "front matter",
            "a colon and a blank in a value",
            "quotes around it",
        ),
        (b"---\na: [b\n---\n", 3, "front matter", "another indentation or punctuation", "',' or ']'"),
        (b"---\na: &a [*a]\n---\n", 2, "front matter", "the alias *a inside what it stands for", "no circle"),
        (b"---\na: *b\n---\n", 2, "front matter", "the alias *b", "an anchor &b before it"),
        (
            b"---\na: 1\nb: !!python/object/apply:os.system [ls]\n---\n",
            3,
            "front matter",
            "the tag tag:yaml.org,2002:python/object/apply:os.system",
            "plain YAML without tags",
        ),
        (b'---\na: "\\ud800"\n---\n', 2, "front matter", None, "YAML"),
        (b"---\na: " + b"[" * 33 + b"\n---\n", 2, "front matter", "more than 32 levels", "fewer"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    content: bytes, line: int | None, field: str | None, found: str | None, expected: str
) -> None:
    """A file that cannot be used has one problem: path, line, field, what was found and what was expected."""
    problem = failure(content, "sub/b.md")
    assert problem == Problem("sub/b.md", line, field, found or problem.found, expected)


def test_a_billion_laughs_are_a_problem() -> None:
    """A file whose aliases multiply is a problem, and costs nothing."""
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    problem = failure("---\n" + "\n".join(lines) + "\n---\n")
    assert problem.line is not None
    assert problem.found == "more than 100000 values, aliases counted"


def test_a_problem_is_one_line_of_text() -> None:
    """A problem as text says place, field, found and expected, on one line."""
    assert str(Problem("a.md", 3, "title", "nothing", "text")) == "a.md:3: title: found nothing, expected text"
    assert str(Problem("a.md", None, None, "x", "y")) == "a.md: the file: found x, expected y"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("---\n", "--- \t\n"),
        lambda text: text[:-4] + "...\n",
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace("A title", "A\x00 ti\x07tle"),
        lambda text: text.replace("title:", '"title":'),
    ],
    ids=[
        "CRLF",
        "BOM",
        "space after the markers",
        "three dots",
        "no last line end",
        "control characters",
        "quoted key",
    ],
)
def test_how_it_was_saved_does_not_matter(change: object) -> None:
    """Line ends, a byte order mark, space after a marker and control characters change nothing."""
    assert callable(change)
    assert read(change(front_matter())) == read(front_matter())


def test_lines_are_those_of_the_file_also_with_crlf() -> None:
    """A line number is the file's, whatever its line ends."""
    text = front_matter(quality="high")
    (problem,) = read(text.replace("\n", "\r\n")).problems
    assert problem.line == line_of("quality", quality="high")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("a.md", "<p><em>b</em></p>"),
        ("a.markdown", "<p><em>b</em></p>"),
        ("a.txt", "<p><em>b</em></p>"),
        ("a.MD", "<p><em>b</em></p>"),
        ("a.yaml", "<p><em>b</em></p>"),
        ("a.html", "*b*"),
        ("x.md/a.HTML", "*b*"),
    ],
)
def test_the_ending_says_how_the_body_is_read(path: str, body: str) -> None:
    """A body is Markdown, and HTML in a file that ends so."""
    parsed = read(front_matter() + "\n*b*\n", path)
    assert parsed.article is not None
    assert parsed.article.details.body == body


def test_links_of_the_body_are_resolved_against_the_article() -> None:
    """A relative link leads to where it would on the article's own page."""
    parsed = read(front_matter(webUrl="https://example.org/news/a") + "[b](b)")
    assert parsed.article is not None
    assert 'href="https://example.org/news/b"' in parsed.article.details.body


@pytest.mark.parametrize("path", ["a.yaml", "a.yml", "a.YAML"])
@pytest.mark.parametrize("ends", ["both", "none", "first", "last"])
def test_a_yaml_file_needs_no_markers(path: str, ends: str) -> None:
    """A file that ends in .yaml or .yml is front matter as a whole, with or without lines ---."""
    inner = front_matter().removeprefix("---\n").removesuffix("---\n")
    text = {"both": f"---\n{inner}---\n", "none": inner, "first": f"---\n{inner}", "last": f"{inner}...\n"}[ends]
    assert read(text, path) == Parsed(replace(article(), path=path), ())


@pytest.mark.parametrize(("markers", "line"), [("", 1), ("---\n", 2)])
def test_lines_of_a_yaml_file_are_the_file_s(markers: str, line: int) -> None:
    """Line numbers count from the file's first line, with and without markers."""
    (problem,) = read(
        f"{markers}published: treu\ntitle: T\nwebUrl: https://a.org\npublishedDateTime: 2021-12-14\n", "a.yaml"
    ).problems[:1]
    assert (problem.field, problem.line) == ("published", line)


def test_a_second_document_in_a_yaml_file_is_a_problem() -> None:
    """Two documents in a file without opening marker are a problem."""
    assert failure("title: x\n---\ntitle: y\n", "a.yaml").found == "a second document"


# --- fields


@pytest.mark.parametrize("name", ["title", "webUrl", "publishedDateTime"])
@pytest.mark.parametrize("value", [None, "null", "''", "'  '", "[a]", "{a: b}", '" \\x00"'])
def test_without_title_date_or_url_there_is_no_article(name: str, value: str | None) -> None:
    """A file without title, date or URL is one problem, which names the field."""
    parsed = read(front_matter(**{name: value}))
    (problem,) = parsed.problems
    assert (parsed.article, problem.fatal, problem.field) == (None, True, name)
    assert problem.expected == {"title": TEXT, "webUrl": URL, "publishedDateTime": DATE}[name]
    assert problem.line == (line_of(name, **{name: value}) if value is not None else 1)


def test_everything_that_is_missing_is_named_in_one_go() -> None:
    """All that is missing or wrong is named in one go."""
    parsed = read("---\npublished: treu\nremoved: 2\n---\n")
    assert parsed.article is None
    assert {each.field for each in parsed.problems if each.fatal} == {
        "title", "webUrl", "publishedDateTime", "published", "removed",
    }  # fmt: skip


def test_a_title_is_one_clean_line() -> None:
    """A title is text on one line, whatever it looks like to YAML."""
    assert article(title="1.10").title == "1.10"
    assert article(title="|\n  a\n   b\n").title == "a b"
    assert article(title='"a\\u0007\\tb\\u00a0 c"').title == "a b c"


def test_an_excerpt_has_no_character_references() -> None:
    """References that an export left in an excerpt become characters."""
    assert article(excerpt="It&#8217;s &amp; that").details.excerpt == "It’s & that"


@pytest.mark.parametrize(
    ("fields", "url", "identity"),
    [
        ({"webUrl": "https://e.org/w"}, "https://e.org/w", "https://e.org/w"),
        ({"webUrl": None, "originalUrl": "https://e.org/o"}, "https://e.org/o", "https://e.org/o"),
        ({"webUrl": "https://e.org/w", "originalUrl": "https://e.org/o"}, "https://e.org/w", "https://e.org/o"),
        ({"webUrl": "https://e.org/w", "originalUrl": "https://e.org/o", "id": "7"}, "https://e.org/w", "7"),
        ({"webUrl": "https://e.org/w", "id": "HTTPS://E.org:443"}, "https://e.org/w", "https://e.org/"),
        ({"webUrl": "https://e.org/%7ew#a"}, "https://e.org/%7ew#a", "https://e.org/~w#a"),
        ({"webUrl": "https://e.org/w", "id": "' '"}, "https://e.org/w", "https://e.org/w"),
        ({"webUrl": "https://e.org/w", "id": "' a  b '"}, "https://e.org/w", "a b"),
    ],
)
def test_the_identity_is_id_then_original_then_web_url(fields: dict[str, object], url: str, identity: str) -> None:
    """The identity is `id`, else `originalUrl`, else `webUrl`,
    normalised; the link is `webUrl` where there is one.
    """
    found = article(**fields)
    assert (found.url, found.identity) == (url, identity)
    assert found.id == f"urn:uuid:{uuid5(NAMESPACE_URL, identity)}"


def test_an_id_is_the_same_for_ever() -> None:
    """The id of an article is this very one, on every machine and in every version."""
    assert article(webUrl="https://example.org/a").id == "urn:uuid:77980eae-c343-5b01-9823-eb6ac1da021f"


def test_an_id_depends_on_the_identity_alone() -> None:
    """Path, title, date and body do not enter the id."""
    text = front_matter(title="Other", publishedDateTime="2020-01-01", provider=None)
    other = read(f"{text}body", "z/y.html").article
    assert other is not None
    assert other.id == article().id


def test_a_wrong_web_url_leaves_the_original() -> None:
    """A URL that cannot be used is a problem of the field where another one can."""
    found, problem = warning(webUrl="/a", originalUrl="https://example.org/o")
    line = line_of("webUrl")
    assert found.url == "https://example.org/o"
    assert problem == Problem("a.md", line, "webUrl", '"/a"', URL, fatal=False)


def test_two_wrong_urls_are_fatal() -> None:
    """Where neither URL can be used, the file cannot be, and both are named."""
    parsed = read(front_matter(webUrl="ftp://a.org", originalUrl="b"))
    assert parsed.article is None
    assert {(each.field, each.found) for each in parsed.problems} == {
        ("webUrl", '"ftp://a.org"'),
        ("originalUrl", '"b"'),
    }
    assert any(each.fatal for each in parsed.problems)


def test_a_date_without_a_zone_is_taken_in_the_configured_zone() -> None:
    """A date without a zone is taken in the configured zone, one with an offset as written."""
    zone = ZoneInfo("Asia/Tokyo")
    for written, moment in (
        ("2021-12-14 09:00", "2021-12-14T00:00:00Z"),
        ("2021-12-14T09:00Z", "2021-12-14T09:00:00Z"),
    ):
        parsed = read(front_matter(publishedDateTime=written), zone=zone)
        assert parsed.article is not None
        assert parsed.article.published_at == datetime.fromisoformat(moment)


def test_the_updated_date_stands_in_for_the_published_one() -> None:
    """Where only `updatedDateTime` can be used, it is the article's date."""
    assert article(publishedDateTime=None, updatedDateTime="2021-12-15").published_at.day == 15
    found, problem = warning(publishedDateTime="soon", updatedDateTime="2021-12-15")
    assert found.published_at.day == 15
    assert problem == Problem(
        "a.md", line_of("publishedDateTime"), "publishedDateTime", '"soon"', DATE, fatal=False
    )


def test_a_wrong_updated_date_is_left_out() -> None:
    """A wrong `updatedDateTime` is a problem of the field alone."""
    found, problem = warning(updatedDateTime="later")
    assert (found.updated_at, problem.field, problem.found) == (None, "updatedDateTime", '"later"')


@pytest.mark.parametrize("name", ["published", "removed", "deleted"])
@pytest.mark.parametrize(
    ("written", "flag"),
    [("true", True), ("True", True), ("yes", True), ("on", True), ("'true'", True), (" YES ", True), ("null",
    None),
     ("false", False), ("no", False), ("off", False), (None, None)],
)  # fmt: skip
def test_a_flag_is_true_or_false(name: str, written: str | None, flag: bool | None) -> None:
    """True, yes and on are true, their opposites false; nothing is not said."""
    found = article(**{name: written})
    assert getattr(found, name) is (flag if name == "published" else bool(flag))


@pytest.mark.parametrize("name", ["published", "removed", "deleted"])
@pytest.mark.parametrize("written", ["treu", "1", "''", "[true]", "{a: b}"])
def test_a_flag_that_is_neither_is_fatal(name: str, written: str) -> None:
    """A flag that is neither true nor false is fatal: to guess could publish what is to be held back."""
    problem = failure(front_matter(**{name: written}))
    assert (problem.field, problem.expected) == (name, "true or false")
    assert problem.line == line_of(name, **{name: written})


@pytest.mark.parametrize("name", ["quality", "heat"])
@pytest.mark.parametrize(
    ("written", "number"), [("74", 74.0), ("-1", -1.0), ("1e2", 100.0), ("' 3.5 '", 3.5), ("null", None)]
)
def test_a_number_is_finite(name: str, written: str, number: float | None) -> None:
    """Quality and heat are numbers."""
    assert getattr(article(**{name: written}), name) == number


@pytest.mark.parametrize("name", ["quality", "heat"])
@pytest.mark.parametrize("written", ["high", "nan", "inf", "1e999", "[1]", "'1,5'"])
def test_what_is_no_number_is_left_out(name: str, written: str) -> None:
    """What is no finite number is left out and named."""
    found, problem = warning(**{name: written})
    assert getattr(found, name) is None
    assert (problem.field, problem.expected, problem.line) == (name, "a number", line_of(name, **{name: written}))


@pytest.mark.parametrize("name", ["excerpt", "type", "category", "id"])
def test_a_text_that_is_none_is_left_out(name: str) -> None:
    """A list in place of a text is left out and named."""
    _, problem = warning(**{name: "[a]"})
    assert (problem.field, problem.found, problem.expected) == (name, "a list", "text")


@pytest.mark.parametrize(
    ("written", "topics"),
    [
        ("[AI, Chips]", ("AI", "Chips")),
        ("AI Hardware", ("AI Hardware",)),
        ("'AI, Chips'", ("AI, Chips",)),
        ("[AI, ai, ' AI ', Ai]", ("AI",)),
        ("['  AI   Hardware ']", ("AI Hardware",)),
        ("[2021, 1.10, no]", ("2021", "1.10", "no")),
        ("[C++, C#]", ("C++", "C#")),
        ("[null, '', ' ', AI]", ("AI",)),
        ("[]", ()),
        ("null", ()),
        ("''", ()),
        (None, ()),
        ("\n  - AI\n  - B", ("AI", "B")),
    ],
)
def test_topics_are_a_list_of_names(written: str | None, topics: tuple[str, ...]) -> None:
    """Topics are a list or a single name; space around and repeats do not count, numbers are names."""
    assert article(topics=written).topics == topics


def test_a_topic_that_is_no_name_is_left_out() -> None:
    """An item that is no name is left out, by its place in the list and its line."""
    written = "\n  - AI\n  - [B]\n  - C"
    found, problem = warning(topics=written)
    assert found.topics == ("AI", "C")
    line = line_of("topics", topics=written) + 2
    assert problem == Problem("a.md", line, "topics[1]", "a list", "a topic's name", fatal=False)


@pytest.mark.parametrize(
    ("written", "provider"),
    [
        ("Example", Provider("Example")),
        ("{name: Example}", Provider("Example")),
        ("{domain: Example.ORG}", Provider("example.org", "example.org")),
        ("{name: ' A  B ', domain: 'https://b.org/x'}", Provider("A B", "b.org")),
        ("{name: A, authors: Jo}", Provider("A", "", (Author("Jo"),))),
        (
            "{name: A, authors: [Jo, {name: Al}, Jo, null, '', {}]}",
            Provider("A", "", (Author("Jo"), Author("Al"))),
        ),
        ("{}", None),
        ("''", None),
        ("null", None),
        (None, None),
    ],
)
def test_a_provider_is_a_name_or_a_mapping(written: str | None, provider: Provider | None) -> None:
    """A provider is a name alone, or a mapping with name, domain and authors."""
    assert article(provider=written).provider == provider


@pytest.mark.parametrize(
    ("written", "field", "found", "expected"),
    [
        ("[a]", "provider", "a list", "a mapping with name and domain"),
        ("{name: A, domain: 'not one'}", "provider.domain", '"not one"', "a domain"),
        ("{name: [A], domain: a.org}", "provider.name", "a list", "text"),
        ("{name: A, authors: [[B]]}", "provider.authors[0]", "a list", "a name, or a mapping with name"),
        ("{name: A, authors: [{name: [B]}]}", "provider.authors[0].name", "a list", "text"),
    ],
)
def test_what_is_wrong_in_a_provider_is_left_out(written: str, field: str, found: str, expected: str) -> None:
    """What is wrong in a provider is left out by its whole name, and the article goes on."""
    _, problem = warning(provider=written)
    assert problem == Problem("a.md", line_of("provider"), field, found, expected, fatal=False)


def test_providers_differ_by_name_and_domain() -> None:
    """Case and space of a name do not tell providers apart, the domain does."""
    assert Provider("The  A", "a.org").key == Provider("the a", "a.org").key
    assert Provider("A", "a.org").key != Provider("A", "b.org").key


@pytest.mark.parametrize(
    ("written", "images"),
    [
        ("https://e.org/a.png", (Image("https://e.org/a.png"),)),
        ("['https://e.org/a b.png']", (Image("https://e.org/a%20b.png"),)),
        ("{url: 'https://e.org/a', width: '450'}", (Image("https://e.org/a", 450),)),
        ("[{url: 'https://e.org/a'}, {width: 1}, null]", (Image("https://e.org/a"),)),
        ("[]", ()),
    ],
)
def test_images_are_urls_or_mappings(written: str, images: tuple[Image, ...]) -> None:
    """An image is a URL, or a mapping with url, width and height; one without URL is none."""
    assert article(images=written).details.images == images


@pytest.mark.parametrize(
    ("written", "field", "expected"),
    [
        ("[a.png]", "images[0]", URL),
        ("[{url: a.png}]", "images[0].url", URL),
        ("[[a]]", "images[0]", "a mapping with url, width and height"),
        *(
            (f"[{{url: 'https://e.org/a', width: {size}}}]", "images[0].width", "a number of pixels")
            for size in ("0", "-1", "1.5", "450px", "100000", "[1]")
        ),
    ],
)
def test_what_is_wrong_in_an_image_is_left_out(written: str, field: str, expected: str) -> None:
    """A wrong image or size is left out and named."""
    _, problem = warning(images=written)
    assert (problem.field, problem.expected) == (field, expected)
    assert problem.line == line_of("images", images=written)


def test_related_articles_are_at_most_ten_others() -> None:
    """Related articles have a link and a title; repeats and the article itself do not count; ten are kept."""
    urls = ["https://example.org/a", "https://e.org/0", *(f"https://e.org/{number}" for number in range(19))]
    links = article(
        related="[" + ", ".join(f"{{webUrl: '{url}', title: T}}" for url in urls) + "]"
    ).details.related
    assert MAX_RELATED == 10
    assert [each.link for each in links] == [Link(f"https://e.org/{number}", "T") for number in range(10)]


def test_a_related_article_may_lack_a_title_or_web_url() -> None:
    """A related article has its URL for a title where it has none; without any URL it is none."""
    links = article(related="[{originalUrl: 'https://e.org/o'}, {title: nowhere}]").details.related
    assert links == (Coverage(("//e.org/o",), Link("https://e.org/o", "https://e.org/o")),)


@pytest.mark.parametrize(
    ("written", "field", "expected"),
    [
        ("[a]", "related[0]", "a mapping with title and webUrl"),
        ("[{webUrl: a}]", "related[0].webUrl", URL),
        ("[{webUrl: 'https://e.org/b', title: [a]}]", "related[0].title", "text"),
    ],
)
def test_what_is_wrong_in_related_is_left_out(written: str, field: str, expected: str) -> None:
    """A wrong related article is left out and named."""
    _, problem = warning(related=written)
    assert (problem.field, problem.expected) == (field, expected)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("type: a\ntype: b", "type"),
        ("provider: {name: A, name: B}", "provider.name"),
        ("images: [{url: 'https://e.org/a', width: 1, width: 2}]", "images[0].width"),
    ],
)
def test_a_field_given_twice_counts_the_last_time(text: str, field: str) -> None:
    """A field given twice counts the last time and is named by its whole name."""
    front = front_matter(provider=None).removesuffix("---\n")
    parsed = read(f"{front}{text}\n---\n")
    assert parsed.article is not None
    (problem,) = parsed.problems
    assert (problem.field, problem.found) == (field, "the field a second time")
    assert not problem.fatal
    assert parsed.article.type in {"", "b"}


def test_merged_fields_count() -> None:
    """What a merge key fills in counts like what is written in place."""
    merged = "{<<: {name: A, domain: a.org}, name: B}"
    assert article(provider=merged).provider == Provider("B", "a.org")


def test_a_message_is_one_line_whatever_the_file_says() -> None:
    """Names and values of the file come into messages without line breaks and cut short."""
    parsed = read(front_matter(quality='"a\\nb' + "c" * 200 + '"'))
    assert all(str(each).isprintable() and len(str(each)) < 200 for each in parsed.problems)
    parsed = read('---\n"a\\nb": 1\n"a\\nb": 2\n---\n')
    assert all(str(each).isprintable() for each in parsed.problems)


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"---\n", b"---\r\n", b"title: ", b"webUrl: https://a.org/\n",
                b"publishedDateTime: 2021-12-14\n", b"\n",
                b"published: ", b"topics: ", b"[", b"]", b"{", b"}", b"- ", b": ", b"&a ", b"*a", b"<<: ",
                b"!!str ",
                b"provider:\n  name: ", b"images: ", b"related: ", b'"', b"\\ud800", b"\xff", b"\xef\xbb\xbf",
                b"\x00",
                b"updatedDateTime: ", b"quality: ", b"id: ", b"title: t\n", b"<b>", b"https://a.org/",
                b"authors: ",
            ]
        ),
        st.binary(max_size=6),
    ),
    max_size=30,
)  # fmt: skip


@given(
    st.one_of(st.binary(), FRAGMENTS.map(b"".join)), st.sampled_from(["a.md", "a.html", "a.yaml", "a\udcff.txt"])
)
@example(front_matter().encode(), "a.md")
@example(front_matter(id='"\\x00"').encode(), "a.md")
def test_any_bytes_are_an_article_or_a_fatal_problem(content: bytes, path: str) -> None:
    """Any bytes are an article without a fatal problem, or none with one; nothing is raised."""
    parsed = parse(path, content, ZONE)
    assert (parsed.article is None) == any(each.fatal for each in parsed.problems)
    assert all(each.path == path and each.found and each.expected for each in parsed.problems)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["name", "url", "webUrl"]), inner)
    ),
    max_leaves=6,
)
NAMES = [
    "title",
    "webUrl",
    "provider",
    "topics",
    "images",
    "related",
    "quality",
    "published",
    "id",
    "updatedDateTime",
]


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_value_in_any_field_is_an_article_or_a_fatal_problem(fields: dict[str, object]) -> None:
    """Whatever a field holds, the file is an article without a fatal problem, or none with one."""
    parsed = read(front_matter(**{name: json.dumps(value) for name, value in fields.items()}))
    assert (parsed.article is None) == any(each.fatal for each in parsed.problems)


def test_a_body_that_cannot_be_cleaned_is_left_out() -> None:
    """An article whose body is refused goes on with its excerpt, and the body is named as the problem."""
    parsed = parse("a.html", (front_matter() + "<div>" * 20_001).encode(), ZONE)
    assert parsed.article
    assert parsed.article.details.body == ""
    assert [str(problem) for problem in parsed.problems] == [
        "a.html: body: found more than 20000 tags, expected fewer"
    ]


def test_one_file_does_not_fill_the_list_of_problems() -> None:
    """Of very many problems, those that make the file unusable and the first of the others are named."""
    content = front_matter(topics=f"[{'[],' * 5000}]", title=None).encode()
    parsed = parse("a.md", content, ZONE)
    assert parsed.article is None
    assert len(parsed.problems) == 101
    assert parsed.problems[0].field == "title"
    assert parsed.problems[-1].found == "5001 problems"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"topics": f"[AI, {'x' * 201}]"}, "topics[1]"),
        ({"provider": "x" * 201}, "provider"),
        ({"provider": f"{{name: {'x' * 201}}}"}, "provider.name"),
        ({"provider": f"{{name: A, authors: [{'x' * 201}]}}"}, "provider.authors[0]"),
        ({"provider": f"{{name: A, authors: [{{name: {'x' * 201}}}]}}"}, "provider.authors[0].name"),
        ({"related": f"[{{webUrl: 'https://e.org', provider: {'x' * 201}}}]"}, "related[0].provider"),
    ],
)
def test_a_name_has_a_bounded_length(fields: dict[str, object], field: str) -> None:
    """Names stand in every entry and in the list of feeds: one that is no name is left out, and that is named."""
    parsed, problem = warning(**fields)
    assert (problem.field, problem.found) == (field, "201 characters")
    assert "x" * 201 not in repr(parsed)


def test_a_name_of_200_characters_is_one() -> None:
    """The bound itself passes."""
    assert article(topics=f"[{'x' * 200}]").topics == ("x" * 200,)


def test_a_file_has_a_bounded_number_of_topics() -> None:
    """Each topic is a feed of its own: beyond 50 they are left out, and that is named."""
    content = front_matter(topics=f"[{', '.join(f't{number}' for number in range(1000))}, t1]").encode()
    parsed = parse("a.md", content, ZONE)
    assert parsed.article
    assert parsed.article.topics == tuple(f"t{number}" for number in range(50))
    (problem,) = parsed.problems
    assert (problem.field, problem.found, problem.expected) == ("topics", "more than 50 topics", "at most 50")


@pytest.mark.parametrize("name", ["published", "heat", "publishedDateTime"])
def test_a_secret_that_ran_into_another_field_is_not_shown(name: str) -> None:
    """Where a line lost its colon, its text belongs to the field before: no message shows a secret with it."""
    content = front_matter(**{name: "true\n  secured TOPSECRET"}).encode()
    problems = parse("a.md", content, ZONE).problems
    assert [problem.field for problem in problems] == [name]
    assert "TOPSECRET" not in str(problems)


def test_a_very_long_markdown_body_is_left_out() -> None:
    """Markdown costs time even where it comes to nothing: beyond 200,000 characters it is refused."""
    parsed = parse("a.md", (front_matter() + "[" * 200_001).encode(), ZONE)
    assert parsed.article
    assert [problem.field for problem in parsed.problems] == ["body"]


def test_related_articles_are_the_best_of_each() -> None:
    """Related coverage names each article once, the best first, with its provider; without quality comes last."""
    links = article(
        related="[{webUrl: 'https://e.org/1', quality: 5, provider: {name: One}}, {webUrl: 'https://e.org/2'},"
        " {webUrl: 'https://e.org/3', quality: 50, provider: Three}, {webUrl: 'https://E.org:443/1', quality: 4},"
        " {webUrl: 'http://e.org/3/#top', quality: 9}, {webUrl: 'https://example.org/a'},"
        " {id: 'https://e.org/2', webUrl: 'https://e.org/4'}]"
    ).details.related
    assert tuple(each.link for each in links) == (
        Link("https://e.org/3", "https://e.org/3", "Three"),
        Link("https://e.org/1", "https://e.org/1", "One"),
        Link("https://e.org/2", "https://e.org/2"),
    )


@pytest.mark.parametrize(
    ("embedded", "page"),
    [
        ("https://www.youtube.com/embed/uAQa-Zg3yGk?x=1", "https://www.youtube.com/watch?v=uAQa-Zg3yGk"),
        ("https://www.youtube-nocookie.com/embed/a_b", "https://www.youtube.com/watch?v=a_b"),
        ("https://player.vimeo.com/video/123", "https://vimeo.com/123"),
        ("https://example.org/player?a=1&amp;b=2", "https://example.org/player?a=1&b=2"),
        ("https://www.youtube.com/embed/videoseries?list=x", "https://www.youtube.com/embed/videoseries?list=x"),
        (
            "https://www.youtube.com/embed/live_stream?channel=x",
            "https://www.youtube.com/embed/live_stream?channel=x",
        ),
        ("//www.youtube.com/embed/a", "https://www.youtube.com/watch?v=a"),
        ("javascript:alert(1)", None),
    ],
)
def test_what_is_embedded_is_known_by_its_page(embedded: str, page: str | None) -> None:
    """Of an embedded player, the page is known where it is watched; what is no web address is nothing."""
    assert article(featuredContent=f'\'<iframe width="8" src="{embedded}"></iframe>\'').details.featured == page
    assert article(featuredContent="<b>text</b>").details.featured is None


@pytest.mark.parametrize(
    "written",
    [
        "<iframe src=https://e.org/a></iframe>",
        "<IFRAME title=\"a > b\" SRC = 'https://e.org/a' allowfullscreen>",
        "<!-- <iframe src='https://e.org/no'></iframe> --><iframe src='https://e.org/a'>",
        "<iframe srcdoc='<iframe src=https://e.org/no>' src='https://e.org/a'></iframe><iframe src='https://e.org/b'>",
    ],
)
def test_the_first_player_is_found_as_a_browser_would(written: str) -> None:
    """However it is written, what counts is the first frame that a browser would load."""
    assert article(featuredContent=json.dumps(written)).details.featured == "https://e.org/a"


def test_a_player_that_would_take_too_long_is_left_out() -> None:
    """Markup that costs without end, of one tag or of many, is a problem of its field, and soon over."""
    assert article(featuredContent=json.dumps("<iframe " * 20_000)).details.featured is None
    read_as, problem = warning(featuredContent=json.dumps("<i><iframe>" * 30_000))
    assert read_as.details.featured is None
    assert (problem.field, problem.expected) == ("featuredContent", "fewer")


def test_the_amp_form_is_a_web_address() -> None:
    """An article may have a page in the AMP form; what is no web address is left out and named."""
    assert article(ampWebUrl="https://e.org/amp").details.amp_url == "https://e.org/amp"
    _, problem = warning(ampWebUrl="amp")
    assert (problem.field, problem.expected) == ("ampWebUrl", URL)


@pytest.mark.parametrize("length", ["PT7M32S", "P1DT2H", "PT1.5S", "P3D"])
def test_a_length_is_an_iso_duration(length: str) -> None:
    """A length is kept as it is written."""
    assert article(length=length).details.length == length


@pytest.mark.parametrize("length", ["7 minutes", "P", "PT", "7"])
def test_what_is_no_duration_is_left_out(length: str) -> None:
    """A length that no program reads is left out and named."""
    parsed, problem = warning(length=f"'{length}'")
    assert parsed.details.length == ""
    assert (problem.field, problem.expected) == ("length", "such as PT7M32S")


@pytest.mark.parametrize("number", ["1" * 5_000, "0" * 5_000 + "65", "x" + "0" * 5_000 + "41"])
@pytest.mark.parametrize("place", ["excerpt", "body"])
def test_a_character_reference_of_any_length_is_read(number: str, place: str) -> None:
    """No reference has so many digits that the file could not be read: a browser reads it too, as it can."""
    written = f"&#{number};"
    file = front_matter(excerpt=f"'{written}'") if place == "excerpt" else front_matter() + written
    parsed = read(file)
    assert parsed.article
    if place == "excerpt":
        assert parsed.article.details.excerpt == ("\ufffd" if number[0] == "1" else "A")


@pytest.mark.parametrize("field", ["title", "excerpt", "type", "id"])
def test_a_text_has_a_bounded_length(field: str) -> None:
    """It stands in every format of every feed of the article: one that nobody shows is left out and named."""
    problem = next(iter(read(front_matter(**{field: "x" * 20_001})).problems))
    assert (problem.field, problem.expected) == (field, TEXT)
    assert not read(front_matter(**{field: "x" * 20_000})).problems
