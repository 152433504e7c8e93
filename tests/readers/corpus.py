"""The articles that the readers are given, and what a reader has to see of them in each feed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from support import write_article

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS = (".atom", ".rss", ".json")
XML_ENDINGS = (".atom", ".rss")


@dataclass(frozen=True)
class Story:
    """An article as people know it: what it is called, where it is, when it came out."""

    title: str
    link: str
    published_at: datetime


def _story(title: str, link: str, day: int) -> Story:
    return Story(title, link, datetime(2026, 3, day, 22, 30, 15, tzinfo=UTC))


MARKUP = _story('1. Use <b> & *AT&T*: a < b, "so" they\'re told', "https://wire.example/a?from=1&to=2#top", 1)
CHINESE = _story("北京的人工智能芯片：第一部分", "https://wire.example/2026/%E5%8C%97%E4%BA%AC", 2)
ARABIC = _story("الذكاء الاصطناعي في القاهرة (AI)", "https://nile.example/ai/", 3)
EMOJI = _story("Rockets 🚀 and families 👩‍👩‍👧 – “naïve” §5", "https://nile.example/rockets", 4)
NUMBER = _story("1.10", "https://wire.example/1.10", 5)
FILM = _story("What the film shows", "https://wire.example/film", 6)

FEEDS = {
    "/feeds/all": {MARKUP, CHINESE, ARABIC, EMOJI, NUMBER, FILM},
    "/topics/ai": {MARKUP, CHINESE, ARABIC},
    "/topics/beijing": {CHINESE, EMOJI},
    "/topics/r-and-d": {MARKUP, NUMBER, FILM},
    "/providers/wire": {MARKUP, CHINESE, NUMBER, FILM},
    "/providers/lnyl": {ARABIC, EMOJI},
}

_WIRE = {"name": "Wire", "domain": "wire.example", "authors": ["Ada Author"]}
_NILE = {"name": "النيل", "domain": "nile.example"}
_RELATED = [
    {
        "title": f"What others say, {number}",
        "webUrl": f"https://rival.example/{number}",
        "provider": {"name": "Rival"},
    }
    for number in range(3)
]
_PICTURE = [{"url": "https://wire.example/picture.png", "width": 640, "height": 480}]
_PLAYER = '<iframe src="https://player.example/embed/1"></iframe>'


def write_corpus(directory: Path) -> None:
    """All articles, one of them held back."""
    markdown = "One *paragraph* & [a link](https://rival.example/in-the-body).\n\n- a\n- b\n"
    page = "<p>Text &amp; <a href='https://rival.example/in-the-body'>a link</a></p><p>" + "Long. " * 200 + "</p>"
    film = {"featuredContent": _PLAYER, "length": "PT7M32S", "related": _RELATED}
    held = _story("Held back until the lawyers have read it", "https://wire.example/held", 7)

    def write(name: str, story: Story, body: str, **fields: object) -> None:
        fields |= {"title": story.title, "webUrl": story.link, "publishedDateTime": story.published_at.isoformat()}
        # JSON is YAML, with all quoted that needs to be.
        quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in fields.items()}
        write_article(directory, name, body, **quoted)

    write("markup.md", MARKUP, markdown, provider=_WIRE, topics=["AI", "R&D"], related=_RELATED)
    write("chinese.html", CHINESE, page, provider=_WIRE, topics=["AI", "北京"], images=_PICTURE, related=_RELATED)
    write("arabic.md", ARABIC, "نص *المقال* هنا.\n", provider=_NILE, topics=["AI"], images=_PICTURE)
    write("emoji.md", EMOJI, markdown, provider=_NILE, topics=["北京"], updatedDateTime="2026-03-20T08:00:00Z")
    write("number.yaml", NUMBER, "", provider=_WIRE, topics=["R&D"], excerpt="Only <this> & no more")
    write("film.md", FILM, "", provider=_WIRE, topics=["R&D"], **film)
    write("held.md", held, markdown, provider=_WIRE, topics=["AI", "R&D", "Law"], published=False)
