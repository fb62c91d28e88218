"""The results that the wallet posts back, with every hazard their readers must bear.

Picked by the conversation id, so one id always looks the same: parameters in any
order, one without a Value, one twice, an object where a list is usual, numbers as
texts, and no ResultParameters at all on a failure.
"""

import asyncio
import random
from datetime import datetime, timedelta, timezone
from typing import Any

from simulators.faults import Rule, pick
from simulators.hub import Hub
from simulators.state import Payment, Step, now

NAIROBI = timezone(timedelta(hours=3))
FEE = "22.40"  # KES for one payment, charged to its own account
FLOAT = {"utility": 5_000_000, "working": 1_000_000}  # whole KES before any payment
WORDS = {
    "0": "The service request is processed successfully.",
    "1": "The balance is insufficient for the transaction.",
    "2": "Declined due to limit rule: less than the minimum transaction amount.",
    "3": "Declined due to limit rule: greater than the maximum transaction amount.",
    "4": "Declined due to limit rule: would exceed daily transfer limit.",
    "8": "Declined due to limit rule: would exceed the maximum balance.",
    "11": "The DebitParty is in an invalid state.",
    "17": "System internal error.",
    "21": "The initiator is not allowed to initiate this request.",
    "26": "System busy. The service request is rejected.",
    "2001": "The initiator information is invalid.",
    "2006": "Declined due to account rule: The account status does not allow this.",
    "2028": "The request is not permitted according to product assignment.",
    "2040": "Credit Party customer type can't be supported by the service.",
    "8006": "The security credential is locked.",
    "SFC_IC0003": "The operator does not exist.",
    # Not published by the provider: our words for an id it has never seen.
    "2032": "The original transaction does not exist.",
}


def words_for(code: str) -> str:
    return WORDS.get(code, "The service request failed.")


def receipt(count: int, moment: datetime) -> str:
    """Return the ``count``-th receipt: year, month and day, then seven characters.

    The multiplier has no factor in common with 36, so no two counts share a receipt.
    """
    local = moment.astimezone(NAIROBI)
    day = "0123456789ABCDEFGHIJKLMNOPQRSTUV"[local.day]
    head = chr(ord("N") + (local.year - 2019) % 13) + chr(ord("A") + local.month - 1)
    left, tail = (count * 23_456_789_017 + 41) % 36**7, ""
    for _ in range(7):
        left, digit = divmod(left, 36)
        tail = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + tail
    return head + day + tail


def dice(conversation: str) -> random.Random:
    """Return the source of variety that belongs to one conversation."""
    return random.Random(conversation)


def _local(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(NAIROBI)


def balances(hub: Hub, shortcode: str) -> dict[str, float]:
    """Return a shortcode's accounts in KES."""
    wallet = hub.directory.wallet(shortcode)
    paid, count = hub.state.paid_out(shortcode)
    return {
        "working": float(wallet.get("working", FLOAT["working"])),
        "utility": float(wallet.get("utility", FLOAT["utility"])) - paid,
        "charges": round(-float(FEE) * count, 2),
    }


def _wrap(
    code: str,
    words: str,
    ids: tuple[str, str, str],
    parameters: list[dict[str, Any]] | None,
    reference: dict[str, str],
) -> dict[str, Any]:
    """Build a result body; ``ids`` are originator, conversation and transaction."""
    chance = dice(ids[1])
    plain: int | str = int(code) if code.isdigit() else code
    result: dict[str, Any] = {
        "ResultType": 0,
        "ResultCode": str(plain) if chance.random() < 0.25 else plain,
        "ResultDesc": words,
        "OriginatorConversationID": ids[0],
        "ConversationID": ids[1],
        "TransactionID": ids[2],
    }
    if parameters is not None:
        chance.shuffle(parameters)
        single = len(parameters) == 1
        listed: Any = parameters[0] if single else parameters
        result["ResultParameters"] = {"ResultParameter": listed}
    item: Any = reference if chance.random() < 0.5 else [reference]
    result["ReferenceData"] = {"ReferenceItem": item}
    return {"Result": result}


def _with_hazards(
    parameters: list[dict[str, Any]], conversation: str, spare: str, twice: str
) -> list[dict[str, Any]]:
    """Take the Value of ``spare`` away, or say ``twice`` twice, or neither."""
    kind = dice("hazard " + conversation).randrange(4)
    if kind == 1:
        return [{"Key": p["Key"]} if p["Key"] == spare else p for p in parameters]
    if kind == 2:
        return parameters + [p for p in parameters if p["Key"] == twice]
    return parameters


def payment_result(hub: Hub, payment: Payment) -> dict[str, Any]:
    """Return the result of a payment: paid with its receipt, or why not."""
    ids = (payment.originator, payment.conversation, payment.receipt)
    reference = {"Key": "QueueTimeoutURL", "Value": payment.timeout_url}
    if not payment.paid:
        return _wrap(payment.code, words_for(payment.code), ids, None, reference)
    left = balances(hub, payment.shortcode)
    name = f"{payment.phone} - Test Customer"
    when = _local(payment.settles_at).strftime("%d.%m.%Y %H:%M:%S")
    values: dict[str, Any] = {
        "TransactionAmount": payment.amount,
        "TransactionReceipt": payment.receipt,
        "B2CRecipientIsRegisteredCustomer": "Y",
        "B2CChargesPaidAccountAvailableFunds": left["charges"],
        "ReceiverPartyPublicName": name,
        "TransactionCompletedDateTime": when,
        "B2CUtilityAccountAvailableFunds": left["utility"],
        "B2CWorkingAccountAvailableFunds": left["working"],
    }
    if dice("short " + payment.conversation).random() < 0.125:
        values = {"TransactionReceipt": payment.receipt}
    parameters = [{"Key": key, "Value": value} for key, value in values.items()]
    parameters = _with_hazards(
        parameters,
        payment.conversation,
        "B2CChargesPaidAccountAvailableFunds",
        "ReceiverPartyPublicName",
    )
    return _wrap("0", words_for("0"), ids, parameters, reference)


def false_failure(payment: Payment) -> dict[str, Any]:
    """Return a failure for a payment that was made: what a reader must not believe."""
    ids = (payment.originator, payment.conversation, payment.receipt)
    reference = {"Key": "QueueTimeoutURL", "Value": payment.timeout_url}
    return _wrap("8", words_for("8"), ids, None, reference)


def refusal(code: str, query_ids: tuple[str, str], today: str) -> dict[str, Any]:
    """Return the result of a query that was not carried out."""
    reference = {"Key": "Occasion", "Value": ""}
    ids = (*query_ids, today + "0000000")
    return _wrap(code, words_for(code), ids, None, reference)


def status_result(
    payment: Payment | None,
    query_ids: tuple[str, str],
    occasion: str,
    contradicts: bool,
    today: str,
) -> dict[str, Any]:
    """Return what a status query finds out. ``query_ids`` are the query's own."""
    reference = {"Key": "Occasion", "Value": occasion}
    nothing = today + "0000000"
    if payment is None:
        return _wrap("2032", words_for("2032"), (*query_ids, nothing), None, reference)
    status = "Completed" if payment.paid else "Declined"
    if not payment.settled:
        status = "Initiated"
    if contradicts:
        status = "Declined" if payment.paid else "Completed"
    values: dict[str, Any] = {
        "DebitPartyName": f"{payment.shortcode} - Stand-in",
        "CreditPartyName": f"{payment.phone} - Test Customer",
        "OriginatorConversationID": payment.originator,
        "ConversationID": payment.conversation,
        "InitiatedTime": int(_local(payment.at).strftime("%Y%m%d%H%M%S")),
        "DebitAccountType": "Utility Account",
        "DebitPartyCharges": f"Fee For B2C Payment|KES|{FEE}",
        "TransactionReason": "" if payment.paid else words_for(payment.code),
        "ReasonType": "Business Payment to Customer via API",
        "TransactionStatus": status,
        "Amount": payment.amount,
    }
    if payment.settled:
        finished = _local(payment.settles_at).strftime("%Y%m%d%H%M%S")
        values |= {"FinalisedTime": int(finished), "ReceiptNo": payment.receipt}
    parameters = [
        {"Key": key} if value == "" else {"Key": key, "Value": value}
        for key, value in values.items()
    ]
    parameters = _with_hazards(
        parameters, query_ids[1], "DebitPartyCharges", "DebitPartyName"
    )
    return _wrap("0", words_for("0"), (*query_ids, nothing), parameters, reference)


def balance_result(
    hub: Hub, shortcode: str, query_ids: tuple[str, str], today: str
) -> dict[str, Any]:
    """Return the accounts of a shortcode in one text, as Daraja joins them."""
    left = balances(hub, shortcode)
    accounts = "&".join(
        f"{name} Account|KES|{value:.2f}|{value:.2f}|0.00|0.00"
        for name, value in (
            ("Working", left["working"]),
            ("Float", 0.0),
            ("Utility", left["utility"]),
            ("Charges Paid", left["charges"]),
            ("Organization Settlement", 0.0),
        )
    )
    parameters: list[dict[str, Any]] = [{"Key": "AccountBalance", "Value": accounts}]
    if dice(query_ids[1]).random() < 0.5:
        finished = int(now().astimezone(NAIROBI).strftime("%Y%m%d%H%M%S"))
        parameters.append({"Key": "BOCompletedTime", "Value": finished})
    ids = (*query_ids, today + "0000000")
    reference = {"Key": "QueueTimeoutURL", "Value": "stand-in"}
    return _wrap("0", words_for("0"), ids, parameters, reference)


def planned_steps(hub: Hub, rules: list[Rule], settle: float) -> list[Step]:
    """Lay out the callbacks of one payment, with the faults that hit it."""
    if pick(rules, "result_none"):
        return []
    wait = settle + hub.settings.result_delay
    if (rule := pick(rules, "result_late")) is not None:
        wait = settle + rule.wait(5)
    if pick(rules, "result_early"):
        wait = 0
    result: Step = {"what": "result", "wait": wait}
    if pick(rules, "queue_timeout_only"):
        return [{"what": "timeout", "wait": wait}]
    if pick(rules, "queue_timeout"):
        return [{"what": "timeout", "wait": wait}, result]
    if pick(rules, "contradictory"):
        return [result, {"what": "false_failure", "wait": hub.settings.result_delay}]
    if pick(rules, "result_repeated"):
        again: Step = {"what": "result", "wait": 0}
        return [result, again, again]
    return [result]


async def tell_payment(hub: Hub, payment: Payment) -> None:
    """Make the callbacks that are still to make, each once: Daraja repeats none."""
    for step in payment.steps[payment.told :]:
        await asyncio.sleep(step["wait"])
        if step["what"] == "timeout":
            await hub.call(payment.timeout_url, body=payment.echo)
        elif step["what"] == "false_failure":
            await hub.call(payment.result_url, body=false_failure(payment))
        else:
            await hub.call(payment.result_url, body=payment_result(hub, payment))
        hub.state.record_step(payment)


def resume(hub: Hub) -> None:
    """Take up, after a restart, the callbacks that an earlier process still owed."""
    for payment in hub.state.payments.values():
        if payment.told < len(payment.steps):
            hub.spawn(tell_payment(hub, payment))
