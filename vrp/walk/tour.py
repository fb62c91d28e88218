"""The tour itself: the people, what they share, and the order of the scenes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from vrp.walk.actors.artisan import Artisan
from vrp.walk.actors.buyer import Buyer
from vrp.walk.actors.staff import Staff
from vrp.walk.facts import Facts, read_facts
from vrp.walk.problem import NotRight
from vrp.walk.show import Show
from vrp.walk.web import call, json_of, new_session

SKU = "HPN-01"
# Bounded, so that a broken system ends the tour: the clock sweeps once a minute, so
# anything that Redis lost comes back within two.
PATIENCE = 150.0


@dataclass
class Lot:
    """One job in one workshop: what was offered and what became of it."""

    artisan: Artisan
    job: int
    component: str
    quantity: int
    state: str = "offered"
    # Digits of the numbers of its deliveries.
    deliveries: list[str] = field(default_factory=list)
    # Whole shillings that the result SMS promised for it.
    pay: int = 0


@dataclass
class Tour:
    """What the scenes hand on to each other."""

    facts: Facts
    show: Show
    po: str
    quantity: int
    buyer: Buyer
    ship_by: date
    staff: dict[str, Staff] = field(default_factory=dict)
    artisans: dict[str, Artisan] = field(default_factory=dict)
    lots: list[Lot] = field(default_factory=list)
    order_id: str = ""
    # The order's page in the console.
    page: str = ""
    patience: float = PATIENCE
    # Whether the system sends webhooks to this machine; servers do not.
    webhook: bool = True

    def person(self, role: str) -> Staff:
        """The staff member with this role, signed in when first needed."""
        if role not in self.staff:
            self.staff[role] = Staff(self.facts, role)
        return self.staff[role]

    def artisan(self, code: str) -> Artisan:
        """The workshop's phone. What it had before this moment does not count."""
        if code not in self.facts.workshops:
            raise NotRight(f"{code} is not among the workshops of demo.json.")
        if code not in self.artisans:
            self.artisans[code] = Artisan(self.facts, self.facts.workshops[code])
        return self.artisans[code]

    def wait(self, what: str, probe: Callable[[], Any], pause: float = 0.5) -> Any:
        """Wait for something as long as this tour is patient."""
        return self.show.wait(what, probe, seconds=self.patience, pause=pause)

    def accepted(self) -> list[Lot]:
        """Lots that a workshop said yes to."""
        return [lot for lot in self.lots if lot.state == "accepted"]

    @property
    def heroine(self) -> Lot:
        """The lot whose life is told in full: the first pendants that were accepted."""
        return self.accepted()[0]

    def misbehave(self, channel: str, rule: dict[str, Any]) -> None:
        """Set one more fault in the stand-in; those already in force stay."""
        url = self.facts.standin_url + "/_faults"
        with new_session() as session:
            rules = json_of(call(session, "GET", url))
            before = rules.get(channel) or []
            rules[channel] = [*(before if isinstance(before, list) else [before]), rule]
            json_of(call(session, "POST", url, json=rules))

    def close(self) -> None:
        """Take the webhook back and close what is open."""
        for person in self.staff.values():
            person.close()
        for artisan in self.artisans.values():
            artisan.close()
        with suppress(NotRight):
            self.buyer.close()


def make_tour(data: Path, show: Show, *, po: str = "", quantity: int = 60) -> Tour:
    """Read the facts and check that the system is there; nothing is changed yet."""
    facts = read_facts(data)
    with new_session() as session:
        ready = call(session, "GET", facts.url + "/readyz")
        if not ready.ok:
            raise NotRight(f"{facts.url}/readyz says {ready.text[:300]}")
        json_of(call(session, "GET", facts.standin_url + "/_state"))
    now = datetime.now(UTC)
    return Tour(
        facts=facts,
        show=show,
        po=po or f"TOUR-{now:%y%m%d-%H%M%S}",
        quantity=quantity,
        buyer=Buyer(facts),
        ship_by=now.date() + timedelta(days=21),
    )


def walk(tour: Tour, scenes: list[Callable[[Tour], None]]) -> None:
    """Play the scenes in order. Raises ``NotRight`` at the first thing that is not so."""
    try:
        for scene in scenes:
            scene(tour)
    finally:
        tour.close()
