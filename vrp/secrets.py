"""Credentials at rest: encrypted with the installation's field keys, newest first."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    boxes = [
        Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
        for key in keys
    ]
    return MultiFernet(boxes)


def seal_text(text: str) -> str:
    """Encrypt with the newest key."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def open_text(sealed: str) -> str:
    """Decrypt with whichever key fits.

    Raises ValueError when none does: VRP_FIELD_KEYS lost a key that is still in use.
    """
    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ValueError("No key in VRP_FIELD_KEYS opens this secret.") from error
