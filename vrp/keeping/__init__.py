"""Backup and restore: a whole copy of the database, and proof that it is whole.

Names every room, like ``vrp.demo``; only the management commands import it.
"""
