"""The settings: their names, types, bounds and defaults.

Each description says what is expected; a mistake is reported with it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, IPvAnyNetwork, ValidationInfo

from feedsvc.text import one_line
from feedsvc.urls import clean_url
from feedsvc.waiting import is_directory

# The printable ASCII characters that a URI can hold (RFC 3986).
_URL = re.compile(r"[A-Za-z0-9%/:=&?~+!$,;'@()*#._\[\]-]+")
# One whose parts all who read it find at the same places. In name and password, @, ? and # are escaped.
_LOGIN = r"([^\s:/?#@]*(:[^\s?#@]*)?@)?"
_SERVER = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@,\[\]]*)(:[0-9]{1,5})?"
_STORE = re.compile(rf"sqlite://(/(?!:)[^?#\n]+)?|postgresql://{_LOGIN}{_SERVER}(/[^\s?#@]*)?(\?[^\s#@]*)?")
_LANGUAGE = "[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _text(value: object) -> object:
    """As documents can hold it: no control characters, on one line."""
    return one_line(value) if isinstance(value, str) else value


def _duration(value: object) -> object:
    match = re.fullmatch(r"\s*(\d{1,9})\s*([smhd])\s*", value) if isinstance(value, str) else None
    if not match:
        raise ValueError("no duration")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _names(value: object) -> object:
    """A list may be given as one text with commas, as the environment has to."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _directory(value: object, info: ValidationInfo) -> object:
    path = Path(value) if isinstance(value, str | Path) else None
    # Who only serves has no articles.
    if path is None or not (is_directory(path) or info.data.get("role") == "serve"):
        raise ValueError("no directory")
    return path


def _time_zone(value: object) -> object:
    try:
        ZoneInfo(str(value))
    except (OSError, KeyError) as error:
        raise ValueError("no time zone") from error
    return value


def _base_url(value: object) -> object:
    parts = urlsplit(value) if isinstance(value, str) else None
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not _URL.fullmatch(str(value))
    ):
        raise ValueError("no URL")
    # Reading the port is what checks it.
    if (parts.port is not None and parts.port == 0) or parts.query or parts.fragment or parts.username:
        raise ValueError("more than a base")
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def _store_url(value: object) -> object:
    if not isinstance(value, str) or not _STORE.fullmatch(value):
        raise ValueError("no URL of a store")
    return value


def _address(value: object) -> object:
    parts = urlsplit(f"//{value}") if isinstance(value, str) else None
    if parts is None or not (parts.hostname and parts.port) or parts.netloc != value or "@" in parts.netloc:
        raise ValueError("no address")
    return value


def _url(value: object) -> object:
    url = clean_url(value) if isinstance(value, str) else None
    if url is None:
        raise ValueError("no URL")
    return url


Text = Annotated[str, BeforeValidator(_text)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Url = Annotated[str, BeforeValidator(_url)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """A mapping of settings; a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSettings(Section):
    """What the feeds call themselves."""

    title: Text = Field("feedsvc", pattern=r"\S", description="text")
    description: Text = Field("The latest articles", pattern=r"\S", description="text")
    language: str = Field(
        "en",
        pattern=f"^{_LANGUAGE}$",
        description="a language tag such as en or pt-BR",
    )
    id: Text = Field("feedsvc", pattern=r"\S", description="text")
    url: Url | None = Field(None, description="an absolute http or https URL")


class ReloadSettings(Section):
    """When the directory is read again."""

    every: Duration = Field(
        timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(days=1),
        description="a duration from 1s to 1d, such as 60s or 5m",
    )
    watch: bool = Field(default=True, description="true or false")


class GuardSettings(Section):
    """When a reload looks like a mistake, and is held back for a while."""

    share: Number = Field(0.5, ge=0, le=1, description="a number from 0 to 1")
    minimum: int = Field(10, ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
    settle: Duration = Field(
        timedelta(minutes=10), le=timedelta(days=30), description="a duration up to 30d, such as 10m"
    )


class SelectionSettings(Section):
    """Which articles are published. An article that lacks what a rule asks for does not pass the rule."""

    missing_published: Literal["hold", "publish"] = Field("hold", description="hold or publish")
    min_quality: Number | None = Field(None, description="a number")
    min_heat: Number | None = Field(None, description="a number")
    categories: Names = Field((), description="a list of categories")
    types: Names = Field((), description="a list of types")
    max_age: Duration | None = Field(
        None,
        ge=timedelta(seconds=1),
        le=timedelta(days=36500),
        description="a duration from 1s to 36500d, such as 30d",
    )


class FeedSettings(Section):
    """What a feed holds."""

    entries: int = Field(50, ge=1, le=1000, description="a whole number from 1 to 1000")
    content: Literal["full", "summary"] = Field("full", description="full or summary")
    related: bool = Field(default=True, description="true or false")
    title: Text = Field("{name} · {site}", pattern=r"\S", description="text")
    description: Text = Field("{name}: {about}", pattern=r"\S", description="text")
    order: Literal["published", "arrived"] = Field("published", description="published or arrived")
    tombstones: bool = Field(default=False, description="true or false")
    changes: bool = Field(default=False, description="true or false")


class HttpSettings(Section):
    """What caches are told, and which proxies are believed."""

    max_age: Duration = Field(
        timedelta(minutes=5), le=timedelta(days=365), description="a duration up to 365d, such as 5m"
    )
    stale_while_revalidate: Duration = Field(
        timedelta(hours=1), le=timedelta(days=365), description="a duration up to 365d, such as 1h"
    )
    stale_if_error: Duration = Field(
        timedelta(days=1), le=timedelta(days=365), description="a duration up to 365d, such as 1d"
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_names)] = Field(
        (), description="a list of addresses or networks, such as 10.0.0.0/8"
    )


class LimitSettings(Section):
    """What one file may cost."""

    file_bytes: ByteSize = Field(
        ByteSize(1024 * 1024), ge=1024, le=64 * 1024 * 1024, description="a size from 1KiB to 64MiB"
    )


class ProviderSettings(Section):
    """What is said of one provider."""

    title: Text = Field("", description="text")
    description: Text = Field("", description="text")
    slug: str = Field("", pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$", description="a slug such as ai-hardware")
    language: str = Field("", pattern=rf"^({_LANGUAGE})?$", description="a language tag such as en or pt-BR")
    icon: Url | None = Field(None, description="an absolute http or https URL")
    alias: Text | None = Field(None, pattern=r"\S", description="the name that it has now")
    retired: bool = Field(default=False, description="true or false")
    access: Literal["public", "private"] = Field("public", description="public or private")


class TopicSettings(ProviderSettings):
    """What is said of one topic."""

    parent: Text | None = Field(None, pattern=r"\S", description="the name of a topic")
    rollup: bool = Field(default=False, description="true or false")


class StoreSettings(Section):
    """Where it is kept what readers were told."""

    url: Annotated[str, BeforeValidator(_store_url)] = Field(
        "sqlite:///var/feedsvc.db",
        description="a URL such as sqlite:///var/feedsvc.db or postgresql://user@host/name, or sqlite:// for none",
    )
    cache: Path = Field(Path("var/replica"), description="a directory")


class AdminSettings(Section):
    """Where admin requests are taken."""

    listen: Annotated[str, BeforeValidator(_address)] | None = Field(
        None, description="an address and a port, such as 127.0.0.1:8081"
    )


class LogSettings(Section):
    """What is logged, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    format: Literal["auto", "human", "json"] = Field("auto", description="auto, human or json")


class Settings(Section):
    """All settings, valid and with their defaults."""

    role: Literal["both", "publish", "serve"] = Field("both", description="both, publish or serve")
    articles: Annotated[Path, BeforeValidator(_directory)] = Field(
        Path("seeds"), validate_default=True, description="a directory that exists"
    )
    exclude: Names = Field(
        ("README*", "LICENSE*", "CHANGELOG*", "CONTRIBUTING*"), description="a list of patterns"
    )
    timezone: Annotated[str, BeforeValidator(_time_zone)] = Field(
        "UTC", description="a time zone such as UTC or Europe/Berlin"
    )
    host: str = Field("127.0.0.1", min_length=1, description="an address or a host name")
    workers: int = Field(1, ge=1, le=64, description="a whole number from 1 to 64")
    port: int = Field(8080, ge=1, le=65535, description="a whole number from 1 to 65535")
    base_url: Annotated[str, BeforeValidator(_base_url)] | None = Field(
        None, description="a URL such as https://feeds.example.org, without query or fragment"
    )
    site: SiteSettings = SiteSettings()
    reload: ReloadSettings = ReloadSettings()
    guard: GuardSettings = GuardSettings()
    selection: SelectionSettings = SelectionSettings()
    feeds: FeedSettings = FeedSettings()
    http: HttpSettings = HttpSettings()
    limits: LimitSettings = LimitSettings()
    pages: bool = Field(default=True, description="true or false")
    metrics: bool = Field(default=True, description="true or false")
    store: StoreSettings = StoreSettings()
    admin: AdminSettings = AdminSettings()
    log: LogSettings = LogSettings()
    topics: dict[str, TopicSettings] = Field(default_factory=dict)
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether several processes serve the same: one of them publishes, and all follow the store."""
        return self.role != "both" or self.workers > 1 or self.store.url.startswith("postgresql")

    @cached_property
    def admin_address(self) -> tuple[str, int]:
        """The host and the port at which admin requests are taken."""
        parts = urlsplit(f"//{self.admin.listen or ''}")
        return parts.hostname or self.host, parts.port or self.port

    @cached_property
    def public_url(self) -> str:
        """The base of every URL in every document, without a slash at its end."""
        return self.base_url or f"http://localhost:{self.port}"
