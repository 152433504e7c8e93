"""Front matter in the plain style is read as YAML reads it, or left to YAML."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import SEEDS, front_matter

from feedsvc.articles import plain
from feedsvc.articles.plain import plain_tree, read_tree
from feedsvc.text import clean
from feedsvc.tree import MAX_DEPTH, MAX_VALUES, TreeError, Value, parse_tree

SEED_TEXTS = [path.read_text("utf-8").split("---\n")[1] for path in sorted(SEEDS.iterdir())]
SEED_LINES = [line for text in SEED_TEXTS for line in text.splitlines()]
# What means something in YAML, or to whoever takes text apart in lines.
HOSTILE = [*":#&*!|>%@`'\"[]{},?-=<~\\ \n", *"\t\r\x00\x07\x7f\x85\xa0\u2028\u2029\u3000\ufeff\ufffe\ud800"]
HOSTILE += [
    ": ",
    " #",
    "- ",
    "---",
    "...",
    "<<: ",
    "\n  ",
    "\n- ",
    "\r\n",
    "''",
    '""',
    "\\n",
    '\\"',
    "null",
    "é",
    "😀",
]

KEYS = st.sampled_from(
    ["a", "b", "title", "web-url", "_x", "null", "no", "k1", "1", "é", "<<", "a b", '"a"', "k" * 1030]
)
WORDS = st.one_of(
    st.sampled_from(
        ["x", "1", "-1", "a b", "it's", 'a"b', "a#b", "a:b", "https://e.org/a?b=c&d#e", "null", "~", "Null"]
    ),
    st.sampled_from(
        ["", "-", "- a", "a: b", "a:", "a #b", "#", "*a", "&a b", "!a", "|", ">", "%a", "@a", "`", "?", "? a"]
    ),
    st.sampled_from(
        ["2021-12-14T00:50:00Z", "true", "é", "<<", "=", "...", "---", "--- a", "\\n", "a ", " a", ":a", "a,b"]
    ),
    st.lists(st.sampled_from([*"ab1 .", *HOSTILE]), max_size=6).map("".join),
)
SCALARS = st.one_of(WORDS, WORDS.map(lambda word: f'"{word}"'), WORDS.map(lambda word: f"'{word}'"))
LISTS = st.lists(SCALARS, max_size=3).map(lambda items: f"[{', '.join(items)}]")
MAPPINGS = st.lists(st.tuples(KEYS, SCALARS), max_size=3).map(
    lambda pairs: f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"
)
VALUES = st.one_of(SCALARS, LISTS, MAPPINGS)
LINES = st.one_of(
    st.builds(
        lambda indent, dash, key, value: f"{' ' * indent}{dash}{key}{value}",
        st.sampled_from([0, 0, 0, 2, 2, 2, 4, 4, 6, 1, 3]),
        st.sampled_from(["", "", "", "- ", "- ", "- - ", "-"]),
        st.one_of(st.just(""), KEYS.map(lambda key: f"{key}:"), KEYS.map(lambda key: f"{key}: ")),
        st.one_of(st.just(""), VALUES),
    ),
    st.sampled_from(["", " ", "# a", "...", "---", "? a", ": a", "a"]),
    st.sampled_from(SEED_LINES),
)
TEXTS = st.one_of(st.lists(LINES, max_size=12).map("\n".join), st.sampled_from(SEED_TEXTS))


@st.composite
def changed(draw: st.DrawFn) -> str:
    """Front matter into which something hostile was put, or in which something was lost or put elsewhere."""
    text = draw(TEXTS)
    for _ in range(draw(st.integers(0, 3))):
        begin, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        end = min(end, begin + draw(st.integers(0, 40)))
        piece = text[begin:end]
        text = draw(
            st.sampled_from(
                [
                    text[:begin] + draw(st.sampled_from(HOSTILE)) + text[begin:],
                    text[:begin] + text[end:],
                    text[:begin] + piece + text[begin:],
                    text[:begin] + text[end:] + piece,
                ]
            )
        )
    return text


def agrees(text: str) -> bool:
    """Whether a text was recognised; if so, its tree has to be the one that YAML makes."""
    tree = plain_tree(text, 2)
    if tree is None:
        return False
    assert clean(text) == text
    assert tree == parse_tree(text, 2)
    return True


@given(changed())
@example("a: 1\na: 2\n")
@example("a:\n- b\n- c: d\n  e: f\n- g:\n  - h\ni:\n")
@example("a:\n\n  b:\n\nc: d")
@example("a:\n    b: c\n  d: e\n")
@example("a: b\n  c")
@example("- a\n")
@example("  a: b\n")
def test_what_is_recognised_is_what_yaml_reads(text: str) -> None:
    """Of whatever text: what is recognised is the same tree, line by line, that YAML makes of it."""
    agrees(text)


@given(st.text(st.characters(exclude_categories=[])))
def test_of_any_text_what_is_recognised_is_what_yaml_reads(text: str) -> None:
    """The same holds where a value is any text at all."""
    for form in ("{}", "a: {}", 'a: "{}"', "a: '{}'", "a:\n  - {}\n", "a: [{}]", "a: {{b: {}}}", "{}: a"):
        agrees(form.format(text))


@pytest.mark.parametrize("text", [*SEED_TEXTS, front_matter().split("---\n")[1]])
def test_what_publishers_write_is_recognised(text: str) -> None:
    """Real front matter is recognised, so that the shortcut is one."""
    assert agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: b c\nb: -1\nc: https://e.org/?a#b\n",
        'a: "it\'s"\nb: \'a "b"\'\nc: "a \\"b\\"\\r\\n"\n',
        'a: ~\nb:\nc: null\nd: "null"\n',
        'a: [b, "c, d", null]\nb: {c: d e, f: "g: h"}\nc: []\nd: {}\n',
        "a:\n  b:\n    - c\n    - d: e\n      f: [g]\n    - {h: i}\n\nj:\n- k\n- l: m\n  n: o\n",
        "a:\n   b: c\n   d:\n     e: f\n",
    ],
    ids=["plain", "quoted", "null", "flow", "nested", "indented by three"],
)
def test_the_plain_style_is_recognised(text: str) -> None:
    """All that the plain style consists of is recognised."""
    assert agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "\n",
            "a",
            "- a\n",
            "  a: b\n",
            "a: b\n  c\n",
            "a: b\n  c: d\n",
            "a: 'b\n  c'\n",
            "a: |\n  b\n",
            "a: b # c\n",
        ),
        *(
            "a: &b c\n",
            "a: *b\n",
            "a: !!str b\n",
            "a: b: c\n",
            "a: b:\n",
            "a: 1\na: 2\n",
            "a: {b: 1, b: 2}\n",
            "? a\n",
        ),
        *(
            "<<: {a: b}\n",
            "a: b\n---\n",
            "a: b\n...\n",
            "a:\tb\n",
            "a: b\r\n",
            "a: b\x85c: d\n",
            "a: \ufeffb\n",
            "%a: b\n",
        ),
        *(
            'a: "\\t"\n',
            "a: ''''\n",
            "a: [b: c]\n",
            "a: [b, [c]]\n",
            "a: [b,]\n",
            "a: - b\n",
            "a:\n- - b\n",
            "a:\n-\n",
            "a: \n",
        ),
        *(
            "a:\n    b: c\n  d: e\n",
            "a:\n  - b\n - c\n",
            "a:\n  b: c\n  - d\n",
            "a:\n  - b\n  c: d\n",
            "a: [b\n",
            " \n",
        ),
    ],
)
def test_what_is_not_plain_is_left_to_yaml(text: str) -> None:
    """What means more to YAML than it says, or nothing, is not recognised."""
    assert plain_tree(text) is None


def test_a_text_that_is_not_recognised_is_read_by_yaml() -> None:
    """What is left to YAML is read by it, with the same lines, and fails as it fails there."""
    tree = read_tree("a: &x b\nc: *x\n", 5)
    assert tree.root.data == {"a": Value("b", 5), "c": Value("b", 5)}
    with pytest.raises(TreeError) as caught:
        read_tree("a: b\nc: d: e\n", 5)
    assert caught.value.line == 6


def test_characters_that_no_feed_can_hold_are_dropped() -> None:
    """A control character is dropped before YAML, which forbids it, sees it."""
    assert read_tree("a: b\x07c\n") == parse_tree("a: bc\n")


def nested(depth: int) -> str:
    """A text of mappings in each other."""
    return "".join(f"{'  ' * level}a:\n" for level in range(depth)) + "  " * depth + "b: c\n"


def test_the_bounds_hold() -> None:
    """What is nested too deep or is too long is left to YAML, which refuses it."""
    for depth in range(MAX_DEPTH - 6, MAX_DEPTH - 1):
        agrees(nested(depth))
    for text in (nested(MAX_DEPTH), "a: [" + "1, " * MAX_VALUES + "1]\n"):
        assert plain_tree(text) is None
        with pytest.raises(TreeError):
            read_tree(text)


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "a",
        "a:",
        "a: ",
        "a #",
        "- ",
        "[",
        "[a, ",
        "{a: b, ",
        '"',
        '\\"',
        "' ",
        '"a", ',
        "-",
        ": ",
        "\n",
        "a: b\n",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    """However often a piece is repeated, the time that a text takes grows with its length alone."""
    for begin in ("", "a: ", "a: [", "a: {b: ", 'a: "', "a:\n  - "):
        plain_tree(begin + piece * (50_000 // len(piece)))


def test_what_is_kept_of_one_text_is_no_part_of_its_tree() -> None:
    """A list or mapping on one line is taken apart once, and stands in each tree by itself, with its own line."""
    text = "a: [b, ~]\nc: {d: e, f: null}\n"
    first = plain_tree(text, 1)
    assert first is not None
    assert isinstance(first.root.data, dict)
    first.root.data["a"].data = None
    first.root.data["c"].data = None
    assert plain_tree("\n" + text, 1) == parse_tree("\n" + text, 1)
    assert plain_tree(text, 7) == parse_tree(text, 7)


@pytest.mark.parametrize("count", [1, 30, 300])
def test_a_list_or_mapping_on_one_line_may_be_long(count: int) -> None:
    """However long a list or mapping on one line is, it is recognised; and not where it names a key twice."""
    keys = [f"key{number}" for number in range(count)]
    pairs = ", ".join(f"{key}: {key}" for key in keys)
    assert agrees(f"a: [{', '.join(keys)}]\nb: {{{pairs}}}\n")
    for _ in range(2):
        assert plain_tree(f"a: {{{pairs}, key0: b}}\n") is None


def test_what_is_kept_is_bounded() -> None:
    """What many texts have on one line is kept, as long as it is short, and not without end."""
    for known in (plain._known_items, plain._known_pairs):
        known.cache_clear()
        assert (known.cache_info().maxsize or 0) <= 2**12
    for number in range(3):
        plain_tree(f"a: [{'b' * 200}, {number}]\nc: {{d: {'e' * 200}, f: {number}}}\n")
    assert plain._known_items.cache_info().currsize == plain._known_pairs.cache_info().currsize == 0
    plain_tree("a: [b]\nc: {d: e}\n")
    assert plain._known_items.cache_info().currsize == plain._known_pairs.cache_info().currsize == 1


@pytest.mark.parametrize(
    "text",
    [
        "a:\n- b\nc: d\n- e\n",
        "a:\n- b\nc:\n- d\n",
        "a:\n  - b: c\n    d:\n    - e\n    f: g\nh: i\n",
        "a:\n  - b\nc: d\ne:\n  f: g\n  h: i\nj: k\n",
        "a:\nb:\n  c:\n  d: e\nf:\n",
        "a:\n  b: c\nd: e\n  f: g\n",
    ],
)
def test_what_is_open_is_known_at_each_line(text: str) -> None:
    """A field belongs to what is open where it stands, as YAML has it, whatever was open before."""
    agrees(text)
    for line in text.splitlines():
        agrees(f"{text}{line}\n")
