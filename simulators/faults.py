"""Misbehaviour on demand: a vocabulary, rules that use it, and magic phone numbers.

A rule says what goes wrong, how often and for whom::

    {"sms": {"do": "hang", "times": 2}, "wallet": [{"do": "result", "code": "1"}]}

``README.md`` beside this file has the tables for people; ``WORDS`` is their source.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simulators.state import digits

# channel -> stage -> word -> what it does
WORDS: dict[str, dict[str, dict[str, str]]] = {
    "sms": {
        "request": {
            "hang": "accepted, but the answer never comes (closed after `seconds`, 60)",
            "lost": "accepted, then the connection is cut without an answer",
            "drop": "the connection is cut and nothing was accepted",
            "slow": "accepted, answered after `seconds` (5)",
            "http": "HTTP `code` (500, 429, 401, ...) and nothing accepted",
            "empty": "201 with no Recipients and `message` (InvalidSenderId)",
            "bad_json": "accepted, but the body is cut short JSON",
            "charset": "accepted; Content-Type carries a charset",
        },
        "recipient": {
            "status": "this recipient gets statusCode `code`",
            "no_parts": "the recipient lacks messageParts",
        },
        "report": {
            "report_none": "no delivery report ever comes",
            "report_repeated": "every delivery report comes three times",
            "report_late": "delivery reports come after `seconds` (5)",
            "report_reversed": "Success comes first, Sent after it",
            "report_early": "the reports come before the send is answered",
            "report_final": "ends in `status` (Failed) with `reason`",
            "report_buffered": "Buffered comes before Success",
            "report_stranger": "one more report for an unknown message id",
        },
        "inbound": {
            "inbound_twice": "an inbound SMS is delivered twice under one id",
        },
    },
    "wallet": {
        "token": {
            "token_http": "the token request answers HTTP `code` (503)",
            "token_short": "the token says it lives `seconds` (1) and does",
        },
        "request": {
            "token_expired": "the token is refused as expired (404.001.03)",
            "hang": "accepted and paid, but the answer never comes (`seconds`, 60)",
            "lost": "accepted and paid, then cut without an answer",
            "drop": "the connection is cut and nothing was accepted",
            "http": "HTTP `code` (500, 429, 503, ...) and nothing accepted",
            "error_200": "nothing accepted; an error body with HTTP 200",
            "busy": "nothing accepted; 500.002.1001 that is not a duplicate",
            "busy_paid": "accepted and paid, but answered 500.002.1001",
        },
        "result": {
            "result": "fails with ResultCode `code`; no money moves",
            "result_none": "paid, but no result is ever sent",
            "result_late": "the result comes after `seconds` (5)",
            "result_repeated": "the same result comes three times",
            "result_early": "the result comes before the request is answered",
            "contradictory": "a true success, then a false failure for the same id",
            "queue_timeout": "the time-out notice comes first, the result after it",
            "queue_timeout_only": "the time-out notice comes, the result never",
            "settle_late": "the money and the result come after `seconds` (5)",
        },
        "query": {
            "query_none": "a status or balance query is accepted, no result comes",
            "query_contradicts": "a status query denies a payment that was made",
            "query_timeout": "a query ends in the time-out notice",
        },
    },
    "ussd": {
        "turn": {
            "repeat": "the same request is sent twice; the second answer is shown",
            "lost": "the product's answer is lost; the phone shows an error",
        },
    },
}

STATUSES = {
    100: "Processed",
    101: "Sent",
    102: "Queued",
    401: "RiskHold",
    402: "InvalidSenderId",
    403: "InvalidPhoneNumber",
    404: "UnsupportedNumberType",
    405: "InsufficientBalance",
    406: "UserInBlacklist",
    407: "CouldNotRoute",
    409: "DoNotDisturbRejection",
    500: "InternalServerError",
    501: "GatewayError",
    502: "RejectedByGateway",
}
FINALS = ("Success", "Rejected", "Failed", "AbsentSubscriber", "Expired")


@dataclass
class Rule:
    """One misbehaviour. ``times`` None lasts until it is cleared."""

    do: str
    times: int | None = None
    phone: str = ""
    code: str = ""
    seconds: float | None = None
    status: str = ""
    reason: str = ""
    message: str = ""

    def wait(self, default: float) -> float:
        return default if self.seconds is None else self.seconds

    def for_any_of(self, phones: Iterable[str]) -> bool:
        return not self.phone or digits(self.phone) in {digits(p) for p in phones}


def _magic_sms() -> dict[str, Rule]:
    magic = {f"{code:03}": Rule("status", code=str(code)) for code in STATUSES}
    answers = [*WORDS["sms"]["request"], "no_parts"]
    reports = [word for word in WORDS["sms"]["report"] if word != "report_final"]
    for first, words in ((1, answers), (11, reports)):
        for place, do in enumerate(words, first):
            if do != "http":
                magic[f"{place:03}"] = Rule(do)
    magic["021"] = Rule("report_final", status="Failed", reason="DeliveryFailure")
    magic["022"] = Rule("report_final", status="Rejected", reason="UserInBlackList")
    magic["023"] = Rule("report_final", status="AbsentSubscriber")
    magic["024"] = Rule("report_final", status="Expired")
    for suffix, code in (("901", "401"), ("929", "429"), ("950", "500")):
        magic[suffix] = Rule("http", code=code)
    return magic


WALLET_RESULTS = {
    "001": "1",
    "002": "2",
    "003": "3",
    "004": "4",
    "008": "8",
    "011": "11",
    "017": "17",
    "021": "21",
    "026": "26",
    "103": "SFC_IC0003",
    "201": "2001",
    "206": "2006",
    "228": "2028",
    "240": "2040",
    "806": "8006",
}


def _magic_wallet() -> dict[str, Rule]:
    magic = {end: Rule("result", code=code) for end, code in WALLET_RESULTS.items()}
    requests = [w for w in WORDS["wallet"]["request"] if w != "http"]
    results = [w for w in WORDS["wallet"]["result"] if w != "result"]
    for first, words in ((501, requests), (521, results)):
        for place, do in enumerate(words, first):
            if do != "token_expired":  # it would be refused for ever
                magic[f"{place:03}"] = Rule(do)
    for suffix, code in (("929", "429"), ("950", "500"), ("953", "503")):
        magic[suffix] = Rule("http", code=code)
    return magic


# The first nine digits after the + of a magic number, and what its last three mean.
MAGIC: dict[str, tuple[str, dict[str, Rule]]] = {
    "sms": ("254799900", _magic_sms()),
    "wallet": ("254799910", _magic_wallet()),
    "ussd": ("", {}),
}


def _magic_rules(channel: str, phones: Iterable[str]) -> list[Rule]:
    prefix, meanings = MAGIC[channel]
    found = []
    for phone in map(digits, phones):
        if prefix and phone.startswith(prefix) and phone[len(prefix) :] in meanings:
            found.append(meanings[phone[len(prefix) :]])
    return found


class BadFault(ValueError):
    """A rule that cannot be understood; the message says why."""


def _read_rule(channel: str, raw: Any) -> Rule:
    if not isinstance(raw, dict):
        raise BadFault(f"{channel}: a rule is an object with a 'do'")
    words = {word for stage in WORDS[channel].values() for word in stage}
    if raw.get("do") not in words:
        raise BadFault(f"{channel}: 'do' must be one of {', '.join(sorted(words))}")
    values = dict(raw)
    strange = sorted(set(values) - set(Rule.__dataclass_fields__))
    if strange:
        raise BadFault(f"{channel}: unknown {', '.join(strange)}")
    times, seconds = values.get("times"), values.get("seconds")
    if times is not None and (type(times) is not int or times < 1):
        raise BadFault(f"{channel}: 'times' must be a whole number from 1")
    if seconds is not None and (type(seconds) not in (int, float) or seconds < 0):
        raise BadFault(f"{channel}: 'seconds' must be a number from 0")
    for key in ("phone", "code", "status", "reason", "message"):
        values[key] = str(values.get(key, ""))
    rule = Rule(**values)
    if rule.do in ("http", "token_http") and not (
        rule.code.isdigit() and 400 <= int(rule.code) <= 599
    ):
        raise BadFault(f"{channel}: '{rule.do}' needs a 'code' from 400 to 599")
    if rule.do == "status" and rule.code not in map(str, STATUSES):
        raise BadFault(f"{channel}: 'status' needs a 'code' of {sorted(STATUSES)}")
    if rule.do == "result" and not rule.code:
        raise BadFault(f"{channel}: 'result' needs a 'code'")
    return rule


class Faults:
    """The rules in force. They live in memory only: a restart behaves well again."""

    def __init__(self) -> None:
        self.rules: dict[str, list[Rule]] = {channel: [] for channel in WORDS}

    def set(self, body: dict[str, Any]) -> None:
        """Replace all rules; ``{}`` clears them. Raises BadFault, changing nothing."""
        strange = sorted(set(body) - set(WORDS))
        if strange:
            raise BadFault(f"unknown channel {', '.join(strange)}; use {list(WORDS)}")
        fresh: dict[str, list[Rule]] = {}
        for channel in WORDS:
            raw = body.get(channel) or []
            rules = raw if isinstance(raw, list) else [raw]
            fresh[channel] = [_read_rule(channel, rule) for rule in rules]
        self.rules = fresh

    def take(self, channel: str, stage: str, phones: Iterable[str]) -> list[Rule]:
        """Return the rules that hit this request at this stage, and use them up."""
        phones = list(phones)
        words = WORDS[channel][stage]
        hit = []
        for rule in list(self.rules[channel]):
            if rule.do in words and rule.for_any_of(phones):
                hit.append(rule)
                if rule.times is not None:
                    rule.times -= 1
                    if not rule.times:
                        self.rules[channel].remove(rule)
        return hit + [r for r in _magic_rules(channel, phones) if r.do in words]

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rules still in force, without their empty fields."""
        return {
            channel: [
                {key: value for key, value in vars(rule).items() if value}
                for rule in rules
            ]
            for channel, rules in self.rules.items()
        }


def pick(rules: list[Rule], *words: str) -> Rule | None:
    """Return the first rule that does one of ``words``."""
    return next((rule for rule in rules if rule.do in words), None)
