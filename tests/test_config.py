"""The configuration: file, environment and flags, and every mistake in them in one go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from feedsvc.config import ConfigError, Mistake, default_of, keys, load_settings, variable
from feedsvc.settings import Settings
from feedsvc.tree import Value, parse_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED = ROOT / "config" / "feedsvc.yaml"


def read(
    directory: Path, text: str = "", environ: Mapping[str, str] | None = None, **flags: str | None
) -> Settings:
    """The settings that a file of this text gives, with an articles directory that exists."""
    path = directory / "feedsvc.yaml"
    path.write_text(text, "utf-8")
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return load_settings(path, environ or {}, {"articles": str(directory), **dotted})


def mistakes(
    directory: Path, text: str = "", environ: Mapping[str, str] | None = None, **flags: str | None
) -> list[Mistake]:
    """What is wrong with it."""
    with pytest.raises(ConfigError) as caught:
        read(directory, text, environ, **flags)
    return caught.value.mistakes


def dotted_keys(value: Value, prefix: str = "") -> set[str]:
    """Every key of a configuration file that is no section."""
    assert isinstance(value.data, dict)
    found: set[str] = set()
    for name, child in value.data.items():
        if isinstance(child.data, dict):
            found |= dotted_keys(child, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    """An empty file gives the defaults."""
    settings = read(tmp_path)
    assert settings == Settings(articles=tmp_path)
    assert (settings.host, settings.port, settings.timezone) == ("127.0.0.1", 8080, "UTC")
    assert settings.reload.every == timedelta(minutes=1)


def test_the_shipped_file_gives_the_defaults(tmp_path: Path) -> None:
    """The configuration that is shipped says the defaults and changes none."""
    assert load_settings(SHIPPED, {}, {"articles": str(tmp_path)}) == Settings(articles=tmp_path)


def test_the_shipped_file_names_every_setting() -> None:
    """The configuration that is shipped names every setting, and no other."""
    assert dotted_keys(parse_tree(SHIPPED.read_text("utf-8")).root) == set(keys())


def test_the_shipped_articles_directory_is_the_default() -> None:
    """The articles directory of the shipped file is the default one."""
    root = parse_tree(SHIPPED.read_text("utf-8")).root
    assert isinstance(root.data, dict)
    assert root.data["articles"].data == str(default_of("articles"))


def test_every_setting_says_what_is_expected() -> None:
    """Every setting has words for what is expected of it, and a variable of its own."""
    assert all(keys().values())
    assert len({variable(key) for key in keys()}) == len(keys())


def test_a_setting_has_the_value_of_the_file(tmp_path: Path) -> None:
    """What the file says holds."""
    settings = read(
        tmp_path,
        "port: 9000\nsite: {title: News, language: pt-BR}\nexclude: [a*, b]\nselection: {min_heat: -1.5}\n"
        "limits: {file_bytes: 2MiB}\nlog:\n  level: debug\n",
    )
    assert (settings.port, settings.site.title, settings.site.language) == (9000, "News", "pt-BR")
    assert settings.exclude == ("a*", "b")
    assert settings.selection.min_heat == -1.5
    assert settings.limits.file_bytes == 2 * 1024 * 1024
    assert settings.log.level == "debug"


def test_the_environment_stands_over_the_file_and_flags_over_both(tmp_path: Path) -> None:
    """The environment stands over the file, and a flag over the environment."""
    text = "port: 1001\nhost: file\nsite: {title: file}\nreload: {every: 1s}\n"
    environ = {"FEEDSVC_PORT": "1002", "FEEDSVC_HOST": "environment", "FEEDSVC_RELOAD_EVERY": "2s"}
    settings = read(tmp_path, text, environ, port="1003", reload__every="3s", host=None)
    assert settings.port == 1003
    assert settings.host == "environment"
    assert settings.site.title == "file"
    assert settings.reload.every == timedelta(seconds=3)


def test_what_is_wrong_but_overridden_does_not_matter(tmp_path: Path) -> None:
    """A wrong value that a variable or flag overrides stops nothing."""
    assert read(tmp_path, "port: no port", {"FEEDSVC_PORT": "1002"}).port == 1002
    assert read(tmp_path, "", {"FEEDSVC_PORT": "no port"}, port="1003").port == 1003


@pytest.mark.parametrize("key", sorted(set(keys()) - {"articles"}))
def test_every_setting_has_a_variable(tmp_path: Path, key: str) -> None:
    """Every setting is read from its environment variable: what is wrong there is reported by that name."""
    name = variable(key)
    assert name == "FEEDSVC_" + key.replace(".", "_").upper()
    if (
        key
        in {
            "host",
            "site.title",
            "site.description",
            "site.id",
            "exclude",
            "feeds.title",
            "feeds.description",
            "store.cache",
        }
        or "categories" in key
        or "types" in key
    ):
        section, _, field = key.rpartition(".")
        settings = read(tmp_path, "", {name: "given"})
        value = getattr(getattr(settings, section) if section else settings, field)
        assert value in ("given", ("given",), Path("given"))
    else:
        found = mistakes(tmp_path, "", {name: "?!"})
        assert found == [Mistake(key, name, '"?!"', keys()[key])]


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    """An empty or blank variable counts as not set."""
    environ = {"FEEDSVC_PORT": "", "FEEDSVC_HOST": " ", "FEEDSVC_CONFIG": ""}
    assert read(tmp_path, "port: 9000", environ) == Settings(articles=tmp_path, port=9000)


def test_lists_are_given_with_commas_in_a_variable(tmp_path: Path) -> None:
    """A list is given with commas in a variable; space around a name and empty names do not count."""
    environ = {"FEEDSVC_SELECTION_CATEGORIES": " news, AI Hardware ,,x,"}
    assert read(tmp_path, "selection: {categories: [y]}", environ).selection.categories == (
        "news",
        "AI Hardware",
        "x",
    )


def test_an_empty_list_in_the_file_is_empty(tmp_path: Path) -> None:
    """An empty list in the file takes the place of a default that is not."""
    assert read(tmp_path, "exclude: []").exclude == ()


@pytest.mark.parametrize("null", ["null", "~", ""])
def test_null_means_the_default(tmp_path: Path, null: str) -> None:
    """Null means the default, for a setting and for a whole section."""
    text = f"port: {null}\nsite: {null}\nlog:\n  level: {null}\nexclude: {null}\n"
    assert read(tmp_path, text) == Settings(articles=tmp_path)


def test_no_is_norwegian(tmp_path: Path) -> None:
    """`language: no` is Norwegian, and `title: yes` is a title."""
    site = read(tmp_path, "site: {language: no, title: yes, description: 1.10}").site
    assert (site.language, site.title, site.description) == ("no", "yes", "1.10")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1s", 1), ("60s", 60), (" 5 m ", 300), ("1h", 3600), ("1d", 86400), ("0060s", 60)],
)
def test_a_duration_is_a_whole_number_with_a_unit(tmp_path: Path, written: str, seconds: int) -> None:
    """A duration is a whole number of seconds, minutes, hours or days."""
    assert read(tmp_path, reload__every=written).reload.every == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["30", "0", "1.5h", "1 week", "-1d"])
def test_a_duration_without_a_unit_is_a_mistake(tmp_path: Path, written: str) -> None:
    """Thirty days must not be taken for thirty seconds."""
    with pytest.raises(ConfigError, match=f'max_age.*found "{written}", expected a duration .* such as 30d'):
        read(tmp_path, selection__max_age=written)


@given(number=st.integers(1, 10**6), unit=st.sampled_from(["s", "m", "h", "d"]))
def test_any_duration_is_read_as_written(number: int, unit: str) -> None:
    """Any duration within the bounds is what it says."""
    seconds = number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    if seconds <= 365 * 86400:
        flags = {"articles": str(ROOT), "http.max_age": f"{number}{unit}"}
        assert load_settings(SHIPPED, {}, flags).http.max_age == timedelta(seconds=seconds)


@given(st.text(st.characters(exclude_characters="0123456789", exclude_categories=["Nd", "Cs"])))
def test_a_duration_without_a_number_is_a_mistake(written: str) -> None:
    """A duration without a number is a mistake, whatever else it is."""
    with pytest.raises(ConfigError) as caught:
        load_settings(SHIPPED, {}, {"articles": str(ROOT), "http.max_age": written})
    assert [mistake.key for mistake in caught.value.mistakes] == ["http.max_age"]


WRONG = [
    ("port", "0"),
    ("port", "65536"),
    ("port", "http"),
    ("port", "80.5"),
    ("port", "[1]"),
    ("port", "{a: 1}"),
    ("port", "9" * 50),
    ("host", "''"),
    ("host", "[a]"),
    ("timezone", "Mars/Olympus"),
    ("timezone", "''"),
    ("timezone", "../UTC"),
    ("timezone", "Europe"),
    ("timezone", "x" * 300),
    ("base_url", "feeds.example.org"),
    ("base_url", "ftp://example.org"),
    ("base_url", "https://"),
    ("base_url", "https://example.org/?a=b"),
    ("base_url", "'https://example.org/#a'"),
    ("base_url", "https://me@example.org/"),
    ("base_url", "https://example.org:99999"),
    ("base_url", "https://example.org:0"),
    ("base_url", "'https://[::1'"),
    ("base_url", "[https://example.org]"),
    ("site.title", "''"),
    ("site.language", "english language"),
    ("site.language", "e"),
    ("site.language", "en_GB"),
    ("reload.every", "0s"),
    ("reload.every", "2d"),
    ("reload.every", "1.5h"),
    ("reload.every", "1w"),
    ("reload.every", "-1s"),
    ("reload.every", "[1s]"),
    ("selection.missing_published", "maybe"),
    ("selection.min_quality", "high"),
    ("selection.min_quality", "nan"),
    ("selection.min_heat", "inf"),
    ("selection.categories", "{a: b}"),
    ("selection.categories", "[[a]]"),
    ("selection.max_age", "0s"),
    ("feeds.entries", "0"),
    ("feeds.entries", "1001"),
    ("feeds.entries", "10.5"),
    ("http.max_age", "366d"),
    ("http.stale_while_revalidate", "soon"),
    ("http.stale_if_error", "366d"),
    ("admin.listen", "8081"),
    ("admin.listen", "127.0.0.1"),
    ("admin.listen", "127.0.0.1:70000"),
    ("admin.listen", "http://127.0.0.1:8081"),
    ("admin.listen", "a@127.0.0.1:8081"),
    ("limits.file_bytes", "1023"),
    ("limits.file_bytes", "65MiB"),
    ("limits.file_bytes", "big"),
    ("limits.file_bytes", "9" * 400),
    ("log.level", "loud"),
    ("log.format", "xml"),
]


@pytest.mark.parametrize(("key", "written"), WRONG)
def test_a_wrong_value_is_a_mistake_with_key_place_and_expectation(tmp_path: Path, key: str, written: str) -> None:
    """A wrong value is one mistake: its key, its line in the file, what was found and what is expected."""
    section, _, name = key.rpartition(".")
    text = f"\n{section}:\n  {name}: {written}\n" if section else f"\n\n{name}: {written}\n"
    (mistake,) = mistakes(tmp_path, text)
    assert mistake.key == key
    assert mistake.origin == f"{tmp_path / 'feedsvc.yaml'}:3"
    assert mistake.found
    assert mistake.expected == keys()[key]


@pytest.mark.parametrize(
    ("written", "found"),
    [("'a b'", '"a b"'), ("[a, b]", "the list a, b"), ("{a: b}", "a mapping"), ("''", '""')],
)
def test_a_mistake_tells_what_was_found(tmp_path: Path, written: str, found: str) -> None:
    """A mistake tells what was found, in words that fit on its line."""
    (mistake,) = mistakes(tmp_path, f"port: {written}")
    assert mistake.found == found


def test_every_mistake_is_listed_in_one_go(tmp_path: Path) -> None:
    """Every mistake of file, environment and flags is listed in one go, each with where it was made."""
    path = tmp_path / "feedsvc.yaml"
    text = "port: 0\nprot: 1\nsite: text\nlog:\n  level: loud\n  formt: json\nhost: [x]\n"
    environ = {"FEEDSVC_TIMEZONE": "Mars", "FEEDSVC_HOTS": "x", "OTHER": "y"}
    found = mistakes(
        tmp_path, text, environ, base_url="nowhere", feeds__entries="0", articles=str(tmp_path / "no")
    )
    assert {(each.key, each.origin) for each in found} == {
        ("port", f"{path}:1"),
        ("prot", f"{path}:2"),
        ("site", f"{path}:3"),
        ("log.level", f"{path}:5"),
        ("log.formt", f"{path}:6"),
        ("host", f"{path}:7"),
        ("timezone", "FEEDSVC_TIMEZONE"),
        ("FEEDSVC_HOTS", "the environment"),
        ("base_url", "--base-url"),
        ("feeds.entries", "--feeds-entries"),
        ("articles", "--articles"),
    }


def test_a_flag_of_a_section_is_reported_by_its_name(tmp_path: Path) -> None:
    """A mistake in a flag is reported by the flag that was given: `--reload-every`, not `--every`."""
    (mistake,) = mistakes(tmp_path, reload__every="often")
    assert mistake == Mistake("reload.every", "--reload-every", '"often"', keys()["reload.every"])


def test_the_error_is_one_line_a_mistake(tmp_path: Path) -> None:
    """The error as text has one line for each mistake, with key, place, found and expected."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "port: 0\nlog: {level: loud}")
    path = tmp_path / "feedsvc.yaml"
    assert sorted(str(caught.value).split("\n")) == [
        f'log.level ({path}:2): found "loud", expected debug, info, warning or error',
        f'port ({path}:1): found "0", expected a whole number from 1 to 65535',
    ]


@pytest.mark.parametrize(
    ("text", "key", "suggestion"),
    [
        ("prot: 1", "prot", "port"),
        ("reload: {evry: 1s}", "reload.evry", "reload.every"),
        ("selection:\n  min-quality: 1", "selection.min-quality", "selection.min_quality"),
        ("Timezone: UTC", "Timezone", "timezone"),
    ],
)
def test_a_misspelt_key_gets_a_suggestion(tmp_path: Path, text: str, key: str, suggestion: str) -> None:
    """A misspelt key is a mistake, and the nearest real one is suggested."""
    (mistake,) = mistakes(tmp_path, text)
    assert (mistake.key, mistake.found, mistake.expected) == (key, "no setting of this name", suggestion)


def test_a_misspelt_variable_gets_a_suggestion(tmp_path: Path) -> None:
    """A variable of ours that is none is a mistake, and the nearest real one is suggested."""
    (mistake,) = mistakes(tmp_path, "", {"FEEDSVC_RELOAD_EVRY": "1s"})
    assert mistake == Mistake(
        "FEEDSVC_RELOAD_EVRY", "the environment", "no setting of this name", "FEEDSVC_RELOAD_EVERY"
    )


def test_a_key_like_no_other_gets_the_whole_list(tmp_path: Path) -> None:
    """A key that is near to none is told all there are."""
    (mistake,) = mistakes(tmp_path, "qqqqqqqqqqqqqqq: 1")
    assert all(key in mistake.expected for key in keys())


@pytest.mark.parametrize(
    "name",
    [
        "FEEDSVC_ADMIN_TOKEN",
        "FEEDSVC_TEST_ANYTHING",
        "FEEDSVC_SERVICE_HOST",
        "FEEDSVC_SERVICE_PORT_HTTP",
        "FEEDSVC_PORT_8080_TCP_ADDR",
        "FEEDS_PORT",
        "PATH",
    ],
)
def test_variables_that_are_no_settings_are_passed_over(tmp_path: Path, name: str) -> None:
    """The secret, the tests' variables, and those that Kubernetes sets for such a service are no mistake."""
    assert read(tmp_path, "", {name: "x"}) == Settings(articles=tmp_path)


def test_the_port_that_kubernetes_sets_is_passed_over(tmp_path: Path) -> None:
    """For a service called feedsvc, Kubernetes sets FEEDSVC_PORT to the service's URL; that is no setting."""
    environ = {"FEEDSVC_PORT": "tcp://10.0.0.11:80", "FEEDSVC_PORT_80_TCP": "tcp://10.0.0.11:80"}
    assert read(tmp_path, "port: 9000", environ).port == 9000


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [("port: 1\nhost: x\nport: 2", "port", 3), ("http:\n  max_age: 1s\n  max_age: 2s", "http.max_age", 3)],
)
def test_a_key_given_twice_is_a_mistake(tmp_path: Path, text: str, key: str, line: int) -> None:
    """A key given twice is a mistake by its whole key, on the line of the second."""
    (mistake,) = mistakes(tmp_path, text)
    assert mistake == Mistake(key, f"{tmp_path / 'feedsvc.yaml'}:{line}", "the key a second time", "it once")


@pytest.mark.parametrize(
    ("text", "key", "line", "found"),
    [
        ("- port", "the file", 1, "a list"),
        ("text", "the file", 1, '"text"'),
        ("\nsite: [a]", "site", 2, "a list"),
        ("\nreload: 60s", "reload", 2, '"60s"'),
    ],
)
def test_what_is_no_mapping_is_a_mistake(tmp_path: Path, text: str, key: str, line: int, found: str) -> None:
    """A file or section that is no mapping is a mistake."""
    (mistake,) = mistakes(tmp_path, text)
    assert mistake == Mistake(key, f"{tmp_path / 'feedsvc.yaml'}:{line}", found, "a mapping of settings")


@pytest.mark.parametrize(
    ("text", "line"),
    [("port: 1\nhost: [a", 3), ("a: &a [*a]", 1), ("port: !!python/name:os 1", 1), ("port: 1\n---\nport: 2", 2)],
)
def test_a_file_that_is_no_yaml_is_a_mistake(tmp_path: Path, text: str, line: int) -> None:
    """A file that is no YAML is one mistake with its line, beside those of environment and flags."""
    found = mistakes(tmp_path, text, {"FEEDSVC_PORT": "0"})
    assert [each.key for each in found] == ["--config", "port"]
    assert found[0].origin == f"{tmp_path / 'feedsvc.yaml'}:{line}"


def test_a_file_with_a_control_character_is_a_mistake(tmp_path: Path) -> None:
    """A character that YAML forbids is a mistake of the file."""
    (mistake,) = mistakes(tmp_path, "host: a\x00b")
    assert (mistake.key, mistake.origin) == ("--config", str(tmp_path / "feedsvc.yaml"))


def test_a_file_that_is_no_utf_8_is_a_mistake(tmp_path: Path) -> None:
    """A file in another encoding is a mistake."""
    path = tmp_path / "feedsvc.yaml"
    path.write_bytes("site: {title: Café}".encode("latin-1"))
    with pytest.raises(ConfigError, match="no UTF-8"):
        load_settings(path, {}, {"articles": str(tmp_path)})


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    """A file with a byte order mark is read like one without."""
    path = tmp_path / "feedsvc.yaml"
    path.write_text("port: 9000", "utf-8-sig")
    assert load_settings(path, {}, {"articles": str(tmp_path)}).port == 9000


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_named_file_that_is_missing_is_a_mistake(tmp_path: Path, by_variable: bool) -> None:
    """A configuration file that was named has to be there, whoever named it."""
    missing = tmp_path / "none.yaml"
    environ = {"FEEDSVC_CONFIG": str(missing)} if by_variable else {}
    with pytest.raises(ConfigError) as caught:
        load_settings(None if by_variable else missing, environ, {"articles": str(tmp_path)})
    (mistake,) = caught.value.mistakes
    assert mistake == Mistake("--config", str(missing), "No such file or directory", "a file that can be read")


def test_a_directory_in_place_of_the_file_is_a_mistake(tmp_path: Path) -> None:
    """A configuration that is a directory is a mistake."""
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(tmp_path, {}, {"articles": str(tmp_path)})


def test_the_file_is_named_by_a_variable(tmp_path: Path) -> None:
    """FEEDSVC_CONFIG names the file, and what is given beside it stands before that."""
    (tmp_path / "one.yaml").write_text("port: 1001", "utf-8")
    (tmp_path / "two.yaml").write_text("port: 1002", "utf-8")
    environ = {"FEEDSVC_CONFIG": str(tmp_path / "one.yaml")}
    flags = {"articles": str(tmp_path)}
    assert load_settings(None, environ, flags).port == 1001
    assert load_settings(tmp_path / "two.yaml", environ, flags).port == 1002


def test_the_default_file_is_read_where_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file is named, config/feedsvc.yaml below the working directory is read if it exists."""
    monkeypatch.chdir(tmp_path)
    flags = {"articles": str(tmp_path)}
    assert load_settings(None, {}, flags).port == 8080
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "feedsvc.yaml").write_text("port: 9000", "utf-8")
    assert load_settings(None, {}, flags).port == 9000


def test_the_articles_directory_has_to_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An articles directory that is missing is a mistake, also where it is the default."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for path, flags in (("seeds", {}), ("file", {"articles": "file"})):
        with pytest.raises(ConfigError) as caught:
            load_settings(None, {}, flags)
        origin = "--articles" if flags else "the default"
        assert caught.value.mistakes == [Mistake("articles", origin, f'"{path}"', "a directory that exists")]


@pytest.mark.parametrize(
    ("written", "public"),
    [
        (None, "http://localhost:9000"),
        ("https://feeds.example.org", "https://feeds.example.org"),
        ("https://feeds.example.org/", "https://feeds.example.org"),
        ("HTTP://example.org:8080/feeds//", "http://example.org:8080/feeds"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_public_url_has_no_slash_at_its_end(tmp_path: Path, written: str | None, public: str) -> None:
    """What public URLs begin with has no slash at its end, and is this machine's where nothing is given."""
    assert read(tmp_path, "port: 9000", base_url=written).public_url == public


@pytest.mark.parametrize(
    "written",
    [
        "https://example.org/a b",
        "https://exa mple.org",
        "https://example.org ",
        'https://example.org/"<',
        "https://é.fr",
    ],
)
def test_a_base_url_holds_nothing_that_a_url_cannot(tmp_path: Path, written: str) -> None:
    """A base URL that no URI can be is a mistake or is mended: every link of every feed begins with it."""
    try:
        public = read(tmp_path, base_url=written).public_url
    except ConfigError as error:
        assert [each.key for each in error.mistakes] == ["base_url"]  # noqa: PT017 - both ways are right
    else:
        assert public.isascii()
        assert not set(public) & set(' "<>')


@pytest.mark.parametrize("name", ["title", "description", "id"])
def test_a_blank_text_of_the_site_is_a_mistake(tmp_path: Path, name: str) -> None:
    """A text of the site that is nothing but space is as wrong as an empty one."""
    (mistake,) = mistakes(tmp_path, f"site:\n  {name}: ' '\n")
    assert mistake.key == f"site.{name}"


def test_a_greatest_age_cannot_leave_the_calendar(tmp_path: Path) -> None:
    """A greatest age that no date can bear is a mistake, and no failure when feeds are selected."""
    (mistake,) = mistakes(tmp_path, "selection: {max_age: 999999999d}")
    assert mistake.key == "selection.max_age"
