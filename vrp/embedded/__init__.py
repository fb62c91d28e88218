"""Runs the whole planner on one machine: real servers, real processes, no set-up.

Nothing here imports Django or any app: it starts them. ``up`` is ``bin/up``,
``testrun`` is ``bin/test``; both stand on ``supervisor`` (child processes) and
``servers`` (PostgreSQL and Redis from wheels).
"""
