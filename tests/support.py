"""What the tests share: articles as files, settings, moments, and requests to an application."""

from __future__ import annotations

import dataclasses
import gzip
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults

import brotli
from sqlalchemy import create_engine, make_url, text

from feedsvc.articles.article import Article, Details, pack
from feedsvc.config import load_settings
from feedsvc.feeds.catalog import Catalog
from feedsvc.feeds.compose import Composition, compose
from feedsvc.feeds.feed import Site, View
from feedsvc.feeds.groups import group
from feedsvc.feeds.memory import Memory

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from feedsvc.feeds.selection import Selection
    from feedsvc.settings import Settings

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"
NOW = datetime(2022, 1, 1, tzinfo=UTC)
SITE = Site("https://feeds.example", "Site", "All of it", "en", "feeds.example")


def front_matter(**fields: object) -> str:
    """An article as a publisher writes it: valid, published, and with these fields changed (None: left out)."""
    values: dict[str, object] = {
        "title": "A title",
        "excerpt": "An excerpt.",
        "publishedDateTime": "2021-12-14T00:50:00Z",
        "webUrl": "https://example.org/a",
        "published": "true",
        "topics": "[AI]",
        "provider": "{name: Example, domain: example.org}",
    }
    values |= fields
    lines = "".join(f"{name}: {value}\n" for name, value in values.items() if value is not None)
    return f"---\n{lines}---\n"


def make_article(name: str = "a", **fields: object) -> Article:
    """An article, a day old, that every rule lets through, with these fields changed."""
    values: dict[str, object] = {
        "path": f"{name}.md",
        "identity": f"https://example.org/{name}",
        "title": name,
        "url": f"https://example.org/{name}",
        "published_at": NOW - timedelta(days=1),
        "published": True,
    }
    return rewrite(Article(**values), **fields)  # type: ignore[arg-type]  # the fields above


def rewrite(article: Article, **fields: object) -> Article:
    """The article with these fields changed; its details are among them."""
    details = {each.name: fields.pop(each.name) for each in dataclasses.fields(Details) if each.name in fields}
    packed = pack(replace(article.details, **details))  # type: ignore[arg-type]  # the fields are what the test says
    return replace(article, **({"packed": packed} | fields))  # type: ignore[arg-type]  # the same


def compose_all(
    selection: Selection,
    site: Site = SITE,
    memory: Memory | None = None,
    view: View | None = None,
    catalog: Catalog | None = None,
) -> Composition:
    """All feeds of these articles, as they are where nothing is remembered of the articles themselves."""
    grouping = group(selection, memory or Memory(), catalog or Catalog())
    return compose(grouping, site, grouping.memory, view or View())


def write_article(directory: Path, name: str = "a.md", body: str = "", **fields: object) -> Path:
    """Write such an article into a directory."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(front_matter(**fields) + body, "utf-8")
    return path


def make_settings(articles: Path, **flags: str) -> Settings:
    """Settings that depend on nothing but what is given; `selection__min_heat` is `selection.min_heat`."""
    given = {name.replace("__", "."): value for name, value in flags.items()}
    empty = articles.parent / "empty.yaml"
    empty.touch()
    return load_settings(empty, {}, {"articles": str(articles), **given})


def tamper(url: str, statement: str, **values: object) -> list[tuple[object, ...]]:
    """Change a database behind the program's back, or ask it something; the rows, where there are any."""
    parsed = make_url(url)
    engine = create_engine(parsed.set(drivername="postgresql+psycopg") if "postgresql" in url else parsed)
    try:
        with engine.begin() as connection:
            done = connection.execute(text(statement), values)
            return [tuple(row) for row in done] if done.returns_rows else []
    finally:
        engine.dispose()


@dataclass
class Answer:
    """What an application answered. Names of headers are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content(self) -> bytes:
        """The body, unpacked."""
        match self.headers.get("content-encoding"):
            case "br":
                return bytes(brotli.decompress(self.body))
            case "gzip":
                return gzip.decompress(self.body)
            case _:
                return self.body


def ask(application: WSGIApplication, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request to a WSGI application; `if_none_match` is the header If-None-Match."""
    path, _, query = path.partition("?")
    environ: dict[str, object] = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": BytesIO()}
    environ["QUERY_STRING"] = query
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    setup_testing_defaults(environ)
    answer = Answer()

    def start_response(status: str, response_headers: list[tuple[str, str]], _error: object = None) -> object:
        answer.status = int(status.split(" ", 1)[0])
        answer.headers = {name.lower(): value for name, value in response_headers}
        return None

    answer.body = b"".join(application(environ, start_response))  # type: ignore[arg-type]  # wsgiref's protocol is wider
    return answer
