"""Files that somebody wrote to hurt: for each kind the files themselves, and what is said of them.

A kind writes its files into a directory, and tells of each what is to be named: line and field of a problem;
nothing of one that is an article all the same, or is passed over.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from support import front_matter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Where a problem is.
Place: TypeAlias = "tuple[int | None, str | None]"
Named: TypeAlias = "dict[str, Place]"
_DEEP = 20_000
_FRONT = "front matter"
# The first line behind those of an article that has nothing wrong.
_LINE = 9
_BEGIN = front_matter().removesuffix("---\n")


def _with(lines: str) -> bytes:
    """An article of which these lines are the last fields."""
    return f"{_BEGIN}{lines}\n---\n".encode()


def _write(directory: Path, files: Mapping[str, tuple[bytes, Place | None]]) -> Named:
    for name, (content, _) in files.items():
        (directory / name).write_bytes(content)
    return {name: place for name, (_, place) in files.items() if place}


def bombs(directory: Path) -> Named:
    """YAML that becomes much, or is deep, or turns round."""
    laughs = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 11))
    merges = "\n".join(
        f"m{n}: &m{n} {{{', '.join(f'k{n}_{k}: *m{n - 1}' for k in range(10))}}}" for n in range(1, 9)
    )
    at = (_LINE, _FRONT)
    return _write(
        directory,
        {
            "laughs.md": (_with(f"l0: &l0 [ha, ha]\n{laughs}"), (_LINE + 5, _FRONT)),
            "merges.md": (_with(f"m0: &m0 {{k: v}}\n{merges}"), (_LINE + 5, _FRONT)),
            "text.md": (_with(f"t: &t {'x' * 500_000}\nu: [{'*t, ' * 1_000}]"), (_LINE + 1, _FRONT)),
            "itself.md": (_with("topics: &x [*x]"), at),
            "itself-merged.md": (_with("x: &x\n  <<: *x"), (_LINE + 1, _FRONT)),
            "lists.md": (_with(f"x: {'[' * _DEEP}"), at),
            "closed-lists.md": (_with(f"x: {'[' * _DEEP}{']' * _DEEP}"), at),
            "mappings.md": (_with(f"x: {'{a: ' * _DEEP}"), at),
            "dashes.md": (_with(f"x:\n  {'- ' * _DEEP}a"), (_LINE + 1, _FRONT)),
            "keys.md": (_with(f"x:\n  {'? ' * _DEEP}a"), (_LINE + 1, _FRONT)),
            "values.md": (_with(f"x: [{'a,' * 100_001}]"), at),
            "topics.md": (_with(f"topics: [{','.join(map(str, range(100_000)))}]"), at),
        },
    )


def tags(directory: Path) -> Named:
    """Tags with which YAML of other programs would have made objects; one of them would have left a mark."""
    mark = directory / "mark"
    refused = (
        f'!!python/object/apply:os.system ["touch {mark}"]',
        f'!!python/object/new:os.system ["touch {mark}"]',
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/tuple [a]",
        "!!python/object:feedsvc.settings.Settings {}",
        f'!ruby/object:Gem::Installer {{i: "touch {mark}"}}',
        f'!!javax.script.ScriptEngineManager [!!java.net.URL ["file://{mark}"]]',
        "!!binary aGk=",
        "!!set {a, b}",
        "!!omap [a: b]",
        "!!pairs [a: b]",
        "!!value x",
        "!!merge x",
        "!<tag:yaml.org,2002:python/none> x",
        "!local x",
    )
    # Those that are but text, and are read as that.
    plain = ("!!timestamp 2021-12-14", "!!str 1", "!!int 0x10", "!!float .nan", "!!bool yes", "!!null x", "! x")
    for number, tag in enumerate(plain):
        (directory / f"plain-{number}.txt").write_bytes(_with(f"x: {tag}\nremoved: true"))
    files = {f"tag-{number}.md": (_with(f"x: {tag}"), (_LINE, _FRONT)) for number, tag in enumerate(refused)}
    directive = f"%TAG ! tag:yaml.org,2002:python/\n--- !name:os.system x\n{_BEGIN[4:]}".encode()
    return _write(directory, {**files, "directive.yaml": (directive, (2, _FRONT))})


def bytes_of_all_kinds(directory: Path) -> Named:
    """Bytes that are no UTF-8, and references without end; keys given twice, or 90,000 times."""
    text = front_matter()
    article = text.encode()
    byte = None
    return _write(
        directory,
        {
            "utf-16.md": (text.encode("utf-16"), (1, byte)),
            "utf-16-be.md": (b"\xfe\xff" + text.encode("utf-16-be"), (1, byte)),
            "utf-32.md": (text.encode("utf-32"), (1, byte)),
            "latin-1.md": (_BEGIN.replace("A title", "caf\xe9").encode("latin-1") + b"---\n", (2, byte)),
            "overlong.md": (article + b"\xc0\xaf", (10, byte)),
            "surrogate.md": (article + b"\xed\xa0\x80", (10, byte)),
            "cut.md": (article + "北".encode()[:2], (10, byte)),
            "nothing.md": (b"", (byte, byte)),
            "zeros.md": (bytes(100_000), (1, byte)),
            "no-end.md": (b"---\n" + b"a: b\n" * 1_000, (1, byte)),
            "no-front.md": (b"# Hello\n", (1, byte)),
            "two-documents.yaml": (b"title: a\n---\ntitle: b\n", (2, _FRONT)),
            # Python refuses to count so far, and once that ended the reload.
            "number.txt": (_with(f'removed: true\nquality: "&#{"1" * 5_000};"'), (_LINE + 1, "quality")),
            "number-in-excerpt.txt": (
                _with("removed: true").replace(b"An excerpt.", b"'&#%b;'" % (b"1" * 5_000)),
                None,
            ),
            "twice.txt": (_with("excerpt: x\nremoved: true"), (_LINE, "excerpt")),
            "often.txt": (_with("removed: true\n" + "a: b\n" * 90_000), (_LINE + 2, "a")),
        },
    )


def large(directory: Path) -> Named:
    """Files and fields of a size that no article has."""
    with (directory / "sparse.md").open("wb") as file:
        file.write(front_matter().encode())
        file.truncate(64 * 1024 * 1024)
    names = "<p " + "".join(f"a{number}=b " for number in range(90_000)) + ">"
    removed = "removed: true"
    long = "x" * 900_000
    return {"sparse.md": (None, None)} | _write(
        directory,
        {
            "title.md": (front_matter(title=long).encode(), (2, "title")),
            "url.md": (front_matter(webUrl=f"https://example.org/{long}").encode(), (5, "webUrl")),
            "excerpt.txt": (_with(f"{removed}\nexcerpt: {long}"), (_LINE + 1, "excerpt")),
            "topics.txt": (
                _with(f"{removed}\ntopics: [{','.join(map(str, range(90_000)))}]"),
                (_LINE + 1, "topics"),
            ),
            "images.txt": (_with(f"{removed}\nimages: [{'x,' * 90_000}]"), (_LINE + 1, "images[0]")),
            "tags.html": (_with(removed) + b"<b>" * 20_001, (None, "body")),
            "attributes.html": (_with(removed) + names.encode(), (None, "body")),
            "deep.html": (_with(removed) + b"<div>" * 20_000, (None, "body")),
            "markdown.md": (_with(removed) + b"[" * 200_001, (None, "body")),
            "domain.txt": (
                _with(f"{removed}\nprovider: {{name: x, domain: '{'é.' * 300_000}'}}"),
                (_LINE + 1, "provider.domain"),
            ),
        },
    )


def no_files(directory: Path) -> Named:
    """What has the name of an article and is none."""
    os.mkfifo(directory / "fifo.md")
    with socket.socket(socket.AF_UNIX) as listener:
        # The whole path may be longer than an address can be.
        here = os.open(directory, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{here}/socket.md")
        os.close(here)
    try:
        os.mknod(directory / "device.md", 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        (directory / "device.md").symlink_to("/dev/zero")
    (directory / "directory.md").mkdir()
    (directory / "random.md").symlink_to("/dev/urandom")
    if os.geteuid() == 0:
        # Root may read everything.
        return {}
    closed = directory / "closed.md"
    closed.write_bytes(_with("removed: true"))
    closed.chmod(0)
    return {"closed.md": (None, None)}


def links(directory: Path) -> Named:
    """Links to outside, to each other, to themselves, to above and to nothing."""
    outside = directory.parents[1] / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret.md").write_bytes(
        front_matter(title="Outside", webUrl="https://example.org/outside").encode()
    )
    targets = {
        "outside.md": outside / "secret.md",
        "relative.md": Path("../../outside/secret.md"),
        "above": outside,
        "passwd.txt": Path("/etc/passwd"),
        "root": Path("/"),
        "process": Path("/proc/self"),
        "here": Path(),
        "up": Path(".."),
        "itself.md": Path("itself.md"),
        "one.md": Path("two.md"),
        "two.md": Path("one.md"),
        "nowhere.md": Path("no/such/file"),
    }
    for name, target in targets.items():
        (directory / name).symlink_to(target)
    return dict.fromkeys(("itself.md", "one.md", "two.md", "nowhere.md"), (None, None))


def names(directory: Path) -> Named:
    """Names that are no text, or speak to a terminal; each is that of a file that is none."""
    given = (
        b"caf\xe9.md", b"\xff\xfe.md", b"line\nfeed.md", b"\x1b[2J\x1b[31mred\x07.md", b"cr\rlf.md", b"-rf.md",
        b"$(touch mark).md", b"<script>alert(1)<script>.md", b"a%00b.md", "\u202egpj.md".encode(), b" .md",
        b"x" * 252 + b".md", b"\\.md", b"'\".md", "\u2028.md".encode(), b"{{7*7}}.md",
    )  # fmt: skip
    for name in given:
        Path(os.fsdecode(os.fsencode(directory) + b"/" + name)).write_bytes(b"---\nno: title\n---\n")
    return {os.fsdecode(name): (1, "title") for name in given}


KINDS: tuple[tuple[Callable[[Path], Named], str, str], ...] = (
    (bombs, "YAML that multiplies by aliases, is 20,000 deep or stands for itself", "named, at its line"),
    (tags, "YAML with tags that make objects elsewhere", "named, at its line; nothing is made"),
    (
        bytes_of_all_kinds,
        "bytes that are no UTF-8, cut, empty, or keys given 90,000 times",
        "named, at their line",
    ),
    (large, "64 MB in a sparse file, and fields, tags and attributes of 1 MB", "named, with the bound"),
    (no_files, "pipes, sockets, devices and directories in the place of articles", "passed over, or named"),
    (links, "links to outside, in circles, and to nothing", "passed over, or named"),
    (names, "names that are no UTF-8, have line ends or speak to a terminal", "named, escaped"),
)
