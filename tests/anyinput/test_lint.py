"""The security rules of the linter hold for the product; each exception says why."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = "vrp orders artisans qc matching payments phone simulators bench".split()
TEXT = (ROOT / "pyproject.toml").read_text()
LINT = tomllib.loads(TEXT)["tool"]["ruff"]["lint"]
SECURITY = re.compile(r"S\d*")


def test_the_rules_are_on() -> None:
    assert "S" in LINT["select"]
    assert [rule for rule in LINT["ignore"] if SECURITY.fullmatch(rule)] == []


def test_no_room_is_let_off_without_a_reason() -> None:
    for place, rules in LINT["per-file-ignores"].items():
        if any(SECURITY.fullmatch(rule) for rule in rules):
            line = re.escape(f'"{place}" = ')
            assert re.search(
                rf"(^# .{{10,}}\n{line}|^{line}.*\]\s+# .{{10,}})", TEXT, re.M
            )


@pytest.mark.parametrize("room", ROOMS)
def test_no_line_is_let_off_without_a_reason(room: str) -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"noqa: S\d+(?:, ?[A-Z]\d+)*\W*$", line)
    ]
    assert bare == []
