"""The audit says three things that must not be taken for each other."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
assert spec is not None
assert spec.loader is not None
audit: Any = importlib.util.module_from_spec(spec)

sys.modules["audit"] = audit
spec.loader.exec_module(audit)

UNKNOWN = {"name": "django", "version": "5.2", "skip_reason": "not found on PyPI"}
CLEAN = {"name": "redis", "version": "8.1.0", "vulns": []}
BAD = {
    "name": "django",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": []}],
}


def judged(*packages: dict[str, Any], known: str = "") -> tuple[str, bool]:
    found = audit.read_report({"dependencies": list(packages)})
    return audit.judge(found, audit.read_exceptions(known))


def test_no_service_is_not_a_clean_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, passes in (judged(UNKNOWN, UNKNOWN), audit.judge(None, {})):
        assert said.startswith("NOT CHECKED")
        assert passes
    monkeypatch.setenv("AUDIT_REQUIRED", "1")
    assert judged(UNKNOWN)[1] is False


def test_a_vulnerable_package_fails() -> None:
    said, passes = judged(CLEAN, BAD)
    assert "VULNERABLE: django 1.0: PYSEC-1 (fixed in 1.1)" in said
    assert not passes


def test_a_stated_exception_passes_and_a_stale_one_is_told() -> None:
    said, passes = judged(BAD, known="PYSEC-1  # we never call that function\n")
    assert "accepted: django" in said
    assert passes
    assert "No longer needed" in judged(CLEAN, known="PYSEC-9  # a long reason")[0]


def test_what_one_service_does_not_know_is_told() -> None:
    said, passes = judged(CLEAN, UNKNOWN)
    assert "1 packages checked" in said
    assert "NOT CHECKED, unknown there: django 5.2" in said
    assert passes


def test_an_exception_has_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        audit.read_exceptions("PYSEC-1")
    audit.read_exceptions((ROOT / ".ci" / "audit-exceptions.txt").read_text())
