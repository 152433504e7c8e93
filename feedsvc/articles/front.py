"""Front matter: where it begins and ends in a file."""

from __future__ import annotations

import re

_MARKER = re.compile(r"---[ \t]*\r?(\n|\Z)")
_END = re.compile(r"^(---|\.\.\.)[ \t]*\r?(\n|\Z)", re.MULTILINE)


def split(text: str, *, plain_yaml: bool) -> tuple[str | None, str, int]:
    """Front matter, body, and the line number where the front matter starts; no front matter is None."""
    opening = _MARKER.match(text)
    if not opening:
        return (text, "", 1) if plain_yaml else (None, "", 0)
    begin = opening.end()
    # The first line that begins like this is nearly always the end, and found in a tenth of the time.
    first = text.find("\n---", begin - 1) + 1
    closing = _END.match(text, first) if first and text.find("\n...", begin - 1, first) < 0 else None
    closing = closing or _END.search(text, begin)
    if not closing:
        return (text[begin:] if plain_yaml else None), "", 2
    return text[begin : closing.start()], text[closing.end() :], 2
