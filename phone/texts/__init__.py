"""Every text an artisan reads, in English and Swahili side by side.

``sms.py`` holds messages (one part of 160 GSM-7 characters), ``screens.py`` USSD screens
(150 characters: what is left of Safaricom's 160 after ``CON `` and a margin). A test
renders each in both languages with the longest plausible values.
"""

from typing import Any

from artisans.enums import Language
from phone.gsm import fold
from phone.texts.screens import SCREENS
from phone.texts.sms import SMS

SMS_LIMIT = 160
SCREEN_LIMIT = 150


def language_of(wanted: str) -> str:
    """The language if we have texts in it, else English."""
    return wanted if wanted in Language.values else Language.ENGLISH.value


def sms(key: str, language: str, **values: Any) -> str:
    """The text of an SMS, plain GSM-7. Raises KeyError for a missing named value."""
    return fold(SMS[key][language_of(language)].format(**values))


def screen(key: str, language: str, **values: Any) -> str:
    """A line or the whole of a USSD screen, plain GSM-7."""
    return fold(SCREENS[key][language_of(language)].format(**values))
