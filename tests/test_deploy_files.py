"""The files of deploy/ keep what they promise, and name nothing that there is not."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from service import PATIENCE_SECONDS, environment, free_port, running
from support import ROOT, SEEDS

from feedsvc.config import keys, variable
from feedsvc.documents.format import FORMATS
from feedsvc.documents.opml import OPML_TYPE
from feedsvc.documents.page import HTML_TYPE
from feedsvc.web.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8")))
PODS: dict[str, Any] = {
    each["metadata"]["name"]: each["spec"]["template"] for each in MANIFESTS if each["kind"] == "Deployment"
}
UNITS = ("feedsvc.service", "feedsvc-build.service")
NO_SETTINGS = {"FEEDSVC_CONFIG", "FEEDSVC_ADMIN_TOKEN"}


def is_root(user: str) -> bool:
    """Whether it may be root: it is not where a number says so."""
    return not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", user)


def instructions(name: str) -> list[str]:
    """What stands behind an instruction in the last stage of the Containerfile."""
    last = re.split(r"^FROM ", CONTAINERFILE, flags=re.MULTILINE)[-1]
    return re.findall(rf"^{name} +(.*)$", last, re.MULTILINE)


@pytest.mark.parametrize("file", sorted(each.name for each in DEPLOY.iterdir()))
def test_every_variable_is_a_setting(file: str) -> None:
    """Whoever copies a variable out of deploy/ has one that is known; a misspelt one would stop the start."""
    known = {variable(key) for key in keys()} | NO_SETTINGS
    assert set(re.findall(r"FEEDSVC_[A-Z_]*[A-Z]", (DEPLOY / file).read_text("utf-8"))) <= known


def test_every_file_is_explained() -> None:
    """deploy/README.md links each file of deploy/."""
    told = (DEPLOY / "README.md").read_text("utf-8")
    for each in DEPLOY.iterdir():
        assert each.name == "README.md" or f"({each.name})" in told, each.name


def test_image_is_small_and_needs_no_rights() -> None:
    """It has only what runs, of pinned files, belongs to no root, and writes in one place."""
    stages = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    assert len(stages) == 2
    # The environment is made for the very Python that it is copied to.
    assert stages[0] == stages[1]
    assert stages[1].endswith("-slim")
    assert "--require-hashes -r requirements.txt" in CONTAINERFILE
    assert "--without-pip" in CONTAINERFILE
    (user,) = instructions("USER")
    assert not is_root(user)
    assert instructions("VOLUME") == ['["/var/lib/feedsvc"]']
    assert [ast.literal_eval(each) for each in instructions("ENTRYPOINT") + instructions("CMD")] == [
        ["feedsvc"],
        ["serve"],
    ]
    for store in ("FEEDSVC_STORE_URL=sqlite:///", "FEEDSVC_STORE_CACHE="):
        assert f"{store}/var/lib/feedsvc/" in instructions("ENV")[0]


def test_health_checks_tell_the_living_from_the_dead(tmp_path: Path) -> None:
    """The checks of image and Compose file need nothing but Python, pass while a service runs, and fail after."""
    (image,) = instructions("HEALTHCHECK")
    with_ready: list[str] = ast.literal_eval(image.partition("CMD ")[2])
    with_live: list[str] = SERVICES["publisher"]["healthcheck"]["test"][1:]
    assert "/health/ready" in with_ready[2]
    assert "/health/live" in with_live[2]
    port = free_port()

    def check(command: list[str]) -> bool:
        assert command[:2] == ["python", "-c"]
        program = command[2].replace("8080", str(port))
        return subprocess.call([sys.executable, "-c", program], stderr=subprocess.DEVNULL) == 0

    with running(tmp_path, SEEDS, port=port):
        assert check(with_ready)
        assert check(with_live)
    assert not check(with_ready)
    assert not check(with_live)


@pytest.mark.parametrize("name", SERVICES)
def test_compose_services_have_no_rights(name: str) -> None:
    """None is root, has rights, or writes anywhere but in its volumes and in memory; each is watched."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not is_root(service["user"] if service["image"] != "feedsvc" else instructions("USER")[0])
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "devices"}
    # Ours brings its health check along; and is built here, wherever it is named.
    assert ("build" in service) == (service["image"] == "feedsvc")
    assert "build" in service or "healthcheck" in service
    assert all(":ro" in mount or not mount.startswith((".", "/", "$")) for mount in service.get("volumes", []))


def test_compose_has_what_it_promises() -> None:
    """A database, one publisher, two replicas without articles and without a token, and nginx, which alone is
    reached from outside; passwords come from outside, and have no default.
    """
    roles = {name: each.get("environment", {}).get("FEEDSVC_ROLE") for name, each in SERVICES.items()}
    assert roles == {
        "postgres": None,
        "publisher": "publish",
        "replica-1": "serve",
        "replica-2": "serve",
        "nginx": None,
    }
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["nginx"]
    assert [name for name, each in SERVICES.items() if "public" in each["networks"]] == ["nginx"]
    assert all(COMPOSE["networks"][name]["internal"] for name in ("feeds", "database"))
    for name in ("replica-1", "replica-2"):
        assert "FEEDSVC_ADMIN_TOKEN" not in SERVICES[name]["environment"]
        assert not any("/articles" in mount for mount in SERVICES[name]["volumes"])
        assert SERVICES[name]["environment"]["FEEDSVC_STORE_URL"].startswith("postgresql://feedsvc@postgres/")
    for name, secret in (("postgres", "POSTGRES_PASSWORD"), ("replica-1", "PGPASSWORD")):
        assert SERVICES[name]["environment"][secret].startswith("${POSTGRES_PASSWORD:?")


def test_compose_nginx_is_the_one_that_is_tested() -> None:
    """It has deploy/nginx.conf, keeps its cache, and finds both replicas without asking for their names."""
    nginx = SERVICES["nginx"]
    configuration = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert "./nginx.conf:/etc/nginx/nginx.conf:ro" in nginx["volumes"]
    (cache,) = [mount.split(":") for mount in nginx["volumes"] if not mount.startswith("./")]
    assert cache[0] in COMPOSE["volumes"]
    assert f"proxy_cache_path {cache[1]} " in configuration
    addresses = {
        name: each["networks"]["feeds"]["ipv4_address"]
        for name, each in SERVICES.items()
        if name.startswith("replica")
    }
    assert [f"{name}:{address}" for name, address in addresses.items()] == nginx["extra_hosts"]
    assert re.findall(r"^ +server (\S+):8080 ", configuration, re.MULTILINE) == list(addresses)
    assert nginx["ports"][0].endswith(":8080")
    assert "listen 8080;" in configuration
    assert nginx["healthcheck"]["test"][-1] == "http://127.0.0.1:8081/"
    assert "listen 127.0.0.1:8081;" in configuration


@pytest.mark.parametrize("name", PODS)
def test_pods_are_restricted(name: str) -> None:
    """Every pod meets the restricted standard of Kubernetes, has a root that is read-only, and no account."""
    pod = PODS[name]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert (
        f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == instructions("USER")[0]
    )
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        mounted = {each["name"]: each for each in container["volumeMounts"]}
        assert mounted.keys() == {each["name"] for each in pod["volumes"]}
        assert mounted["state"]["mountPath"] == "/var/lib/feedsvc"
        assert "articles" not in mounted or mounted["articles"]["readOnly"] is True


@pytest.mark.parametrize("name", PODS)
def test_probes_ask_what_there_is(name: str) -> None:
    """Start and life are asked of /health/live, and a replica is sent requests once it is ready."""
    rules = {rule.rule for rule in create_app(lambda: None, dict, lambda **_: {}, str, None).url_map.iter_rules()}
    (container,) = PODS[name]["spec"]["containers"]
    paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert set(paths.values()) <= rules
    assert paths["startup"] == paths["liveness"] == "/health/live"
    assert paths["readiness"] == ("/health/ready" if name == "feedsvc-replica" else "/health/live")


def test_kubernetes_has_what_it_promises() -> None:
    """Two of each, of which one may always go; the service, and what is public, leads to replicas alone."""
    by_kind: dict[str, list[Any]] = {}
    for each in MANIFESTS:
        by_kind.setdefault(each["kind"], []).append(each)
    for deployment in by_kind["Deployment"]:
        assert deployment["spec"]["replicas"] == 2
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        assert {"minAvailable": 1, "selector": {"matchLabels": labels}} in [
            each["spec"] for each in by_kind["PodDisruptionBudget"]
        ]
    (service,) = by_kind["Service"]
    assert service["spec"]["selector"] == PODS["feedsvc-replica"]["metadata"]["labels"]
    (ingress,) = by_kind["Ingress"]
    public = [each["path"] for each in ingress["spec"]["rules"][0]["http"]["paths"]]
    assert public == ["/", "/feeds.opml", "/changes.atom", "/feeds", "/topics", "/providers"]
    roles = {
        name: next(each["value"] for each in pod["spec"]["containers"][0]["env"] if each["name"] == "FEEDSVC_ROLE")
        for name, pod in PODS.items()
    }
    assert roles == {"feedsvc-replica": "serve", "feedsvc-publisher": "publish"}


@pytest.mark.parametrize("name", UNITS)
def test_units_are_hardened(name: str) -> None:
    """A user made for the run, a system that is read-only, no new privileges, no capability, one directory."""
    text = (DEPLOY / name).read_text("utf-8")
    unit = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # systemd tells capitals apart
    unit.read_string(text)
    service = unit["Service"]
    for key in "DynamicUser NoNewPrivileges PrivateTmp PrivateDevices MemoryDenyWriteExecute ProtectHome".split():
        assert service[key] == "yes", key
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    directory = f"/var/lib/{service['StateDirectory']}/"
    assert f"Environment=FEEDSVC_STORE_URL=sqlite:///{directory}feedsvc.db\n" in text
    assert "User" not in service
    assert "TOKEN=" not in text


def test_build_to_bucket_sends_each_file_once_as_the_service_would(tmp_path: Path) -> None:
    """Each file of a build is sent with the type and the caching that the service tells, pages after feeds; what
    is no more goes last, and the list of what was built stays here.
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    noted = tmp_path / "noted"
    for name, script in (
        ("rclone", f'printf "%s\\n" "$*" >> {shlex.quote(str(noted))}'),
        ("feedsvc", f'exec {shlex.quote(sys.executable)} -m feedsvc "$@"'),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (programs / name).chmod(0o755)
    out = tmp_path / "public"
    seeds = shutil.copytree(SEEDS, tmp_path / "seeds")
    run: list[str | Path] = [DEPLOY / "build-to-bucket.sh", out, "feeds:bucket"]
    variables = environment(
        FEEDSVC_ARTICLES=str(seeds), PYTHONPATH=str(ROOT), PATH=f"{programs}:{os.environ['PATH']}"
    )
    subprocess.run(run, cwd=tmp_path, env=variables, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    *sent, last = noted.read_text("utf-8").splitlines()
    types = {form.ending: form.media_type for form in FORMATS.values()} | {".opml": OPML_TYPE, ".html": HTML_TYPE}
    told = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
    assert sent == [
        f"copy --checksum --filter - .feedsvc-* --filter + *{ending} --filter - * "
        f"--header-upload Content-Type: {media_type} --header-upload Cache-Control: {told} {out} feeds:bucket"
        for ending, media_type in types.items()
    ]
    assert last == f"sync --ignore-existing --filter - .feedsvc-* {out} feeds:bucket"
    built = [each.suffix for each in out.rglob("*") if each.is_file() and not each.name.startswith(".feedsvc-")]
    assert set(built) == types.keys()


def test_build_to_bucket_sends_nothing_of_a_build_that_failed(tmp_path: Path) -> None:
    """Where the articles cannot be read, what is in the bucket stays."""
    for name, code in (("rclone", 0), ("feedsvc", 1)):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/noted\nexit {code}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    variables = environment(PATH=f"{tmp_path}:{os.environ['PATH']}")
    run: list[str | Path] = [DEPLOY / "build-to-bucket.sh", tmp_path / "out", "feeds:bucket"]
    assert subprocess.call(run, env=variables) == 1
    assert (tmp_path / "noted").read_text("utf-8") == "feedsvc\n"
