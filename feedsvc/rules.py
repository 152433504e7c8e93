"""Rules: what the configuration says to each part of the house, in that part's own words."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from feedsvc.articles.library import LoadRules
from feedsvc.documents.snapshot import cache_control
from feedsvc.documents.sources import program
from feedsvc.feeds.catalog import Catalog, Listing
from feedsvc.feeds.feed import Site, View
from feedsvc.feeds.losses import LossRules
from feedsvc.feeds.privacy import privacy_of
from feedsvc.feeds.selection import SelectionRules
from feedsvc.feeds.sightings import note
from feedsvc.text import fold

if TYPE_CHECKING:
    from feedsvc.settings import Settings


def load_rules(settings: Settings) -> LoadRules:
    """What the configuration says of reading files."""
    privacy = privacy_of(catalog(settings))
    reserved = privacy.reserved() if privacy else None
    return LoadRules(settings.exclude, ZoneInfo(settings.timezone), settings.limits.file_bytes, note, reserved)


def selection_rules(settings: Settings) -> SelectionRules:
    """What the configuration says of selecting articles."""
    rules = settings.selection
    return SelectionRules(
        publish_missing=rules.missing_published == "publish",
        min_quality=rules.min_quality,
        min_heat=rules.min_heat,
        categories=rules.categories,
        types=rules.types,
        max_age=rules.max_age,
        privacy=privacy_of(catalog(settings)),
    )


def site(settings: Settings) -> Site:
    """What the configuration says of all feeds."""
    each = settings.site
    home = None if settings.pages else each.url or f"{settings.public_url}/"
    return Site(settings.public_url, each.title, each.description, each.language, each.id, home)


def view(settings: Settings) -> View:
    """What the configuration says of how feeds show articles."""
    feeds = settings.feeds
    return View(
        feeds.entries,
        feeds.content == "full",
        feeds.related,
        feeds.title,
        feeds.description,
        feeds.order,
        feeds.tombstones,
    )


def catalog(settings: Settings) -> Catalog:
    """What the configuration says of single topics and providers."""
    return Catalog(
        topics={fold(name): Listing(name, **dict(each)) for name, each in settings.topics.items()},
        providers={fold(name): Listing(name, **dict(each)) for name, each in settings.providers.items()},
    )


def caching(settings: Settings) -> str:
    """What the configuration says of caches, as they read it."""
    http = settings.http
    return cache_control(http.max_age, http.stale_while_revalidate, http.stale_if_error)


def making(settings: Settings) -> str:
    """Stands for all but the articles that decides what documents are: this program, and what is configured."""
    others = {"host", "port", "role", "workers", "reload", "guard", "metrics", "store", "log"}
    configured = f"{settings.public_url} {settings.model_dump_json(exclude=others)}"
    return blake2b(program() + configured.encode(), digest_size=16).hexdigest()


def loss_rules(settings: Settings) -> LossRules:
    """What the configuration says of mistakes."""
    return LossRules(settings.guard.share, settings.guard.minimum)
