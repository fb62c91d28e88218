"""How the rows of each model are made. One function a model, parents first."""

import uuid
from typing import Any

from artisans.models import (
    Area,
    Artisan,
    CapacityPeriod,
    Skill,
    Workshop,
    WorkshopSkill,
)
from matching.models import JobRecord, PassedOver, Plan, PlanWorkOrder, Proposal
from orders.models import (
    ApiKey,
    BomLine,
    Buyer,
    Component,
    Delivery,
    DeliveryLine,
    IdempotencyRecord,
    Job,
    Order,
    OrderLine,
    PartNeed,
    Product,
    Shipment,
    StockMove,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WorkOrder,
)
from payments.models import (
    Account,
    Entry,
    Hold,
    Payable,
    Payout,
    PayoutLine,
    PayoutRun,
    Posting,
    StatusQuery,
    WalletCallback,
    WalletCredential,
)
from phone.models import Channel, DeliveryReport, Message, UssdSession
from qc.models import Batch, Defect, Inspection, Item, ItemGrade, ReworkTicket
from tests.isolation.world import Side, ago, day, maker
from vrp.events.models import Event, SendingPause
from vrp.imports.models import ImportFile
from vrp.secrets import seal_text
from vrp.tenancy.models import Counter


@maker("tenancy.Counter")
def _counter(side: Side) -> Any:
    for name in ("order", "job", "batch", "plan", "delivery", "shipment", "run"):
        side.put("counter", Counter, name=name, value=side.number(500))


@maker("events.Event")
def _event(side: Side) -> Any:
    side.put(
        "event",
        Event,
        name="order.placed",
        subject_type="order",
        subject_id=1,
        actor_kind="system",
        actor_label=f"{side.mark} actor",
        reason=f"{side.mark} reason",
    )


@maker("events.SendingPause")
def _pause(side: Side) -> Any:
    # Released already, so that the outboxes of the world do send.
    side.put(
        "pause",
        SendingPause,
        outbox="sms",
        reason=f"{side.mark} restored",
        released_at=ago(hours=1),
        released_by=f"{side.mark} admin",
    )


# -- the network


@maker("artisans.Area")
def _area(side: Side) -> Any:
    side.put("area", Area, code=f"{side.mark}-a", name=side.mark, region="Nairobi")
    side.put("far_area", Area, code=side.far, name=side.far, region="Mombasa")


@maker("artisans.Skill")
def _skill(side: Side) -> Any:
    name = f"{side.mark} carving"
    side.put("skill", Skill, code=f"{side.mark}-s", name=name, technique=name,
             material="horn")  # fmt: skip


@maker("artisans.Workshop")
def _workshop(side: Side) -> Any:
    for number, (name, mark, area) in enumerate(
        (
            ("workshop", side.mark, "area"),
            ("near_workshop", f"{side.mark}2", "area"),
            ("far_workshop", side.far, "far_area"),
            ("spare_workshop", f"{side.mark}3", "area"),
        ),
        start=101,
    ):
        side.put(
            name,
            Workshop,
            code=f"{mark}-W",
            name=f"{mark} works",
            area=side[area],
            phone=side.phone(number),
            capacity_per_week=80,
            joined_on=day(-400),
        )


@maker("artisans.Artisan")
def _artisan(side: Side) -> Any:
    for name in ("workshop", "far_workshop"):
        mark = side.far if name.startswith("far") else side.mark
        side.put(
            name.replace("workshop", "artisan"),
            Artisan,
            workshop=side[name],
            code=f"{mark}-P",
            name=f"{mark} Wanjiku",
            engagement="lead",
            joined_on=day(-400),
        )


@maker("artisans.WorkshopSkill")
def _held(side: Side) -> Any:
    for name in ("workshop", "near_workshop", "far_workshop"):
        side.put(
            "held", WorkshopSkill, workshop=side[name], skill=side["skill"], level=3
        )


@maker("artisans.CapacityPeriod")
def _period(side: Side) -> Any:
    side.put(
        "period",
        CapacityPeriod,
        workshop=side["workshop"],
        starts_on=day(30),
        ends_on=day(40),
        pieces_per_week=20,
        reason=f"{side.mark} harvest",
    )


# -- buyers, catalogue, orders


@maker("orders.Buyer")
def _buyer(side: Side) -> Any:
    side.put("buyer", Buyer, code=f"{side.mark}-B", name=f"{side.mark} store")
    side.put("other_buyer", Buyer, code=f"{side.mark}-O", name=f"{side.mark} other")


@maker("orders.ApiKey")
def _key(side: Side) -> Any:
    side.put(
        "api_key",
        ApiKey,
        buyer=side["buyer"],
        name=f"{side.mark} warehouse",
        lookup=f"{side.digit}" * 8,
        digest="0" * 64,
    )


@maker("orders.IdempotencyRecord")
def _stored(side: Side) -> Any:
    side.put(
        "idempotency",
        IdempotencyRecord,
        api_key=side["api_key"],
        key=f"{side.mark}-key",
        fingerprint="0" * 64,
        status=201,
        body={"said": side.mark},
        created_at=ago(hours=30),
    )


@maker("orders.WebhookEndpoint")
def _endpoint(side: Side) -> Any:
    side.put(
        "endpoint",
        WebhookEndpoint,
        buyer=side["buyer"],
        url=f"https://{side.mark.lower()}.example.com/{side.mark}",
        secret=seal_text(f"{side.mark}-secret"),
    )


@maker("orders.WebhookDelivery")
def _webhook(side: Side) -> Any:
    for name, state in (("webhook", "queued"), ("failed_webhook", "failed")):
        side.put(
            name,
            WebhookDelivery,
            endpoint=side["endpoint"],
            event_name="order.ready",
            payload={"said": side.mark},
            state=state,
            due_at=ago(minutes=5),
        )


@maker("orders.WebhookAttempt")
def _attempt(side: Side) -> Any:
    side.put(
        "attempt",
        WebhookAttempt,
        delivery=side["failed_webhook"],
        number=1,
        duration_ms=20,
        status=500,
        answer=f"{side.mark} is away",
    )


@maker("orders.Component")
def _component(side: Side) -> Any:
    side.put(
        "component",
        Component,
        code=f"{side.mark}-C",
        name=f"{side.mark} pendant",
        kind="made",
        skill=side["skill"],
        piece_rate_minor=50_000,
    )
    side.put(
        "chain", Component, code=f"{side.mark}-K", name=f"{side.mark} chain", kind="bought"
    )  # fmt: skip
    side.put(
        "set", Component, code=f"{side.mark}-S", name=f"{side.mark} set", kind="assembled"
    )  # fmt: skip


@maker("orders.Product")
def _product(side: Side) -> Any:
    side.put(
        "product",
        Product,
        sku=f"{side.mark}-N",
        name=f"{side.mark} necklace",
        collection=f"{side.mark} spring",
        price_minor=3_000,
    )


@maker("orders.BomLine")
def _bom(side: Side) -> Any:
    for name, part in (("bom", "component"), ("bom2", "chain")):
        side.put(
            name, BomLine, product=side["product"], component=side[part], quantity=1
        )
    side.put("bom3", BomLine, parent=side["set"], component=side["chain"], quantity=2)


@maker("orders.StockMove")
def _stock(side: Side) -> Any:
    side.put(
        "stock",
        StockMove,
        component=side["chain"],
        quantity=500,
        reason=f"{side.mark} bought",
    )


@maker("orders.Order")
def _order(side: Side) -> Any:
    for number, (name, state) in enumerate(
        (
            ("order", "in_production"),
            ("new_order", "placed"),
            ("packed_order", "ready"),
            ("shipped_order", "shipped"),
        ),
        start=1,
    ):
        side.put(
            name,
            Order,
            number=side.number(number),
            buyer=side["buyer"],
            po_number=f"{side.mark}-PO-{number}",
            currency="USD",
            ship_by=day(40),
            ship_to={"name": side.mark},
            note=f"{side.mark} note",
            state=state,
        )


@maker("orders.OrderLine")
def _line(side: Side) -> Any:
    for name, stage in (
        ("order", "waiting"),
        ("new_order", "waiting"),
        ("packed_order", "packed"),
        ("shipped_order", "shipped"),
    ):
        line = side.put(
            name.replace("order", "line"),
            OrderLine,
            order=side[name],
            number=1,
            product=side["product"],
            quantity=300,
            unit_price_minor=3_000,
            stage=stage,
        )
    side.put(
        "ready_line",
        OrderLine,
        order=side["order"],
        number=2,
        product=line.product,
        quantity=10,
        unit_price_minor=3_000,
        stage="parts_in",
    )


@maker("orders.PartNeed")
def _need(side: Side) -> Any:
    side.put(
        "need",
        PartNeed,
        line=side["line"],
        component=side["chain"],
        quantity=300,
        reserved=100,
    )


@maker("orders.Shipment")
def _shipment(side: Side) -> Any:
    side.put(
        "shipment",
        Shipment,
        number=side.number(1),
        order=side["shipped_order"],
        carrier=f"{side.mark} air",
        tracking=f"{side.mark}-T",
    )


@maker("orders.WorkOrder")
def _work_order(side: Side) -> Any:
    for name, placed in (("line", 290), ("new_line", 0)):
        side.put(
            name.replace("line", "work_order"),
            WorkOrder,
            line=side[name],
            component=side["component"],
            quantity=300,
            due_on=day(20),
            placed=placed,
            accepted=placed // 3,
        )


@maker("orders.Job")
def _job(side: Side) -> Any:
    for number, (name, workshop, state) in enumerate(
        (
            ("job", "workshop", "in_progress"),
            ("offer", "near_workshop", "offered"),
            ("far_job", "far_workshop", "in_progress"),
            ("done_job", "workshop", "done"),
        ),
        start=1,
    ):
        full = state == "done"
        side.put(
            name,
            Job,
            number=side.number(number),
            work_order=side["work_order"],
            workshop=side[workshop],
            quantity=90,
            offered_quantity=90,
            piece_rate_minor=50_000,
            currency="KES",
            due_on=day(-2),
            state=state,
            offered_at=ago(days=5),
            expires_at=ago(hours=1),
            answered_at=None if state == "offered" else ago(days=4),
            delivered=90 if full else 0 if state == "offered" else 40,
            good=70 if full else 0,
            scrapped=10 if full else 0,
        )


@maker("orders.Delivery")
def _delivery(side: Side) -> Any:
    for number, (name, state) in enumerate(
        (("delivery", "booked"), ("far_delivery", "booked"), ("came", "received")),
        start=1,
    ):
        far = name.startswith("far")
        side.put(
            name,
            Delivery,
            number=side.number(number),
            workshop=side["far_workshop" if far else "workshop"],
            booked_for=day(0),
            state=state,
        )


@maker("orders.DeliveryLine")
def _delivery_line(side: Side) -> Any:
    for name, job, counted in (
        ("delivery", "job", None),
        ("far_delivery", "far_job", None),
        ("came", "done_job", 90),
    ):
        side.put(
            f"{name}_line",
            DeliveryLine,
            delivery=side[name],
            job=side[job],
            declared=20,
            counted=counted,
        )
    side.put(
        "far_came_line",
        DeliveryLine,
        delivery=side["came"],
        job=side["far_job"],
        declared=40,
        counted=40,
    )


# -- grading


@maker("qc.Defect")
def _defect(side: Side) -> Any:
    side.put(
        "defect",
        Defect,
        code=f"{side.mark}-d",
        name=f"{side.mark} crack",
        name_sw=f"{side.mark} ufa",
    )


@maker("qc.Batch")
def _batch(side: Side) -> Any:
    for number, (name, job, line, state) in enumerate(
        (
            ("graded", "done_job", "came_line", "graded"),
            ("batch", "job", None, "open"),
            ("far_batch", "far_job", "far_came_line", "open"),
            ("unpaid", "done_job", None, "graded"),
        ),
        start=1,
    ):
        side.put(
            name,
            Batch,
            number=side.number(number),
            job=side[job],
            delivery_line=side[line] if line else None,
            counted=90 if state == "graded" else 40,
            state=state,
        )


@maker("qc.Inspection")
def _inspection(side: Side) -> Any:
    for name, batch in (("inspection", "graded"), ("unpaid_inspection", "unpaid")):
        side.put(
            name,
            Inspection,
            batch=side[batch],
            grader=side.people["qc"],
            aa=60,
            a=10,
            b=0,
            rework=10,
            scrap=10,
            note=f"{side.mark} seen",
        )


@maker("qc.ReworkTicket")
def _ticket(side: Side) -> Any:
    side.put(
        "ticket",
        ReworkTicket,
        job=side["done_job"],
        inspection=side["inspection"],
        quantity=6,
        due_on=day(-1),
    )
    back = side.put(
        "returned",
        ReworkTicket,
        job=side["done_job"],
        inspection=side["inspection"],
        quantity=4,
        due_on=day(3),
        state="returned",
    )
    side.put(
        "mended",
        Batch,
        number=side.number(9),
        job=side["done_job"],
        kind="rework",
        ticket=back,
        counted=4,
    )


@maker("qc.Item")
def _item(side: Side) -> Any:
    side.put(
        "item",
        Item,
        serial=f"{side.mark}-C-1-001",
        job=side["done_job"],
        batch=side["mended"],
        grade="rework",
    )


@maker("qc.ItemGrade")
def _item_grade(side: Side) -> Any:
    side.put(
        "item_grade",
        ItemGrade,
        item=side["item"],
        inspection=side["inspection"],
        grade="rework",
        defect=side["defect"],
    )


# -- matching


@maker("matching.JobRecord")
def _record(side: Side) -> Any:
    side.put(
        "record",
        JobRecord,
        job=f"{side.mark}:1",
        workshop=side["workshop"],
        component=side["component"],
        quantity=100,
        offered_at=ago(days=30),
        answer="accepted",
        due_at=ago(days=10),
    )


@maker("matching.Plan")
def _plan(side: Side) -> Any:
    for number, (name, state) in enumerate(
        (("plan", "ready"), ("waiting_plan", "queued")), start=1
    ):
        side.put(
            name,
            Plan,
            number=side.number(number),
            state=state,
            min_lot=30,
            max_lot=100,
            fairness="0.5",
            step=f"{side.mark} step",
            solver=f"{side.mark} solved",
            made_by=side.people["planner"],
            due_at=ago(minutes=5),
        )


@maker("matching.PlanWorkOrder")
def _plan_row(side: Side) -> Any:
    side.put(
        "plan_row",
        PlanWorkOrder,
        plan=side["plan"],
        work_order=side["new_work_order"],
        quantity=300,
        short=10,
        why_short=f"{side.mark} too few",
    )


@maker("matching.Proposal")
def _proposal(side: Side) -> Any:
    for name in ("workshop", "far_workshop"):
        side.put(
            name.replace("workshop", "proposal"),
            Proposal,
            plan=side["plan"],
            work_order=side["new_work_order"],
            workshop=side[name],
            quantity=100,
            score=0.5,
            reasons=[f"{side.mark} is good"],
            free=100,
        )


@maker("matching.PassedOver")
def _passed_over(side: Side) -> Any:
    side.put(
        "passed_over",
        PassedOver,
        plan=side["plan"],
        work_order=side["new_work_order"],
        workshop=side["near_workshop"],
        obstacle="full",
        detail=f"{side.mark} full",
    )


# -- money


@maker("payments.Account")
def _account(side: Side) -> Any:
    side.put("cost", Account, kind="piece_work", currency="KES")
    for name in ("workshop", "far_workshop"):
        side.put(
            name.replace("workshop", "account"),
            Account,
            kind="workshop",
            workshop=side[name],
            currency="KES",
        )


@maker("payments.Entry")
def _entry(side: Side) -> Any:
    for number, name in enumerate(("entry", "other_entry"), start=1):
        side.put(name, Entry, cause=f"{side.mark}:{number}", memo=f"{side.mark} memo")


@maker("payments.Payable")
def _payable(side: Side) -> Any:
    side.put(
        "payable",
        Payable,
        workshop=side["workshop"],
        inspection=side["inspection"],
        items=70,
        piece_rate_minor=50_000,
        amount_minor=3_500_000,
        currency="KES",
        open_minor=3_500_000 - 900_000,  # see the payout line below
        entry=side["entry"],
    )


@maker("payments.PayoutRun")
def _run(side: Side) -> Any:
    for number, (name, state) in enumerate(
        (("run", "draft"), ("approved_run", "approved")), start=1
    ):
        approved = state == "approved"
        side.put(
            name,
            PayoutRun,
            number=side.number(number),
            state=state,
            currency="KES",
            up_to=day(0),
            gross_minor=1_000_000,
            total_minor=900_000,
            made_by=side.people["finance_maker"],
            approved_by=side.people["finance_checker"] if approved else None,
            approved_at=ago(hours=1) if approved else None,
        )


@maker("payments.Payout")
def _payout(side: Side) -> Any:
    for name, run, state in (
        ("draft_payout", "run", "draft"),
        ("payout", "approved_run", "queued"),
        ("silent_payout", "approved_run", "accepted"),
        ("unknown_payout", "approved_run", "unknown"),
        ("review_payout", "approved_run", "review"),
        ("far_payout", "approved_run", "unknown"),
    ):
        workshop = side["far_workshop" if name.startswith("far") else "workshop"]
        side.put(
            name,
            Payout,
            run=side[run],
            workshop=workshop,
            phone=workshop.phone,
            amount_minor=100_000,
            currency="KES",
            state=state,
            conversation_id=f"{side.mark}-{name}"[:80],
            last_error=f"{side.mark} silence",
            due_at=ago(minutes=5),
            sent_at=ago(days=2) if state not in ("draft", "queued") else None,
            unknown_at=ago(days=1) if state in ("unknown", "review") else None,
        )


@maker("payments.Posting")
def _posting(side: Side) -> Any:
    sent = [
        side.put(
            f"{name}_entry",
            Entry,
            cause=f"payout:{side.pk(name)}:approved",
            memo=side.mark,
        )
        for name in ("silent_payout", "unknown_payout", "review_payout", "far_payout")
    ]
    for entry in (side["entry"], side["other_entry"], *sent):
        for name, amount in (("cost", 3_500_000), ("account", -3_500_000)):
            side.put(
                f"{name}_posting",
                Posting,
                entry=entry,
                account=side[name],
                amount_minor=amount,
                currency="KES",
            )


@maker("payments.StatusQuery")
def _query(side: Side) -> Any:
    side.put(
        "query",
        StatusQuery,
        payout=side["review_payout"],
        state="queued",
        conversation_id=f"{side.mark}-question",
        due_at=ago(minutes=5),
        asked_by=side.people["finance_maker"],
    )


@maker("payments.PayoutLine")
def _payout_line(side: Side) -> Any:
    side.put(
        "payout_line",
        PayoutLine,
        payout=side["draft_payout"],
        payable=side["payable"],
        amount_minor=900_000,
    )


@maker("payments.Hold")
def _hold(side: Side) -> Any:
    side.put(
        "hold",
        Hold,
        run=side["run"],
        workshop=side["near_workshop"],
        reason="minimum",
        amount_minor=100_000,
    )


@maker("payments.WalletCredential")
def _credential(side: Side) -> Any:
    side.secrets["pay"] = f"{side.tenant.pk}-{uuid.uuid4().hex}{'a' * 8}"
    side.put(
        "credential",
        WalletCredential,
        shortcode=f"{side.digit}" * 6,
        consumer_key=seal_text(side.mark),
        consumer_secret=seal_text(side.mark),
        initiator_name=side.mark,
        initiator_password=seal_text(side.mark),
        route_secret=side.secrets["pay"],
        is_stopped=True,
        stopped_reason=f"{side.mark} refused",
    )


@maker("payments.WalletCallback")
def _callback(side: Side) -> Any:
    side.put(
        "callback",
        WalletCallback,
        kind="result",
        body=f'{{"said": "{side.mark}"}}',
        fingerprint=f"{side.digit}" * 64,
        payout=side["unknown_payout"],
        effect=f"{side.mark} conflict",
        is_conflict=True,
    )


# -- phones


@maker("phone.Channel")
def _channel(side: Side) -> Any:
    side.secrets["phone"] = f"{side.tenant.pk}-{uuid.uuid4().hex}{'b' * 8}"
    side.put(
        "channel",
        Channel,
        username=side.mark,
        api_key=seal_text(side.mark),
        sender=side.mark,
        ussd_code=f"*{side.digit * 111}#",
        route_secret=side.secrets["phone"],
        stopped_until=ago(minutes=-30),
        stopped_reason=f"{side.mark} refused",
    )


@maker("phone.Message")
def _message(side: Side) -> Any:
    for name, way, workshop, state in (
        ("message", "out", "workshop", "queued"),
        ("far_message", "out", "far_workshop", "delivered"),
        ("failed_message", "out", "workshop", "failed"),
        ("wired_message", "out", "workshop", "wired"),
        ("lost_message", "out", "workshop", "sending"),
        ("read_message", "in", "workshop", "received"),
        ("stranger", "in", None, "unmatched"),
    ):
        far = name.startswith("far")
        side.put(
            name,
            Message,
            direction=way,
            workshop=side[workshop] if workshop else None,
            phone=side[workshop].phone if workshop else side.phone(909),
            text=f"{side.far if far else side.mark} says {name}",
            state=state,
            provider_id=f"{side.mark}-{name}",
            due_at=ago(minutes=5),
            leased_until=ago(minutes=1) if state == "sending" else None,
        )


@maker("phone.UssdSession")
def _session(side: Side) -> Any:
    side.put(
        "session",
        UssdSession,
        session_id=f"{side.mark}-session",
        phone=side["workshop"].phone,
        workshop=side["workshop"],
        screen="home",
        reply=f"CON {side.mark}",
        turns=1,
    )


@maker("phone.DeliveryReport")
def _report(side: Side) -> Any:
    side.put(
        "report",
        DeliveryReport,
        provider_id=f"{side.mark}-wired_message",
        status="Success",
        phone=side["workshop"].phone,
    )


# -- imports


@maker("imports.ImportFile")
def _file(side: Side) -> Any:
    head = "buyer,po_number,ship_by,sku,quantity\n"
    line = f"{side.mark}-B,{side.mark}-NEW,{day(60)},{side.mark}-N,120\n"
    side.put(
        "file",
        ImportFile,
        kind="orders",
        name=f"{side.mark}.csv",
        content=(head + line).encode(),
        uploaded_by=side.people["planner"],
    )
    people = (
        "workshop,artisan,name,engagement,gender,joined_on\n"
        f"{side.mark}-W,{side.mark}-Q,{side.mark} Otieno,full_time,male,2024-03-01\n"
    )
    side.put(
        "network_file",
        ImportFile,
        kind="workshops",
        name=f"{side.mark}-people.csv",
        content=people.encode(),
        uploaded_by=side.people["planner"],
    )
