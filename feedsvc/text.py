"""Text: as XML can carry it, as names are compared, and as one line of a message holds it."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

# All that XML 1.0 forbids (§2.2), and the control characters that it only discourages: they show as nothing or
# as boxes. Tab, line feed, carriage return and the next-line character are white space and stay.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# No character has a number of so many digits, and Python refuses to make one of thousands.
_NUMBER = re.compile(r"&#0*([0-9]{1,8})[0-9]*")

# Names are hardly ever longer.
_NAME_LENGTH = 80


def clean(text: str) -> str:
    """Drop the characters that no XML document can hold; lone surrogates are among them."""
    # What Python calls printable, XML can hold.
    return text if text.isprintable() else _FORBIDDEN.sub("", text)


def one_line(text: str) -> str:
    """Clean text on one line, with single spaces."""
    # No white space but the space is printable.
    if "  " not in text and text.isprintable():
        return text.strip()
    return _joined(text)


def _joined(text: str) -> str:
    return " ".join(clean(text).split())


def unescape(text: str) -> str:
    """Plain text from text with character references (`&#8217;`, `&nbsp;`), which many exports leave in."""
    return one_line(dereference(text)) if "&" in text else text


def dereference(text: str) -> str:
    """Character references as a browser reads them, however many digits they have."""
    return html.unescape(_NUMBER.sub(r"&#\1", text))


def fold(name: str) -> str:
    """The key under which two spellings of a name are the same: case, space and composition do not count."""
    # The few names of topics and providers are asked for again by every article, in every reload; what somebody
    # asks the server for may be long, and is not kept.
    return _folded_name(name) if len(name) <= _NAME_LENGTH else _folded(name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", one_line(name).casefold())


_folded_name = lru_cache(maxsize=16_384)(_folded)


def printable(text: str) -> str:
    """Text for a message of one line: no line break, control character or lone surrogate stays."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in text
    )
