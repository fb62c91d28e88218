"""A tenant's people: who they are, what they may, and help when they cannot get in."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vrp.accounts.console.forms import InviteForm, RoleForm, RuleForm
from vrp.accounts.enums import Permission, Role
from vrp.accounts.models import Membership, User
from vrp.accounts.permissions import require
from vrp.accounts.queries import is_only_of, people_of, sessions_of
from vrp.accounts.services import people as services
from vrp.accounts.services.passwords import one_time_link
from vrp.accounts.services.roles import grant_role, revoke_role
from vrp.console.guard import member, recently_proved
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.errors import DomainError, Invalid, NotAllowed
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.tenancy.enums import SecondFactorRule

# The middleware adds ``tenant`` and ``grant``.
Request = Any
SHOWN_EVENTS = 12


@member
@require(Permission.MANAGE_MEMBERS)
@require_GET
def everybody(request: Request) -> HttpResponse:
    """Everybody with a role here, and the rule for second factors."""
    page = page_of(request, people_of(request.tenant), order=("username", "id"))
    rows = Membership.objects.filter(tenant=request.tenant, user__in=page.rows)
    roles: dict[int, list[str]] = {}
    for row in rows.order_by("role"):
        roles.setdefault(row.user_id, []).append(row.get_role_display())
    for user in page.rows:
        user.roles_here = roles.get(user.pk, [])
    form = RuleForm(initial={"rule": request.tenant.second_factor})
    return render(request, "vrp/people.html", {"page": page, "form": form})


@member
@require(Permission.MANAGE_MEMBERS)
@require_POST
@recently_proved
def rule(request: Request) -> HttpResponse:
    """POST ``rule``: whom the tenant asks for a second factor."""
    form = RuleForm(request.POST)
    if not form.is_valid():
        raise Invalid("Choose one of the three.", field="rule")
    services.set_second_factor_rule(
        tenant=request.tenant,
        rule=SecondFactorRule(form.cleaned_data["rule"]),
        actor=Actor.user(request.user),
    )
    messages.success(request, "The rule holds from everybody's next click on.")
    return redirect("people")


@member
@require(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
@recently_proved
def new(request: Request) -> HttpResponse:
    """Invite somebody: the answer shows the link by which they choose a password."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user = services.invite(
                tenant=request.tenant,
                actor=Actor.user(request.user),
                **{**given, "role": Role(given["role"])},
            )
        except DomainError as error:
            form.add_error(error.field or None, error.message)
        else:
            return _show_link(request, user, "invited")
    return render(request, "vrp/person_new.html", {"form": form})


def _show_link(request: Request, user: User, why: str) -> HttpResponse:
    """The link, in this one answer and nowhere else."""
    link = f"{settings.PUBLIC_URL}{one_time_link(user)}"
    context = {"person": user, "link": link, "why": why}
    return render(request, "vrp/person_link.html", context)


def _somebody(request: Request, pk: int) -> User:
    found: User = get_object_or_404(people_of(request.tenant), pk=pk)
    return found


@member
@require(Permission.MANAGE_MEMBERS)
@require_GET
def person(request: Request, pk: int) -> HttpResponse:
    """One person: roles here, and what an admin may do for them."""
    user = _somebody(request, pk)
    events = Event.objects.filter(subject_type="user", subject_id=user.pk)
    context = {
        "person": user,
        "roles_here": Membership.objects.filter(
            tenant=request.tenant, user=user
        ).order_by("role"),
        "is_me": user.pk == request.user.pk,
        "is_ours": is_only_of(user, request.tenant),
        "signed_in_at": sessions_of(user).count(),
        "form": RoleForm(),
        "events": event_rows(events.order_by("-id")[:SHOWN_EVENTS]),
    }
    return render(request, "vrp/person.html", context)


def _give_role(request: Request, user: User) -> None:
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Invalid("Choose a role.", field="role")
    given = form.cleaned_data
    grant_role(
        tenant=request.tenant,
        user=user,
        role=Role(given["role"]),
        regions=given["regions"],
        actor=Actor.user(request.user),
    )
    messages.success(request, f"{user} has the role from the next click on.")


def _take_role(request: Request, user: User) -> None:
    role = request.POST.get("role", "")
    if role not in Role.values:
        raise Invalid("Choose a role.", field="role")
    if user.pk == request.user.pk and role == Role.ADMIN:
        # Else a brand could end up with nobody to give roles.
        raise NotAllowed("Another admin has to take this role from you.")
    revoke_role(
        tenant=request.tenant,
        user=user,
        role=Role(role),
        actor=Actor.user(request.user),
    )
    messages.success(request, "The role is gone from the next click on.")


def _reset_password(request: Request, user: User) -> HttpResponse:
    row = services.reset_password(tenant=request.tenant, user=user, by=request.user)
    return _show_link(request, row, "reset")


def _reset_factor(request: Request, user: User) -> None:
    services.reset_second_factor(tenant=request.tenant, user=user, by=request.user)
    messages.success(
        request, f"The second factor of {user} is gone; they are signed out."
    )


def _switch_off(request: Request, user: User) -> None:
    services.switch(tenant=request.tenant, user=user, on=False, by=request.user)
    messages.success(request, f"{user} cannot sign in any more.")


def _switch_on(request: Request, user: User) -> None:
    services.switch(tenant=request.tenant, user=user, on=True, by=request.user)
    messages.success(request, f"{user} may sign in again.")


CHANGES: dict[str, Callable[[Request, User], HttpResponse | None]] = {
    "give-role": _give_role,
    "take-role": _take_role,
    "reset-password": _reset_password,
    "reset-second-factor": _reset_factor,
    "switch-off": _switch_off,
    "switch-on": _switch_on,
}


@member
@require(Permission.MANAGE_MEMBERS)
@require_POST
@recently_proved
def change(request: Request, pk: int, what: str) -> HttpResponse:
    """One of ``CHANGES``."""
    user = _somebody(request, pk)
    answer = CHANGES[what](request, user)
    if answer is not None:
        return answer
    still_here = people_of(request.tenant).filter(pk=user.pk).exists()
    return redirect("person", pk=pk) if still_here else redirect("people")
