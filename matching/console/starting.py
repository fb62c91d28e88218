"""Starting a plan from an order."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from matching.console.forms import PlanForm, posted
from matching.models import Plan
from matching.queries import open_work_orders
from matching.services import request_plan
from orders.models import Order, WorkOrder
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.guard import member
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor


@require_http_methods(["GET", "POST"])
@member
@require(Permission.PLAN)
def plan_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan an order's open work, or those parts of it that are ticked.

    POST: ``fairness`` (0..1), ``min_lot``, ``max_lot`` (pieces; each defaults to the
    tenant's), ``due_on`` (ISO date) and ``seed``, both optional, and ``work_order``
    (ids, repeated; none means all). Redirects to the plan. GET shows the form.
    """
    order: Order = get_object_or_404(Order.objects.select_related("buyer"), pk=pk)
    work_orders = list(_open(order))
    tenant = request.tenant  # type: ignore[attr-defined]
    if request.method == "GET":
        ticked = [one.pk for one in work_orders]
        return _start(request, order, work_orders, PlanForm.starting(tenant), ticked)
    wanted = set(request.POST.getlist("work_order"))
    chosen = [one for one in work_orders if not wanted or str(one.pk) in wanted]
    form = PlanForm(posted(request.POST, tenant))
    if form.is_valid():
        try:
            return redirect("plan", pk=_ask(request, chosen, **form.rules()).pk)
        except Invalid as error:
            form.add_error(
                error.field if error.field in form.fields else None, error.message
            )
        except IllegalMove as error:
            messages.info(request, error.message)
            return redirect("plans")
    ticked = [one.pk for one in chosen]
    return _start(request, order, work_orders, form, ticked, status=422)


@require_POST
@member
@require(Permission.PLAN)
def reoffer_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan again what is open on the order, by the tenant's rules. POST: only the token.

    Who declined or did not answer is not asked again for the same work order.
    """
    order = get_object_or_404(Order, pk=pk)
    try:
        plan = _ask(request, list(_open(order)))
    except IllegalMove as error:
        messages.info(request, error.message)
        return redirect("plans")
    return redirect("plan", pk=plan.pk)


def _open(order: Order):  # type: ignore[no-untyped-def]
    rows = open_work_orders().filter(line__order=order).select_related("component")
    return rows.order_by("due_on", "id")


def _ask(request: HttpRequest, work_orders: list[WorkOrder], **rules: object) -> Plan:
    return request_plan(
        tenant=request.tenant,  # type: ignore[attr-defined]
        work_orders=work_orders,
        actor=Actor.user(request.user),
        made_by=request.user,  # type: ignore[arg-type]
        **rules,  # type: ignore[arg-type]
    )


def _start(
    request: HttpRequest,
    order: Order,
    work_orders: list[WorkOrder],
    form: PlanForm,
    ticked: list[int],
    status: int = 200,
) -> HttpResponse:
    context = {
        "order": order,
        "work_orders": work_orders,
        "form": form,
        "ticked": ticked,
    }
    return render(request, "matching/start.html", context, status=status)
