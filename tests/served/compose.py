"""docker-compose.yml, Dockerfile and .dockerignore, read as Docker would read them.

Only what these files use: merge keys, ``${NAME:-default}``, ``env_file``, secrets from
files, and commands as lists.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vrp.embedded.options import PROJECT

COMPOSE = PROJECT / "docker-compose.yml"
SECRETS = "/run/secrets/"
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)")


@dataclass(frozen=True)
class Service:
    """One service as Docker would run it."""

    name: str
    raw: Mapping[str, Any]
    environment: Mapping[str, str]

    @property
    def command(self) -> list[str]:
        return [str(part) for part in self.raw["command"]]

    @property
    def health(self) -> list[str] | None:
        """The health check as a command; None if it is switched off."""
        test = (self.raw.get("healthcheck") or {}).get("test")
        if not test:
            return None
        kind, *rest = test
        return ["/bin/sh", "-c", *rest] if kind == "CMD-SHELL" else list(rest)

    @property
    def secrets(self) -> list[str]:
        return list(self.raw.get("secrets", []))

    @property
    def is_step(self) -> bool:
        """Whether it runs once, to its end."""
        return str(self.raw.get("restart")) == "no"

    @property
    def by_hand(self) -> bool:
        """Whether ``docker compose up`` leaves it out."""
        return "profiles" in self.raw

    @property
    def ours(self) -> bool:
        """Whether it is made of the Dockerfile's image."""
        return "build" in self.raw

    @property
    def waits_for(self) -> Mapping[str, str]:
        """Other services by name, and what must be true of each."""
        found = self.raw.get("depends_on", {})
        return {name: rule["condition"] for name, rule in found.items()}

    @property
    def patience(self) -> float:
        """Seconds within which it must become healthy."""
        check = self.raw["healthcheck"]
        begin, every = (_seconds(check[key]) for key in ("start_period", "interval"))
        return begin + every * int(check["retries"])

    @property
    def grace(self) -> float:
        """Seconds that it has to end after it was told to."""
        return _seconds(self.raw["stop_grace_period"])


def raw_services() -> dict[str, dict[str, Any]]:
    """The services, nothing filled in."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def read(env_file: Path) -> dict[str, Service]:
    """All services in the order in which they are written, variables filled in."""
    given = dotenv(env_file)
    services = {}
    for name, raw in raw_services().items():
        filled = _fill(raw, given)
        environment = dict(given) if filled.get("env_file") else {}
        environment |= filled.get("environment", {})
        services[name] = Service(name, filled, environment)
    return services


def dotenv(path: Path) -> dict[str, str]:
    """Names and values of an environment file."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    pairs = [line.split("=", 1) for line in lines if line and line[0] != "#"]
    return {name: value for name, value in pairs}  # noqa: C416


def variables() -> set[str]:
    """Names that the compose file takes from ``.env`` for itself."""
    found = _VARIABLE.finditer(COMPOSE.read_text())
    return {match[1] or match[3] for match in found if match[0] != "$$"}


def _fill(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(one, given) for key, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, given) for one in value]
    if not isinstance(value, str):
        return value

    def filled(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return given.get(match[1] or match[3]) or match[2] or ""

    return _VARIABLE.sub(filled, value)


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def docker_steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile's last stage: (``RUN``, its text)."""
    text = (PROJECT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    last = joined.rpartition("\nFROM ")[2]
    steps = [line.partition(" ") for line in last.splitlines()[1:] if line.strip()]
    return [(word, rest.strip()) for word, _, rest in steps]


def image_environment() -> dict[str, str]:
    """What the image itself sets."""
    found: dict[str, str] = {}
    for word, rest in docker_steps():
        if word == "ENV":
            found |= dict(part.split("=", 1) for part in shlex.split(rest))
    return found


def image_build_step() -> str:
    """The shell line that makes the image's own files."""
    [line] = [r for word, r in docker_steps() if word == "RUN" and "manage.py" in r]
    return line


def allowed_names() -> list[str]:
    """What .dockerignore lets into the image: names in the project's folder."""
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    assert "*" in lines, ".dockerignore no longer begins by keeping everything out"
    return [line[1:] for line in lines if line.startswith("!")]
