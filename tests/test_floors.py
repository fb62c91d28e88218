"""A room imports only from lower floors (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "vrp": 0.0, "artisans": 0.5, "orders": 1.0, "qc": 2.0, "matching": 2.0,
    "payments": 3.0, "phone": 4.0, "simulators": 5.0,
}  # fmt: skip
# Modules through which people and systems reach a room stand on floor 4.
EDGES = {"console", "api", "admin", "urls", "routes", "forms", "management"}
# Composition roots: they name every room, and no room imports them.
ROOTS = ("vrp/urls.py", "vrp/demo/", "vrp/keeping/", "vrp/ops/management/")


def floor_of(path: Path) -> float:
    parts = path.relative_to(ROOT).with_suffix("").parts
    own = FLOORS[parts[0]]
    # vrp/console and vrp/api are the ground's own tools, not edges of a room.
    edge = parts[0] != "vrp" and any(part in EDGES for part in parts[1:])
    return max(own, 4.0) if edge else own


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def offences(path: Path) -> list[str]:
    here, room = floor_of(path), path.relative_to(ROOT).parts[0]
    bad = []
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] not in FLOORS or parts[0] == room:
            continue
        there = FLOORS[parts[0]]
        if parts[0] != "vrp" and any(part in EDGES for part in parts[1:]):
            there = max(there, 4.0)
        upward = there > here or (there == here and here < 4.0)
        if upward or room == "simulators":
            bad.append(f"{path.relative_to(ROOT)} imports {name}")
    return bad


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_no_upward_import(room: str) -> None:
    bad = []
    for path in sorted((ROOT / room).rglob("*.py")):
        if not str(path.relative_to(ROOT)).startswith(ROOTS):
            bad += offences(path)
    assert bad == []


def test_no_room_imports_a_composition_root() -> None:
    roots = ("vrp.urls", "vrp.demo", "vrp.keeping")
    bad = [
        path
        for room in FLOORS
        for path in (ROOT / room).rglob("*.py")
        if not str(path.relative_to(ROOT)).startswith(ROOTS)
        and any(name.startswith(roots) for name in imports_of(path))
    ]
    assert bad == []


def test_an_upward_import_would_be_found(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("tests.test_floors.ROOT", tmp_path)
    (tmp_path / "orders").mkdir()
    wrong = tmp_path / "orders" / "services.py"
    wrong.write_text("from payments.services import ledger\n")
    assert offences(wrong) == ["orders/services.py imports payments.services.ledger"]
    edge = tmp_path / "orders" / "console.py"
    edge.write_text("from payments.services import ledger\n")
    assert offences(edge) == []
