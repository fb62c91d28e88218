"""``manage.py`` in a bare shell finds the system that ``bin/up`` runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"], "VRP_DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=bare, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_without_a_system_it_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "check")
    assert done.returncode == 1
    assert "Start one with bin/up" in done.stderr


def test_it_takes_over_the_running_systems_settings(tmp_path: Path) -> None:
    names = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL")
    kept = {name: os.environ[name] for name in names}
    (tmp_path / "environment.json").write_text(json.dumps(kept))
    done = run(tmp_path, "check")
    assert done.returncode == 0, done.stderr


def test_the_schema_is_changed_as_the_owner(tmp_path: Path) -> None:
    """Whoever types ``manage.py migrate`` need not know of the database's roles."""
    kept = {name: os.environ[name] for name in ("SECRET_KEY", "REDIS_URL")}
    nowhere = {"DATABASE_URL": "postgresql://app@/vrp?host=/nowhere"}
    (tmp_path / "environment.json").write_text(json.dumps(kept | nowhere))
    owner = {"owner": os.environ["DATABASE_URL"]}
    (tmp_path / "databases.json").write_text(json.dumps(owner))
    done = run(tmp_path, "migrate", "--plan")
    assert done.returncode == 0, done.stderr
