"""What stops a backup or a restore, in words for the person at the keyboard."""


class KeepingError(Exception):
    """Nothing was written, or nothing was changed; the message says why."""
