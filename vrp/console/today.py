"""Today: what waits for me. Each room declares its cards; the page gathers them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from vrp.accounts.enums import Permission, Role
from vrp.accounts.permissions import Grant


@dataclass(frozen=True)
class Card:
    """Something that waits: a count, what it is, why it matters, where to go."""

    title: str
    count: int
    detail: str
    url: str
    tone: str = "waiting"


Provider = Callable[[HttpRequest], list[Card]]
_providers: list[tuple[Permission, Provider]] = []


def waits_for(permission: Permission) -> Callable[[Provider], Provider]:
    """Declare cards shown to people who hold ``permission`` (and to auditors)."""

    def declare(provider: Provider) -> Provider:
        _providers.append((permission, provider))
        return provider

    return declare


def cards(request: HttpRequest, grant: Grant) -> list[Card]:
    """The cards of this person's roles, most urgent room first, empty ones left out."""
    sees_all = Role.AUDITOR in grant.roles
    found: list[Card] = []
    for permission, provider in _providers:
        if sees_all or grant.may(permission):
            found += [card for card in provider(request) if card.count]
    return found
