"""Bodies: Markdown or HTML in, clean HTML with absolute links out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import nh3
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html

from feedsvc.articles.markup import MarkupError, render_body
from feedsvc.articles.tags import affordable
from feedsvc.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "https://example.org/news/a"


def elements(rendered: str) -> Iterator[html.HtmlElement]:
    """Every element of a rendered body, as an independent parser sees it."""
    for fragment in html.fragments_fromstring(rendered):
        if isinstance(fragment, html.HtmlElement):
            yield from fragment.iter()


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("Hello *world*", "<p>Hello <em>world</em></p>"),
        ("# A\n\n- b\n- c", "<h1>A</h1>\n<ul>\n<li>b</li>\n<li>c</li>\n</ul>"),
        ("~~a~~", "<p><s>a</s></p>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
        ("a <b>c</b>", "<p>a <b>c</b></p>"),
        ("AT&T", "<p>AT&amp;T</p>"),
        ("a\r\n\r\nb", "<p>a</p>\n<p>b</p>"),
        ("[a](b)", '<p><a href="https://example.org/news/b">a</a></p>'),
        ("![a](/b.png)", '<p><img src="https://example.org/b.png" alt="a"></p>'),
        ("<me@example.org>", '<p><a href="mailto:me@example.org">me@example.org</a></p>'),
    ],
)
def test_markdown_becomes_html(source: str, rendered: str) -> None:
    """Markdown becomes HTML, with links resolved against the article's URL."""
    assert render_body(source, "markdown", BASE) == rendered


def test_markdown_has_tables() -> None:
    """Tables are understood."""
    rendered = render_body("|a|b|\n|-|-|\n|1|2|\n", "markdown", BASE)
    assert [cell.text for cell in elements(rendered) if cell.tag in {"th", "td"}] == ["a", "b", "1", "2"]


def test_html_is_no_markdown() -> None:
    """In an HTML body, signs of Markdown are text."""
    assert render_body("<p>*a*</p>\n    b", "html", BASE) == "<p>*a*</p>\n    b"


@pytest.mark.parametrize("kind", ["markdown", "html"])
@pytest.mark.parametrize(
    "source",
    ["", " \n\t ", "\x00\x01", "<script>x</script>", "<!-- a -->", "<style>a{}</style>", "<iframe>x</iframe>"],
)
def test_nothing_left_is_an_empty_body(source: str, kind: Literal["markdown", "html"]) -> None:
    """Where nothing is left, the body is empty."""
    assert render_body(source, kind, BASE) == ""


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ('<p onclick="x()" style="color:red" class="c" id="i">a</p>', "<p>a</p>"),
        ('<p title="t" lang="de" dir="ltr">a</p>', '<p title="t" lang="de" dir="ltr">a</p>'),
        ("<form><input><button>a</button></form>", "a"),
        ("<svg><script>x</script></svg>b", "b"),
        ("<video src=a.mp4>no video</video>b", "b"),
        ('<embed src="x"><object data="x">o</object>b', "b"),
        ('<meta http-equiv="refresh"><link href="x"><base href="https://evil.org/">a', "a"),
        ("<b><i>a</b></i>", "<b><i>a</i></b>"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ('<a href="javascript:x()">a</a>', "<a>a</a>"),
        ('<a href="java&#10;script:x()">a</a>', "<a>a</a>"),
        ('<a href="data:text/html,x">a</a>', "<a>a</a>"),
        ('<a href="https://me:pw@example.org/">a</a>', "<a>a</a>"),
        ('<a href="https://[">a</a>', "<a>a</a>"),
        ('<a href="//cdn.org/x">a</a>', '<a href="https://cdn.org/x">a</a>'),
        ('<a href="#b">a</a>', '<a href="https://example.org/news/a#b">a</a>'),
        ('<a href="?q=ä b">a</a>', '<a href="https://example.org/news/a?q=%C3%A4%20b">a</a>'),
        ('<a href="b" target="_blank" rel="x">a</a>', '<a href="https://example.org/news/b">a</a>'),
        ('<a href="mailto:a@b.org">a</a>', '<a href="mailto:a@b.org">a</a>'),
        ('<img src="mailto:a@b.org">', "<img>"),
        ('<img src="a.png" width="1" height="2" srcset="b.png 2x" onerror="x()">',
         '<img src="https://example.org/news/a.png" width="1" height="2">'),
        ('<blockquote cite="x">a</blockquote>', '<blockquote cite="https://example.org/news/x">a</blockquote>'),
    ],
)  # fmt: skip
def test_html_is_cleaned(source: str, rendered: str) -> None:
    """Scripts, frames, forms, styles and handlers go; text, structure and absolute links stay."""
    assert render_body(source, "html", BASE) == rendered


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "<script>", "</script>", "<style>", "<iframe src=//a>", "<svg>", "<math>", "</p>", "<p style='x'>",
                "<img src=x onerror=y>", '<a href="', "javascript:", "//evil.org", '">', "<b onclick=", "[a](",
                ")", "![", "](x)", "<http://a b>", "`", "```\n", "<!--", "-->", "<![CDATA[", "]]>", "&#x6a;",
                "&lt;",
                "<a", " href=data:x", ">", "\n\n", "> ", "- ", "|a|\n|-|\n", "mailto:", "<title>", "<textarea>",
                "<template>", "<noscript>", "<img src=`x`", "<td cite=y>", "<q cite=javascript:x>", "\x00",
                "<table><a href=/x>",
                "<base href=//evil.org>", "<a href=\tjava\nscript:x>", "<mglyph>", "<annotation-xml>", "<select>",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=25,
)  # fmt: skip


@given(PIECES.map("".join), st.sampled_from(["markdown", "html"]))
@example(
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>", "html"
)
@example("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "html")
@example("[a](javascript:alert(1)) <b onclick=x>", "markdown")
def test_no_body_can_harm_a_reader(source: str, kind: Literal["markdown", "html"]) -> None:
    """Another parser finds no script, frame, style or handler in a body, and only absolute web and mail links."""
    rendered = render_body(source, kind, BASE)
    for element in elements(rendered):
        assert element.tag not in {"script", "iframe", "style", "form", "input", "object", "embed", "svg", "base"}
        for name, value in element.attrib.items():
            assert not str(name).startswith("on")
            assert name not in {"style", "class", "id", "srcset"}
            if name in {"href", "src", "cite"}:
                parts = urlsplit(str(value))
                assert parts.scheme in ({"http", "https", "mailto"} if element.tag == "a" else {"http", "https"})
                assert parts.netloc or parts.scheme == "mailto"


@given(st.text(st.characters(exclude_categories=[])), st.sampled_from(["markdown", "html"]))
def test_any_text_is_a_body_that_stays(source: str, kind: Literal["markdown", "html"]) -> None:
    """Any text is a body, and a clean body is not changed by cleaning it again."""
    rendered = render_body(source, kind, BASE)
    assert render_body(rendered, "html", BASE) == rendered


@pytest.mark.parametrize("source", ["<div>" * 20_001, "<div><table></div></table>" * 5_001, "<a>" * 20_001])
def test_a_body_that_would_take_minutes_to_clean_is_refused(source: str) -> None:
    """More tags than any article has are an error: nested, they would cost the square of their number."""
    with pytest.raises(MarkupError, match="more than 20000 tags"):
        render_body(source, "html", BASE)


@pytest.mark.parametrize("tag", ["b", "FONT", "i\n", "code/"])
def test_formatting_that_is_not_closed_costs_no_more_than_other_text(tag: str) -> None:
    """Browsers open it again in every paragraph; of such with different attributes, each again."""
    opened = "".join(f"<{tag} class='{number}>'>" for number in range(900))
    rendered = render_body(f"<p>{opened}{'<p>x' * 3_000}", "html", BASE)
    assert len(rendered) < 200_000
    assert rendered.count("x") == 3_000


@pytest.mark.parametrize("hidden", ["", "<!--</b>-->", "<select></b></select>", "<object></b></object>"])
def test_formatting_that_says_something_and_is_not_closed_is_refused(hidden: str) -> None:
    """Nor can it be made different by what we would let through, however it seems to be closed."""
    opened = "".join(f"<b title={number}>{hidden}" for number in range(3_000))
    with pytest.raises(MarkupError):
        render_body(f"<p>{opened}{'<p>x' * 3_000}", "html", BASE)


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("<p>1</p><script>for (i <b ; i++) {}</script><p>2</p>", "<p>1</p><p>2</p>"),
        ("<p>1</p><script>a<b/2&&go()</script><p>2</p>", "<p>1</p><p>2</p>"),
        ("<p>1</p><!-- x <b --><p>2</p>", "<p>1</p><p>2</p>"),
        ("<p>1</p><!-- <script> </script> <b>x</b> --><p>2</p>", "<p>1</p><p>2</p>"),
        ('<a title="a <b c" href="https://e.org/">1</a>', '<a title="a &lt;b c" href="https://e.org/">1</a>'),
        (
            '<img alt="0 <i and i <n" src="https://e.org/p">2',
            '<img alt="0 &lt;i and i &lt;n" src="https://e.org/p">2',
        ),
        ('<i lang="fr">mot</i> <B class="x" dir=rtl>ab</B>', '<i lang="fr">mot</i> <b dir="rtl">ab</b>'),
        ("a <b and c", "a <b></b>"),
    ],
)
def test_what_looks_like_formatting_elsewhere_is_left(source: str, rendered: str) -> None:
    """Scripts, comments and attributes may hold what looks like formatting; what follows them stays."""
    assert render_body(source, "html", BASE) == rendered


def test_marks_of_formatting_stay_as_long_as_they_are_few() -> None:
    """Languages and titles of formatting stay where they say something about a text, and go where they cannot."""
    many = "".join(f'<i lang="l{number}">x</i>' for number in range(30))
    assert render_body('<i lang="fr">x</i>' * 1_000, "html", BASE).count('lang="fr"') == 1_000
    assert render_body(many, "html", BASE).count("lang=") == 20


@pytest.mark.parametrize("code", ["&#1;", "&#8;", "&#xfffe;", "&#xFFFF;", "&#xd800;"])
@pytest.mark.parametrize("kind", ["markdown", "html"])
def test_references_to_what_no_document_can_hold(code: str, kind: Literal["markdown", "html"]) -> None:
    """Written as a reference, too, a character that XML cannot hold does not leave."""
    rendered = render_body(f'<p title="{code}">a{code}</p>\n\n`{code}`', kind, BASE)
    assert clean(rendered) == rendered


@pytest.mark.parametrize("kind", ["markdown", "html"])
def test_references_of_word_processors_are_characters(kind: Literal["markdown", "html"]) -> None:
    """`&#146;` is an apostrophe to every browser, and to us in whatever the body is written."""
    assert "It’s a “test”…" in render_body("<p>It&#146;s a &#x93;test&#148;&#0133;</p>", kind, BASE)


def test_a_body_that_is_too_deep_is_refused() -> None:
    """Deeper than the parsers of readers go, their text would be lost in silence."""
    deep = "<blockquote>" * 990
    assert render_body(f"{deep}x<br><hr>", "html", BASE).startswith(deep)
    with pytest.raises(MarkupError, match="1000 deep"):
        render_body(f"{deep * 2}x", "html", BASE)


def test_a_body_that_would_become_much_longer_is_refused() -> None:
    """What grows to many times its length when it is cleaned is an error."""
    opened = "".join(f"<{tag}>" * 3 for tag in ("b", "big", "code", "em", "i", "s", "small", "strong", "tt", "u"))
    with pytest.raises(MarkupError, match="never closed"):
        render_body(f"<p>{opened}{'<p>x' * 9_000}", "html", BASE)


@given(
    st.lists(st.sampled_from(["<b", "<i ", "</b>", ">", "x", " a=", "'", '"', "=", "<p>", "&lt;", "/", "<code"]))
)
def test_formatting_keeps_its_text(pieces: list[str]) -> None:
    """No text is lost or won by taking the attributes of formatting away: another parser finds the same."""
    source = "".join(pieces)
    (before, after) = (nh3.clean(each, tags=set()) for each in (source, affordable(source)))
    assert before == after


def test_a_long_body_is_rendered() -> None:
    """A body as long as a book, with all its tags, is none too many."""
    rendered = render_body("<p>A <b>word</b>.</p>" * 4_999, "html", BASE)
    assert rendered.count("<b>word</b>") == 4_999


@pytest.mark.parametrize(
    "source", ["<p {0}>", "x</p {0}>", "<p {0}</title {0}>", '<p x="</title y=" {0}">', "<a b='</style>' {0}"]
)
def test_a_tag_of_very_many_attributes_is_refused(source: str) -> None:
    """A parser compares each of them with all others: ninety thousand took a quarter of a minute."""
    names = [" ".join(f"a{number}=b" for number in range(begin, begin + 6_000)) for begin in (0, 6_000)]
    with pytest.raises(MarkupError, match="more than 10000 attributes"):
        render_body(source.replace("{0}", " ".join(names), 1).replace("{0}", names[0]), "html", BASE)


def test_a_long_text_of_many_words_has_no_attributes() -> None:
    """Only what could be attributes of one tag counts."""
    words = " ".join(map(str, range(30_000)))
    assert render_body(f"<p>{words}</p>", "html", BASE) == f"<p>{words}</p>"
