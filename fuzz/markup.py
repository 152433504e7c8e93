"""Any markup as a body or a player: clean, and still clean as a browser takes it apart once more."""

from __future__ import annotations

from feedsvc.articles.markup import MarkupError, player_page, render_body
from feedsvc.text import dereference
from feedsvc.urls import clean_url
from fuzz.judge import fragment_faults

_BASE = "https://example.org/articles/a"


def fuzz(data: bytes) -> None:
    """The first byte says what the rest is written in."""
    text = data[1:].decode("utf-8", "replace")
    dereference(text)
    try:
        body = render_body(text, "markdown" if data[:1] < b"\x80" else "html", _BASE)
    except MarkupError:
        return
    # What was dropped may have held paragraphs apart: it need not be the same again.
    for each in (body, render_body(body, "html", _BASE)):
        faults = list(fragment_faults(each))
        assert not faults, faults
    try:
        page = player_page(text)
    except MarkupError:
        return
    assert page is None or clean_url(page) == page
