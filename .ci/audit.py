"""Known vulnerabilities in what is installed: ``.venv/bin/python .ci/audit.py``.

Asks the advisory services of PyPI and then OSV through pip-audit. A vulnerable package
fails, unless ``.ci/audit-exceptions.txt`` names the advisory with a reason. Where no
service can be reached nothing was checked: that is said loudly and passes, because a
machine without a way out cannot know better (``AUDIT_REQUIRED=1`` makes it fail).
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EXCEPTIONS = HERE / "audit-exceptions.txt"
SERVICES = ("pypi", "osv")
NOT_CHECKED = "NOT CHECKED"
TIMEOUT_SECONDS = 300


@dataclass
class Found:
    """What a service said: how many packages it knew, and what is wrong with which."""

    checked: int = 0
    unknown: list[str] = field(default_factory=list)
    # "package version: advisory (fixed in ...)", by advisory.
    vulnerable: dict[str, str] = field(default_factory=dict)


def read_report(report: dict[str, Any]) -> Found:
    """Sort pip-audit's JSON. A package that the service does not know is not checked."""
    found = Found()
    for package in report["dependencies"]:
        name = f"{package['name']} {package.get('version', '')}".strip()
        if "skip_reason" in package:
            found.unknown.append(name)
            continue
        found.checked += 1
        for advisory in package["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no release yet"
            found.vulnerable[advisory["id"]] = (
                f"{name}: {advisory['id']} (fixed in {fixed})"
            )
    return found


def read_exceptions(text: str) -> dict[str, str]:
    """``ADVISORY  # reason`` lines; ValueError for one without a reason."""
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+)\s+# (.{10,})", line)
        if match is None:
            raise ValueError(f"An exception needs a reason: {line!r}")
        found[match[1]] = match[2]
    return found


def judge(found: Found | None, exceptions: dict[str, str]) -> tuple[str, bool]:
    """(what to print, whether it passes)."""
    if found is None or not found.checked:
        return (
            f"{NOT_CHECKED}: no advisory service can be reached from here, so nobody "
            "knows whether\nan installed package is vulnerable. Run this where PyPI or "
            "OSV answers.",
            os.environ.get("AUDIT_REQUIRED") != "1",
        )
    lines = [f"{found.checked} packages checked."]
    if found.unknown:
        lines.append(f"{NOT_CHECKED}, unknown there: {', '.join(found.unknown)}")
    bad = False
    for advisory, words in sorted(found.vulnerable.items()):
        reason = exceptions.get(advisory)
        bad = bad or reason is None
        lines.append(
            f"{'accepted' if reason else 'VULNERABLE'}: {words} {reason or ''}"
        )
    gone = sorted(set(exceptions) - set(found.vulnerable))
    lines += [f"No longer needed in {EXCEPTIONS.name}: {one}" for one in gone]
    return "\n".join(lines), not bad


def ask(service: str, requirements: Path) -> Found | None:
    """What one service says; None if it cannot be asked."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(requirements), "--no-deps",
               "--disable-pip", "-s", service, "-f", "json",
               "--progress-spinner", "off"]  # fmt: skip
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        return read_report(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None


def main() -> int:
    frozen = subprocess.run(
        [sys.executable, "-m", "pip", "freeze"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    exceptions = read_exceptions(EXCEPTIONS.read_text())
    wanted = HERE.parent / "var" / "audit-requirements.txt"
    wanted.parent.mkdir(exist_ok=True)
    wanted.write_text("".join(re.findall(r"^[\w.-]+==\S+\n", frozen, flags=re.M)))
    found = None
    for service in SERVICES:
        found = ask(service, wanted)
        if found and found.checked:
            break
    said, passes = judge(found, exceptions)
    print(said)
    return 0 if passes else 1


if __name__ == "__main__":
    raise SystemExit(main())
