"""docs/operations.md knows every alarm, and every alarm rule a metric that exists."""

import re
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.conf import settings

from tests.docs.test_reference import commands
from vrp.ops.health import STALE
from vrp.ops.metrics import RATE_COUNTERS, _gauges

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())
METRICS = "".join(
    path.read_text() for path in (ROOT / "vrp" / "ops").glob("*.py")
)  # where families that are no gauges of a room are named


def metrics() -> set[str]:
    """Gauges of the rooms, and the families that the collectors name."""
    named = set(re.findall(r'GaugeMetricFamily\(\s*"(\w+)"', METRICS))
    return set(_gauges) | named | {f"{name}_total" for name in RATE_COUNTERS}


def checks() -> set[str]:
    source = (ROOT / "vrp" / "ops" / "checks.py").read_text()
    calls = re.findall(r"\b(error|warning)\(\s*(\d+),", source)
    found = {f"vrp.{'E' if kind == 'error' else 'W'}{int(n):03}" for kind, n in calls}
    return found | {f"vrp.E{n}" for n in re.findall(r'": \((\d{3}), "', source)}


def cards() -> set[str]:
    ours = [
        Path(c.path) for c in apps.get_app_configs() if ROOT in Path(c.path).parents
    ]
    files = [p for room in ours if ".venv" not in str(room) for p in room.rglob("*.py")]
    return {
        title
        for path in files
        for title in re.findall(r'\bCard\(\s*"([^"]+)"', path.read_text())
    }


def test_every_metric_has_its_line() -> None:
    assert {"vrp_part_up", "vrp_payouts_unclear"} <= metrics()
    assert [name for name in sorted(metrics()) if f"| `{name}` |" not in PAGE] == []


def test_every_check_has_its_line() -> None:
    assert {"vrp.E001", "vrp.E301", "vrp.W202"} <= checks()
    assert [name for name in sorted(checks()) if f"`{name}`" not in PAGE] == []


def test_every_part_of_readiness_has_its_line() -> None:
    parts = {"database", "redis", "outbox", *STALE}
    table = PAGE.split("### Parts of", 1)[1].split("\n### ", 1)[0]
    assert [part for part in sorted(parts) if f"| `{part}`" not in table] == []


def test_every_card_has_its_line() -> None:
    table = PAGE.split("### Cards of", 1)[1].split("\n## ", 1)[0]
    assert len(cards()) > 15
    assert [title for title in sorted(cards()) if title not in table] == []


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"\bmanage(?:\.py)? ([a-z_]+)", PAGE))
    django = {"check", "createsuperuser", "migrate"}
    assert named - commands() - django == set()


def test_every_secret_file_is_named_where_it_is_changed() -> None:
    text = PAGE.split("## Change secrets", 1)[1].split("\n## ", 1)[0]
    for name in ("SECRET_KEY", "VRP_FIELD_KEYS", "redis_password", "db_app_password"):
        assert f"`{name}" in text or f"{name}`" in text, name
    assert settings.CELERY_TASK_TIME_LIMIT == 600, "the page says 10 minutes"


@pytest.mark.parametrize("rule", RULES["groups"][0]["rules"], ids=lambda r: r["alert"])
def test_every_alert_asks_for_a_metric_that_exists(rule: dict) -> None:
    used = set(re.findall(r"\bvrp_\w+", rule["expr"]))
    assert used
    assert used <= metrics()
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]


def test_every_metric_can_ring() -> None:
    text = str(RULES)
    assert [name for name in sorted(metrics()) if name not in text] == []


def test_every_secret_with_a_variable_is_named_by_its_file() -> None:
    """Setting the variable beside compose's file would end the start."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    files = re.findall(r"/run/secrets/(\w+)", str(compose["services"]["web"]))
    text = PAGE.split("## Change secrets", 1)[1].split("\n## ", 1)[0]
    assert {"secret_key", "old_secret_keys"} <= set(files)
    assert [name for name in files if name not in text] == []


def test_alerts_that_page_say_so() -> None:
    for rule in RULES["groups"][0]["rules"]:
        metric = re.search(r"vrp_\w+", rule["expr"])
        assert metric
        row = PAGE.split(f"| `{metric[0]}` |", 1)[1].split("\n", 1)[0]
        if rule["labels"]["severity"] == "page":
            assert "*Page*" in row, rule["alert"]
            parts = re.search(r'part=~"([\w|]+)"', rule["expr"])
            for part in parts[1].split("|") if parts else []:
                assert part in row, (rule["alert"], part)
