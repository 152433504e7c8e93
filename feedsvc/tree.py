"""YAML text as a tree of values that know their line.

Every scalar stays the text that was written (YAML 1.2's failsafe schema, §10.1, and null beside it): whoever
reads a field knows its type better than a guess does, so `language: no` is Norwegian, `title: 1.10` keeps its
zero, and an explicit tag can make nothing but text. The events come from PyYAML's C parser, and what a text
may cost is bounded: nesting, the number of values, and what its aliases stand for together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml
from yaml import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from feedsvc.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 32
MAX_VALUES = 100_000
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str", "timestamp")
) | {"!"}

# What the parser says of the commonest mistakes, as what was found and what was expected.
_HINTS = {
    "mapping values are not allowed in this context": (
        "a colon and a blank in a value",
        "quotes around it",
    ),
    "found a tab character that violates indentation": ("a tab in front of a value", "blanks"),
    "found character that cannot start any token": (
        "a character that no value begins with, such as a tab, @, % or `",
        "quotes around it",
    ),
}
_TYPE_NAMES = {str: "text", list: "a list", dict: "a mapping", type(None): "nothing"}


@dataclass(slots=True)
class Value:
    """A value and the line (counted from 1) where it starts."""

    data: str | list[Value] | dict[str, Value] | None
    line: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole text. `duplicates` are the keys given more than once, with the line of the one that won."""

    root: Value
    duplicates: tuple[tuple[str, int], ...]


class TreeError(Exception):
    """The text is no tree: says where, what was found, and what was expected."""

    def __init__(self, line: int | None, found: str, expected: str) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.line = line
        self.found = found
        self.expected = expected


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read; `size` counts the values in it, itself included."""

    value: Value
    anchor: str | None
    size: int = 1
    key: str | None = None
    key_line: int = 0
    is_merge: bool = False
    merges: list[Value] = field(default_factory=list)


def parse_tree(text: str, first_line: int = 1) -> Tree:
    """Read one YAML document.

    Args:
        text: the document, without characters that YAML forbids.
        first_line: the line number of the text's first line, for messages.

    Raises:
        TreeError: it is no YAML, has an unknown tag or a second document, or costs more than the bounds.
    """
    try:
        return _Reader(first_line).read(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + first_line if error.problem_mark else None
        raise TreeError(line, *_explain(error.problem or "a mistake")) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise TreeError(None, str(error).split("\n", 1)[0], "YAML") from None


def _explain(problem: str) -> tuple[str, str]:
    """What was found and what was expected, of what the parser says."""
    if problem in _HINTS:
        return _HINTS[problem]
    missing = re.fullmatch("(?:did|could) not find expected (.+)", problem)
    if missing:
        return "another indentation or punctuation", missing[1]
    return problem.removeprefix("found "), "YAML"


class _Reader:
    """Builds the tree from events, without recursion: what is open stands on a list."""

    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.root: Value | None = None
        self.open: list[_Open] = []
        # With what each counts where an alias stands for it.
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.unfinished: set[str] = set()
        self.duplicates: list[tuple[str, int]] = []
        self.total = 0

    def read(self, text: str) -> Tree:
        documents = 0
        for event in _events(text):
            if isinstance(event, ScalarEvent):
                self._scalar(event)
            elif isinstance(event, MappingStartEvent | SequenceStartEvent):
                self._start(event)
            elif isinstance(event, CollectionEndEvent):
                self._end()
            elif isinstance(event, AliasEvent):
                self._alias(event)
            elif isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise TreeError(self._line(event), "a second document", "one document")
        return Tree(self.root or Value(None, self.first_line), tuple(self.duplicates))

    def _line(self, event: yaml.Event) -> int:
        return self.first_line + (event.start_mark.line if event.start_mark else 0)

    def _count(self, values: int, line: int) -> None:
        self.total += values
        if self.total > MAX_VALUES:
            raise TreeError(line, f"more than {MAX_VALUES} values, aliases counted", "fewer")

    def _check_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.tag is not None and event.tag not in _TAGS:
            raise TreeError(self._line(event), f"the tag {event.tag}", "plain YAML without tags")

    def _scalar(self, event: ScalarEvent) -> None:
        line = self._line(event)
        self._check_tag(event)
        if self.open and isinstance(self.open[-1].value.data, dict) and self.open[-1].key is None:
            if event.anchor:
                self.anchors[event.anchor] = Value(event.value, line), _weight(event.value)
            self._key(event.value, line, plain=event.implicit[0])
            return
        self._count(1, line)
        is_null = (event.implicit[0] and event.value in NULLS) or event.tag == "tag:yaml.org,2002:null"
        value, size = Value(None if is_null else event.value, line), _weight(event.value)
        if event.anchor:
            self.anchors[event.anchor] = value, size
        self._add(value, size)

    def _key(self, key: str, line: int, *, plain: bool) -> None:
        parent = self.open[-1]
        parent.key, parent.key_line = key, line
        parent.is_merge = plain and key == "<<"

    def _start(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        line = self._line(event)
        self._check_tag(event)
        self._count(1, line)
        if len(self.open) >= MAX_DEPTH:
            raise TreeError(line, f"more than {MAX_DEPTH} levels", "fewer")
        if self.open and isinstance(self.open[-1].value.data, dict) and self.open[-1].key is None:
            raise TreeError(line, "a list or mapping as a key", "text")
        value = Value({} if isinstance(event, MappingStartEvent) else [], line)
        self.open.append(_Open(value, event.anchor))
        if event.anchor:
            self.unfinished.add(event.anchor)

    def _end(self) -> None:
        done = self.open.pop()
        if isinstance(done.value.data, dict):
            for merge in done.merges:
                _merge(done.value, merge)
        if done.anchor:
            self.unfinished.discard(done.anchor)
            self.anchors[done.anchor] = done.value, done.size
        self._add(done.value, done.size)

    def _alias(self, event: AliasEvent) -> None:
        line = self._line(event)
        if event.anchor in self.unfinished:
            raise TreeError(line, f"the alias *{event.anchor} inside what it stands for", "no circle")
        if event.anchor not in self.anchors:
            raise TreeError(line, f"the alias *{event.anchor}", f"an anchor &{event.anchor} before it")
        value, size = self.anchors[event.anchor]
        if self.open and isinstance(self.open[-1].value.data, dict) and self.open[-1].key is None:
            if not isinstance(value.data, str):
                raise TreeError(line, "an alias of no text as a key", "text")
            self._count(size, line)
            self._key(value.data, line, plain=False)
            return
        self._count(size, line)
        self._add(value, size)

    def _add(self, value: Value, size: int) -> None:
        if not self.open:
            self.root = value
            return
        parent = self.open[-1]
        parent.size += size
        data = parent.value.data
        if isinstance(data, list):
            data.append(value)
        elif isinstance(data, dict) and parent.key is not None:
            if parent.is_merge:
                parent.merges.append(value)
            else:
                if parent.key in data:
                    self.duplicates.append((self._place(), parent.key_line))
                data[parent.key] = value
            parent.key = None

    def _place(self) -> str:
        """Where we are, such as `images[0].width`; a long key is cut, as it may be named often."""
        place = ""
        for each in self.open:
            if isinstance(each.value.data, list):
                place += f"[{len(each.value.data)}]"
            else:
                place += f"{'.' if place else ''}{(each.key or '')[:80]}"
        return place


def _weight(text: str) -> int:
    """What a text counts where an alias stands for it: a long one as several values."""
    return 1 + len(text) // 100


def _events(text: str) -> Iterator[yaml.Event]:
    return iter(yaml.parse(text, Loader=yaml.CSafeLoader))


def _merge(target: Value, source: Value) -> None:
    """Fill in what `<<` names and the mapping itself does not say (YAML 1.1's merge key)."""
    sources = source.data if isinstance(source.data, list) else [source]
    for each in sources:
        if isinstance(each.data, dict) and isinstance(target.data, dict):
            for key, value in each.data.items():
                target.data.setdefault(key, value)


def describe(value: Value | None) -> str:
    """What was found, in words short enough for one line of a message."""
    if value is None or value.data is None:
        return "nothing"
    if isinstance(value.data, str):
        # Where a line lost its colon, the next one became part of its text: a secret must not be shown with it.
        text, secret, _ = value.data.partition("secured")
        text = f"{text[:77]}..." if secret or len(text) > 80 else text
        return printable(f'"{text}"')
    return _TYPE_NAMES[type(value.data)]
