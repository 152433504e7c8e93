"""The articles that the pages show: all that people write, and what an attacker or a broken host may add."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from support import write_article

from browser.pictures import HOST

if TYPE_CHECKING:
    from pathlib import Path

# So that the last 30 days have bars. Half past ten in the evening is tomorrow in Tokyo and today in New York.
NEWEST = (datetime.now(UTC) - timedelta(days=1)).replace(hour=22, minute=30, second=0, microsecond=0)

ENGLISH = "Everything and more: a body with all that HTML has"
ARABIC = "الذكاء الاصطناعي في القاهرة"
HEBREW = "בינה מלאכותית בתל אביב"
CHINESE = "北京的人工智能芯片：第一部分"
EMOJI = "Rockets 🚀 and families 👩‍👩‍👧 – “naïve” §5"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
FILM = "What the film shows"
MARKUP = """</title><script>window.injected = 1</script><img src="x" onerror="window.injected = 1"> & <b>"""

ARABIC_TOPIC = "أخبار التقنية"
LAST = "The oldest of all"
PROVIDERS = ("Wire", "النيل", "北京日报", "Zürcher Nachrichten", LONG[:60])
EMOJI_TOPIC = "火箭 🚀"
MARKUP_TOPIC = '"><img src=x onerror=window.injected=1>'
TOPICS = ("AI", "R&D", "Cloud", "Chips", "Räder", EMOJI_TOPIC, MARKUP_TOPIC, ARABIC_TOPIC)
FILLING = 24

CONFIGURATION = f"""\
site:
  title: The <i>demonstration</i> & more
  description: What the tests of the pages publish
topics:
  {ARABIC_TOPIC}:
    language: ar
    description: كل ما هو جديد
providers:
  النيل: {{language: ar}}
"""

# More columns than a phone is wide, and words that cannot be broken well.
_TABLE = (
    "<table><thead><tr><th></th>"
    + "".join(f"<th>Quarter-{number}</th>" for number in range(12))
    + "</tr></thead><tbody><tr><th scope='row'>Revenue</th>"
    + "".join(f"<td>{number}000000.00</td>" for number in range(12))
    + "</tr></tbody></table>"
)
_DEEP = "<ul><li>deep" * 14 + "</li></ul>" * 14 + "<blockquote><p>deep" * 14 + "</p></blockquote>" * 14
_EVERYTHING = f"""
<h1>First</h1><p>A paragraph with <a href="/relative">a link</a>, <code>{"code" * 80}</code> and <b>more</b>.</p>
<h2>Second</h2><pre>{"a_very_long_line_" * 30}
short</pre>
<h3>Third</h3><blockquote><p>Somebody said so.</p></blockquote>
<h4>Fourth</h4>{_TABLE}
<dl><dt>Term</dt><dd>What it is</dd></dl>
<figure><img src="http://{HOST}/640x400.png"><figcaption>A caption</figcaption></figure>
<p><img src="http://{HOST}/3000x200.png" width="3000" height="200" alt="Wide"></p>
<h2></h2><p><a href="https://elsewhere.example/"><img src="http://{HOST}/320x200.png"></a></p>
<p><a href="https://elsewhere.example/counted"><img src="http://{HOST}/1x1.png" width="1" height="1"></a></p>
{_DEEP}
<script>window.injected = 1</script><p onclick="window.injected = 1" style="position: fixed">styled</p>
"""


def write_corpus(directory: Path, service_url: str) -> None:
    """All articles; the pictures of some cannot be had, also not from the service itself."""
    ages = iter(range(1000))

    def write(title: str, body: str, topics: list[str], provider: str, **fields: object) -> None:
        age = next(ages)
        fields |= {
            "title": title,
            "webUrl": f"https://wire.example/{age}",
            "publishedDateTime": (NEWEST - timedelta(hours=17 * age)).isoformat(),
            "topics": topics,
            "provider": {"name": provider, "domain": f"p{PROVIDERS.index(provider)}.example"},
        }
        # JSON is YAML, with all quoted that needs to be.
        write_article(
            directory,
            f"{age}.html",
            body,
            **{key: json.dumps(value, ensure_ascii=False) for key, value in fields.items()},
        )

    def picture(url: str, width: int | None = None, height: int | None = None) -> list[dict[str, object]]:
        return [{"url": url, "width": width, "height": height}]

    wire, nile, beijing, zurich, long = PROVIDERS
    unreachable = "https://pictures.invalid/x.png"
    rival = {"name": "Rival"}
    related = [
        {"title": f"What others say <{number}>", "webUrl": f"https://rival.example/{number}", "provider": rival}
        for number in range(3)
    ]
    write(ENGLISH, _EVERYTHING, ["AI", "R&D"], wire, images=picture(f"http://{HOST}/800x450.png", 800, 450))
    write(ARABIC, "<p>نص <b>المقال</b> هنا: AI.</p>", [ARABIC_TOPIC, "AI"], nile, related=related)
    write(HEBREW, "<p>גוף הכתבה.</p><table><tr><td>אחת</td></tr></table>", [ARABIC_TOPIC, "AI"], nile)
    write("An English title among Arabic ones", "<p>In English.</p>", [ARABIC_TOPIC, "AI"], nile)
    write(CHINESE, "<p>正文。</p>", ["AI", EMOJI_TOPIC], beijing, images=picture(unreachable, 640, 480))
    write(
        EMOJI,
        "<p>Words below 🚀</p>",
        ["AI", EMOJI_TOPIC],
        beijing,
        images=picture(f"{service_url}/no/such.png", 640, 480),
    )
    write(LONG, f"<p>{LONG}</p><p><img src='{unreachable}' width='900' height='700'></p>", ["AI", "Räder"], long)
    write(MARKUP, "<p>1 &lt; 2</p>", ["AI", MARKUP_TOPIC], zurich, type="<b>type</b>")
    player = {"featuredContent": '<iframe src="https://player.example/embed/1"></iframe>', "type": "video"}
    write(FILM, "", ["AI", "R&D"], wire, images=picture(f"http://{HOST}/missing.png", 640, 360), **player)
    linked = f"<p>Before</p><p><a href='https://elsewhere.example/'><img src='{unreachable}'></a></p><p>After</p>"
    write("A film without a picture", linked, ["AI"], wire, **player)
    for number in range(FILLING):
        topics = [TOPICS[number % 5], TOPICS[number % 3]]
        text = "<p>" + "Quiet words that fill a line or two of the page. " * 12 + "</p>"
        write(f"What happened on day {number}", text * 2, topics, PROVIDERS[number % 5])
    write(LAST, "<p>Long ago.</p>", ["Cloud"], wire, images=picture(f"http://{HOST}/400x300.png", 400, 300))
