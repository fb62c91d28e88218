"""A workshop's feature phone: SMS through the carrier, USSD as the carrier sends it."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from vrp.walk.facts import Facts, Line
from vrp.walk.problem import NotRight, check
from vrp.walk.web import call, json_of, new_session

MORE = "98"
# What a choice is called on her screen, in English and in Swahili.
LABELS = {
    "offers": ("New work", "Kazi mpya"),
    "deliver": ("Deliver", "Peleka"),
    "progress": ("Progress", "Maendeleo"),
    "money": ("Money", "Pesa"),
    "accept": ("Accept", "Kubali"),
    "decline": ("Decline", "Kataa"),
    "yes": ("Yes", "Ndiyo"),
    "too much work": ("Too much work", "Kazi nyingi"),
}
OPTION = re.compile(r"(\d{1,2}) (.+)")
SCREEN_LIMIT = 182
# What the product answers by itself to an SMS; a phone gets five of them an hour.
REPLY = re.compile(
    r"Accepted: |Umekubali: |You declined |Umekataa |(Job|Kazi) \d+: \d+/\d+ "
)
REPLIES_PER_HOUR = 5


@dataclass(frozen=True)
class Screen:
    """One answer of the product: what stands on the phone, and whether it goes on."""

    text: str
    is_open: bool

    def option(self, *labels: str) -> str:
        """The digits to type for the choice with one of these labels, or nothing."""
        for line in self.text.splitlines():
            match = OPTION.fullmatch(line.strip())
            if match and any(label in match[2] for label in labels):
                return match[1]
        return ""

    def options(self) -> list[str]:
        """The digits of all choices but 0 and 98."""
        found = (OPTION.fullmatch(line.strip()) for line in self.text.splitlines())
        return [match[1] for match in found if match and match[1] not in ("0", MORE)]


class UssdCall:
    """One dial: the carrier joins every answer to the text with ``*``."""

    def __init__(self, session: requests.Session, facts: Facts, phone: str) -> None:
        self._session = session
        self._url = facts.ussd_url
        self._form = {
            "sessionId": "ATUid_" + secrets.token_hex(16),
            "phoneNumber": phone,
            "networkCode": "63902",
            "serviceCode": facts.ussd_code,
        }
        self._typed: list[str] = []
        self.screen = self._turn()

    def _turn(self) -> Screen:
        form = {**self._form, "text": "*".join(self._typed)}
        answer = call(self._session, "POST", self._url, data=form)
        said = answer.text
        check(
            answer.status_code == 200 and said[:4] in ("CON ", "END "),
            f"The USSD menu answered HTTP {answer.status_code}: {said[:120]!r}.",
        )
        check(
            len(said) - 4 <= SCREEN_LIMIT,
            f"A USSD screen of {len(said) - 4} characters is cut by the phone: {said!r}",
        )
        return Screen(said[4:], said.startswith("CON "))

    def type(self, answer: str) -> Screen:
        """Type one answer."""
        check(self.screen.is_open, f"The session is over: {self.screen.text!r}")
        self._typed.append(answer)
        self.screen = self._turn()
        return self.screen

    def repeat(self) -> Screen:
        """The carrier sends the last request once more, as it does on a lost answer."""
        return self._turn()

    def choose(self, *labels: str) -> str:
        """Choose by what the screen says, turning pages; returns what was typed."""
        for _ in range(20):
            digits = self.screen.option(*labels)
            if digits:
                self.type(digits)
                return digits
            if not self.screen.option("More", "Zaidi"):
                break
            self.type(MORE)
        raise NotRight(f"No choice {' / '.join(labels)} on {self.screen.text!r}.")

    def pick(self, choice: str) -> str:
        """Choose one of ``LABELS``."""
        return self.choose(*LABELS[choice])


class Artisan:
    """One workshop's lead with her phone."""

    def __init__(self, facts: Facts, line: Line) -> None:
        self._facts = facts
        self.line = line
        self.code, self.phone = line.code, line.phone
        self._session = new_session()
        self._seen = {sms["id"] for sms in self._all_sms()}
        self._had = {row["id"] for row in self._all_money()}
        self.name = ""

    def _look(self, path: str, **query: str) -> list[dict[str, Any]]:
        url = self._facts.standin_url + path
        found: list[dict[str, Any]] = json_of(
            call(self._session, "GET", url, params=query)
        )
        return found

    def _all_sms(self) -> list[dict[str, Any]]:
        return self._look("/_sms", to=self.phone)

    def _all_money(self) -> list[dict[str, Any]]:
        return self._look("/_wallet", phone=self.phone.lstrip("+"))

    def sms(self, *words: str) -> list[dict[str, Any]]:
        """SMS that came since the tour met her and hold all these words."""
        new = [sms for sms in self._all_sms() if sms["id"] not in self._seen]
        return [sms for sms in new if all(word in sms["text"] for word in words)]

    def money(self) -> list[dict[str, Any]]:
        """Money that came since the tour met her; ``amount`` in whole shillings."""
        return [row for row in self._all_money() if row["id"] not in self._had]

    def dial(self) -> UssdCall:
        """Dial the code."""
        ussd = UssdCall(self._session, self._facts, self.phone)
        greeting = re.match(r"(?:Welcome|Karibu) ([^.]+)\.", ussd.screen.text)
        if greeting:
            self.name = greeting[1]
        return ussd

    def replies_lately(self) -> int:
        """How many automatic replies she got within the last hour, as far as one sees."""
        since = datetime.now(UTC) - timedelta(hours=1)
        return sum(
            1
            for sms in self._all_sms()
            if REPLY.match(sms["text"]) and datetime.fromisoformat(sms["at"]) > since
        )

    def close(self) -> None:
        self._session.close()

    def reply(self, text: str, to: str = "") -> None:
        """Write an SMS to the number that last wrote to her."""
        last = self._all_sms()[-1:]
        body = {
            "from": self.phone,
            "to": to or (last[0]["from"] if last else self._facts.sms_sender),
            "text": text,
        }
        url = self._facts.standin_url + "/_sms/reply"
        json_of(call(self._session, "POST", url, json=body))

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()
