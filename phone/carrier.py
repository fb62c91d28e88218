"""Handing one SMS to Africa's Talking, and reading the answer without wishful thinking.

The SDK builds the request. It is never ``initialize()``d: that replaces module globals,
and every tenant has an account of its own. Three things it lacks are added here: the
base URL as a setting, the HTTP status (its exception carries none), and the difference
between *was never sent* and *may have been sent*.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import requests
from africastalking.SMS import SMSService
from django.conf import settings
from urllib3.exceptions import NewConnectionError

from phone.models import Channel
from vrp.secrets import open_text


class Verdict(StrEnum):
    """What the answer means for the message."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # surely not sent, worth another try
    FAILED = "failed"  # surely not sent, and never will be
    STOPPED = "stopped"  # the account was refused, not the message
    UNKNOWN = "unknown"  # may have been sent


@dataclass(frozen=True)
class Answer:
    """``code`` is the carrier's word, or one of ours (``phone.failures``)."""

    verdict: Verdict
    code: str = ""
    provider_id: str = ""


# Per recipient, https://developers.africastalking.com/docs/sms/sending and the field
# reports that fill its gaps: 100 is as good as 101.
_CODES: dict[int, tuple[Verdict, str]] = {
    100: (Verdict.ACCEPTED, ""),
    101: (Verdict.ACCEPTED, ""),
    102: (Verdict.ACCEPTED, ""),
    401: (Verdict.FAILED, "RiskHold"),
    402: (Verdict.STOPPED, "InvalidSenderId"),
    403: (Verdict.FAILED, "InvalidPhoneNumber"),
    404: (Verdict.FAILED, "UnsupportedNumberType"),
    405: (Verdict.STOPPED, "InsufficientBalance"),
    406: (Verdict.FAILED, "UserInBlacklist"),
    407: (Verdict.FAILED, "CouldNotRoute"),
    409: (Verdict.RETRY, "DoNotDisturbRejection"),
    500: (Verdict.RETRY, "InternalServerError"),
    501: (Verdict.RETRY, "GatewayError"),
    502: (Verdict.RETRY, "RejectedByGateway"),
}
_STOPPING = {"InvalidSenderId", "InsufficientBalance", "UserAccountSuspended"}
_HTTP: dict[int, tuple[Verdict, str]] = {
    401: (Verdict.STOPPED, "Unauthorised"),
    403: (Verdict.STOPPED, "Unauthorised"),
    429: (Verdict.RETRY, "TooManyRequests"),
    500: (Verdict.RETRY, "InternalServerError"),
    501: (Verdict.RETRY, "GatewayError"),
    503: (Verdict.RETRY, "InternalServerError"),
}


class _Refused(Exception):
    """The carrier answered with an HTTP status that is not 2xx."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class _Service(SMSService):  # type: ignore[misc]
    """The SDK's SMS service for one account, at the address of the settings."""

    def _init_service(self) -> None:
        super()._init_service()
        self._baseUrl = self._contentUrl = settings.AFRICASTALKING_URL

    def _make_request(
        self,
        url: str,
        method: str,
        headers: dict[str, str],
        data: Any,
        params: Any,
        callback: Any = None,
        timeout: Any = None,
    ) -> Any:
        """Send; return the JSON whatever charset it claims. Keeps the HTTP status."""
        response = requests.request(
            method, url, headers=headers, data=data, params=params, timeout=timeout
        )
        if not 200 <= response.status_code < 300:
            raise _Refused(response.status_code)
        return response.json()


def send(channel: Channel, phone: str, text: str) -> Answer:
    """Send ``text`` to one E.164 ``phone`` from the tenant's account. Never raises for
    anything the carrier or the network does; waits ``settings.CARRIER_TIMEOUT`` at most.
    """
    service = _Service(channel.username, open_text(channel.api_key))
    try:
        body = service.send(
            text,
            [phone],
            sender_id=channel.sender,
            enqueue=True,
            timeout=settings.CARRIER_TIMEOUT,
        )
    except _Refused as refused:
        return _of_http(refused.status)
    except requests.RequestException as error:
        return _of_network(error)
    except ValueError:
        # The SDK's own check of the number: nothing left this machine.
        return Answer(Verdict.FAILED, "InvalidPhoneNumber")
    return _of_body(body)


def _of_http(status: int) -> Answer:
    if status in _HTTP:
        return Answer(*_HTTP[status])
    # Gateways (502, 504) may have passed it on before they gave up.
    verdict = Verdict.UNKNOWN if status >= 500 else Verdict.FAILED
    return Answer(verdict, f"HTTP {status}")


def _of_network(error: requests.RequestException) -> Answer:
    """Only a connection that was never made proves that nothing was sent."""
    if isinstance(error, requests.JSONDecodeError):
        return Answer(Verdict.UNKNOWN, "Unreadable")
    never_made = isinstance(
        error, requests.ConnectTimeout | requests.exceptions.SSLError
    )
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if never_made or isinstance(reason, NewConnectionError):
        return Answer(Verdict.RETRY, "NotReached")
    return Answer(Verdict.UNKNOWN, "NoAnswer")


def _of_body(body: Any) -> Answer:
    """One recipient was asked for, so exactly one is expected back."""
    data = body.get("SMSMessageData") if isinstance(body, dict) else None
    recipients = data.get("Recipients") if isinstance(data, dict) else None
    if not isinstance(recipients, list):
        return Answer(Verdict.UNKNOWN, "Unreadable")
    if not recipients:
        # A refusal of the whole request looks like success, but for this.
        word = str(data.get("Message", ""))[:60]  # type: ignore[union-attr]
        stopping = word in _STOPPING
        return Answer(Verdict.STOPPED if stopping else Verdict.FAILED, word or "Failed")
    return _of_recipient(recipients[0])


def _of_recipient(entry: Any) -> Answer:
    try:
        verdict, code = _CODES[int(entry["statusCode"])]
    except (KeyError, TypeError, ValueError):
        return Answer(Verdict.UNKNOWN, "Unreadable")
    given = str(entry.get("messageId") or "")
    provider_id = "" if given == "None" else given[:80]
    return Answer(verdict, code, provider_id if verdict == Verdict.ACCEPTED else "")
