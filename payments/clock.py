"""What happens with money by itself, and what is measured of it."""

from typing import Any

from payments.enums import PAYOUT_UNCLEAR, PayoutState
from payments.models import Payout, WalletCallback, WalletCredential
from payments.services.asking import hand_to_people
from payments.services.payouts import chase_silent
from payments.services.results import process_forgotten
from vrp.ops.clock import every, for_each_tenant
from vrp.ops.metrics import gauge
from vrp.tenancy.models import Tenant


@every(minutes=1)
def chase_payouts() -> dict[str, Any]:
    """Turn silence into a question, and unanswered questions into a person's task."""

    def one(tenant: Tenant) -> dict[str, int]:
        return {
            "callbacks": process_forgotten(),
            "silent": chase_silent(),
            "to_people": hand_to_people(),
        }

    return for_each_tenant(one)


@gauge("vrp_payouts_unclear", "Payouts of which nobody knows whether they were paid")
def payouts_unclear() -> float:
    return Payout.objects.filter(state__in=PAYOUT_UNCLEAR).count()


@gauge("vrp_payouts_waiting", "Payouts that are approved and not yet sent")
def payouts_waiting() -> float:
    return Payout.objects.filter(state=PayoutState.QUEUED).count()


@gauge("vrp_wallet_channel_stopped", "1 if the tenant's payout channel is stopped")
def channel_stopped() -> float:
    return WalletCredential.objects.filter(is_stopped=True).count()


@gauge("vrp_wallet_conflicts", "Callbacks that contradict what was known")
def conflicts() -> float:
    return WalletCallback.objects.filter(is_conflict=True).count()
