"""Any bytes as a file: an article or a problem, never an exception, and what is kept of it is what was read."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from feedsvc.articles.article import Article, pack, unpack
from feedsvc.articles.front import split
from feedsvc.articles.parse import parse
from feedsvc.articles.plain import plain_tree
from feedsvc.articles.reserved import Names, Reserved
from feedsvc.text import clean, one_line
from feedsvc.tree import Tree, TreeError, Value, parse_tree
from feedsvc.urls import clean_url
from fuzz.judge import fragment_faults

_UTC = ZoneInfo("UTC")
_RESERVED = Reserved(Names(frozenset({"secret", "ai"}), frozenset({"news"})), Names(frozenset({"example"})))
_NAMES = ("a.md", "a.html", "a.yaml")


def fuzz(data: bytes) -> None:
    """The first byte says by which name the file goes."""
    name, content = _NAMES[data[0] % len(_NAMES)] if data else _NAMES[0], data[1:]
    parsed = parse(name, content, _UTC)
    assert any(problem.fatal for problem in parsed.problems) == (parsed.article is None)
    assert all(str(problem).isprintable() for problem in parsed.problems)
    if parsed.article:
        _check(parsed.article)
    strict = parse(name, content, _UTC, None, _RESERVED)
    # Where something is private it is the same article, or none.
    assert strict.article in {parsed.article, None}
    assert any(problem.fatal for problem in strict.problems) == (strict.article is None)
    _compare(content)


def _check(article: Article) -> None:
    assert article.title == one_line(article.title) != ""
    assert clean_url(article.url) == article.url
    details = article.details
    assert unpack(pack(details)) == details
    assert clean(details.body) == details.body
    assert not list(fragment_faults(details.body))
    addresses = [image.url for image in details.images] + [each.link.url for each in details.related]
    assert all(clean_url(url) == url for url in [*addresses, details.featured, details.amp_url] if url)
    # All of it can be written.
    repr(article).encode()


def _compare(content: bytes) -> None:
    """What the quick reader recognises, YAML reads in the same way."""
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    front, _, line = split(text, plain_yaml=True)
    tree = plain_tree(front, line) if front else None
    if front and tree:
        try:
            other = parse_tree(clean(front), line)
        except TreeError as error:
            raise AssertionError("the quick reader takes what is no YAML") from error
        assert _plain(tree) == _plain(other)


def _plain(tree: Tree) -> object:
    def value_of(value: Value) -> object:
        if isinstance(value.data, dict):
            return value.line, {key: value_of(each) for key, each in value.data.items()}
        if isinstance(value.data, list):
            return value.line, [value_of(each) for each in value.data]
        return value.line, value.data

    return value_of(tree.root)
