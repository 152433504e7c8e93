"""A corpus that varies all that an article can vary, as the files that publishers write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support import write_article

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Piece = tuple[str, str, dict[str, object]]

# Stands in everything that is held back, and in scripts and styles; it may be in no document.
CANARY = "canary-that-nobody-may-see"
# What `feeds.entries` is for this corpus: so few that most feeds have archives.
ENTRIES = 10

TITLES = {
    "ampersand": "AT&T & friends",
    "tags": "Use <b>bold</b> or <script>alert('x')</script>?",
    "brackets": "If a<b and b>c, then a < c",
    "references": "What &amp; and &lt; and &#x26; mean; and &copy",
    "quotes": "\"Double\", 'single', “curly” and `code`",
    "cdata": "Ends a section: ]]> and <![CDATA[ begins one <!-- so",
    "chinese": "人工智能巨头推迟上市：商汤科技",
    "japanese": "人工知能の大手が上場を延期",
    "hebrew": "ענקית הבינה המלאכותית דוחה הנפקה (AI)",
    "arabic": "عملاق الذكاء الاصطناعي يؤجل <الاكتتاب> & more",
    "emoji": "Robots 🤖 and families 👩‍👩‍👧‍👦 & flags 🏳️‍🌈",
    "combining": "Z̷a̷l̷g̷o̷, e + accent: e\N{COMBINING ACUTE ACCENT}, and a control \x07 character",
    "spaces": "  More   spaces\tthan \n needed ",
    "long": ("Twenty thousand characters, &c. <b>no end</b>; " * 500)[:20_000].strip(),
    "long-chinese": "长" * 20_000,
}

MARKDOWN = """\
A *Markdown* body with [a relative link](/about), [to a sibling](../other?x=1&y=2), [a fragment](#top),
[mail](mailto:editor@example.org), [a trap](javascript:alert(1)), [data](data:text/html,x) and <https://example.org/auto>.

![A relative picture](picture.png "Titled & shown")

> Quoted, with ünïcödé, 1 < 2 && 3 > 2, and `<b>code</b>`.

| left | right |
|------|------:|
| a    | ~~b~~ |

1. one
2. two

<script>alert("$canary")</script>
<iframe src="https://player.example/1">$canary</iframe>
""".replace("$canary", CANARY)

HTML = """\
<style>p { color: $canary }</style>
<h2 onclick="alert(1)" style="position: fixed" class="x" id="y">Heading &amp; more</h2>
<p>Links: <a href="/root">root</a>, <a href="//cdn.example.net/x">without scheme</a>,
<a href="page.html#part">page</a>, <a href="#part">fragment</a>,
<a href="?q=1&amp;r=2">query</a>, <a href="javascript:alert(1)">script</a>,
<a href="vbscript:x">old script</a>, <a href="mailto:a@example.org">mail</a>, <a href="ftp://example.org/">ftp</a>,
<a href="https://bücher.example/straße">beyond ASCII</a>, <a>no link</a>, <a href="http://[bad">bad</a>.</p>
<img src="i.png" srcset="i2.png 2x" onerror="alert(2)" alt="relative">
<img src="data:image/png;base64,AA" alt="data">
<blockquote cite="/source"><q cite="other">q</q> <del cite="d" datetime="2021-01-01">old</del>
<ins cite="i">new</ins>
</blockquote>
<script src="//evil.example/x.js"></script><script>document.write("</p>$canary")</script>
<iframe src="https://www.youtube.com/embed/abc" allowfullscreen></iframe>
<object data="x.swf"><embed src="x.swf"></object><form action="/post"><input name="a"><button>b</button></form>
<video src="v.mp4" controls></video>
<svg onload="alert(3)"><a xlink:href="javascript:x">s</a></svg><math><mi>x</mi></math>
<table><tr><td colspan="2">cell<td>not closed<tr><td>row</table>
<ul><li>one<li>two</ul><p>not closed <b>nor <i>this</b> one</i>
<meta http-equiv="refresh" content="0;url=https://evil.example/"><base href="https://evil.example/">
<link rel="stylesheet" href="x.css"> <!-- a comment --> <![CDATA[a section]]> <?php echo "x" ?>
&nbsp;&hellip; &#8217; &bogus; 1 < 2 <figure><img src="/f.png"><figcaption>caption</figcaption></figure>
<details><summary>More</summary>&lt;script&gt;alert("text")&lt;/script&gt;</details>
""".replace("$canary", CANARY)

PICTURE = {"url": "https://example.org/picture.jpg?w=640&h=480", "width": 640, "height": 480}

PROVIDERS: dict[str, object] = {
    "with-authors": {
        "name": "Example",
        "domain": "example.org",
        "authors": ["Ann", {"name": "Bob <b> & Co"}, "Ann"],
    },
    "same-domain": {"name": "Example Labs & Sons", "domain": "example.org"},
    "small-icon": {
        "name": "Small Icon",
        "domain": "small.example",
        "images": [{"url": "https://small.example/i.png", "width": 50, "height": 40}],
    },
    "wide-icon": {
        "name": "Wide Icon",
        "domain": "wide.example",
        "images": [{"url": "https://wide.example/i.png", "width": 512, "height": 100}],
    },
    "tall-icon": {
        "name": "Tall <Icon>",
        "domain": "tall.example",
        "images": [{"url": "https://tall.example/i.png", "width": 100, "height": 900}],
    },
    "vector-icon": {
        "name": "Vector Icon",
        "domain": "vector.example",
        "images": [{"url": "https://vector.example/i.svg", "width": 64}],
    },
    "icon-of-no-size": {"name": "Other", "domain": "other.example", "images": ["https://other.example/i.ico"]},
    "no-domain": {"name": "No Domain"},
    "name-only": "Named <by> text & no more",
    "domain-only": {"domain": "domain-only.example"},
    "ours": {"name": "Ourselves", "domain": "feeds.example"},
    "chinese": {"name": "新华社", "domain": "xinhua.example"},
    "hebrew": {"name": "הארץ", "domain": "haaretz.example"},
}

TOPICS = ["C++", "C#", "C", "AI & <Law>", "人工智能", "🤖", "בינה מלאכותית", "R&amp;D", "a/b?c=d#e", "ai hardware"]

RELATED = [
    {"title": 'Quoted "&" <b>marked up</b> &amp; more', "webUrl": "https://r.example/1?a=1&b=2", "quality": 90},
    {"title": "The same again", "webUrl": "https://r.example/1?a=1&b=2", "quality": 80},
    {
        "title": "An <i>open tag & an &entity;",
        "originalUrl": "https://r.example/2",
        "provider": {"name": "R & <R>"},
    },
    {"title": "مقال ذو صلة 🤖", "webUrl": "https://r.example/3", "provider": "Text"},
    {"webUrl": "https://r.example/without-title"},
    {"title": f"{CANARY} related", "webUrl": "https://example.org/held/unpublished", "quality": 99},
    {"title": "The article itself", "webUrl": "https://example.org/related"},
    {"title": "Not absolute", "webUrl": "/relative"},
    *({"title": f"Number {n}", "webUrl": f"https://r.example/n{n}", "quality": n} for n in range(5)),
]


def write(directory: Path, name: str, body: str = "", **fields: object) -> Path:
    """Write an article; its fields are Python values, and every article is at a URL of its own."""
    url = f"https://example.org/{name.partition('.')[0]}"
    values = {"title": f"Title of {name}", "webUrl": url} | fields
    quoted = {
        key: None if value is None else json.dumps(value, ensure_ascii=False) for key, value in values.items()
    }
    return write_article(directory, name, body, **quoted)


def write_corpus(directory: Path) -> None:
    """Write all articles, those that are published and those that are held back."""
    for hour, (name, body, fields) in enumerate(_published()):
        date = f"2021-12-{hour // 24 + 1:02}T{hour % 24:02}:30:00Z"
        write(directory, name, body, **({"publishedDateTime": date, "secured": CANARY} | fields))
    for name, fields in _held():
        text = {"title": f"{CANARY} title", "excerpt": f"{CANARY} excerpt", "topics": [f"{CANARY} topic"]}
        names = {"provider": {"name": f"{CANARY} provider", "domain": f"{CANARY}.example"}}
        write(directory, f"held/{name}.md", f"{CANARY} body", **(text | names | fields))


def _published() -> Iterator[Piece]:
    for name, title in TITLES.items():
        yield f"titles/{name}.md", "", {"title": title}
        yield f"excerpts/{name}.md", "", {"excerpt": title[:2000], "topics": ["Excerpts"]}
    for name, provider in PROVIDERS.items():
        yield f"providers/{name}.md", "A body.", {"provider": provider}
    yield "several/topics.md", "", {"topics": TOPICS}
    yield "bodies/markdown.md", MARKDOWN, {}
    yield "bodies/text.txt", MARKDOWN, {"excerpt": None, "images": [PICTURE]}
    yield "bodies/html.html", HTML, {}
    yield "bodies/html-alone.html", HTML, {"excerpt": None, "provider": None, "topics": None}
    yield "bodies/hebrew.html", '<p dir="rtl" lang="he">עברית <bdo>x</bdo></p>', {"topics": ["בינה מלאכותית"]}
    yield "bodies/nothing-left.html", "<script>alert(1)</script>", {"excerpt": None}
    yield "bare/nothing.md", "", {"excerpt": None, "provider": None, "topics": None}
    yield "bare/no-excerpt.md", "", {"excerpt": None}
    yield "bare/markup.md", "", {"excerpt": None, "provider": None, "title": "Bare <b>title</b> &amp; no content"}
    yield "pictures/full.md", "", {"images": [PICTURE, {"url": "https://example.org/second.png"}]}
    yield "pictures/half.md", "", {"images": [{"url": "https://example.org/half.png", "height": 300}]}
    yield "pictures/text.md", "", {"images": "https://example.org/plain.webp"}
    yield "pictures/in-body.md", f"![shown]({PICTURE['url']})", {"images": [PICTURE]}
    yield "pictures/relative.md", "", {"images": [{"url": "/relative.png"}]}
    frame = '<iframe src="https://www.youtube.com/embed/x_Y-z?rel=0" allowfullscreen></iframe>'
    yield (
        "players/youtube.md",
        "",
        {"featuredContent": frame, "type": "video", "length": "PT7M32S", "images": [PICTURE]},
    )
    other = "<iframe width=1 src='https://player.example/?a=1&amp;b=2'></iframe><script>alert(1)</script>"
    yield "players/other.md", "", {"featuredContent": other, "type": "video <b> & more", "length": "P1DT2H"}
    yield "related.md", "", {"related": RELATED}
    yield "dates/updated.md", "", {"updatedDateTime": "2021-12-30T23:59:59.5+05:30"}
    yield "dates/updated-before.md", "", {"updatedDateTime": "2001-01-01T00:00:00Z"}
    yield "dates/updated-in-future.md", "", {"updatedDateTime": "2031-01-01T00:00:00Z"}
    yield "dates/rfc822.md", "", {"publishedDateTime": "Tue, 14 Dec 2021 00:50:00 -0500"}
    yield "dates/offset.md", "", {"publishedDateTime": "2021-12-14T23:30:00-08:00"}
    yield "dates/day.md", "", {"publishedDateTime": "2021-12-05"}
    yield "dates/old.md", "", {"publishedDateTime": "1995-03-04T05:06:07Z"}
    for number in range(3):
        yield f"dates/tie-{number}.md", "", {"publishedDateTime": "2021-12-20T12:00:00Z", "topics": ["Ties"]}
    yield "urls/upper.md", "", {"webUrl": "HTTPS://EXAMPLE.org:443/Über uns/?q=ä b&r=%zz#ø"}
    yield (
        "urls/idn.md",
        "",
        {"webUrl": "https://bücher.example/ß", "originalUrl": "https://origin.example/ß?x=1&y=2"},
    )
    yield "urls/id.md", "", {"id": "A name <of> its own & more"}


def _held() -> Iterator[tuple[str, dict[str, object]]]:
    yield "unpublished", {"published": False}
    yield "unsaid", {"published": None}
    yield "removed", {"removed": True}
    yield "deleted", {"deleted": True}
    yield "future", {"publishedDateTime": "2031-01-01T00:00:00Z"}
