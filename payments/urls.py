"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern, path

# Imported so that its cards reach the Today page.
from payments.console import (
    cards,  # noqa: F401
    ledger,
    payouts,
    runs,
)

urlpatterns: list[URLPattern] = [
    path("payouts/", runs.home, name="payouts"),
    path("payouts/new/", runs.new, name="payout-new"),
    path("payouts/conflicts/", payouts.conflicts, name="payout-conflicts"),
    path(
        "payouts/conflicts/<int:pk>/clear/",
        payouts.clear,
        name="payout-conflict-clear",
    ),
    path("payouts/channel/start/", payouts.start, name="wallet-start"),
    path("payouts/<int:pk>/", runs.page, name="payout-run"),
    path("payouts/<int:pk>/progress/", runs.progress, name="payout-run-progress"),
    path("payouts/<int:pk>/approve/", runs.approve, name="payout-run-approve"),
    path("payouts/<int:pk>/cancel/", runs.cancel, name="payout-run-cancel"),
    path("payouts/<int:run_pk>/payouts/<int:pk>/", payouts.page, name="payout"),
    path(
        "payouts/<int:run_pk>/payouts/<int:pk>/query/",
        payouts.query,
        name="payout-query",
    ),
    path(
        "payouts/<int:run_pk>/payouts/<int:pk>/not-paid/",
        payouts.declare,
        name="payout-not-paid",
    ),
    path("ledger/", ledger.trial, name="ledger"),
    path("ledger/<int:pk>/", ledger.account, name="ledger-account"),
]
