"""Your account: password, second factor, sessions, and the prompt "is it still you"."""

from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vrp.accounts import sessions, throttle
from vrp.accounts.console.doors import wait_if
from vrp.accounts.console.forms import AppCodeForm, PasswordForm, ProofForm
from vrp.accounts.models import SecondFactor
from vrp.accounts.queries import (
    has_second_factor,
    memberships_of,
    must_have_second_factor,
    sessions_of,
)
from vrp.accounts.services import factors
from vrp.accounts.services.passwords import set_password
from vrp.accounts.services.sessions import end_sessions
from vrp.accounts.services.sign_in import check_still_you
from vrp.accounts.throttle import MustWait
from vrp.accounts.visitor import visitor_of
from vrp.console.guard import is_ours, recently_proved, signed_in
from vrp.errors import Invalid
from vrp.events.services import Actor

# A user of the request, as Django types it, may be nobody; ``signed_in`` saw to that.
Request = Any
SHOWN_SESSIONS = 20


@signed_in
@require_GET
def home(request: Request) -> HttpResponse:
    """Password, second factor and where one is signed in."""
    factor = SecondFactor.objects.filter(
        user=request.user, confirmed_at__isnull=False
    ).first()
    context = {
        "factor": factor,
        "codes_left": request.user.recovery_codes.filter(used_at=None).count(),
        "required": must_have_second_factor(memberships_of(request.user)),
        "sessions": sessions_of(request.user)[:SHOWN_SESSIONS],
        "this": request.session.session_key,
    }
    return render(request, "vrp/account.html", context)


@signed_in
@require_POST
def sign_out_everywhere(request: Request) -> HttpResponse:
    """End all sessions, this one too."""
    user = request.user
    end_sessions(user=user, actor=Actor.user(user), why="asked")
    logout(request)
    messages.success(request, "You are signed out everywhere.")
    return redirect("/ops/sign-in/")


@sensitive_post_parameters()
@signed_in
@require_http_methods(["GET", "POST"])
def password(request: Request) -> HttpResponse:
    """Choose another password; other sessions end, this one goes on."""
    form = PasswordForm(request.POST or None, user=request.user)
    error = None
    if request.method == "POST" and form.is_valid():
        keys = throttle.for_proof(request.user.pk)
        try:
            throttle.take(keys, user_id=request.user.pk)
            if not request.user.check_password(form.cleaned_data["old"]):
                throttle.note_failure(
                    "proof", user_id=request.user.pk, visitor=visitor_of(request)
                )
                raise Invalid("This is not your present password.", field="old")
            throttle.give_back(keys)
            _change_password(request, form.cleaned_data["new"])
            messages.success(request, "Your password is changed.")
            return redirect("account")
        except Invalid as wrong:
            form.add_error("old" if wrong.field == "old" else "new", wrong.message)
        except MustWait as wait:
            error = wait
            form.add_error(None, wait.words)
    return wait_if(error, render(request, "vrp/account_password.html", {"form": form}))


def _change_password(request: Request, new: str) -> None:
    """The session gets a new key, and the new password's hash in it."""
    key = request.session.session_key
    user = set_password(
        user=request.user, password=new, actor=Actor.user(request.user), keep=key
    )
    update_session_auth_hash(request, user)
    request.session[sessions.PROVED] = timezone.now().timestamp()


@signed_in
@require_http_methods(["GET", "POST"])
def confirm(request: Request) -> HttpResponse:
    """Is it still you? Then on to ``next``."""
    where = request.POST.get("next") or request.GET.get("next", "")
    by_code = has_second_factor(request.user)
    form, error = ProofForm(request.POST or None, by_code=by_code), None
    if request.method == "POST" and form.is_valid():
        given, visitor = form.cleaned_data["proof"], visitor_of(request)
        try:
            check_still_you(user=request.user, proof=given, visitor=visitor)
        except Invalid as wrong:
            form.add_error("proof", wrong.message)
        except MustWait as wait:
            error = wait
            form.add_error(None, wait.words)
        else:
            request.session.cycle_key()
            request.session[sessions.PROVED] = timezone.now().timestamp()
            return redirect(where if is_ours(request, where) else "/ops/")
    context = {"form": form, "next": where, "by_code": by_code}
    return wait_if(error, render(request, "vrp/account_confirm.html", context))


# -- second factor ---------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "POST"])
@recently_proved
def second_factor(request: Request) -> HttpResponse:
    """Set up an app: begin, scan, confirm by a first code; then the recovery codes, once.

    Whoever has to have a second factor can open only this page until it is done.
    """
    user, begun = request.user, _begun(request)
    if has_second_factor(user):
        if not request.session.get(sessions.SECOND_FACTOR):
            # Enrolled elsewhere since: this session has to begin with a code.
            logout(request)
            return redirect("/ops/sign-in/")
        if begun is None:
            return redirect("account")
    form, error = AppCodeForm(), None
    if request.method == "POST" and begun is None:
        _keep_begun(request, factors.begin(user=user))
        return redirect("second-factor")
    if begun and request.method == "POST" and request.POST.get("step") != "begin":
        form = AppCodeForm(request.POST)
        if form.is_valid():
            try:
                return _confirmed(request, begun, form.cleaned_data["code"])
            except Invalid as wrong:
                form.add_error("code", wrong.message)
            except MustWait as wait:
                error = wait
                form.add_error(None, wait.words)
    context: dict[str, Any] = {"form": form, "begun": begun}
    context["required"] = must_have_second_factor(memberships_of(user))
    if begun is not None:
        secret = begun.secret
        address = factors.address_of(user, secret)
        picture = segno.make(address, error="m").svg_inline(border=3, omitsize=True)
        context["qr"] = mark_safe(picture)  # noqa: S308 - drawn by segno, escaped
        context["secret"] = " ".join(secret[i : i + 4] for i in range(0, 32, 4))
        context["address"] = address
    return wait_if(error, render(request, "vrp/second_factor.html", context))


def _begun(request: Request) -> factors.Begun | None:
    """What this very session began to set up."""
    kept = request.session.get(sessions.BEGUN)
    return factors.Begun(*kept) if kept else None


def _keep_begun(request: Request, begun: factors.Begun) -> None:
    request.session[sessions.BEGUN] = [begun.sealed, begun.over]


def _confirmed(request: Request, begun: factors.Begun, code: str) -> HttpResponse:
    user, actor = request.user, Actor.user(request.user)
    keys = throttle.for_proof(user.pk)
    throttle.take(keys, user_id=user.pk)
    codes = factors.confirm(
        user=user,
        begun=begun,
        code=code,
        actor=actor,
        keep=request.session.session_key,
    )
    throttle.give_back(keys)
    request.session.pop(sessions.BEGUN, None)
    request.session.cycle_key()
    request.session[sessions.SECOND_FACTOR] = True
    return _show(request, codes)


def _show(request: Request, codes: list[str]) -> HttpResponse:
    """Recovery codes: in this one answer and nowhere else."""
    return render(request, "vrp/recovery_codes.html", {"codes": codes})


@signed_in
@require_POST
def second_factor_change(request: Request, what: str) -> HttpResponse:
    """With a fresh code: ``remove`` the second factor, ``replace`` the phone, or make new
    ``recovery`` codes."""
    user, actor = request.user, Actor.user(request.user)
    given = request.POST.get("code", "")[:40]
    try:
        if not has_second_factor(user):
            raise Invalid("You have no second factor.")
        check_still_you(user=user, proof=given, visitor=visitor_of(request))
    except (Invalid, MustWait) as wrong:
        words = wrong.words if isinstance(wrong, MustWait) else wrong.message
        messages.error(request, words)
        return redirect("account")
    request.session[sessions.PROVED] = timezone.now().timestamp()
    if what == "recovery":
        return _show(request, factors.renew_recovery_codes(user=user, actor=actor))
    if what == "replace":
        _keep_begun(request, factors.begin(user=user, replacing=True))
        return redirect("second-factor")
    request.session.pop(sessions.BEGUN, None)
    factors.remove(user=user, actor=actor)
    messages.success(request, "The second factor is removed.")
    return redirect("account")
