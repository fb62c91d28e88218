"""What all of the buyers' views share."""

from typing import Any, ClassVar

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from orders.enums import Scope
from orders.keys import note_use
from orders.models import ApiKey, Buyer
from vrp.api.views import TenantView
from vrp.errors import DomainError
from vrp.events.services import Actor


class InsufficientScope(DomainError):
    """The key is good, but not for this. HTTP 403; ``scope`` is the one it lacks."""

    status = 403
    code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs a key with the scope {scope}.")
        self.scope = scope


class BuyerView(TenantView):
    """A view of the buyer behind the key; the buyer's rows only are looked at.

    ``scopes`` names the scope that each method needs.
    """

    scopes: ClassVar[dict[str, Scope]]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        needed = self.scopes.get(method)
        if needed and needed not in self.key.scopes:
            raise InsufficientScope(needed)

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


def asked(serializer: type[Serializer], request: Request) -> dict[str, Any]:
    """The validated query parameters. Raises ``ValidationError`` (422) for wrong ones,
    and for one that is empty or stands twice: which of them is meant is a guess."""
    query = request.query_params
    fields = serializer().fields.items()
    twice = [name for name, _ in fields if len(query.getlist(name)) > 1]
    if twice:
        raise ValidationError(dict.fromkeys(twice, "Give it once."))
    return checked(serializer, query.dict())
