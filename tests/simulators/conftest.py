"""The stand-ins with a tiny product on the other side."""

from collections.abc import Iterator

import pytest

from tests.simulators.product import Product, Running
from tests.standin import StandIn, standin, standin_server

__all__ = ["standin", "standin_server"]


@pytest.fixture
def product(standin: StandIn) -> Iterator[Product]:
    """Serve a product and make it known as the tenant ``soko``."""
    with Running() as served:
        introduce(standin, served)
        yield served
        standin.reset()


def introduce(standin: StandIn, product: Product) -> None:
    standin.register(
        "soko",
        sms_inbound_url=product.url + "/in",
        sms_delivery_url=product.url + "/dlr",
        ussd_url=product.url + "/ussd",
        ussd_code="*384*55#",
        wallet={"shortcode": "600100", "utility": 100_000},
    )
