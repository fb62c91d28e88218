"""How long recovery waits, and a way to wait less when it is only being tried out.

What was lost is found by waiting: a lease runs out, the sweep comes by, the wallet is
asked again. In earnest those waits are seconds to hours. A trial that kills and cuts
everything for two minutes has no hours, so ``VRP_HASTE=20`` divides each of them by 20;
nothing else differs. Refused outside the embedded mode.
"""

from datetime import timedelta

from django.conf import settings


def hasten(wait: timedelta, *, at_least: timedelta = timedelta(0)) -> timedelta:
    """``wait`` divided by ``settings.HASTE`` (1 in earnest), but not below ``at_least``.

    ``at_least`` names what the wait must outlast however hasty we are: a lease is
    longer than the calls that are made under it.
    """
    return max(wait / settings.HASTE, min(wait, at_least))
