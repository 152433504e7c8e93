"""What articles bring along as markup: bodies, which become clean HTML with absolute links, and players."""

from __future__ import annotations

import html
import re
from typing import Literal
from urllib.parse import urljoin, urlsplit

import nh3
from markdown_it import MarkdownIt

from feedsvc.articles.tags import MAX_DEPTH, TooCostlyError, affordable, depth
from feedsvc.text import clean, dereference
from feedsvc.urls import clean_url

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_TAGS = frozenset(
    "a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure "
    "h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody "
    "td tfoot th thead time tr u ul var".split()
)
# Their text is no prose either.
_DROPPED_WHOLE = frozenset(
    "script style title iframe object noembed noframes template textarea select svg math audio video".split()
)
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "blockquote": {"cite"},
    "del": {"cite", "datetime"},
    "img": {"alt", "height", "src", "width"},
    "ins": {"cite", "datetime"},
    "ol": {"start"},
    "q": {"cite"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
# The Markdown parser, too, has inputs that cost it about 15 us a character.
MAX_MARKDOWN = 200_000
# Links become absolute, what is open is closed: longer than this, a body has become something else.
MAX_GROWTH = 10
# What word processors leave in for quotes and dashes; a browser reads them so, and Markdown does not.
_WINDOWS = re.compile(r"&#0*(?:1(?:2[89]|[345]\d)|x0*[89][0-9a-f]);", re.IGNORECASE | re.ASCII)
_FRAME = re.compile(r'<iframe src="([^"]*)"')
_VIDEO = re.compile(
    r"https?://(?:(?:www\.)?youtube(?:-nocookie)?\.com/embed/(?!videoseries|live_stream)([\w-]+)"
    r"|player\.vimeo\.com/video/(\d+))"
)
_URL_ATTRIBUTES = frozenset({"cite", "href", "src"})


class MarkupError(Exception):
    """The body cannot be used; the message says what was found."""


def render_body(source: str, kind: Literal["markdown", "html"], base: str) -> str:
    """Well-nested HTML without scripts, frames, forms, styles or handlers; "" where nothing is left.

    Args:
        source: the text behind the front matter.
        kind: what the text is written in.
        base: the article's URL, against which relative links are resolved.

    Raises:
        MarkupError: to clean it would take too long.
    """
    source = clean(source).strip()
    if not source:
        return ""
    if kind == "markdown" and len(source) > MAX_MARKDOWN:
        raise MarkupError(f"more than {MAX_MARKDOWN} characters of Markdown")
    if kind == "markdown":
        source = _MARKDOWN.render(_WINDOWS.sub(lambda match: dereference(match[0]), source))
    dirty = _affordable(source)

    def absolute(tag: str, attribute: str, value: str) -> str | None:
        return _absolute(value, base, mail=tag == "a") if attribute in _URL_ATTRIBUTES else value

    body = clean(
        nh3.clean(
            dirty,
            tags=set(_TAGS),
            clean_content_tags=set(_DROPPED_WHOLE),
            attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
            attribute_filter=absolute,
            url_schemes={"http", "https", "mailto"},
            link_rel=None,
        )
    ).strip()
    if len(body) > MAX_GROWTH * len(dirty) + MAX_MARKDOWN:
        raise MarkupError("formatting that is never closed")
    if depth(body) > MAX_DEPTH:
        raise MarkupError(f"elements nested more than {MAX_DEPTH} deep")
    return body


def player_page(markup: str) -> str | None:
    """Where what is embedded can be watched: no frame leaves, a link to its page does.

    Raises:
        MarkupError: to look would take too long.
    """
    frame = _first_frame(markup)
    # A page's own scheme is what // takes over; every player has https.
    url = clean_url(re.sub("^//", "https://", frame)) if frame else None
    video = _VIDEO.match(url) if url else None
    if not video:
        return url
    return f"https://www.youtube.com/watch?v={video[1]}" if video[1] else f"https://vimeo.com/{video[2]}"


def _first_frame(markup: str) -> str | None:
    """The `src` of the first frame that a browser would find: not of one in a comment or in other text."""
    if "<iframe" not in markup.lower():
        return None
    markup = _affordable(markup)
    # What is left is nothing but these elements and escaped text, in a form that is always the same.
    alone = nh3.clean(markup, tags={"iframe"}, attributes={"*": set(), "iframe": {"src"}}, link_rel=None)
    found = _FRAME.search(alone)
    return html.unescape(found[1]).strip() if found else None


def _affordable(markup: str) -> str:
    try:
        return affordable(markup)
    except TooCostlyError as error:
        raise MarkupError(str(error)) from error


def _absolute(value: str, base: str, *, mail: bool) -> str | None:
    try:
        url = urljoin(base, value.strip())
        if mail and urlsplit(url).scheme == "mailto":
            return url
    except ValueError:
        return None
    return clean_url(url)
