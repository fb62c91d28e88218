"""A tenant with a channel, a phone to dial with, and the carrier's stand-in."""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from django.test import Client

from artisans.models import Workshop
from phone.models import Channel
from tests.builders import Network
from tests.standin import standin, standin_server
from vrp.secrets import seal_text
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

__all__ = ["standin", "standin_server"]
FORM = "application/x-www-form-urlencoded"


def build_channel(tenant: Tenant) -> Channel:
    """The tenant's account at the stand-in; any key is good there."""
    with tenant_scope(tenant):
        return Channel.objects.create(
            tenant=tenant,
            username=tenant.slug,
            api_key=seal_text("atsk_test"),
            sender="SOKO",
            ussd_code="*384*55#",
            route_secret=f"{tenant.pk}-{secrets.token_hex(20)}",
        )


@pytest.fixture
def channel(tenant: Tenant) -> Channel:
    """Soko's channel."""
    return build_channel(tenant)


@dataclass
class Handset:
    """Dials as the carrier would: all answers so far, joined with ``*``."""

    channel: Channel
    phone: str
    client: Client = field(default_factory=Client)
    session: str = ""
    text: str = ""

    def send(self, text: str) -> str:
        """One request with exactly this text; the answer's body."""
        form = {
            "sessionId": self.session,
            "phoneNumber": self.phone,
            "networkCode": "63902",
            "serviceCode": "*384*55#",
            "text": text,
        }
        answer = self.client.post(
            f"/phone/{self.channel.route_secret}/ussd", urlencode(form), FORM
        )
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        said = answer.content.decode()
        assert said[:4] in ("CON ", "END ")
        assert len(said) <= 154, said
        return said

    def dial(self, *answers: str) -> str:
        """A new session, then each answer; what the last screen says."""
        self.session, self.text = f"ATUid_{secrets.token_hex(8)}", ""
        said = self.send("")
        for answer in answers:
            said = self.type(answer)
        return said

    def type(self, answer: str) -> str:
        """One more answer in the open session."""
        self.text = f"{self.text}*{answer}" if self.text else answer
        return self.send(self.text)


@pytest.fixture
def horn(network: Network, channel: Channel) -> Workshop:
    """W-017, in English."""
    return network.horn[0]


@pytest.fixture
def handset(horn: Workshop, channel: Channel) -> Handset:
    """The phone of W-017."""
    return Handset(channel, horn.phone)
