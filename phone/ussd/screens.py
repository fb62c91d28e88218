"""All screens by id: the main menu, the language, and those of the other modules."""

from artisans.services import set_language
from phone import queries
from phone.ussd.deliver import DELIVER
from phone.ussd.model import Dial, End, Next, Screen, Step, Values
from phone.ussd.money import MONEY
from phone.ussd.work import WORK, open_offers, open_progress


def _greeting(dial: Dial) -> Values:
    name, count = queries.greeting(dial.workshop)
    return {"name": name, "count": count}


def _speak(language: str) -> Step:
    def step(dial: Dial, answer: str) -> Next:
        dial.workshop.language = set_language(
            workshop=dial.workshop, language=language, actor=dial.actor
        ).language
        return End("language_set")

    return step


MAIN = [
    Screen(
        "main",
        values=_greeting,
        choices={
            "1": open_offers,
            "2": "jobs",
            "3": "deliver",
            "4": "money",
            "5": open_progress,
            "6": "language",
        },
    ),
    Screen("language", choices={"1": _speak("en"), "2": _speak("sw")}),
]

SCREENS: dict[str, Screen] = {
    screen.id: screen for screen in [*MAIN, *WORK, *DELIVER, *MONEY]
}
