#!/usr/bin/env python
"""Run one management command of the virtual resource planner."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["walk"]:
        # The tour speaks HTTP only: it runs in any shell, with no settings at hand.
        from vrp.walk.cli import main as walk

        raise SystemExit(walk(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vrp.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
