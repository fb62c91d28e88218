"""Coming in: password, code, the one-time link of an admin; and the way out."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    PasswordResetConfirmView,
)
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_http_methods

from vrp.accounts import sessions
from vrp.accounts.console.forms import CodeForm, SignInForm
from vrp.accounts.middleware import choose_tenant
from vrp.accounts.models import User
from vrp.accounts.queries import has_second_factor
from vrp.accounts.services.passwords import set_password
from vrp.accounts.services.sign_in import check_code, note_signed_in
from vrp.accounts.throttle import MustWait
from vrp.accounts.visitor import remember_device, visitor_of
from vrp.console.guard import is_ours
from vrp.errors import DomainError, Invalid
from vrp.events.services import Actor

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignIn(LoginView):
    """The one sign-in page, for console and back office."""

    template_name = "vrp/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Where the person wanted to go, if that is a page of the console."""
        wanted = super().get_redirect_url()
        return wanted if is_ours(self.request, wanted) else ""

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if has_second_factor(user):
            hold(self.request, user)
            there = urlencode({"next": self.get_success_url()})
            return redirect(f"/ops/sign-in/code/?{there}")
        return come_in(self.request, user, self.get_success_url(), by_code=False)

    def form_invalid(self, form: Any) -> HttpResponse:
        return wait_if(form.must_wait, super().form_invalid(form))


class SignOut(LogoutView):
    """POST only; ends the session at once, and what the browser keeps of its pages."""

    next_page = "/ops/sign-in/"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        # Not "cookies": the one that knows this device spares its owner others' waits.
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


def wait_if(error: MustWait | None, response: HttpResponse) -> HttpResponse:
    """Mark the page as "too many requests" where that is what it says."""
    if error is not None:
        response.status_code = 429
        response["Retry-After"] = str(error.seconds)
    return response


def hold(request: HttpRequest, user: User) -> None:
    """The password was right: remember for ten minutes who may now enter a code.

    Nobody is signed in yet, so whatever asks for a signed-in person goes on refusing.
    """
    request.session.flush()
    request.session[sessions.PENDING] = [user.pk, user.get_session_auth_hash()]


def held(request: HttpRequest) -> User | None:
    """Who entered the right password before; None if it was changed since."""
    pending = request.session.get(sessions.PENDING)
    if not pending:
        return None
    user = User.objects.filter(pk=pending[0], is_active=True).first()
    if user is None:
        return None
    same = constant_time_compare(pending[1], user.get_session_auth_hash())
    return user if same else None


def come_in(
    request: HttpRequest, user: User, where: str, *, by_code: bool
) -> HttpResponse:
    """Begin the session, under a new key, and remember the device."""
    visitor, now = visitor_of(request), timezone.now().timestamp()
    request.session.pop(sessions.PENDING, None)
    login(request, user, backend=BACKEND)
    request.session.update(
        {
            sessions.STARTED: now,
            sessions.PROVED: now,
            sessions.SECOND_FACTOR: by_code,
            "ip": visitor.ip,
            "agent": visitor.agent,
        }
    )
    choose_tenant(request, user)
    note_signed_in(user=user, visitor=visitor, second_factor=by_code)
    response = redirect(where)
    remember_device(request, response, user.pk)
    return response


@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step. GET and POST carry ``next``."""
    user = held(request)
    if user is None:
        if request.user.is_authenticated:
            return redirect("/ops/")
        if request.method == "POST":
            messages.info(request, "That took too long. Sign in again.")
        return redirect("/ops/sign-in/")
    where = request.POST.get("next") or request.GET.get("next", "")
    form, error = CodeForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        visitor, given = visitor_of(request), form.cleaned_data["code"]
        try:
            check_code(user=user, code=given, visitor=visitor)
        except Invalid as wrong:
            form.add_error("code", wrong.message)
        except MustWait as wait:
            error = wait
            form.add_error(None, wait.words)
        else:
            there = where if is_ours(request, where) else "/ops/"
            return come_in(request, user, there, by_code=True)
    context = {"form": form, "next": where}
    return wait_if(error, render(request, "vrp/sign_in_code.html", context))


class SetPassword(PasswordResetConfirmView):
    """The one-time link of an admin: choose a password. Then one signs in as always.

    Opening the link uses nothing up (chat programs open links for a preview); the token
    is taken out of the address at once, so that no other page is told it.
    """

    template_name = "vrp/set_password.html"
    success_url = "/ops/sign-in/"

    def get_user(self, uidb64: str) -> User | None:
        found: Any = super().get_user(uidb64)
        return found if found and found.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        user: Any = self.user
        try:
            set_password(
                user=user,
                password=form.cleaned_data["new_password1"],
                actor=Actor.user(user),
            )
        except DomainError as error:
            form.add_error("new_password1", error.message)
            return self.form_invalid(form)
        self.request.session.flush()
        messages.success(self.request, "Your password is set. Sign in with it.")
        return HttpResponseRedirect(str(self.success_url))
