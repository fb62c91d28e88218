#!/usr/bin/env python
"""Run one management command of the virtual resource planner."""

import json
import os
import sys
from pathlib import Path

# Commands that run as another role of the database than the application's.
ROLES = {"migrate": "owner", "backup": "backup", "restore": "owner"}


def adopt_running_system() -> None:
    """In a shell without settings, speak to the system that ``bin/up`` runs.

    Its processes' environment is kept in the data folder (``var/``, or ``VRP_DATA_DIR``),
    and beside it the addresses of the database for each of its roles.
    """
    given = {"SECRET_KEY", "SECRET_KEY_FILE", "DATABASE_URL", "DATABASE_URL_FILE"}
    if given & set(os.environ):
        return
    default = Path(__file__).resolve().parent / "var"
    path = Path(os.environ.get("VRP_DATA_DIR", default)) / "environment.json"
    try:
        kept = json.loads(path.read_text())
    except FileNotFoundError:
        sys.exit(
            f"No settings here, and no system in {path.parent}. Start one with bin/up, "
            "name its folder with VRP_DATA_DIR, or set the variables of .env.example."
        )
    role = ROLES.get(sys.argv[1] if len(sys.argv) > 1 else "")
    databases = path.with_name("databases.json")
    # A folder last used before there were roles has none, and one role for everything.
    if role and databases.exists():
        kept["DATABASE_URL"] = json.loads(databases.read_text())[role]
    for name, value in kept.items():
        os.environ.setdefault(name, value)


def main() -> None:
    if sys.argv[1:2] == ["walk"]:
        # The tour speaks HTTP only: it runs in any shell, with no settings at hand.
        from vrp.walk.cli import main as walk

        raise SystemExit(walk(sys.argv[2:]))
    adopt_running_system()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vrp.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
