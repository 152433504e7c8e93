"""Editors: some hundreds of good articles, and each second a valid, a broken and a hostile file among them.

The names and addresses are always the same few: what is remembered for good does not grow by what is tried.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from support import front_matter

if TYPE_CHECKING:
    import random
    from pathlib import Path

GOOD = 400
TOPICS = 5
PROVIDERS = 3
_EDITED = 40
_WRONG = 20

_BODY = "Words of an article, *some* of them [linked](https://example.org/x). " * 12

BROKEN = (
    b"", b"---\n", b"---\ntitle: [half\n", b"no front matter", b"---\ntitle: A\n---\n", b"\xff\xfe\x00---",
    b"---\n- a\n- b\n---\n", b"---\ntitle: 'open\n---\nx", b"---\n\ttitle: tab\n---\n",
    b"---\ntitle: {a: b\n---\n",
)  # fmt: skip
_DEEP = 20_000
_BOMB = "a: &a [x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = (
    front_matter(title="'" + "x" * 300_000 + "'"),
    front_matter(title="<script>alert(1)</script>", webUrl="javascript:alert(1)"),
    front_matter(title='"]]>\\0 \\x1b[31m \\u202e &bomb;"'),
    front_matter() + "[" * _DEEP,
    front_matter() + "<b>" * _DEEP,
    front_matter() + "> " * _DEEP,
    front_matter() + "*_" * _DEEP,
    front_matter() + "<![CDATA[" * 1000 + "]]>" * 1000,
    front_matter(topics=f"[{', '.join(f'x{n}' for n in range(5000))}]"),
    front_matter(topics="[" * 1000 + "]" * 1000),
    front_matter(publishedDateTime="9999-99-99T99:99:99Z"),
    front_matter(publishedDateTime="0001-01-01T00:00:00+23:59"),
    front_matter(webUrl="http://[::1", provider="{name: '../../x', domain: '%00'}"),
    f"---\n{_BOMB}---\n",
    "x" * 2_000_000,
)


def fill(directory: Path) -> None:
    """Write the good ones; who reads the feeds finds each of their topics and providers as long as they stand."""
    for number in range(GOOD):
        _write(directory / f"{number}.md", _article(f"good-{number}", number, 0))


def edit(directory: Path, dice: random.Random, number: int) -> None:
    """Write, replace or remove one file of each kind; `number` tells the edits apart."""
    name = f"edited-{dice.randrange(_EDITED)}"
    if dice.random() < 0.2:
        (directory / f"{name}.md").unlink(missing_ok=True)
    else:
        _write(directory / f"{name}.md", _article(name, dice.randrange(TOPICS), number), whole=dice.random() < 0.7)
    broken = directory / f"broken-{dice.randrange(_WRONG)}.md"
    broken.unlink(missing_ok=True)
    if dice.random() < 0.8:
        broken.write_bytes(dice.choice(BROKEN))
    _be_hostile(directory / f"hostile-{dice.randrange(_WRONG)}.md", dice)


def put(directory: Path, title: str) -> None:
    """One more good article, to be found by who looks for it."""
    _write(directory / "sentinel.md", front_matter(title=title, webUrl="https://example.org/sentinel"))


def _article(name: str, number: int, edit: int) -> str:
    # Each the whole day of its own: the order in the feeds is that of the numbers.
    return (
        front_matter(
            title=f"Article {name}, edit {edit}",
            webUrl=f"https://example.org/{name}",
            publishedDateTime=f"202{number % 2}-{number % 12 + 1:02}-{number % 28 + 1:02}T0{number % 10}:00:00Z",
            topics=f"[T{number % TOPICS}]",
            provider=f"{{name: P{number % PROVIDERS}, domain: p{number % PROVIDERS}.example}}",
        )
        + _BODY
    )


def _write(path: Path, text: str, *, whole: bool = True) -> None:
    """As careful scripts write: to be seen as a whole; or as others do, half first."""
    if whole:
        aside = path.with_name(f".{path.name}")
        aside.write_text(text, "utf-8")
        aside.replace(path)
    else:
        with path.open("w", encoding="utf-8") as stream:
            stream.write(text[: len(text) // 3])
            stream.flush()
            stream.write(text[len(text) // 3 :])


def _be_hostile(path: Path, dice: random.Random) -> None:
    """Put something in the place of an article that nobody expects there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    lot = dice.randrange(8)
    if lot == 0:
        os.mkfifo(path)
    elif lot == 1:
        path.symlink_to(dice.choice(("/etc/passwd", ".", path.name, "/dev/zero", "0.md", "/proc/self/fd")))
    elif lot == 2:
        (path / "deep.md" / "deeper").mkdir(parents=True)
    elif lot < 7:
        # Nothing of it has an address of its own: they are revisions of one article, or none.
        path.write_text(dice.choice(HOSTILE), "utf-8", "surrogateescape")
