"""What every master-data page of the back office has in common."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from vrp.accounts.enums import Permission
from vrp.console.fields import OVERRIDES
from vrp.console.site import OFFICE_ROLES
from vrp.events.models import Event
from vrp.events.services import Actor, record
from vrp.tenancy.scope import active_tenant


class TenantForm(forms.ModelForm):
    """A form whose tenant is the one that is entered, never a field.

    The tenant takes part in validation, so that "this code exists already" is said by
    the form and not by the database.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.tenant_id is None:
            self.instance.tenant = active_tenant()

    def _get_validation_exclusions(self) -> set[str]:
        # Django's own hook for this, which the stubs leave out.
        return super()._get_validation_exclusions() - {"tenant"}  # type: ignore[misc]


class Reader:
    """View for the office roles; change for those with ``edit_permission``; no deletes."""

    edit_permission: ClassVar[Permission]

    def may_edit(self, request: HttpRequest) -> bool:
        """Whether this person may change rows here."""
        if request.user.is_superuser:  # type: ignore[union-attr]
            return True
        return request.grant.may(self.edit_permission)  # type: ignore[attr-defined]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        roles = request.grant.roles  # type: ignore[attr-defined]
        return bool(roles & OFFICE_ROLES) or self.may_edit(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TenantInline(Reader, admin.TabularInline):
    """Rows of a thing, on its page. They may be taken off again."""

    form = TenantForm
    formfield_overrides = OVERRIDES
    extra = 0

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit(request)


class TenantModelAdmin(Reader, admin.ModelAdmin):
    """Master data of the entered tenant. Each change is an event with the names of the
    fields; the admin's own log is not kept, because it knows no tenant."""

    form: type[forms.ModelForm] = TenantForm
    formfield_overrides = OVERRIDES
    actions = None
    list_per_page = 50
    show_full_result_count = False
    save_on_top = False

    def lookup_allowed(
        self, lookup: str, value: Any, request: HttpRequest | None = None
    ) -> bool:
        """The filters that the page offers; Django's rule would let through any lookup
        of a column (``?role__regex=(``), some of which fail in the database."""
        name = lookup.removesuffix("__exact").removesuffix("__in")
        name = name.removesuffix("__isnull").removesuffix("__id").removesuffix("__pk")
        return name in self.list_filter

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """The list; without filters, and saying so, when one holds what no column can."""
        if any("\x00" in value for value in request.GET.values()):
            return redirect(f"{request.path}?{ERROR_FLAG}=1")
        return super().changelist_view(request, extra_context)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        obj.tenant = request.tenant  # type: ignore[attr-defined]
        obj.save()

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        names = list(form.changed_data)
        names += [one.model._meta.model_name for one in formsets if one.has_changed()]
        if names or not change:
            self.record_change(request, form.instance, names, change)

    def record_change(
        self, request: HttpRequest, obj: Model, names: list[str], change: bool
    ) -> None:
        """Append the event, in the transaction of the change."""
        record(
            "office.changed" if change else "office.added",
            subject=obj,
            tenant=request.tenant,  # type: ignore[attr-defined]
            actor=Actor.user(request.user),
            data={"thing": str(obj._meta.verbose_name), "fields": names},
        )

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Another tenant's thing is not found, as everywhere; Django would redirect."""
        raise Http404

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Kept as an event instead."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Kept as an event instead."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Kept as an event instead."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The thing's events, newest first."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        events = Event.objects.filter(
            subject_type=self.opts.model_name, subject_id=obj.pk
        )
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "events": events.order_by("-id")[:50],
            "opts": self.opts,
            "object": obj,
        }
        return render(request, "admin/history.html", context)
