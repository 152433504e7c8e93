"""Tags: markup whose cleaning would cost minutes, or all memory, made such that it does not.

Formatting that is not closed is opened again in every block that follows, and browsers demand it (HTML §13.2.4.3):
some kilobytes of it make gigabytes. Of those that are equal only three are opened again; so it is made equal.
"""

from __future__ import annotations

import re

# Nested without end, a few hundred kilobytes of tags cost the parser minutes; this many cost under a second.
MAX_TAGS = 20_000
# So many different attributes of one tag, each of which it compares with all others, cost the parser a fifth of a
# second.
MAX_ATTRIBUTES = 10_000
# So many different ones may be open at once.
MAX_FORMATTING = 20
# What lxml takes apart at all is less than 2,048 deep.
MAX_DEPTH = 1_000
_TAG = re.compile(r"</?[A-Za-z]")
_ATTRIBUTE = r"""
    [^\s/>] [^\s/>=]*+
    (?: \s*+ = \s*+ (?: "[^"]*+(?:"|\Z) | '[^']*+(?:'|\Z) | [^\s>"'][^\s>]*+ | (?=>|\Z) ) )?+"""
# As a browser takes markup apart (HTML §13.2.5): comments, which hold no tags, and tags, whose attributes may hold
# what looks like tags; of end tags, those that have any.
_TOKEN = re.compile(
    rf"""<!--(?:-?> | .*?(?:--!?>|\Z))
    | <(?P<end>/(?=[a-z][^\s/>]*+[\s/]))?+ (?P<name>[a-z][^\s/>]*+)
    (?P<rest>(?:[\s/]++ | {_ATTRIBUTE})*+) (?:>|\Z)""",
    re.IGNORECASE | re.ASCII | re.VERBOSE | re.DOTALL,
)
# Where these end, whatever was begun in them ends too.
_RAW = r"</(?:script|style|textarea|title|xmp|iframe|noembed|noframes|noscript)[\s/>]"
_RAW_END = re.compile(rf"(?={_RAW})", re.IGNORECASE | re.ASCII)
# Where no tag goes on that began before.
_BEGIN = re.compile(rf"(?!{_RAW})(?=<)", re.IGNORECASE | re.ASCII)
_BETWEEN_NAMES = re.compile(r"[\s/>=]+")
_FORMATTING = frozenset("b big code em font i nobr s small strike strong tt u".split())
# Those that we would let through.
_MARK = re.compile(
    r"""(?<![^\s/"'])(?:lang|dir|title)\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'|[^\s>"'<]++)""", re.IGNORECASE | re.ASCII
)
_OPENS_OR_CLOSES = re.compile(r"<(/?)([a-z][a-z0-9]*)")
_VOID = frozenset("br col hr img".split())


class TooCostlyError(Exception):
    """The markup has more of something than any text; the message says of what."""


def affordable(markup: str) -> str:
    """The same markup in a form that a parser can afford; it means the same, but for attributes of formatting.

    Raises:
        TooCostlyError: it has more tags, or more attributes in one, than any text.
    """
    if sum(1 for _ in _TAG.finditer(markup)) > MAX_TAGS:
        raise TooCostlyError(f"more than {MAX_TAGS} tags")
    seen: set[str] = set()

    def rewrite(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None or match["end"] or name.lower() not in _FORMATTING:
            # Should a browser see no comment or attribute here, but text, it must not find tags in it.
            return "<" + match[0][1:].replace("<", "&lt;")
        tag = " ".join([name.lower(), *_MARK.findall(match["rest"])])
        if len(seen) < MAX_FORMATTING:
            seen.add(tag)
        return f"<{tag if tag in seen else name}>"

    rewritten = "".join(_TOKEN.sub(rewrite, piece) for piece in _RAW_END.split(markup))
    if len(rewritten) > 2 * MAX_ATTRIBUTES and any(map(_has_too_many_attributes, _BEGIN.split(rewritten))):
        raise TooCostlyError(f"more than {MAX_ATTRIBUTES} attributes")
    return rewritten


def _has_too_many_attributes(piece: str) -> bool:
    """Whether a piece of markup could have them, which holds a whole tag and no other, and the text behind it.

    Where the tag ends is known, unless what looks like the end of raw text is in it: then a browser may see an
    attribute there, and all of the piece may be of the tag. Every attribute is one of the words.
    """
    if len(piece) <= 2 * MAX_ATTRIBUTES:
        return False
    tag = None if _RAW_END.search(piece) else _TOKEN.match(piece)
    return len(set(_BETWEEN_NAMES.split(tag[0] if tag else piece))) > MAX_ATTRIBUTES


def depth(markup: str) -> int:
    """How deep clean markup is nested."""
    deepest = now = 0
    for end, name in _OPENS_OR_CLOSES.findall(markup):
        if name not in _VOID:
            now += -1 if end else 1
            deepest = max(deepest, now)
    return deepest
