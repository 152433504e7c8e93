"""What HTML of ours may hold, as a parser sees it that is not the one that cleaned it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import lxml.html

if TYPE_CHECKING:
    from collections.abc import Iterator

FORBIDDEN = frozenset(
    "script style iframe frame frameset object embed applet form input button select textarea base meta link svg "
    "math template title audio video source track canvas noscript portal marquee isindex xmp plaintext".split()
)
ATTRIBUTES = frozenset(
    "alt cite colspan datetime dir height href hreflang lang rel rowspan scope src start title width".split()
)
# What a page adds to bodies: pictures that wait, tables that scroll.
ON_PAGES = frozenset("aria-label class loading referrerpolicy role tabindex".split())
_URLS = frozenset("cite href src".split())
_PARSER = lxml.html.HTMLParser(huge_tree=True)


def fragment_faults(markup: str) -> Iterator[str]:
    """What should not be in the content of an entry."""
    root = lxml.html.fragment_fromstring(markup, create_parent="div", parser=_PARSER)
    yield from _faults(root, ATTRIBUTES)


def content_faults(element: lxml.html.HtmlElement) -> Iterator[str]:
    """What should not be in the content of an entry on a page."""
    yield from _faults(element, ATTRIBUTES | ON_PAGES)


def _faults(root: lxml.html.HtmlElement, attributes: frozenset[str]) -> Iterator[str]:
    for element in root.iterdescendants():
        if not isinstance(element.tag, str):
            yield "a comment or an instruction"
            continue
        if element.tag in FORBIDDEN or ":" in element.tag:
            yield f"<{element.tag}>"
        for name, value in element.attrib.items():
            if name not in attributes:
                yield f"<{element.tag} {name}>"
            elif name in _URLS and not _is_allowed(str(value), mail=element.tag == "a"):
                yield f"<{element.tag} {name}={value!r}>"


def _is_allowed(url: str, *, mail: bool) -> bool:
    """Whether a URL is absolute and leads to the web, or is an address of mail."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if url != url.strip():
        return False
    return (parts.scheme in {"http", "https"} and bool(parts.netloc)) or (mail and parts.scheme == "mailto")
