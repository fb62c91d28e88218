"""What all of the buyers' views share."""

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from orders.keys import note_use
from orders.models import ApiKey, Buyer
from vrp.api.views import TenantView
from vrp.events.services import Actor


class BuyerView(TenantView):
    """A view of the buyer behind the key; the buyer's rows only are looked at."""

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        if request.auth is not None:
            note_use(self.key)

    @property
    def key(self) -> ApiKey:
        """The key of the request; ``IsAuthenticated`` has seen to it that there is one."""
        key: Any = self.request.auth
        return key

    @property
    def buyer(self) -> Buyer:
        return self.key.buyer

    @property
    def actor(self) -> Actor:
        return Actor.buyer(self.buyer)


def checked(serializer: type[Serializer], data: Any) -> dict[str, Any]:
    """The validated values of a request. Raises DRF's ``ValidationError`` (422)."""
    form = serializer(data=data)
    form.is_valid(raise_exception=True)
    return form.validated_data
