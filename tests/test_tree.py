"""YAML as a tree: text stays text, lines are known, and nothing costs more than the bounds."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedsvc.text import printable
from feedsvc.tree import MAX_DEPTH, MAX_VALUES, TreeError, Value, describe, parse_tree

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"


def plain(value: Value) -> Plain:
    """The tree without its lines."""
    if isinstance(value.data, list):
        return [plain(item) for item in value.data]
    if isinstance(value.data, dict):
        return {key: plain(item) for key, item in value.data.items()}
    return value.data


def read(text: str) -> Plain:
    """A text's tree without its lines."""
    return plain(parse_tree(text).root)


def mapping(text: str) -> dict[str, Value]:
    """The values of a text that is a mapping."""
    root = parse_tree(text).root
    assert isinstance(root.data, dict)
    return root.data


@pytest.mark.parametrize(
    "written",
    ["no", "yes", "1.10", "007", "0x10", "1_000", "2021-12-14", "12:30:45", ".inf", "NaN", "true", "-1", "=", "<"],
)
def test_a_scalar_stays_the_text_that_was_written(written: str) -> None:
    """A scalar stays the text that was written, whatever YAML 1.1 would make of it."""
    assert read(f"x: {written}") == {"x": written}
    assert read(f"{written}: x") == {written: "x"}


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL", "!!null x"])
def test_null_is_nothing(written: str) -> None:
    """Null in any spelling, and nothing at all, is None."""
    assert read(f"x: {written}\n") == {"x": None}


@pytest.mark.parametrize(
    ("written", "text"), [("''", ""), ('"~"', "~"), ("'null'", "null"), ("!!str null", "null")]
)
def test_a_quoted_null_is_text(written: str, text: str) -> None:
    """What is quoted or tagged as text is text, even where it looks like null."""
    assert read(f"x: {written}") == {"x": text}


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "~"])
def test_a_text_without_a_value_is_nothing(text: str) -> None:
    """An empty document has a root without data, on the first line."""
    tree = parse_tree(text, 7)
    assert tree.root == Value(None, 7)


def test_lists_and_mappings_keep_their_shape_and_order() -> None:
    """Lists and mappings keep their shape and order, in both styles."""
    value = read("b: [1, {c: 2}]\na:\n  - x\n  - - y\n  -\n")
    assert value == {"b": ["1", {"c": "2"}], "a": ["x", ["y"], None]}
    assert isinstance(value, dict)
    assert list(value) == ["b", "a"]


def test_every_value_knows_its_line() -> None:
    """A value knows the line where it starts, counted from the given first line."""
    root = parse_tree("a: 1\nb:\n  - x\n  - c: y\n", 10).root
    assert isinstance(root.data, dict)
    assert (root.line, root.data["a"].line, root.data["b"].line) == (10, 10, 12)
    items = root.data["b"].data
    assert isinstance(items, list)
    assert [item.line for item in items] == [12, 13]


@pytest.mark.parametrize("tag", ["!!int", "!!bool", "!!float", "!!timestamp", "!!str", "!"])
def test_a_plain_tag_makes_nothing_but_text(tag: str) -> None:
    """A tag of plain YAML is allowed, and its value is still the text that was written."""
    assert read(f"x: {tag} 12") == {"x": "12"}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("x: !!python/object/apply:os.system [ls]", "tag:yaml.org,2002:python/object/apply:os.system"),
        ("x: !!python/name:os.system", "tag:yaml.org,2002:python/name:os.system"),
        ("x: !!binary aGk=", "tag:yaml.org,2002:binary"),
        ("x: !mine {a: b}", "!mine"),
        ("!!set {a, b}", "tag:yaml.org,2002:set"),
        ("!mine k: v", "!mine"),
    ],
)
def test_an_unknown_tag_is_refused(text: str, tag: str) -> None:
    """A tag that could make anything but plain values is refused, with its line and name."""
    with pytest.raises(TreeError) as caught:
        parse_tree(f"# one\n{text}", 3)
    assert caught.value.line == 4
    assert caught.value.found == f"the tag {tag}"


def test_the_last_of_two_equal_keys_counts_and_is_reported() -> None:
    """Of two equal keys the last one counts, and each repetition is reported with the line that won."""
    tree = parse_tree("a: 1\nb: 2\na: 3\na: 4\n", 5)
    assert plain(tree.root) == {"a": "4", "b": "2"}
    assert tree.duplicates == (("a", 7), ("a", 8))


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1]\na:\n  - 2\n", 2), ("x: &x 1\na: 1\na: *x\n", 3), ("a: 1\n\na: >\n  text\n", 3)],
    ids=["a list on the lines after", "an alias", "a folded text"],
)
def test_a_repeated_key_is_reported_where_the_key_stands(text: str, line: int) -> None:
    """A repeated key is reported with the line of the key, not that of the value it leads to."""
    assert [place for _, place in parse_tree(text).duplicates] == [line]


def test_equal_keys_in_different_mappings_are_no_repetition() -> None:
    """The same key in two mappings is no repetition."""
    assert parse_tree("a: {x: 1}\nb: {x: 1}\nx: 1").duplicates == ()


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}", {"x": "1", "y": "3"}),
        ("b: &b {x: 1, y: 2}\nc: {y: 3, <<: *b}", {"x": "1", "y": "3"}),
        ("a: &a {x: 1}\nb: &b {x: 2, z: 4}\nc: {<<: [*a, *b]}", {"x": "1", "z": "4"}),
        ("c: {<<: {x: 1}}", {"x": "1"}),
    ],
    ids=["before", "after", "a list: the first counts", "in place"],
)
def test_merge_keys_fill_in_what_is_not_said(text: str, merged: Plain) -> None:
    """The merge key fills in what the mapping itself does not say; of several, the first counts."""
    assert plain(mapping(text)["c"]) == merged
    assert parse_tree(text).duplicates == ()


def test_a_merge_leaves_its_source_as_it_was() -> None:
    """Merging changes the mapping that merges, and not the one that is merged."""
    assert read("b: &b {x: 1}\nc: {<<: *b, y: 2}\nd: *b") == {
        "b": {"x": "1"},
        "c": {"y": "2", "x": "1"},
        "d": {"x": "1"},
    }


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    """Only a plain << merges; a quoted one is a key."""
    assert read('a: {"<<": {x: 1}}') == {"a": {"<<": {"x": "1"}}}


def test_an_alias_stands_for_its_anchor() -> None:
    """An alias stands for the value of its anchor, also as a key."""
    assert read("a: &a text\nb: *a\nc: [*a]\n*a : d") == {"a": "text", "b": "text", "c": ["text"], "text": "d"}


def test_an_anchor_on_a_key_can_be_used() -> None:
    """An anchor on a key counts like one on a value."""
    assert read("&k type: x\ncategory: *k\n") == {"type": "x", "category": "type"}


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("a: &a\n  b: *a", 2, "the alias *a inside what it stands for"),
        ("&a [*a]", 1, "the alias *a inside what it stands for"),
        ("a: &a {<<: *a}", 1, "the alias *a inside what it stands for"),
        ("a: 1\nb: *c", 2, "the alias *c"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: 1\n...\n---\n", 3, "a second document"),
        ("a: 1\n[b]: 2", 2, "a list or mapping as a key"),
        ("{a: 1}: 2", 1, "a list or mapping as a key"),
        ("a: &a [1]\n*a : 2", 2, "an alias of no text as a key"),
        ("a: [1\nb: 2", 2, None),
        ("a: 'b", 1, None),
        ("\ta: b", 1, None),
        ("a: b: c", 1, None),
        ('a: 1\nb: "\\ud800"', 2, None),
        ("a: \x00", None, None),
        ("a: \x07", None, None),
    ],
)
def test_what_is_no_tree_says_where_and_what(text: str, line: int | None, found: str | None) -> None:
    """A text that is no tree is an error that says the line, what was found and what was expected."""
    with pytest.raises(TreeError) as caught:
        parse_tree(text)
    assert caught.value.line == line
    assert caught.value.expected
    assert caught.value.found == (found or caught.value.found)
    assert "\n" not in caught.value.found


def test_a_mistake_counts_its_line_from_the_first_line() -> None:
    """The line of a YAML mistake is that of the file the text was cut from."""
    with pytest.raises(TreeError) as caught:
        parse_tree("a: 1\nb: c: d\n", 11)
    assert caught.value.line == 12


def test_nesting_is_bounded() -> None:
    """As many levels as allowed can be read, one more cannot, and a hundred thousand cost nothing."""
    allowed = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert isinstance(parse_tree(allowed).root.data, list)
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(TreeError, match=f"more than {MAX_DEPTH} levels"):
            parse_tree("[" * depth + "]" * depth)
        with pytest.raises(TreeError, match=f"more than {MAX_DEPTH} levels"):
            parse_tree("{a: " * depth + "}" * depth)


def test_the_number_of_values_is_bounded() -> None:
    """As many values as allowed can be read, and one more cannot."""
    most = MAX_VALUES - 1
    assert len(read("[" + "1," * most + "]") or ()) == most
    with pytest.raises(TreeError, match=f"more than {MAX_VALUES} values"):
        parse_tree("[" + "1," * (most + 1) + "]")


@pytest.mark.parametrize("form", ["[{0}]", "{{{1}}}", "{{<<: [{0}]}}"], ids=["lists", "mappings", "merges"])
def test_a_billion_laughs_are_refused(form: str) -> None:
    """Aliases of aliases count as what they stand for together, so that ten lines cannot grow to a billion."""
    lines = ["a0: &a0 {x: lol, y: lol}"]
    for level in range(1, 12):
        aliases = [f"*a{level - 1}"] * 10
        named = ", ".join(f"k{number}: {alias}" for number, alias in enumerate(aliases))
        lines.append(f"a{level}: &a{level} " + form.format(", ".join(aliases), named))
    with pytest.raises(TreeError, match="aliases counted"):
        parse_tree("\n".join(lines))


def test_aliases_of_a_long_text_are_refused() -> None:
    """What aliases of one long text stand for together is bounded too: its length counts, not only its number."""
    with pytest.raises(TreeError):
        parse_tree('x: &x "' + "a" * 500_000 + '"\ny: [' + "*x," * 50_000 + "]")


def test_an_alias_counts_as_the_values_that_it_stands_for() -> None:
    """An alias counts as the value of its anchor and all values in that, with those of other aliases."""
    few = "a: &a [1, 2]\nb: &b {x: *a, y: 3}\n"
    # The whole, a, b and c count too.
    aliases = (MAX_VALUES - 1 - 3 - 5 - 1) // 5
    assert read(few + "c: [" + "*b," * aliases + "]")
    with pytest.raises(TreeError, match="aliases counted"):
        parse_tree(few + "c: [" + "*b," * (aliases + 1) + "]")


@given(st.text(st.characters(exclude_categories=[])))
@example("\ud800")
@example("? a")
@example("%YAML 9.9\n---\n")
@example("%TAG ! x\n---\n!a b")
@example("&a *a")
@example("- " * 100)
@example("\ufeffa: b")
@example("<<: 1")
@example(": :")
def test_any_text_is_a_tree_or_an_error(text: str) -> None:
    """Any text is a tree or a TreeError, and nothing else."""
    try:
        tree = parse_tree(text)
    except TreeError as error:
        assert error.found  # noqa: PT017 - both ways are right
        assert error.expected  # noqa: PT017 - likewise
    else:
        assert tree.root.line >= 1


@given(st.text("ab:- \n[]{}&*<!'\"#|>~,?", max_size=60))
def test_any_arrangement_of_yaml_signs_is_a_tree_or_an_error(text: str) -> None:
    """Any arrangement of the characters that mean something in YAML is a tree or a TreeError."""
    try:
        parse_tree(text)
    except TreeError as error:
        assert str(error) == f"found {error.found}, expected {error.expected}"  # noqa: PT017 - both ways are right


YAML_TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f\x85\u2028\u2029")
)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,9}", fullmatch=True), YAML_TEXT.filter(lambda text: "\ufeff" not in text)
    )
)
def test_quoted_text_comes_back_as_it_was(values: dict[str, str]) -> None:
    """Quoted text comes back as it was."""
    printable_values = {key: "".join(c for c in text if not 0x80 <= ord(c) < 0xA0) for key, text in values.items()}
    lines = [f"q{key}: '{text.replace(chr(39), chr(39) * 2)}'" for key, text in printable_values.items()]
    assert read("\n".join(lines)) == ({f"q{key}": text for key, text in printable_values.items()} or None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", '"x"'),
        ("~", "nothing"),
        ("[]", "a list"),
        ("{}", "a mapping"),
        ('"a\\nb"', '"a\\nb"'),
        ("a" * 80, f'"{"a" * 80}"'),
        ("a" * 81, f'"{"a" * 77}..."'),
    ],
)
def test_describe_says_what_was_found_on_one_line(text: str, words: str) -> None:
    """What was found is told in a few words on one line."""
    assert describe(parse_tree(text).root) == words


def test_a_missing_value_is_described_as_nothing() -> None:
    """A field that is not there is nothing."""
    assert describe(None) == "nothing"


@given(st.text(st.characters(exclude_categories=[])))
def test_printable_text_is_one_line_that_any_log_can_hold(text: str) -> None:
    """Printable text has no line break, no control character and no lone surrogate."""
    shown = printable(text)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert len(shown.splitlines()) <= 1
