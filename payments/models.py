"""Money: a double-entry ledger, what is owed, and what was sent.

Amounts are whole minor units (cents) of the currency beside them. Debit is positive,
credit negative. Entries are never changed: the database refuses, and sums are checked
by the database when a transaction commits.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from artisans.models import Workshop
from payments.enums import (
    AccountKind,
    HoldReason,
    PayoutState,
    QueryState,
    RunState,
)
from qc.models import Inspection
from vrp.accounts.models import User
from vrp.events.outbox import Outgoing
from vrp.secrets import AddressSecretField, SealedField
from vrp.tenancy.models import TenantForeignKey, TenantModel, TenantOneToOne


class Account(TenantModel):
    """One account of the tenant's chart; a workshop has its own."""

    kind = models.CharField(max_length=12, choices=AccountKind.choices)
    workshop = TenantForeignKey(
        Workshop, null=True, blank=True, related_name="accounts"
    )
    currency = models.CharField(max_length=3)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "workshop", "currency"],
                nulls_distinct=False,
                name="account_unique",
            ),
            models.CheckConstraint(
                condition=Q(kind="workshop", workshop__isnull=False)
                | (~Q(kind="workshop") & Q(workshop__isnull=True)),
                name="account_workshop_only_if_owed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.currency}"


class Entry(TenantModel):
    """A balanced set of postings with its one cause. ``cause`` is unique: posting the
    same cause again is refused by the database, whatever the code does."""

    cause = models.CharField(max_length=80)
    memo = models.CharField(max_length=160)
    reverses = TenantOneToOne("self", null=True, blank=True, related_name="reversal")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "cause"], name="entry_cause_unique"
            )
        ]

    def __str__(self) -> str:
        return self.cause


class Posting(TenantModel):
    """One leg of an entry."""

    entry = TenantForeignKey(Entry, related_name="postings")
    account = TenantForeignKey(Account, related_name="postings")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "account", "-id"], name="posting_by_account")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(amount_minor=0), name="posting_not_zero"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor:+d} {self.currency}"


class PayoutRun(TenantModel):
    """Payables gathered for payment by one person, approved by another.

    ``gross_minor`` is all that was open for the chosen workshops; ``total_minor`` what
    the payouts add up to; the difference is explained by the run's holds, to the cent.
    """

    number = models.PositiveBigIntegerField()
    state = models.CharField(
        max_length=10, choices=RunState.choices, default=RunState.DRAFT
    )
    currency = models.CharField(max_length=3)
    up_to = models.DateField(help_text="Payables up to the end of this day.")
    gross_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="payout_run_number_unique"
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=models.F("made_by")),
                name="run_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[RunState.DRAFT, RunState.CANCELLED])
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="run_is_paid_only_if_approved",
            ),
            models.CheckConstraint(
                condition=Q(
                    total_minor__gt=0, total_minor__lte=models.F("gross_minor")
                ),
                name="run_total_within_gross",
            ),
        ]

    def __str__(self) -> str:
        return f"PR-{self.number:04d}"


class Payout(Outgoing):
    """Money on its way to one wallet. ``originator_id`` is committed before the call and
    is the only thing that makes a repeat harmless at the wallet's side.

    ``due_at`` is when it may be sent; once accepted, until when a result is awaited.
    Amount, phone and id never change, and a receipt is never overwritten: a trigger
    refuses it (migration 0004).
    """

    run = TenantForeignKey(PayoutRun, related_name="payouts")
    workshop = TenantForeignKey(Workshop, related_name="payouts")
    phone = models.CharField(max_length=16)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(
        max_length=10, choices=PayoutState.choices, default=PayoutState.DRAFT
    )
    originator_id = models.UUIDField(default=uuid.uuid4, editable=False)
    conversation_id = models.CharField(max_length=80, blank=True)
    receipt = models.CharField(max_length=40, blank=True)
    result_code = models.CharField(max_length=20, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    unknown_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "state", "due_at"], name="payout_due"),
            models.Index(fields=["tenant", "run", "id"], name="payout_by_run"),
            models.Index(
                fields=["tenant", "workshop", "-id"], name="payout_by_workshop"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "originator_id"], name="payout_originator_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "receipt"],
                condition=~Q(receipt=""),
                name="payout_receipt_unique",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="payout_positive"
            ),
            models.CheckConstraint(
                condition=~Q(state=PayoutState.PAID) | ~Q(receipt=""),
                name="payout_paid_has_receipt",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} to {self.workshop_id}"


class StatusQuery(Outgoing):
    """A question to the wallet about a payout whose outcome is unknown.

    The wallet gives the question an id of its own (``conversation_id``); ours,
    ``originator_id``, travels along as the occasion and comes back with the answer.
    """

    payout = TenantForeignKey(Payout, related_name="queries")
    state = models.CharField(
        max_length=10, choices=QueryState.choices, default=QueryState.QUEUED
    )
    originator_id = models.UUIDField(default=uuid.uuid4, editable=False)
    conversation_id = models.CharField(max_length=80, blank=True)
    asked_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=40, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "state", "due_at"], name="query_due"),
            models.Index(fields=["tenant", "payout", "id"], name="query_by_payout"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "originator_id"], name="query_originator_unique"
            )
        ]

    def __str__(self) -> str:
        return f"query {self.attempts} of {self.payout_id}"


class Payable(TenantModel):
    """What the accepted items of one inspection earn. Written with its ledger entry.

    ``open_minor`` is the part that no live payout covers. A run takes from it, a failed
    or cancelled payout gives back; the database refuses to take more than there is, so
    nothing is paid twice.
    """

    workshop = TenantForeignKey(Workshop, related_name="payables")
    inspection = TenantOneToOne(Inspection, related_name="payable")
    items = models.PositiveIntegerField()
    piece_rate_minor = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    open_minor = models.BigIntegerField()
    entry = TenantOneToOne(Entry, related_name="payable")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "workshop"],
                name="payable_open",
                condition=Q(open_minor__gt=0),
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    amount_minor=models.F("items") * models.F("piece_rate_minor")
                ),
                name="payable_is_items_times_rate",
            ),
            models.CheckConstraint(
                condition=Q(
                    open_minor__gte=0, open_minor__lte=models.F("amount_minor")
                ),
                name="payable_open_within_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} to {self.workshop_id}"


class PayoutLine(TenantModel):
    """The part of one payable that one payout pays.

    A payable may be spread over several payouts (the wallet has a maximum) and may have
    been in failed ones before; ``is_live`` says which lines count.
    """

    payout = TenantForeignKey(Payout, related_name="lines")
    payable = TenantForeignKey(Payable, related_name="lines")
    amount_minor = models.BigIntegerField()
    is_live = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "payout", "payable"], name="payout_line_unique"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="payout_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} of payable {self.payable_id}"


class Hold(TenantModel):
    """What a run left out for one workshop, and why. It stays owed."""

    run = TenantForeignKey(PayoutRun, related_name="holds")
    workshop = TenantForeignKey(Workshop, related_name="+")
    reason = models.CharField(max_length=10, choices=HoldReason.choices)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "run", "workshop", "reason"], name="hold_unique"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="hold_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.reason}"


class WalletCredential(TenantModel):
    """A tenant's account with the wallet operator. Secrets are stored encrypted.

    ``route_secret`` is the unguessable part of our callback URL (160 bits), handed to the
    operator in every request; the one before it, ``old_route_secret``, holds until
    ``old_route_until``, for the results of what was sent with it.
    """

    shortcode = models.CharField(max_length=12)
    consumer_key = SealedField()
    consumer_secret = SealedField()
    initiator_name = models.CharField(max_length=60)
    initiator_password = SealedField()
    route_secret = AddressSecretField()
    old_route_secret = AddressSecretField(blank=True, default="", db_default="")
    old_route_until = models.DateTimeField(null=True, blank=True)
    is_stopped = models.BooleanField(
        default=False, help_text="Set when the operator refuses our credentials."
    )
    stopped_code = models.CharField(max_length=20, blank=True)
    stopped_reason = models.CharField(max_length=160, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant"], name="one_wallet_credential_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.shortcode


class WalletCallback(TenantModel):
    """Every callback of the wallet operator, stored raw before it is understood.

    ``effect`` says in words what it changed; empty means not yet processed. A callback
    that contradicts what is known is kept as a conflict and changes nothing.
    """

    kind = models.CharField(max_length=10)
    body = models.TextField()
    fingerprint = models.CharField(max_length=64)
    payout = TenantForeignKey(Payout, null=True, blank=True, related_name="callbacks")
    effect = models.CharField(max_length=80, blank=True)
    is_conflict = models.BooleanField(default=False)
    repeats = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "-id"],
                name="wallet_callback_conflict",
                condition=Q(is_conflict=True),
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "fingerprint"], name="wallet_callback_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
