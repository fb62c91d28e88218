"""Recording events, and telling the rooms above about them.

``record`` writes the line and calls, in the same transaction, every function subscribed
to that name with ``@on``. A subscriber that fails rolls the whole change back: what must
not fail the change (an SMS, a webhook) only writes its outbox row here.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from vrp.events.models import Event
from vrp.tenancy.models import Tenant

Subscriber = Callable[[Event, Any], None]
_subscribers: dict[str, list[Subscriber]] = defaultdict(list)


@dataclass(frozen=True)
class Actor:
    """Who acts: ``kind`` is user, artisan, buyer, carrier or system."""

    kind: str
    label: str
    id: int | None = None

    @classmethod
    def user(cls, user: Any) -> "Actor":
        """A person of the staff."""
        return cls("user", str(user), user.pk)

    @classmethod
    def artisan(cls, workshop: Any) -> "Actor":
        """The workshop's lead, by phone."""
        return cls("artisan", workshop.code, workshop.pk)

    @classmethod
    def buyer(cls, buyer: Any) -> "Actor":
        """A buyer's own system, by API key."""
        return cls("buyer", buyer.name, buyer.pk)

    @classmethod
    def carrier(cls, name: str) -> "Actor":
        """The mobile carrier or the wallet operator, by callback."""
        return cls("carrier", name)

    @classmethod
    def system(cls, name: str) -> "Actor":
        """The clock, a task or a command of ours."""
        return cls("system", name)


def on(*names: str) -> Callable[[Subscriber], Subscriber]:
    """Subscribe a function ``(event, subject)`` to events of these names.

    Subscribers live in each app's ``subscribers.py``, loaded when the app is ready.
    """

    def subscribe(function: Subscriber) -> Subscriber:
        for name in names:
            if function not in _subscribers[name]:
                _subscribers[name].append(function)
        return function

    return subscribe


def subscribed_names() -> set[str]:
    """Every event name that somebody listens to."""
    return set(_subscribers)


def record(
    name: str,
    *,
    subject: models.Model,
    actor: Actor,
    tenant: Tenant | None = None,
    data: dict[str, Any] | None = None,
    reason: str = "",
) -> Event:
    """Append one event and tell its subscribers. Call inside the change's transaction.

    ``data`` holds plain JSON values and no personal data beyond ids and codes.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"record({name!r}) outside a transaction")
    event = Event(
        tenant=tenant or subject.tenant,  # type: ignore[attr-defined]
        name=name,
        subject_type=subject._meta.model_name or "",
        subject_id=subject.pk,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        reason=reason,
        data=data or {},
    )
    event.save(force_insert=True)
    for subscriber in _subscribers.get(name, ()):
        subscriber(event, subject)
    return event
