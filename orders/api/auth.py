"""``Authorization: Bearer <key>``: who the buyer is, and so which tenant."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from orders.keys import find
from orders.models import ApiKey, Buyer
from vrp.rates import address_of, take


class ApiKeyUser:
    """What DRF calls the user: the buyer behind the key."""

    is_authenticated = True

    def __init__(self, buyer: Buyer) -> None:
        self.buyer = buyer
        self.pk = buyer.pk


class ApiKeyAuthentication(BaseAuthentication):
    """401 for a missing, malformed, unknown, expired or revoked key."""

    def authenticate(self, request: Request) -> tuple[ApiKeyUser, ApiKey]:
        parts = get_authorization_header(request).decode("latin-1").split()
        if len(parts) != 2 or parts[0].lower() != "bearer":
            raise AuthenticationFailed
        key = find(parts[1])
        if key is None:
            # Who tries keys is slowed down; a key that is right is never kept out, since
            # others may call from the same address.
            tried = take("guess", address_of(request), settings.RATES["guess"])
            if not tried:
                raise Throttled(tried.wait_seconds)
            raise AuthenticationFailed
        return ApiKeyUser(key.buyer), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI file describes it."""

    target_class = "orders.api.auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The key that the brand gave you: vrp_... What it may do are "
            "its scopes; each operation names the one that it needs.",
        }

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """OpenAPI 3.1 lets any scheme name what is needed, not OAuth only."""
        return {self.name: [str(auto_schema.view.scopes[auto_schema.method])]}
