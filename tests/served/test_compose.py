"""What docker-compose.yml and the Dockerfile promise, read from the files."""

import ast
import importlib.metadata as packages
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.docs.test_reference import settings_names
from tests.served.compose import (
    COMPOSE,
    SECRETS,
    Service,
    allowed_names,
    docker_steps,
    read,
    variables,
)
from tests.served.conftest import require_servers
from vrp.embedded.options import PROJECT
from vrp.ops.health import STALE

EXAMPLE = PROJECT / ".env.example"
SERVICES = read(EXAMPLE)
WHOLE = yaml.safe_load(COMPOSE.read_text())
# What the images of PostgreSQL and deploy/roles.sql understand.
DATABASE_NAMES = {
    *("POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS"),
    *("OWNER_PASSWORD_FILE", "APP_PASSWORD_FILE", "BACKUP_PASSWORD_FILE"),
}
each = pytest.mark.parametrize("service", SERVICES.values(), ids=lambda s: s.name)


def test_the_services_are_these() -> None:
    always = {name for name, service in SERVICES.items() if not service.by_hand}
    assert always == {"db", "redis", "migrate", "web", "worker", "clock"}
    assert set(SERVICES) - always == {"backup", "restore"}


@each
def test_it_has_a_health_check_or_ends_by_itself(service: Service) -> None:
    if service.is_step:
        assert service.raw["healthcheck"] == {"disable": True}
    else:
        assert service.health
        assert service.raw["restart"] == "unless-stopped"
        for key in ("interval", "timeout", "retries", "start_period"):
            assert key in service.raw["healthcheck"], key
        assert service.grace >= 30


@each
def test_it_is_nobody_special_and_bounded(service: Service) -> None:
    raw = service.raw
    assert str(raw["user"]) not in ("", "root", "0", "0:0")
    assert raw["read_only"] is True
    assert raw["cap_drop"] == ["ALL"]
    assert raw["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(raw)
    limits = raw["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory"}
    assert raw["logging"]["options"]["max-size"]


@each
def test_its_image_is_pinned(service: Service) -> None:
    if service.ours:
        return
    tag = service.raw["image"].partition(":")[2]
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?-bookworm", tag), service.raw["image"]


@each
def test_it_knows_only_documented_variables(service: Service) -> None:
    known = DATABASE_NAMES if service.name == "db" else settings_names() | variables()
    given = {
        name if name in known else name.removesuffix("_FILE")
        for name in service.environment
    }
    assert given <= known, given - known
    if service.ours:
        # Whatever it is told, the secrets come from files.
        assert service.raw["env_file"] == ".env"


@pytest.mark.parametrize("name", sorted(variables()))
def test_what_compose_reads_itself_is_documented(name: str) -> None:
    assert re.search(rf"^{name}=", EXAMPLE.read_text(), flags=re.M)
    assert f"`{name}`" in (PROJECT / "docs" / "reference.md").read_text()


@each
def test_no_secret_is_in_clear_text(service: Service) -> None:
    for name, value in service.environment.items():
        if re.search(r"SECRET|PASSWORD|KEY|TOKEN|DATABASE_URL|REDIS_URL", name):
            assert name.endswith("_FILE"), name
            assert value.removeprefix(SECRETS) in service.secrets, name
        assert "://" not in value or "@" not in value, name
    told = " ".join([*service.command, *(service.health or [])])
    for path in re.findall(rf"{SECRETS}(\w+)", told):
        assert path in service.secrets


@each
def test_only_migrations_and_restoring_know_the_owner(service: Service) -> None:
    urls = {name for name in service.secrets if name.startswith("database_url")}
    roles = {
        "migrate": "owner", "restore": "owner", "backup": "backup",
        "web": "app", "worker": "app", "clock": "app",
    }  # fmt: skip
    expected = roles.get(service.name)
    assert urls == ({f"database_url_{expected}"} if expected else set())


def test_data_is_kept_in_volumes_and_servers_have_no_way_out() -> None:
    for name, target in (("db", "/var/lib/postgresql/data"), ("redis", "/data")):
        raw = SERVICES[name].raw
        mounts = dict(mount.split(":")[:2] for mount in raw["volumes"])
        [volume] = [source for source, where in mounts.items() if where == target]
        assert volume in WHOLE["volumes"]
        assert raw["networks"] == ["inside"]
        assert "ports" not in raw
    assert WHOLE["networks"]["inside"] == {"internal": True}
    [published] = SERVICES["web"].raw["ports"]
    assert published.startswith("127.0.0.1:")


def test_every_secret_is_made_and_nobody_else_can_come_near(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make = [PROJECT / "deploy" / "make-secrets", folder]
    subprocess.run(make, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(made) == set(WHOLE["secrets"])
    assert all(rule["file"].endswith(f"/{n}") for n, rule in WHOLE["secrets"].items())
    assert len(set(made.values())) == len(made)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # A second run keeps every value, and makes what is missing to fit.
    (folder / "database_url_app").unlink()
    subprocess.run(make, check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_silence_means_the_same_to_docker_as_to_readyz() -> None:
    for name, limit in STALE.items():
        health = SERVICES[name].health
        assert health is not None
        assert float(health[-1]) == limit.total_seconds()


def test_without_the_servers_the_tests_fail_and_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.fail.Exception, match="apt-get install postgresql-15"):
        require_servers()


# -- the image -------------------------------------------------------------------------


def test_the_image_is_pinned_and_ends_as_nobody_special() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", text, flags=re.M)
    assert set(bases) == {"python:3.11.14-slim-bookworm"}
    users = [rest for word, rest in docker_steps() if word == "USER"]
    assert users == [SERVICES["web"].raw["user"]]
    assert "HEALTHCHECK" in text
    assert "requirements-dev" not in text
    major = SERVICES["db"].raw["image"].removeprefix("postgres:").partition(".")[0]
    assert f"postgresql-client-{major}" in text


def test_the_image_holds_no_tests_stand_ins_or_secrets() -> None:
    assert set(allowed_names()) <= set(os.listdir(PROJECT))
    assert not {"tests", "simulators", "bench", "var", ".env"} & set(allowed_names())
    assert "deploy/secrets" in (PROJECT / ".dockerignore").read_text().splitlines()


def needed(name: str, seen: set[str]) -> None:
    """A distribution and all that it needs."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    try:
        wants = packages.requires(name) or []
    except packages.PackageNotFoundError:
        return
    seen.add(key)
    for want in wants:
        if "extra ==" not in want or "redis" in name or "celery" in name:
            needed(re.split(r"[^\w.-]", want, maxsplit=1)[0], seen)


def imported(room: str) -> Iterator[tuple[str, str]]:
    """(file, top-level package) for each import of a room."""
    for path in (PROJECT / room).rglob("*.py"):
        # Embedded mode is started from a checkout; the image never runs it.
        if "embedded" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield str(path), alias.name.partition(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield str(path), node.module.partition(".")[0]


def test_the_product_imports_nothing_that_only_developers_install() -> None:
    installed: set[str] = set()
    for line in (PROJECT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            needed(re.split(r"[\[=]", line, maxsplit=1)[0], installed)
    makers = packages.packages_distributions()
    ours = set(allowed_names())
    for room in sorted(ours - {"templates", "static", "manage.py", "requirements.txt"}):
        for path, name in imported(room):
            if name in sys.stdlib_module_names or name in ours:
                continue
            made_by = {re.sub(r"[-_.]+", "-", one).lower() for one in makers[name]}
            assert made_by & installed, f"{path} imports {name}"
