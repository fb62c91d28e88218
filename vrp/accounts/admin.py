"""Back office: who is who. Tenant admins give roles to their own people."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator

from vrp.accounts.enums import Permission, Role
from vrp.accounts.models import Membership, User
from vrp.accounts.queries import people_of
from vrp.accounts.services import grant_role, revoke_role
from vrp.accounts.services.passwords import clear_password, one_time_link
from vrp.accounts.services.record import note
from vrp.accounts.services.sessions import end_sessions
from vrp.console.fields import LineField
from vrp.console.guard import recently_proved
from vrp.console.office_admin import TenantModelAdmin
from vrp.events.services import Actor


class Proved:
    """Changes here ask for password or code when the last proof is old."""

    def changeform_view(self, request: HttpRequest, *args: Any, **more: Any) -> Any:
        view = super().changeform_view  # type: ignore[misc]
        asked = recently_proved(view) if request.method == "POST" else view
        return asked(request, *args, **more)

    def delete_view(self, request: HttpRequest, *args: Any, **more: Any) -> Any:
        view = super().delete_view  # type: ignore[misc]
        asked = recently_proved(view) if request.method == "POST" else view
        return asked(request, *args, **more)


class MembershipForm(forms.ModelForm):
    """A role for a person named by sign-in name: the list of all people is nobody's."""

    username = LineField(label="Sign-in name", max_length=150)
    # Set by the admin's ``get_form``: whose people may be given a role here.
    people: QuerySet[User] = User.objects.none()

    class Meta:
        model = Membership
        fields = ["role", "regions"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "regions" in self.fields:
            self.fields["regions"].base_field = LineField(max_length=60)  # type: ignore[attr-defined]
        if self.instance.pk and "username" in self.fields:
            self.fields["username"].initial = self.instance.user.username
            self.fields["username"].disabled = True

    def clean_username(self) -> str:
        name = self.cleaned_data["username"].strip()
        # One answer for unknown names and for another brand's people: else an admin
        # could pull them into her own brand, whose rules then bind them.
        user = self.people.filter(username=name, is_active=True).first()
        if user is None:
            raise ValidationError(
                "Nobody of this brand signs in by this name. "
                "New people are invited under People."
            )
        self.instance.user = user
        return name

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("role") == Role.FIELD and not given.get("regions"):
            raise ValidationError({"regions": "A field worker needs a region."})
        return given


@admin.register(Membership)
class MembershipAdmin(Proved, TenantModelAdmin):
    """Roles in the entered tenant. Taking one away holds from the next request on."""

    form = MembershipForm
    edit_permission = Permission.MANAGE_MEMBERS
    list_display = ["user", "role", "regions", "created_at"]
    list_select_related = ["user", "tenant"]
    list_filter = ["role"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    fields = ["username", "role", "regions"]
    ordering = ["user__username", "role"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows = super().get_queryset(request)
        return rows.filter(tenant=request.tenant)  # type: ignore[attr-defined]

    def get_form(
        self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Superusers alone make somebody of one brand work for another too."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        everybody = request.user.is_superuser
        form.people = User.objects.all() if everybody else people_of(request.tenant)
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A role is given or taken; only its regions change."""
        return ["role"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        saved = grant_role(
            tenant=request.tenant,  # type: ignore[attr-defined]
            user=obj.user,
            role=Role(obj.role),
            regions=obj.regions,
            actor=Actor.user(request.user),
        )
        obj.pk, obj.tenant = saved.pk, saved.tenant

    def record_change(
        self, request: HttpRequest, obj: Any, names: list[str], change: bool
    ) -> None:
        """The service recorded it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj and obj.user_id == request.user.pk and obj.role == Role.ADMIN:
            return False  # else a brand could end up with nobody to give roles
        return self.may_edit(request)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        revoke_role(
            tenant=request.tenant,  # type: ignore[attr-defined]
            user=obj.user,
            role=Role(obj.role),
            actor=Actor.user(request.user),
        )
        messages.info(request, "The role is gone from the next click on.")


@admin.register(User)
class PersonAdmin(Proved, UserAdmin):
    """People. The admin's own rule applies: superusers only."""

    list_display = ["username", "first_name", "last_name", "is_active", "is_superuser"]
    list_filter = ["is_active", "is_superuser"]
    list_per_page = 50
    show_full_result_count = False
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email", "timezone"]}),
        ("May", {"fields": ["is_active", "is_superuser"]}),
    ]

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """On record in each tenant of the person; whoever is switched off is out."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            actor = Actor.user(request.user)
            if change and form.changed_data:
                note("member.changed", user=obj, actor=actor, fields=form.changed_data)
            if not obj.is_active:
                end_sessions(user=obj, actor=actor)

    @method_decorator(recently_proved)  # type: ignore[arg-type]
    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Nobody types a password for somebody else: here too there is a link."""
        user = self.get_object(request, id)
        if user is None or not self.has_change_permission(request, user):
            raise Http404
        if request.method != "POST":
            return render(request, "admin/reset_password.html", {"person": user})
        row = clear_password(user=user, actor=Actor.user(request.user))
        context = {"person": row, "link": f"{settings.PUBLIC_URL}{one_time_link(row)}"}
        return render(request, "admin/reset_password.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # people who leave are switched off; what they did keeps its name
