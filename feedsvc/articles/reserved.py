"""Reserved names: those of what is private. A file that could mean one, but is not clear about it, is not used.

A name that cannot be read is dropped elsewhere, and its article goes on without. Here this would publish what
somebody wanted to be private.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from feedsvc.articles.article import Problem
from feedsvc.articles.fields import MAX_NAME
from feedsvc.text import dereference, fold, one_line, printable
from feedsvc.tree import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from feedsvc.articles.fields import Fields
    from feedsvc.tree import Value

_ABOUT_TOPICS = re.compile(r"topics\b.*", re.DOTALL)
_ABOUT_PROVIDER = re.compile(r"provider(\.name)?")
# Without a name, a provider is called by its domain.
_ABOUT_NAMELESS = re.compile(r"provider(\.name|\.domain)?")
# What YAML takes for a comment, an anchor or a tag, and people for a name.
_SIGN = r"""^[ \t]*["']?{}["']?[ \t]*:[ \t]+[\#&!]"""
_SIGN_OF_TOPICS = re.compile(_SIGN.format("topics"), re.MULTILINE)
_SIGN_OF_PROVIDER = re.compile(_SIGN.format("(?:provider|name)"), re.MULTILINE)
# All that belongs to the topics, and what YAML leaves out of it.
_OF_TOPICS = re.compile(r"^topics[ \t]*:.*(?:\n(?:[ \t\-\]#].*)?)*", re.MULTILINE)
_COMMENT = re.compile(r"[\s,\[]#(.*)")
# Letters that show as nothing.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_ESCAPED = re.compile(r"\\[nrtvLNP]|[\n\r\t\v\f\x85\u2028\u2029]")
# What people write between the items of what they think is a list; and what else, though names have it too.
_BETWEEN = re.compile(r"[,;|\u3001]+")
_PERHAPS_BETWEEN = re.compile(
    r"[^\w\s'\u2019.\-\u2010\u2011]+|(?:^|\s)(?:[-\u2010\u2011]+|[0-9]+[.)])|[.!?](?:\s|\Z)"
    r"|\s(?:and|or|und|oder|et|ou|y|o)\s",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
# What a provider says of itself beside its name.
_OF_PROVIDER = frozenset({"name", "domain", "authors", "images"})
_OF_PROVIDER_ALONE = frozenset({"name", "domain", "provider.name", "provider.domain"})
_NOTHING, _IN_QUOTES = "nothing", "a name; in quotes, where it begins with #, & or !"
# Fields have short names, and nearly all articles the same ones.
_LONGEST_KEY = 40
# More different topics are a mistake in any case, and so are more texts in fields like it, however often aliases
# have the same ones stand there.
_MOST_NAMES = 100
_MOST_TEXTS = 1_000


@dataclass(frozen=True, slots=True)
class Names:
    """Those of a kind that are configured, folded. No public one is mistaken for a private one."""

    private: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reserved:
    """The names of topics and of providers."""

    topics: Names = Names()
    providers: Names = Names()

    @property
    def digest(self) -> str:
        """Stands for all of them."""
        names = [sorted(each) for kind in (self.topics, self.providers) for each in (kind.private, kind.public)]
        return blake2b(repr(names).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def is_clear(fields: Fields, front: str, reserved: Reserved) -> bool:
    """Whether it is sure what topics and provider a file means; what speaks against it goes on the list."""
    unclear: list[Problem] = []
    if reserved.topics.private:
        unclear += _raised(fields, "topics", _ABOUT_TOPICS)
        unclear += _topics(fields, front, reserved.topics)
        unclear += _elsewhere(fields, "topics", reserved.topics)
    if reserved.providers.private:
        provider = fields.values.get("provider")
        of_provider = provider.data if provider and isinstance(provider.data, dict) else {}
        unclear += _raised(fields, "provider", _ABOUT_PROVIDER if "name" in of_provider else _ABOUT_NAMELESS)
        unclear += _provider(fields, front, of_provider, reserved.providers)
        unclear += _elsewhere(fields, "provider", reserved.providers)
    fields.problems += unclear
    return not unclear


def _raised(fields: Fields, name: str, about: re.Pattern[str]) -> list[Problem]:
    """Problems with a field, or with one that could be it, which are of the whole file now."""

    def is_about(problem: Problem) -> bool:
        place = problem.field or ""
        if about.fullmatch(place):
            return True
        last = place.rpartition(".")[2].partition("[")[0]
        return not place.startswith("related") and _is_near(last, name)

    found = [each for each in fields.problems if is_about(each)]
    if found:
        fields.problems[:] = [each for each in fields.problems if not is_about(each)]
    return [replace(each, fatal=True) for each in found]


def _topics(fields: Fields, front: str, names: Names) -> Iterator[Problem]:
    topics = fields.values.get("topics")
    if topics is None:
        return
    items = topics.data if isinstance(topics.data, list) else [topics]
    is_list = items is topics.data
    seen: set[str] = set()
    for position, item in enumerate(items):
        name = f"topics[{position}]" if is_list else "topics"
        if isinstance(item.data, str) and item.data not in seen and len(seen) < _MOST_NAMES:
            seen.add(item.data)
            # Words in the place of a list may be one whose dashes were forgotten.
            yield from _mistaken(fields, name, item, names, in_words=not is_list)
        elif item.data is None and (is_list or _SIGN_OF_TOPICS.search(front)):
            yield _problem(fields, item, name, _NOTHING, _IN_QUOTES)
            return
    for count, comment in enumerate(_COMMENT.findall("".join(_OF_TOPICS.findall(front)))):
        is_name = fold(comment[:MAX_NAME]) in names.private or _meant(comment, names, in_words=True)
        if is_name or count == _MOST_TEXTS:
            yield _problem(fields, topics, "topics", "a private name in a comment", _IN_QUOTES)
            return


def _provider(fields: Fields, front: str, of_provider: Mapping[str, Value], names: Names) -> Iterator[Problem]:
    provider = fields.values.get("provider")
    left = iter(range(_MOST_TEXTS))
    if provider is None or provider.data is None:
        # What stands below it with too few blanks.
        for key in _OF_PROVIDER_ALONE & fields.values.keys():
            if found := _named(fields, key, fields.values[key], names, left):
                yield replace(found, expected="`provider`, with this in it")
                return
    if provider and isinstance(provider.data, str):
        yield from _mistaken(fields, "provider", provider, names)
    is_missing = _is_nothing(provider) or _is_nothing(of_provider.get("name"))
    if provider and is_missing and _SIGN_OF_PROVIDER.search(front):
        yield _problem(fields, provider, "provider", _NOTHING, _IN_QUOTES)
    for key, value in of_provider.items():
        if key == "name":
            yield from _mistaken(fields, "provider.name", value, names)
        elif key not in _OF_PROVIDER and (found := _named(fields, f"provider.{key}", value, names, left)):
            yield replace(found, expected="`provider.name`, at its place")
            return


def _is_nothing(value: Value | None) -> bool:
    return value is not None and value.data is None


def _elsewhere(fields: Fields, name: str, names: Names) -> Iterator[Problem]:
    """The first of private names in what could be the field, under another name or at another place."""
    left = iter(range(_MOST_TEXTS))
    for key, value in fields.values.items():
        # Related coverage has topics and a provider of its own; unless ours are missing, and it has got them.
        given = fields.values.get(name)
        if key == name or (key == "related" and (name == "provider" or (given and given.data is not None))):
            continue
        for place, near in _near(key, value, name):
            if found := _named(fields, place, near, names, left):
                yield replace(found, expected=f"`{name}`, at its place")
                return


def _near(key: str, value: Value, name: str) -> Iterator[tuple[str, Value]]:
    """What could be the field, with what it is called there."""
    if _is_near(key, name):
        yield key, value
    elif isinstance(value.data, dict):
        for inner, below in value.data.items():
            yield from _near(inner, below, name)
    elif isinstance(value.data, list):
        for item in value.data:
            yield from _near("", item, name)


def _is_near(key: str, name: str) -> bool:
    return len(key) <= _LONGEST_KEY and _stem(key) == _stem(name)


@lru_cache(maxsize=1024)
def _stem(key: str) -> str:
    return _bare(key).rstrip("s")


def _named(fields: Fields, place: str, value: Value, names: Names, left: Iterator[int]) -> Problem | None:
    """The problem with a text in it that is a private name, or could be; or with one for which none is left."""
    for text in _texts(value):
        pieces = (text, *_BETWEEN.split(text)) if len(text) > MAX_NAME else (text,)
        for each in pieces:
            if (
                next(left, None) is None
                or fold(one_line(each)[:MAX_NAME]) in names.private
                or _meant(each, names, in_words=True)
            ):
                return _problem(fields, value, place, "a field of this name", "")
    return None


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value.data, str):
        yield value.data
    elif isinstance(value.data, list):
        for item in value.data:
            yield from _texts(item)
    elif isinstance(value.data, dict):
        yield from value.data
        for below in value.data.values():
            yield from _texts(below)


def _mistaken(
    fields: Fields, name: str, value: Value, names: Names, *, in_words: bool = False
) -> Iterator[Problem]:
    if isinstance(value.data, str) and (meant := _meant(value.data, names, in_words=in_words)):
        expected = f'"{meant}", which is private, alone; or a public name that is configured (access: public)'
        yield _problem(fields, value, name, describe(value), expected)


def _problem(fields: Fields, value: Value, name: str, found: str, expected: str) -> Problem:
    return Problem(fields.path, value.line, printable(name)[:80], found, printable(expected))


def _meant(text: str, names: Names, *, in_words: bool) -> str | None:
    """The private name that a text could mean, where it is neither that nor a public one."""
    # Longer ones are no names, and cost time and memory.
    return _known(one_line(_ESCAPED.sub(";", text))[:MAX_NAME], names, in_words)


@lru_cache(maxsize=4096)
def _known(text: str, names: Names, in_words: bool) -> str | None:  # noqa: FBT001 - cached by its place
    if (folded := fold(text)) in names.private or folded in names.public:
        return None
    private = _private(names.private)
    plain = unicodedata.normalize("NFKC", dereference(text))
    for each in (plain, *_BETWEEN.split(plain), *_PERHAPS_BETWEEN.split(plain)):
        if meant := private.get(_bare(each)):
            return meant
    if not in_words:
        return None
    words = f" {_words(plain)} "
    return next((name for each, name in _in_words(names.private) if each in words), None)


@lru_cache(maxsize=16)
def _private(names: frozenset[str]) -> Mapping[str, str]:
    return {bare: name for name in sorted(names) if (bare := _bare(name))}


@lru_cache(maxsize=16)
def _in_words(names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple((f" {words} ", name) for name in sorted(names) if (words := _words(name)))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(_BLANK.sub("", text).casefold()))


def _bare(text: str) -> str:
    """The letters, digits and accents of a text, in which nobody sees a difference."""
    plain = unicodedata.normalize("NFKC", _BLANK.sub("", text)).casefold()
    if plain.isalnum():
        return plain
    # One that has none of these is called by its signs.
    return "".join(char for char in plain if unicodedata.category(char)[0] in "LMN") or plain.strip()
