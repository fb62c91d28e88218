"""What the system knows is what the documents say: settings, commands, events, codes,
states, beats and metrics. A new one without a line in docs/reference.md fails here."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import TextChoices

from vrp.api.errors import CODES
from vrp.ops.clock import beats
from vrp.ops.metrics import _gauges

ROOT = Path(__file__).parent.parent.parent
ROOMS = ["vrp", "artisans", "orders", "qc", "matching", "payments", "phone"]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
# Events whose name is put together from a state, and the names that result.
COMPOSED = {
    "orders/services/jobs.py": {"job.declined", "job.lapsed", "job.withdrawn"},
    "orders/services/progress.py": {
        *("line.parts_in", "line.parts_missing"),
        *("order.ready", "order.in_production"),
    },
    "payments/services/settling.py": {"payout.paid", "payout.failed"},
    "vrp/accounts/services/record.py": set(),  # note(): its callers name them
    "phone/services/messages.py": {"message.failed", "message.unknown"},
    "phone/services/reports.py": {"message.delivered", "message.failed"},
}


def sources() -> Iterator[tuple[str, ast.AST]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(("vrp/demo", "vrp/walk", "vrp/embedded")):
                yield name, ast.parse(path.read_text())


def calls_of(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            getattr(node.func, "id", "") == name
            or getattr(node.func, "attr", "") == name
        ):
            yield node


def texts_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def event_names() -> set[str]:
    found: set[str] = set()
    for path, tree in sources():
        for call in [*calls_of(tree, "record"), *calls_of(tree, "note")]:
            if not call.args or len(call.args) > 1:
                continue
            first = call.args[0]
            if isinstance(first, ast.JoinedStr | ast.Name):
                assert path in COMPOSED, f"{path}: name its events in COMPOSED"
                found |= COMPOSED[path]
            else:
                found |= {t for t in texts_in(first) if re.fullmatch(r"\w+\.\w+", t)}
    return found


def error_codes() -> set[str]:
    found: set[str] = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "code":
                if isinstance(node.value, ast.Constant) and node.value.value:
                    found.add(str(node.value.value))
            elif isinstance(node, ast.ClassDef) and any(
                getattr(base, "id", "").endswith(("Error", "DomainError", "Invalid"))
                for base in node.bases
            ):
                for line in node.body:
                    if (
                        isinstance(line, ast.Assign)
                        and getattr(line.targets[0], "id", "") == "code"
                        and isinstance(line.value, ast.Constant)
                    ):
                        found.add(str(line.value.value))
    return found


def states() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for room in ["orders", "qc", "matching", "payments", "phone"]:
        module = importlib.import_module(f"{room}.enums")
        for name, enum in vars(module).items():
            if (
                isinstance(enum, type)
                and issubclass(enum, TextChoices)
                and name.endswith(("State", "Stage"))
            ):
                found |= {(name, value) for value in enum.values}
    return found


def settings_names() -> set[str]:
    text = (ROOT / "vrp" / "settings.py").read_text()
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text))


def commands() -> set[str]:
    ours = [
        config for config in apps.get_app_configs() if ROOT in Path(config.path).parents
    ]
    return {
        path.stem
        for config in ours
        if ".venv" not in config.path
        for path in (Path(config.path) / "management" / "commands").glob("[a-z]*.py")
    }


def missing(names: set[str]) -> list[str]:
    return sorted(name for name in names if f"`{name}`" not in REFERENCE)


def test_every_event_is_documented() -> None:
    assert len(event_names()) > 20
    assert missing(event_names()) == []


def test_no_event_is_documented_that_does_not_exist() -> None:
    section = REFERENCE.split("## Events", 1)[1].split("\n## ", 1)[0]
    documented = set(re.findall(r"^\| `(\w+\.\w+)`", section, flags=re.M))
    assert documented - event_names() == set()


def test_every_error_code_is_documented() -> None:
    assert "duplicate_po" in error_codes()
    assert missing(error_codes()) == []


def test_error_codes_have_the_status_that_the_api_sends() -> None:
    section = REFERENCE.split("## Error codes", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", section, flags=re.M)
    documented = {code: int(status) for code, status in rows}
    sent = {code: status for code, (status, _) in CODES.items()}
    assert {code: documented.get(code) for code in sent} == sent
    assert [status for _, status in rows] == sorted(status for _, status in rows)


def test_every_state_is_documented() -> None:
    lines = REFERENCE.splitlines()
    lost = [
        f"{name}.{value}"
        for name, value in sorted(states())
        if not any(
            line.startswith(f"| `{name}`") and f"`{value}`" in line for line in lines
        )
    ]
    assert lost == []


def test_every_command_beat_and_metric_is_documented() -> None:
    assert "verify_events" in commands()
    assert missing(commands()) == []
    assert missing({beat.name for beat in beats()}) == []
    assert missing(set(_gauges)) == []


@pytest.mark.parametrize("name", sorted(settings_names()))
def test_every_environment_variable_is_described(name: str) -> None:
    example = (ROOT / ".env.example").read_text()
    assert re.search(rf"^#? ?{name}=", example, flags=re.M)
    assert f"`{name}`" in REFERENCE


def test_every_dependency_says_what_it_is_for() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.fullmatch(r"[\w\[\]-]+==\S+\s+# .{10,}", line), line
