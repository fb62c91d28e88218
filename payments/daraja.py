"""A small client of Safaricom's Daraja: pay a phone (B2C v3), ask about a payment.

Every call ends in one of four typed outcomes, because what may be done next depends on
nothing else. Money is at stake in *Unknown*: the request may have been carried out, so it
is never sent again; only a result or a status query decides.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings
from urllib3.exceptions import MaxRetryError, NewConnectionError

from payments.limits import WALLET_UNIT_MINOR
from payments.models import Payout, StatusQuery, WalletCredential
from payments.tokens import TokenError, TokenStore
from vrp.secrets import open_text

PAY = "/mpesa/b2c/v3/paymentrequest"
ASK = "/mpesa/transactionstatus/v1/query"
# The gateway did not let the request through: safe to send the same id again.
NOT_PROCESSED = ("500.003.02", "500.003.03")
TOKEN_REFUSED = ("404.001.03", "401.002.01", "401.003.01")
# The answer of a few hundred bytes; more is not from the wallet.
LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True)
class Accepted:
    """The wallet took the request; its result comes later by callback. Not yet paid."""

    conversation_id: str


@dataclass(frozen=True)
class Refused:
    """Not carried out. ``permanent``: this payment is at fault, else our configuration."""

    code: str
    words: str
    permanent: bool


@dataclass(frozen=True)
class NotSent:
    """Certainly not carried out; the same id may be sent again."""

    words: str


@dataclass(frozen=True)
class Unknown:
    """It may or may not have been carried out."""

    words: str


Outcome = Accepted | Refused | NotSent | Unknown


class _TokenRefused(Exception):
    """The bearer token is not, or no longer, good."""


class Daraja:
    """One tenant's account. Not shared between threads; each call opens a connection,
    because a pooled one that went stale could not be told from a lost answer."""

    def __init__(self, credential: WalletCredential) -> None:
        self.credential = credential
        self.base = settings.DARAJA_URL.rstrip("/")
        self.session = requests.Session()
        self.session.headers["Connection"] = "close"
        self.tokens = TokenStore(credential, self._fetch_token)

    def pay(self, payout: Payout, remarks: str) -> Outcome:
        """Ask the wallet to pay ``payout.phone``. The payout's row is committed before."""
        whole, cents = divmod(payout.amount_minor, WALLET_UNIT_MINOR)
        if cents:
            return Refused("amount", "The wallet pays whole shillings only.", True)

        def body() -> dict[str, Any]:
            return {
                "OriginatorConversationID": str(payout.originator_id),
                "InitiatorName": self.credential.initiator_name,
                "SecurityCredential": self._security_credential(),
                "CommandID": "BusinessPayment",
                "Amount": whole,
                "PartyA": self.credential.shortcode,
                "PartyB": payout.phone.removeprefix("+"),
                "Remarks": remarks,
                "Occassion": remarks,
                **self._callbacks(),
            }

        return self._call(PAY, body)

    def ask(self, query: StatusQuery) -> Outcome:
        """Ask what became of the query's payout; the answer comes by callback.

        The query's own id travels as the occasion and comes back with the answer.
        """

        def body() -> dict[str, Any]:
            return {
                "Initiator": self.credential.initiator_name,
                "SecurityCredential": self._security_credential(),
                "CommandID": "TransactionStatusQuery",
                "OriginalConversationID": str(query.payout.originator_id),
                "PartyA": self.credential.shortcode,
                "IdentifierType": "4",
                "Remarks": "Status of a payment",
                "Occasion": str(query.originator_id),
                **self._callbacks(),
            }

        return self._call(ASK, body)

    def _callbacks(self) -> dict[str, str]:
        route = f"{settings.PUBLIC_URL}/pay/{self.credential.route_secret}"
        return {"ResultURL": f"{route}/result", "QueueTimeOutURL": f"{route}/timeout"}

    def _call(self, path: str, body: Callable[[], dict[str, Any]]) -> Outcome:
        """Post with a token; a refused token is replaced once, as nothing was done."""
        try:
            token = self.tokens.get()
            filled = body()
            try:
                return self._post(path, filled, token)
            except _TokenRefused:
                return self._post(path, filled, self.tokens.replace(token))
        except _TokenRefused:
            return Refused("token", "The wallet refuses a fresh access token.", False)
        except TokenError as error:
            if error.is_ours:
                return Refused("token", str(error), False)
            return NotSent(str(error))
        except CertificateProblem as error:
            return NotSent(str(error))

    def _post(self, path: str, body: dict[str, Any], token: str) -> Outcome:
        try:
            answer = self.session.post(
                self.base + path,
                json=body,
                auth=_Bearer(token),
                timeout=settings.CARRIER_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            if never_connected(error):
                return NotSent("The wallet could not be reached.")
            return Unknown(f"No answer from the wallet ({type(error).__name__}).")
        return read_answer(answer)

    def _fetch_token(self) -> tuple[str, int]:
        """A new token and its life in seconds. Ends the one before it, at the wallet."""
        pair = (
            _opened(self.credential.consumer_key),
            _opened(self.credential.consumer_secret),
        )
        try:
            answer = self.session.get(
                f"{self.base}/oauth/v1/generate",
                params={"grant_type": "client_credentials"},
                auth=pair,
                timeout=settings.CARRIER_TIMEOUT,
                allow_redirects=False,
            )
            found = answer.json()
            if answer.status_code in (400, 401) and "errorCode" in found:
                raise TokenError("The wallet refuses our consumer key.", is_ours=True)
            token, life = str(found["access_token"]), str(found.get("expires_in", ""))
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise TokenError(
                f"No access token from the wallet ({type(error).__name__})."
            ) from error
        return token, int(life) if life.isascii() and life.isdigit() else 300

    def _security_credential(self) -> str:
        """The initiator's password for the operator's eyes: RSA PKCS#1 v1.5, base64."""
        password = _opened(self.credential.initiator_password).encode()
        key = load_certificate(self.session).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise CertificateProblem("The wallet's certificate holds no RSA key.")
        return base64.b64encode(key.encrypt(password, padding.PKCS1v15())).decode()


class _Bearer(requests.auth.AuthBase):
    """Set by ``auth`` and not as a header, which a netrc file would overrule."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _opened(sealed: str) -> str:
    try:
        return open_text(sealed)
    except ValueError as error:
        raise TokenError(str(error), is_ours=True) from error


class CertificateProblem(Exception):
    """The certificate for the initiator's password cannot be had."""


def load_certificate(session: requests.Session) -> x509.Certificate:
    """The operator's certificate from the file of the settings, else the stand-in's.

    The published ones are past their expiry; their dates are not looked at.
    """
    try:
        if settings.DARAJA_CERTIFICATE_FILE:
            with open(settings.DARAJA_CERTIFICATE_FILE, "rb") as file:
                pem = file.read()
        else:
            answer = session.get(
                f"{settings.STANDIN_URL}/_daraja/cert.pem",
                timeout=settings.CARRIER_TIMEOUT,
            )
            answer.raise_for_status()
            pem = answer.content
        return x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError, requests.RequestException) as error:
        raise CertificateProblem(
            f"The wallet's certificate cannot be read ({type(error).__name__})."
        ) from error


def never_connected(error: requests.RequestException) -> bool:
    """Whether the request cannot have left: no connection was ever made."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner = error.args[0] if error.args else None
    if isinstance(inner, MaxRetryError):
        inner = inner.reason
    return isinstance(error, requests.ConnectionError) and isinstance(
        inner, NewConnectionError
    )


def read_answer(answer: requests.Response) -> Outcome:
    """What a synchronous answer means. An error body may come with HTTP 200.

    Raises ``_TokenRefused`` where the gateway turned the token down.
    """
    try:
        found = answer.json() if len(answer.content) <= LONGEST_ANSWER else None
    except ValueError:
        found = None
    found = found if isinstance(found, dict) else {}
    code = str(found.get("errorCode", ""))
    words = str(found.get("errorMessage", ""))[:200]
    if code in TOKEN_REFUSED or answer.status_code == 401:
        raise _TokenRefused
    if code in NOT_PROCESSED or answer.status_code == 429:
        return NotSent(f"The wallet is busy and did not take it ({code or 429}).")
    if code.startswith("400."):
        # The payee or the amount is this payment's own fault, all else is ours.
        own = any(field in words for field in ("PartyB", "Amount"))
        return Refused(code, words, permanent=own)
    if not code and str(found.get("ResponseCode")) == "0" and answer.ok:
        conversation = str(found.get("ConversationID", ""))[:80]
        if conversation:
            return Accepted(conversation)
    told = code or f"HTTP {answer.status_code}"
    return Unknown(f"The wallet answered with an error that decides nothing ({told}).")
