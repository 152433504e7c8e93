"""The configuration: one YAML file, over it the environment, over that the flags; validated as a whole."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from feedsvc.contradictions import contradictions_of
from feedsvc.settings import ProviderSettings, Section, Settings, TopicSettings
from feedsvc.text import fold, one_line
from feedsvc.tree import Tree, TreeError, Value, describe, parse_tree
from feedsvc.urls import without_password

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PATH = Path("config/feedsvc.yaml")
PREFIX = "FEEDSVC_"
# What is said of single topics and providers, by their names: the file alone says it.
LISTINGS: dict[str, type[ProviderSettings]] = {"topics": TopicSettings, "providers": ProviderSettings}
# Read from the environment, but no settings: the file's place, a secret that belongs in no file, and tests'.
_NOT_SETTINGS = frozenset({"FEEDSVC_CONFIG", "FEEDSVC_ADMIN_TOKEN", "FEEDSVC_ADMIN_TOKEN_FILE"})
# Kubernetes sets these for a service called feedsvc, and FEEDSVC_PORT to a URL; they are none of ours.
_FOREIGN = re.compile(r"FEEDSVC_(TEST_.*|SERVICE_(HOST|PORT).*|PORT_\d+_.*)")
_FOREIGN_PORT = re.compile(r"(tcp|udp|sctp)://")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in the configuration."""

    key: str
    origin: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.key} ({self.origin}): found {self.found}, expected {self.expected}"


class ConfigError(Exception):
    """The configuration is wrong; `mistakes` lists everything that is."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody gave it, and where."""

    value: object
    origin: str
    place: tuple[str, ...] = ()


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> dict[str, str]:
    """Every setting but those of single topics and providers: its dotted key, and what is expected of it."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if name in LISTINGS:
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found |= keys(field.annotation, f"{prefix}{name}.")
        else:
            found[prefix + name] = field.description or ""
    return found


def variable(key: str) -> str:
    """The environment variable of a key: `reload.every` is `FEEDSVC_RELOAD_EVERY`."""
    return PREFIX + key.upper().replace(".", "_")


def load_settings(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, str | None] | None = None,
) -> Settings:
    """Read the configuration.

    Args:
        path: the file; where not given, `FEEDSVC_CONFIG`, else `config/feedsvc.yaml` if it exists.
        environ: the environment. An empty variable counts as not set.
        flags: by dotted key, what the command line says; None counts as not given.

    Raises:
        ConfigError: with every mistake in file, environment and flags.
    """
    given: dict[str, _Given] = {}
    mistakes: list[Mistake] = []
    named = path or (Path(environ["FEEDSVC_CONFIG"]) if environ.get("FEEDSVC_CONFIG") else None)
    if named or DEFAULT_PATH.is_file():
        _read_file(named or DEFAULT_PATH, given, mistakes)
    _read_environment(environ, given, mistakes)
    for key, value in (flags or {}).items():
        if value is not None:
            given[key] = _Given(value, f"--{re.sub('[._]', '-', key.removesuffix('.url'))}")
    return _validate(given, mistakes)


def _read_file(path: Path, given: dict[str, _Given], mistakes: list[Mistake]) -> None:
    try:
        tree = parse_tree(path.read_text("utf-8-sig"))
    except OSError as error:
        mistakes.append(Mistake("--config", str(path), error.strerror or "no file", "a file that can be read"))
    except UnicodeDecodeError:
        mistakes.append(Mistake("--config", str(path), "bytes that are no UTF-8", "text in UTF-8"))
    except TreeError as error:
        origin = f"{path}:{error.line}" if error.line else str(path)
        mistakes.append(Mistake("--config", origin, error.found, error.expected))
    else:
        _flatten(tree, path, given, mistakes)


def _flatten(tree: Tree, path: Path, given: dict[str, _Given], mistakes: list[Mistake]) -> None:
    known = keys()
    sections = {key.rsplit(".", 1)[0] for key in known if "." in key}
    for key, line in tree.duplicates:
        mistakes.append(Mistake(key, f"{path}:{line}", "the key a second time", "it once"))

    def walk(value: Value, prefix: str) -> None:
        if value.data is None:
            return
        if not isinstance(value.data, dict):
            name = prefix.rstrip(".") or "the file"
            mistakes.append(Mistake(name, f"{path}:{value.line}", _described(value), "a mapping of settings"))
            return
        for name, child in value.data.items():
            key, origin = prefix + name, f"{path}:{child.line}"
            if key in LISTINGS:
                _read_listings(key, child, path, given, mistakes)
            elif key in sections:
                walk(child, f"{key}.")
            elif key not in known:
                near = _nearest(key, {**known, **LISTINGS})
                mistakes.append(Mistake(without_password(key), origin, "no setting of this name", near))
            elif child.data is not None:
                given[key] = _Given(_plain(child), origin)

    walk(tree.root, "")


def _read_listings(
    section: str, value: Value, path: Path, given: dict[str, _Given], mistakes: list[Mistake]
) -> None:
    """What is said of each topic or provider: a mapping by name of mappings by member."""
    members = LISTINGS[section].model_fields
    if value.data is not None and not isinstance(value.data, dict):
        mistakes.append(Mistake(section, f"{path}:{value.line}", _described(value), "a mapping by name"))
        return
    spellings: dict[str, str] = {}
    for written, listing in (value.data or {}).items():
        name = one_line(written)
        if not name or spellings.setdefault(fold(name), name) != name:
            found, expected = (f"{spellings[fold(name)]} too", "one spelling of it") if name else ('""', "a name")
            mistakes.append(Mistake(f"{section}.{name}", f"{path}:{listing.line}", found, expected))
            continue
        if listing.data is not None and not isinstance(listing.data, dict):
            place = f"{path}:{listing.line}"
            mistakes.append(Mistake(f"{section}.{name}", place, _described(listing), "a mapping of settings"))
            continue
        for member, child in (listing.data or {}).items():
            key, origin = f"{section}.{name}.{member}", f"{path}:{child.line}"
            if member not in members:
                mistakes.append(Mistake(key, origin, "no setting of this name", _nearest(member, members)))
            elif child.data is not None:
                given[key] = _Given(_plain(child), origin, (section, name, member))


def _store_mistakes(settings: Settings, given: Mapping[str, _Given]) -> list[Mistake]:
    """What several processes cannot share."""
    if not (settings.is_shared and settings.store.url == "sqlite://"):
        return []
    expected = "one that several processes can open, since role or workers ask for it"
    return [Mistake("store.url", given["store.url"].origin, "sqlite://", expected)]


def _plain(value: Value) -> object:
    if isinstance(value.data, list):
        return [_plain(item) for item in value.data]
    if isinstance(value.data, dict):
        return {key: _plain(item) for key, item in value.data.items()}
    return value.data


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return near[0] if near else f"one of {', '.join(known)}"


def _read_environment(environ: Mapping[str, str], given: dict[str, _Given], mistakes: list[Mistake]) -> None:
    variables = {variable(key): key for key in keys()}
    for name, value in environ.items():
        if name == "FEEDSVC_PORT" and _FOREIGN_PORT.match(value):
            continue
        if name in variables:
            if value.strip():
                given[variables[name]] = _Given(value, name)
        elif name.startswith(PREFIX) and name not in _NOT_SETTINGS and not _FOREIGN.fullmatch(name):
            expected = _nearest(name, variables)
            mistakes.append(Mistake(name, "the environment", "no setting of this name", expected))


def _validate(given: Mapping[str, _Given], mistakes: list[Mistake]) -> Settings:
    nested: dict[str, Any] = {}
    for key, item in given.items():
        *sections, name = item.place or key.split(".")
        mapping = nested
        for section in sections:
            mapping = mapping.setdefault(section, {})
        mapping[name] = item.value
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(nested)
    except ValidationError as error:
        expected = keys()
        for section, model in LISTINGS.items():
            for key, item in given.items():
                if item.place[:1] == (section,):
                    expected[key] = model.model_fields[item.place[2]].description or ""
        wrong = {_key_of(each["loc"], expected) for each in error.errors(include_url=False)}
        for key in sorted(wrong):
            item = given[key] if key in given else _Given(default_of(key), "the default")
            mistakes.append(Mistake(key, item.origin, _found(item.value), expected[key]))
    else:
        contradictions = contradictions_of(settings.topics, "topics", given)
        contradictions += contradictions_of(settings.providers, "providers", given)
        mistakes = mistakes + [
            Mistake(key, given[key].origin, _found(given[key].value), expected) for key, expected in contradictions
        ]
        mistakes += _store_mistakes(settings, given)
    if settings is None or mistakes:
        raise ConfigError(mistakes)
    return settings


def default_of(key: str) -> object:
    """The default of a setting, by its dotted key."""
    section, _, name = key.rpartition(".")
    model = type(Settings.model_fields[section].default) if section else Settings
    return model.model_fields[name].default


def _key_of(loc: tuple[int | str, ...], known: Mapping[str, str]) -> str:
    """Pydantic adds positions in lists and names of alternatives behind the key."""
    candidates = (".".join(map(str, loc[:length])) for length in (3, 2, 1))
    return next(key for key in candidates if key in known)


def _found(value: object) -> str:
    if isinstance(value, list):
        return f"the list {', '.join(without_password(str(each)) for each in value)}"
    return "a mapping" if isinstance(value, dict) else _described(Value(str(value), 0))


def _described(value: Value) -> str:
    """What was found; no password is told to anybody."""
    return describe(Value(without_password(value.data), 0) if isinstance(value.data, str) else value)
