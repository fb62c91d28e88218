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
_providers: list[tuple[Permission | Role | None, Provider]] = []


def waits_for(whom: Permission | Role | None) -> Callable[[Provider], Provider]:
    """Declare cards shown to people who hold a permission (and to auditors), or to those
    of a role: what they are to know of although the right to act is another's.
    ``None``: everybody."""

    def declare(provider: Provider) -> Provider:
        _providers.append((whom, provider))
        return provider

    return declare


def cards(request: HttpRequest, grant: Grant) -> list[Card]:
    """The cards of this person's roles, most urgent room first, empty ones left out."""
    sees_all = Role.AUDITOR in grant.roles
    found: list[Card] = []
    for whom, provider in _providers:
        if isinstance(whom, Role):
            shown = whom in grant.roles
        elif whom is None:
            shown = True
        else:
            shown = sees_all or grant.may(whom)
        if shown:
            found += [card for card in provider(request) if card.count]
    return found
