"""What a run made now would hold: the same arithmetic that ``make_run`` uses."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from artisans.models import Workshop
from payments.models import Payable
from payments.planning import WorkshopPlan, plan_workshop
from payments.queries.ledger import workshop_balances
from payments.queries.owed import drafted
from vrp.tenancy.models import Tenant


@dataclass(frozen=True)
class PreviewLine:
    """One workshop of a preview."""

    workshop: Workshop
    payables: int
    plan: WorkshopPlan

    @property
    def held_words(self) -> list[tuple[str, int]]:
        """What is held and why, in words."""
        return [(reason.label, minor) for reason, minor in self.plan.holds.items()]


@dataclass(frozen=True)
class RunPreview:
    """Lines by workshop code. ``gross = net + held``, to the cent."""

    currency: str
    up_to: dt.date
    lines: list[PreviewLine]

    @property
    def gross_minor(self) -> int:
        """All that is open for the chosen workshops."""
        return sum(line.plan.gross_minor for line in self.lines)

    @property
    def net_minor(self) -> int:
        """What would be sent."""
        return sum(line.plan.net_minor for line in self.lines)

    @property
    def held_minor(self) -> int:
        """What would stay owed."""
        return sum(line.plan.held_minor for line in self.lines)

    @property
    def payouts(self) -> int:
        """How many payments that makes."""
        return sum(len(line.plan.payouts) for line in self.lines)

    @property
    def payouts_words(self) -> str:
        """The same in words."""
        return f"{self.payouts:,} payment{'' if self.payouts == 1 else 's'}"


def today_of(tenant: Tenant) -> dt.date:
    """The date in the tenant's own time zone."""
    return timezone.localdate(timezone=zoneinfo.ZoneInfo(tenant.timezone))


def payables_up_to(
    tenant: Tenant, up_to: dt.date, workshop_ids: Collection[int] | None
) -> QuerySet[Payable]:
    """Open payables graded up to the end of a day in the tenant's time zone."""
    rows = Payable.objects.filter(open_minor__gt=0, currency=tenant.currency)
    if up_to < today_of(tenant):
        zone = zoneinfo.ZoneInfo(tenant.timezone)
        midnight = dt.datetime.combine(up_to + dt.timedelta(days=1), dt.time(), zone)
        rows = rows.filter(at__lt=midnight)
    if workshop_ids is not None:
        rows = rows.filter(workshop_id__in=workshop_ids)
    return rows.order_by("id")


def preview_run(
    tenant: Tenant,
    *,
    up_to: dt.date,
    workshop_ids: Collection[int] | None = None,
    lock: bool = False,
) -> RunPreview:
    """Plan a run for the chosen workshops (None: all). Five queries at most.

    With ``lock`` the payables are locked, so that two runs cannot take the same ones.
    """
    rows = payables_up_to(tenant, up_to, workshop_ids)
    if lock:
        rows = rows.select_for_update()
    parts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pk, workshop_id, minor in rows.values_list("id", "workshop_id", "open_minor"):
        parts[workshop_id].append((pk, minor))
    balances, drafts = workshop_balances(list(parts)), drafted(parts)
    lines = [
        PreviewLine(
            workshop=workshop,
            payables=len(parts[workshop.pk]),
            plan=plan_workshop(
                parts[workshop.pk],
                owed_minor=-balances.get(workshop.pk, 0) - drafts.get(workshop.pk, 0),
                phone=workshop.phone,
                currency=tenant.currency,
            ),
        )
        for workshop in Workshop.objects.filter(pk__in=parts).order_by("code")
    ]
    return RunPreview(tenant.currency, up_to, lines)
