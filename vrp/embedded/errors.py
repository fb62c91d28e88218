"""What can go wrong while starting, in words for the person at the keyboard."""

from __future__ import annotations


class StartError(Exception):
    """The start cannot go on; the message says why and what to do about it."""


class Interrupted(Exception):
    """Somebody asked for a stop (Ctrl-C, SIGTERM, SIGHUP) while we were waiting."""
