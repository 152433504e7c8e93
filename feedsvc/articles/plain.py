"""Front matter in the plain style that nearly all of it has, as the tree that YAML would make of it, for less.

One expression takes a text apart line by line. What is not known for certain is left to YAML: anchors, tags,
comments, texts of several lines, escapes, keys given twice, indentation that does not fit, and all that is rare.
Nothing is guessed: whatever is recognised here, YAML reads in the same way (docs/decisions/plain-front-matter.md).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from feedsvc.text import clean
from feedsvc.tree import MAX_DEPTH, MAX_VALUES, NULLS, Tree, Value, parse_tree

# Those that YAML or XML forbids, line breaks other than \n, and tabs and byte order marks, which YAML takes apart.
_STRANGE = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff"
# YAML takes a key of up to 1,024 characters.
_KEY = r"[A-Za-z_][A-Za-z0-9_-]{0,99}+"
_FIRST = rf"(?:[^{_STRANGE} \-?:,\[\]{{}}#&*!|>'\"%@`]|-(?=[A-Za-z0-9]))"
_PLAIN = rf"{_FIRST}[^{_STRANGE}:#]*+(?:(?::(?=[^{_STRANGE} ])|(?<! )#)[^{_STRANGE}:#]*+)*+(?<! )"
_DOUBLE = rf'"[^{_STRANGE}"\\]*+(?:\\["nr][^{_STRANGE}"\\]*+)*+"'
_SINGLE = rf"'[^{_STRANGE}']*+'"
_ITEM = rf"(?:{_FIRST}[^{_STRANGE},:#?\[\]{{}}]*+(?<! )|{_DOUBLE})"
_LIST = rf"\[(?:{_ITEM}(?:,\ {_ITEM})*+)?+\]"
_MAPPING = rf"\{{(?:{_KEY}:\ {_ITEM}(?:,\ {_KEY}:\ {_ITEM})*+)?+\}}"
_WRITTEN = rf"{_PLAIN}|{_DOUBLE}|{_SINGLE}|{_LIST}|{_MAPPING}"
# Indentation with the sign of a list, key, value; or else the whole line. What a part has taken it never gives
# back: no line is gone through more than a few times.
_LINE = re.compile(rf"^(?:(\ *+(?:-\ )?+)(?:({_KEY}):(?:\ (?=[^ \n])|$))?+({_WRITTEN})?+$|(.*))", re.MULTILINE)
_Data: TypeAlias = "str | list[Value] | dict[str, Value] | None"
_QUOTES = frozenset("\"'")
# What begins otherwise is the text that is written.
_SIGNS = frozenset("\"'[{") | {null[0] for null in NULLS if null}
_ITEM_OF = re.compile(_ITEM)
_PAIR_OF = re.compile(rf"({_KEY}): ({_ITEM})")
# Lists and mappings on one line tell topics and providers, which many articles share: those that are no longer
# than this are taken apart once.
_SHORT = 120


class _NotPlainError(Exception):
    """The text is not known to be in the plain style."""


def read_tree(text: str, first_line: int = 1) -> Tree:
    """Read one YAML document, as `parse_tree` reads clean text; raises what that raises."""
    return plain_tree(text, first_line) or parse_tree(clean(text), first_line)


def plain_tree(text: str, first_line: int = 1) -> Tree | None:
    """The tree of a text in the plain style; None where it is not known to be in that."""
    # There are no more values than characters.
    if len(text) > MAX_VALUES:
        return None
    try:
        return Tree(_read(text, first_line), ())
    except _NotPlainError:
        return None


def _read(text: str, first_line: int) -> Value:  # noqa: C901, PLR0912, PLR0915 - calls would cost too much
    fields: dict[str, Value] = {}
    root = Value(fields, first_line + len(text) - len(text.lstrip("\n")))
    # What is open, and where it stands; what is around it. If it is a mapping, it is
    # `fields`, and `indent` is what its keys begin with.
    data: _Data = fields
    column = 0
    indent: str | None = ""
    around: list[tuple[int, _Data]] = []
    # The value of a key with nothing behind it: what follows may belong to it.
    empty: Value | None = None
    for line, (lead, key, written, other) in enumerate(_LINE.findall(text), first_line):
        # Most lines are one more field of what is open.
        if lead != indent or not key or key in fields:
            if not (key or written):
                if lead or other:
                    raise _NotPlainError
                continue
            dash = lead[-2:] == "- "
            at = len(lead) - 2 if dash else len(lead)
            if empty and (at > column or (dash and at == column)):
                if len(around) > MAX_DEPTH - 4:
                    raise _NotPlainError
                around.append((column, data))
                data = empty.data = [] if dash else {}
                empty.line, column = line, at
            else:
                while at < column:
                    column, data = around.pop()
                if not dash and isinstance(data, list):
                    # The list may have stood right below its key, without being indented.
                    column, data = around.pop()
                if at != column:
                    raise _NotPlainError
            if dash:
                if not isinstance(data, list):
                    raise _NotPlainError
                if not key:
                    data.append(_value(written, line))
                    indent = empty = None
                    continue
                around.append((column, data))
                inner = Value({}, line)
                data.append(inner)
                data, column = inner.data, column + 2
            if not key or not isinstance(data, dict) or key in data:
                raise _NotPlainError
            fields, indent = data, " " * column
        if not written:
            fields[key] = empty = Value(None, line)
            continue
        empty = None
        sign = written[0]
        if sign not in _SIGNS:
            fields[key] = Value(written, line)
        elif sign == '"' and "\\" not in written:
            fields[key] = Value(written[1:-1], line)
        else:
            fields[key] = _value(written, line)
    if not root.data:
        raise _NotPlainError
    return root


def _value(written: str, line: int) -> Value:
    """What stands on one line, as a value."""
    sign = written[0]
    if sign == "[":
        items = _known_items(written) if len(written) <= _SHORT else _items(written)
        return Value([Value(item, line) for item in items], line)
    if sign == "{":
        pairs = _known_pairs(written) if len(written) <= _SHORT else _pairs(written)
        return Value({key: Value(item, line) for key, item in pairs}, line)
    return Value(_scalar(written), line)


def _scalar(written: str) -> str | None:
    sign = written[0]
    if sign not in _QUOTES:
        return None if written in NULLS else written
    text = written[1:-1]
    if sign == '"' and "\\" in text:
        # None of these is made of another, as no backslash stands for itself.
        text = text.replace('\\"', '"').replace("\\n", "\n").replace("\\r", "\r")
    return text


def _items(written: str) -> tuple[str | None, ...]:
    return tuple(map(_scalar, _ITEM_OF.findall(written)))


def _pairs(written: str) -> tuple[tuple[str, str | None], ...]:
    pairs = _PAIR_OF.findall(written)
    if len({key for key, _ in pairs}) < len(pairs):
        raise _NotPlainError
    return tuple([(key, _scalar(item)) for key, item in pairs])


_known_items = lru_cache(maxsize=2**12)(_items)
_known_pairs = lru_cache(maxsize=2**12)(_pairs)
