"""Posting to the double-entry ledger. Amounts are minor units; debit positive."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from artisans.models import Workshop
from payments.enums import AccountKind
from payments.models import Account, Entry, Posting
from vrp.errors import Conflict, Invalid
from vrp.tenancy.models import Tenant

Leg = tuple[Account, int]


@dataclass(frozen=True)
class NewEntry:
    """One of many entries to post at once."""

    cause: str
    memo: str
    legs: list[Leg]


def account(
    tenant: Tenant,
    kind: AccountKind,
    currency: str,
    workshop: Workshop | None = None,
) -> Account:
    """The tenant's account of this kind; made when it is first needed."""
    found, _ = Account.objects.get_or_create(
        tenant=tenant, kind=kind, workshop=workshop, currency=currency
    )
    return found


@transaction.atomic
def post_entry(
    *,
    tenant: Tenant,
    cause: str,
    memo: str,
    legs: list[Leg],
    currency: str,
    reverses: Entry | None = None,
) -> Entry:
    """Append one balanced entry. ``cause`` names what it is for and is unique.

    The same cause with the same legs returns the entry that is there. Raises ``Conflict``
    for the same cause with other legs, ``Invalid`` for legs that are not whole minor
    units, are zero, are in another currency, or do not sum to zero.
    """
    _check(tenant, legs, currency)
    existing = Entry.objects.filter(cause=cause).first()
    if existing is not None:
        return _same_or_conflict(existing, legs)
    try:
        with transaction.atomic():
            entry = Entry.objects.create(
                tenant=tenant, cause=cause, memo=memo[:160], reverses=reverses
            )
    except IntegrityError:
        # Somebody posted the same cause in the meantime (or reversed the same entry).
        existing = Entry.objects.filter(cause=cause).first()
        if existing is None:
            raise Conflict(f"{reverses} has been reversed before.") from None
        return _same_or_conflict(existing, legs)
    Posting.objects.bulk_create(
        Posting(
            tenant=tenant,
            entry=entry,
            account=to,
            amount_minor=minor,
            currency=currency,
        )
        for to, minor in legs
    )
    return entry


@transaction.atomic
def post_entries(*, tenant: Tenant, wanted: list[NewEntry], currency: str) -> None:
    """Append many balanced entries in two inserts.

    For callers that hold a lock under which none of the causes can have been posted;
    raises ``IntegrityError`` if one has, and the same as ``post_entry``.
    """
    for new in wanted:
        _check(tenant, new.legs, currency)
    entries = Entry.objects.bulk_create(
        Entry(tenant=tenant, cause=new.cause, memo=new.memo[:160]) for new in wanted
    )
    Posting.objects.bulk_create(
        Posting(
            tenant=tenant,
            entry=entry,
            account=to,
            amount_minor=minor,
            currency=currency,
        )
        for entry, new in zip(entries, wanted, strict=True)
        for to, minor in new.legs
    )


def reverse_entry(*, entry: Entry, cause: str, memo: str) -> Entry:
    """Post the opposite of an entry; an entry can be reversed once."""
    postings = list(entry.postings.select_related("account").order_by("id"))
    return post_entry(
        tenant=entry.tenant,
        cause=cause,
        memo=memo,
        legs=[(posting.account, -posting.amount_minor) for posting in postings],
        currency=postings[0].currency,
        reverses=entry,
    )


def _check(tenant: Tenant, legs: list[Leg], currency: str) -> None:
    if len(legs) < 2:
        raise Invalid("An entry needs at least two legs.")
    for to, minor in legs:
        # bool is an int in Python; a float cannot hold money.
        if type(minor) is not int or minor == 0:
            raise Invalid("A leg is a whole number of minor units and not zero.")
        if to.currency != currency or to.tenant_id != tenant.pk:
            raise Invalid(f"{to} is not an account in {currency} of {tenant}.")
    total = sum(minor for _, minor in legs)
    if total:
        raise Invalid(f"The entry is off by {total} minor units of {currency}.")


def _same_or_conflict(entry: Entry, legs: list[Leg]) -> Entry:
    posted = sorted(entry.postings.values_list("account_id", "amount_minor"))
    if posted != sorted((to.pk, minor) for to, minor in legs):
        raise Conflict(f"{entry.cause} is posted already, with other amounts.")
    return entry
