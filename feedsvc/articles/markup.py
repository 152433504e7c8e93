"""What articles bring along as markup: bodies, of which clean HTML with absolute links leaves, and players."""

from __future__ import annotations

import html
import re
from typing import Literal
from urllib.parse import urljoin, urlsplit

import nh3
from markdown_it import MarkdownIt

from feedsvc.text import clean
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
# Nested without end, a few hundred kilobytes of tags cost the parser minutes; this many cost under a second.
MAX_TAGS = 20_000
# The Markdown parser, too, has inputs that cost it about 15 us a character.
MAX_MARKDOWN = 200_000
_TAG = re.compile(r"</?[A-Za-z]")
_SOURCE = re.compile(r'<(?:iframe|img) src="([^"]*)"')
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
    dirty = _MARKDOWN.render(source) if kind == "markdown" else source

    if sum(1 for _ in _TAG.finditer(dirty)) > MAX_TAGS:
        raise MarkupError(f"more than {MAX_TAGS} tags")

    def absolute(tag: str, attribute: str, value: str) -> str | None:
        return _absolute(value, base, mail=tag == "a") if attribute in _URL_ATTRIBUTES else value

    return nh3.clean(
        dirty,
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=absolute,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    ).strip()


def player_page(markup: str) -> str | None:
    """Where what is embedded can be watched: no frame leaves, a link to its page does.

    Raises:
        MarkupError: to look would take too long.
    """
    frames = sources(markup, "iframe")
    # A page's own scheme is what // takes over; every player has https.
    url = clean_url(re.sub("^//", "https://", frames[0].strip())) if frames else None
    video = _VIDEO.match(url) if url else None
    if not video:
        return url
    return f"https://www.youtube.com/watch?v={video[1]}" if video[1] else f"https://vimeo.com/{video[2]}"


def sources(markup: str, tag: Literal["iframe", "img"]) -> list[str]:
    """The `src` of every such element, as a browser would find them: not those in comments or in other text.

    Raises:
        MarkupError: to look would take too long.
    """
    if f"<{tag}" not in markup.lower():
        return []
    if sum(1 for _ in _TAG.finditer(markup)) > MAX_TAGS:
        raise MarkupError(f"more than {MAX_TAGS} tags")
    # What is left is nothing but these elements and escaped text, in a form that is always the same.
    alone = nh3.clean(markup, tags={tag}, attributes={"*": set(), tag: {"src"}}, link_rel=None)
    return [html.unescape(source) for source in _SOURCE.findall(alone)]


def _absolute(value: str, base: str, *, mail: bool) -> str | None:
    try:
        url = urljoin(base, value.strip())
        if mail and urlsplit(url).scheme == "mailto":
            return url
    except ValueError:
        return None
    return clean_url(url)
