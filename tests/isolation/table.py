"""How every address is tried. One entry each; an address without one fails the tests.

The roles are written out here on purpose and not read from ``vrp.accounts.enums``: the
tests compare what is meant (here) with what the house does. ``test_the_sets_are_the_
permissions`` compares the sets below with the grants.

Values are templates: ``{job}`` is the id of the row ``job`` of the world, ``{order.
public_id}`` one of its columns, ``{mark}`` the mark in small letters (lists search without
regard to case, and a page that merely repeats the search must not look like a leak).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vrp.accounts.enums import Role

ALL = frozenset(Role)
WRITERS = ALL - {Role.AUDITOR}
PLANS = frozenset({Role.PLANNER})
PLACES = frozenset({Role.ADMIN, Role.PLANNER})
NETWORK = frozenset({Role.ADMIN, Role.PLANNER})
CATALOGUE = frozenset({Role.ADMIN, Role.PLANNER})
SENDS = frozenset({Role.ADMIN, Role.PLANNER})
MEMBERS = frozenset({Role.ADMIN})
KEYS = frozenset({Role.ADMIN})
RECEIVES = frozenset({Role.QC, Role.FIELD})
GRADES = frozenset({Role.QC})
ASSEMBLES = frozenset({Role.QC})
MAKES = frozenset({Role.FINANCE_MAKER})
APPROVES = frozenset({Role.FINANCE_CHECKER})
READS_OFFICE = frozenset({Role.ADMIN, Role.PLANNER, Role.AUDITOR})
AUDITOR = frozenset({Role.AUDITOR})


@dataclass(frozen=True)
class Page:
    """A console address.

    ``get`` and ``post``: the roles for whom the method works; None where it does not
    exist. ``ids``: rows named by the address's parameters; ``far``: the same for things
    outside a field worker's regions, empty where regions do not matter. ``form``: what an
    honest person posts. ``foreign``: fields of the form that name rows, each with the
    row's name: tried with another tenant's id. ``search``: queries that look for another
    tenant's things. ``shows``: whether the page shows texts of its tenant at all.
    """

    get: frozenset[Role] | None = ALL
    post: frozenset[Role] | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    far: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    search: tuple[str, ...] = ()
    shows: bool = True


@dataclass(frozen=True)
class Elsewhere:
    """An address that is tried by a test of its own; ``by`` names it."""

    by: str
    why: str


@dataclass(frozen=True)
class Office:
    """A model in the back office, by the name of its row in the world.

    ``edit``: who may change rows; None: superusers only, who see all tenants (``why``).
    ``foreign``: fields of its form that name rows. ``delete``: whether anybody may.
    """

    row: str
    edit: frozenset[Role] | None
    foreign: Mapping[str, str] = field(default_factory=dict)
    change: bool = True
    add: bool = True
    delete: bool = False
    shows: bool = True
    why: str = ""


def one(row: str, *, far: str = "", **more: object) -> Page:
    """The page of one thing."""
    beyond = {"pk": far} if far else {}
    return Page(ids={"pk": row}, far=beyond, **more)  # type: ignore[arg-type]


def act(row: str, who: frozenset[Role], *, far: str = "", **more: object) -> Page:
    """An address that is only posted to, about one thing."""
    beyond = {"pk": far} if far else {}
    return Page(get=None, post=who, ids={"pk": row}, far=beyond, shows=False, **more)  # type: ignore[arg-type]


RULES = {"fairness": "0.5", "min_lot": "30", "max_lot": "100"}
PAYOUT = {"run_pk": "approved_run", "pk": "unknown_payout"}
FAR_PAYOUT = {"run_pk": "approved_run", "pk": "far_payout"}
REVIEW = {"run_pk": "approved_run", "pk": "review_payout"}

CONSOLE: dict[str, Page] = {
    "ops/": Page(),
    # the network
    "ops/workshops/": Page(
        search=("q={mark}", "area={area}", "skill={skill}", "active=yes")
    ),
    "ops/workshops/<int:pk>/": one("workshop", far="far_workshop"),
    "ops/workshops/<int:pk>/capacity/": act(
        "workshop", NETWORK, far="far_workshop", form={"pieces": "33"}
    ),
    "ops/workshops/<int:pk>/period/": act(
        "workshop",
        NETWORK,
        far="far_workshop",
        form={
            "starts_on": "{day60}",
            "ends_on": "{day60}",
            "pieces": "5",
            "reason": "harvest",
        },
    ),
    "ops/workshops/<int:pk>/language/": act(
        "workshop", NETWORK, far="far_workshop", form={"language": "sw"}
    ),
    "ops/workshops/<int:pk>/phone/": act(
        "workshop", NETWORK, far="far_workshop", form={"phone": "0712345678"}
    ),
    # imports
    "ops/workshops/import/": Page(
        get=NETWORK | AUDITOR, post=NETWORK, form={"file": "@network_file"}
    ),
    "ops/orders/import/": Page(
        get=PLACES | AUDITOR, post=PLACES, form={"file": "@file"}
    ),
    "ops/workshops/import/template.csv": Page(shows=False),
    "ops/orders/import/template.csv": Page(shows=False),
    "ops/imports/<int:pk>/": one("file", get=PLACES | AUDITOR),
    "ops/imports/<int:pk>/load/": act("file", PLACES),
    # deliveries and assembly
    "ops/deliveries/": Page(search=("q={mark}", "state=all&q={delivery.number}")),
    "ops/deliveries/walk-in/": Page(
        get=RECEIVES,
        post=RECEIVES,
        form={"workshop": "{workshop}", "job-{job}": "5"},
        foreign={"workshop": "workshop", "job-{job}": "job"},
        search=("workshop=",),
    ),
    "ops/deliveries/<int:pk>/": one(
        "delivery",
        far="far_delivery",
        post=RECEIVES,
        form={"count-{delivery_line}": "19"},
        foreign={"count-{delivery_line}": "delivery_line"},
    ),
    "ops/deliveries/<int:pk>/cancel/": act(
        "delivery", RECEIVES, far="far_delivery", form={"reason": "rain"}
    ),
    "ops/assembly/": Page(search=("stage=waiting", "stage=shipped")),
    "ops/lines/<int:pk>/advance/": act(
        "ready_line", ASSEMBLES, form={"stage": "assembled"}
    ),
    "ops/orders/<int:pk>/ship/": act(
        "packed_order",
        ASSEMBLES,
        form={"carrier": "Air", "tracking": "1", "cartons": "2"},
    ),
    # orders and jobs
    "ops/orders/": Page(search=("q={mark}&state=all", "state=all")),
    "ops/orders/new/": Page(
        get=PLACES,
        post=PLACES,
        form={
            "buyer": "{buyer}",
            "po_number": "PO-NEW",
            "ship_by": "{day60}",
            "channel": "wholesale",
            "sku-0": "{product.sku}",
            "quantity-0": "120",
        },
        foreign={"buyer": "buyer", "sku-0": "product.sku"},
    ),
    "ops/orders/<int:pk>/": one("order"),
    "ops/orders/<int:pk>/cancel/": act("new_order", PLACES, form={"reason": "late"}),
    "ops/orders/<int:pk>/stock/": act(
        "order",
        CATALOGUE,
        form={"component": "{chain}", "quantity": "7", "on_hand": "500"},
        foreign={"component": "chain"},
    ),
    "ops/jobs/": Page(
        search=(
            "q={mark}&state=all",
            "state=all&q={job.number}",
            "state=all&order={order}",
            "late=1&state=all",
        )
    ),
    "ops/jobs/<int:pk>/": one("job", far="far_job"),
    "ops/jobs/<int:pk>/withdraw/": act(
        "offer", PLANS, far="far_job", form={"reason": "late"}
    ),
    "ops/jobs/<int:pk>/close-short/": act(
        "job", PLANS, far="far_job", form={"reason": "late"}
    ),
    # grading
    "ops/batches/": Page(
        search=("q={mark}&state=all", "state=all&q={batch.number}", "state=graded")
    ),
    "ops/batches/<int:pk>/": one(
        "batch",
        far="far_batch",
        post=GRADES,
        form={
            "aa": "30",
            "a": "9",
            "scrap_count": "1",
            "scrap_defect": "{defect.code}",
        },
        foreign={"scrap_defect": "defect.code"},
    ),
    "ops/batches/<int:pk>/labels/": one("graded", far="far_batch", search=("all=1",)),
    "ops/rework/": Page(search=("q={mark}", "state=returned")),
    "ops/rework/<int:pk>/return/": act("ticket", GRADES, form={"counted": "6"}),
    "ops/rework/<int:pk>/write-off/": act("ticket", GRADES, form={"reason": "lost"}),
    # matching
    "ops/plans/": Page(search=("q={mark}", "q={plan.number}", "state=review")),
    "ops/plans/<int:pk>/": one("plan"),
    "ops/plans/<int:pk>/progress/": one("waiting_plan"),
    "ops/plans/<int:pk>/edit/": act(
        "plan",
        PLANS,
        form={
            "work_order": "{new_work_order}",
            "quantity_{workshop}": "90",
            "override_reason": "",
        },
        foreign={"work_order": "new_work_order", "quantity_{workshop}": "workshop"},
    ),
    "ops/plans/<int:pk>/release/": act("plan", PLANS),
    "ops/plans/<int:pk>/discard/": act("plan", PLANS),
    "ops/plans/<int:pk>/why/<int:proposal>/": Page(
        ids={"pk": "plan", "proposal": "proposal"},
        far={"pk": "plan", "proposal": "far_proposal"},
    ),
    "ops/plans/<int:pk>/passed-over/<int:work_order>/": Page(
        ids={"pk": "plan", "work_order": "new_work_order"}, search=("obstacle=full",)
    ),
    "ops/orders/<int:pk>/plan/": one(
        "new_order",
        get=PLANS,
        post=PLANS,
        form={**RULES, "work_order": "{new_work_order}"},
        foreign={"work_order": "new_work_order"},
    ),
    "ops/orders/<int:pk>/reoffer/": act("new_order", PLANS),
    # money
    "ops/payouts/": Page(
        search=(
            "view=owed&q={mark}",
            "view=runs&q={run.number}",
            "view=runs",
            "view=payments&q={mark}",
            "view=payments&state=unclear",
        )
    ),
    "ops/payouts/new/": Page(
        get=MAKES,
        post=MAKES,
        form={"workshop": "{workshop}"},
        foreign={"workshop": "workshop"},
    ),
    "ops/payouts/conflicts/": Page(),
    "ops/payouts/conflicts/<int:pk>/clear/": act(
        "callback", MAKES, form={"note": "looked at it"}
    ),
    "ops/payouts/channel/start/": Page(get=None, post=MAKES, shows=False),
    "ops/payouts/<int:pk>/": one("run", search=("state=unclear",)),
    "ops/payouts/<int:pk>/progress/": one("approved_run"),
    "ops/payouts/<int:pk>/approve/": act("run", APPROVES, form={"total": "9,000.00"}),
    "ops/payouts/<int:pk>/cancel/": act("run", MAKES, form={"reason": "wrong"}),
    "ops/payouts/<int:run_pk>/payouts/<int:pk>/": Page(ids=PAYOUT, far=FAR_PAYOUT),
    "ops/payouts/<int:run_pk>/payouts/<int:pk>/query/": Page(
        get=None, post=MAKES, ids=PAYOUT, shows=False
    ),
    "ops/payouts/<int:run_pk>/payouts/<int:pk>/not-paid/": Page(
        get=None, post=APPROVES, ids=REVIEW, form={"note": "seen"}, shows=False
    ),
    "ops/ledger/": Page(search=("q={mark}&show=all",)),
    "ops/ledger/<int:pk>/": one("account", far="far_account"),
    # messages
    "ops/messages/": Page(
        search=("q={mark}", "direction=in", "state=unmatched", "state=failed")
    ),
    "ops/messages/<int:pk>/again/": act("failed_message", SENDS, far="far_message"),
    "ops/messages/<int:pk>/close/": act("stranger", SENDS, far="far_message"),
    # buyers' systems
    "ops/api-keys/": Page(search=("all=1",)),
    "ops/api-keys/new/": Page(
        get=KEYS,
        post=KEYS,
        form={"buyer": "{buyer}", "name": "ERP", "scopes": "orders:read"},
        foreign={"buyer": "buyer"},
    ),
    "ops/api-keys/<int:pk>/": one("api_key"),
    "ops/api-keys/<int:pk>/rotate/": act("api_key", KEYS, form={"days": "7"}),
    "ops/api-keys/<int:pk>/revoke/": act("api_key", KEYS, form={"reason": "lost"}),
    "ops/webhooks/": Page(),
    "ops/webhooks/<int:pk>/": one("endpoint"),
    # people
    "ops/people/": Page(get=MEMBERS),
    "ops/people/new/": Page(
        get=MEMBERS,
        post=MEMBERS,
        form={"username": "newcomer", "first_name": "New", "role": "qc"},
        shows=False,
    ),
    "ops/people/rule/": Page(get=None, post=MEMBERS, form={"rule": "all"}, shows=False),
    "ops/people/<int:pk>/": one("person", get=MEMBERS),
    "ops/people/<int:pk>/give-role/": act("person", MEMBERS, form={"role": "qc"}),
    "ops/people/<int:pk>/take-role/": act("person", MEMBERS, form={"role": "planner"}),
    "ops/people/<int:pk>/reset-password/": act("person", MEMBERS),
    "ops/people/<int:pk>/reset-second-factor/": act("person", MEMBERS),
    "ops/people/<int:pk>/switch-off/": act("person", MEMBERS),
    "ops/people/<int:pk>/switch-on/": act("off", MEMBERS),
}

OPEN = "test_open.py"
ELSEWHERE: dict[str, Elsewhere] = {
    "": Elsewhere(OPEN, "sends on to /ops/"),
    "healthz": Elsewhere(OPEN, "says only that the process answers"),
    "readyz": Elsewhere(OPEN, "says which part of the house works"),
    "metrics": Elsewhere(OPEN, "names tenants, so not for everybody"),
    "handset/": Elsewhere(OPEN, "sends on to the stand-in, embedded only"),
    "api/docs/": Elsewhere(OPEN, "the same for everybody"),
    "api/v1/openapi.json": Elsewhere(OPEN, "the same for everybody"),
    "ops/sign-in/": Elsewhere(OPEN, "for those who are not signed in"),
    "ops/sign-in/code/": Elsewhere(OPEN, "for those who are about to sign in"),
    "ops/set-password/<uidb64>/<token>/": Elsewhere(OPEN, "for who was given the link"),
    "ops/account/": Elsewhere(OPEN, "the own account only"),
    "ops/account/password/": Elsewhere(OPEN, "the own account only"),
    "ops/account/confirm/": Elsewhere(OPEN, "the own session only"),
    "ops/account/sign-out-everywhere/": Elsewhere(OPEN, "the own sessions only"),
    "ops/account/second-factor/": Elsewhere(OPEN, "the own account only"),
    "ops/account/second-factor/remove/": Elsewhere(OPEN, "the own account only"),
    "ops/account/second-factor/replace/": Elsewhere(OPEN, "the own account only"),
    "ops/account/second-factor/recovery/": Elsewhere(OPEN, "the own account only"),
    "ops/sign-out/": Elsewhere(OPEN, "changes the own session only"),
    "ops/tenant/": Elsewhere(OPEN, "changes the own session only"),
    "ops/styleguide/": Elsewhere(OPEN, "invented samples, embedded only"),
    "ops/office/login/": Elsewhere(OPEN, "sends on to the one sign-in page"),
    "ops/office/logout/": Elsewhere(OPEN, "changes the own session only"),
    "ops/office/password_change/": Elsewhere(OPEN, "the own password only"),
    "ops/office/password_change/done/": Elsewhere(OPEN, "a sentence"),
    "ops/office/jsi18n/": Elsewhere(OPEN, "words of the admin's scripts"),
    "ops/office/": Elsewhere("test_office.py", "the list of models"),
    "ops/office/^(?P<app_label>*)/$": Elsewhere("test_office.py", "the same"),
    "ops/office/accounts/user/<id>/password/": Elsewhere(
        "test_office.py", "superusers only"
    ),
    "ops/office/autocomplete/": Elsewhere("test_office.py", "suggestions"),
    "ops/office/r/<path:content_type_id>/<path:object_id>/": Elsewhere(
        "test_office.py", "sends on to a thing's page"
    ),
    "ops/office/(?P<url>.*)$": Elsewhere(OPEN, "404"),
    "phone/<str:secret>/ussd": Elsewhere("test_callbacks.py", "the carrier"),
    "phone/<str:secret>/sms/inbound": Elsewhere("test_callbacks.py", "the carrier"),
    "phone/<str:secret>/sms/delivery": Elsewhere("test_callbacks.py", "the carrier"),
    "pay/<str:secret>/result": Elsewhere("test_callbacks.py", "the wallet"),
    "pay/<str:secret>/timeout": Elsewhere("test_callbacks.py", "the wallet"),
}

ROOT = "superusers run the installation, for all its tenants"
OFFICE: dict[str, Office] = {
    "artisans.Area": Office("area", NETWORK),
    "artisans.Skill": Office("skill", NETWORK),
    "artisans.Workshop": Office("workshop", NETWORK, {"area": "area"}),
    "artisans.Artisan": Office("artisan", NETWORK, {"workshop": "near_workshop"}),
    "artisans.WorkshopSkill": Office(
        "held", NETWORK, {"workshop": "workshop", "skill": "skill"}
    ),
    "artisans.CapacityPeriod": Office("period", NETWORK, {"workshop": "workshop"}),
    "orders.Buyer": Office("buyer", CATALOGUE),
    "orders.Component": Office("component", CATALOGUE, {"skill": "skill"}),
    "orders.Product": Office("product", CATALOGUE),
    "orders.StockMove": Office(
        "stock", CATALOGUE, {"component": "chain"}, change=False
    ),
    "qc.Defect": Office("defect", CATALOGUE),
    "accounts.Membership": Office("membership", MEMBERS, delete=True),
    "accounts.User": Office("person", None, why=ROOT),
    "tenancy.Tenant": Office("tenant", None, why=ROOT),
    "auth.Group": Office("tenant", None, why=ROOT),
    "ops.Heartbeat": Office("tenant", None, why=ROOT),
    "django_q.Schedule": Office("tenant", None, why=ROOT),
    "django_q.Success": Office("tenant", None, why=ROOT),
    "django_q.Failure": Office("tenant", None, why=ROOT),
    "django_q.OrmQ": Office("tenant", None, why=ROOT),
}

UUID = "{order.public_id}"
HOOK = "{endpoint.public_id}"


@dataclass(frozen=True)
class Api:
    """A route of the buyers' API and one of its methods.

    ``path`` fills the route's parameters; ``lists`` says that it answers a list and so
    200 with no foreign thing instead of 404; ``body`` is what an honest system sends.
    """

    path: str
    lists: bool = False
    body: Mapping[str, object] | None = None
    good: tuple[int, ...] = (200,)
    search: tuple[str, ...] = ()
    shared: str = ""


ORDER_BODY = {
    "po_number": "PO-API",
    "ship_by": "{day60}",
    "lines": [{"sku": "{product.sku}", "quantity": 120}],
}
API: dict[tuple[str, str], Api] = {
    ("api/v1/orders", "get"): Api(
        "/api/v1/orders",
        lists=True,
        search=("po_number={order.po_number}", "page_size=100"),
    ),
    ("api/v1/orders", "post"): Api(
        "/api/v1/orders", lists=True, body=ORDER_BODY, good=(201,)
    ),
    ("api/v1/orders/<uuid:order_id>", "get"): Api(f"/api/v1/orders/{UUID}"),
    ("api/v1/orders/<uuid:order_id>/cancel", "post"): Api(
        "/api/v1/orders/{new_order.public_id}/cancel", body={"reason": "late"}
    ),
    ("api/v1/products", "get"): Api(
        "/api/v1/products",
        lists=True,
        search=("page_size=100", "retired=true"),
        shared="all buyers of a brand see its catalogue",
    ),
    ("api/v1/products/<path:sku>", "get"): Api(
        "/api/v1/products/{product.sku}",
        shared="all buyers of a brand see its catalogue",
    ),
    ("api/v1/webhooks", "get"): Api("/api/v1/webhooks", lists=True),
    ("api/v1/webhooks", "post"): Api(
        "/api/v1/webhooks",
        lists=True,
        body={"url": "https://example.com/hook", "events": ["order.ready"]},
        good=(201, 422),
    ),
    ("api/v1/webhooks/<uuid:webhook_id>", "get"): Api(f"/api/v1/webhooks/{HOOK}"),
    ("api/v1/webhooks/<uuid:webhook_id>", "delete"): Api(
        f"/api/v1/webhooks/{HOOK}", good=(204,)
    ),
    ("api/v1/webhooks/<uuid:webhook_id>/rotate-secret", "post"): Api(
        f"/api/v1/webhooks/{HOOK}/rotate-secret", good=(200,)
    ),
    ("api/v1/webhooks/<uuid:webhook_id>/deliveries", "get"): Api(
        f"/api/v1/webhooks/{HOOK}/deliveries", search=("state=queued",)
    ),
    (
        "api/v1/webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay",
        "post",
    ): Api(
        f"/api/v1/webhooks/{HOOK}/deliveries/{{failed_webhook.public_id}}/replay",
        good=(202,),
    ),
}
