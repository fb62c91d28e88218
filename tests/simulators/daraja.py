"""A wallet's customer in a few lines: what a correct B2C client sends."""

import base64
import uuid
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.standin import StandIn

PHONE = "254712345678"
B2C = "/mpesa/b2c/v3/paymentrequest"
STATUS = "/mpesa/transactionstatus/v1/query"
BALANCE = "/mpesa/accountbalance/v1/query"


def credential(standin: StandIn, password: str = "standin-initiator") -> str:
    pem = requests.get(standin.url + "/_daraja/cert.pem", timeout=5).content
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


class Daraja:
    """One consumer that pays from shortcode 600100 and hears back at ``product``."""

    def __init__(self, standin: StandIn, product_url: str) -> None:
        self.standin = standin
        self.product_url = product_url
        self.credential = credential(standin)
        self.token = ""

    def mint(self) -> dict[str, Any]:
        answer = requests.get(
            self.standin.url + "/oauth/v1/generate?grant_type=client_credentials",
            auth=("key", "secret"),
            timeout=5,
        )
        body: dict[str, Any] = answer.json()
        self.token = body.get("access_token", "")
        return body

    def post(
        self, path: str, body: dict[str, Any], timeout: float = 5
    ) -> requests.Response:
        if not self.token:
            self.mint()
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self.standin.url + path
        return requests.post(url, json=body, headers=headers, timeout=timeout)

    def payment(self, **changes: Any) -> dict[str, Any]:
        return {
            "OriginatorConversationID": str(uuid.uuid4()),
            "InitiatorName": "soko",
            "SecurityCredential": self.credential,
            "CommandID": "BusinessPayment",
            "Amount": 515,
            "PartyA": "600100",
            "PartyB": PHONE,
            "Remarks": "Batch B-2231",
            "QueueTimeOutURL": self.product_url + "/pay/s/timeout",
            "ResultURL": self.product_url + "/pay/s/result",
            "Occassion": "",
        } | changes

    def pay(self, timeout: float = 5, **changes: Any) -> requests.Response:
        return self.post(B2C, self.payment(**changes), timeout)

    def query(self, path: str, **changes: Any) -> requests.Response:
        status = path == STATUS
        body = {
            "Initiator": "soko",
            "SecurityCredential": self.credential,
            "CommandID": "TransactionStatusQuery" if status else "AccountBalance",
            "PartyA": "600100",
            "IdentifierType": "4",
            "Remarks": "check",
            "QueueTimeOutURL": self.product_url + "/pay/s/timeout",
            "ResultURL": self.product_url + "/pay/s/result",
        }
        return self.post(path, body | changes)


def parameters(result: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a result, whatever form they came in."""
    listed = result["Result"].get("ResultParameters", {}).get("ResultParameter", [])
    listed = listed if isinstance(listed, list) else [listed]
    return {entry["Key"]: entry.get("Value") for entry in listed}
