"""Back office: the network."""

from django.contrib import admin
from django.core.exceptions import ValidationError

from artisans.models import (
    Area,
    Artisan,
    CapacityPeriod,
    Skill,
    Workshop,
    WorkshopSkill,
)
from artisans.numbers import normalise_phone
from vrp.accounts.enums import Permission
from vrp.console.office_admin import TenantForm, TenantInline, TenantModelAdmin
from vrp.errors import Invalid


class NetworkAdmin(TenantModelAdmin):
    """Changed by those who may edit the network."""

    edit_permission = Permission.EDIT_NETWORK


@admin.register(Area)
class AreaAdmin(NetworkAdmin):
    list_display = ["name", "code", "region"]
    search_fields = ["name", "code", "region"]
    list_filter = ["region"]
    fields = ["code", "name", "region"]


@admin.register(Skill)
class SkillAdmin(NetworkAdmin):
    list_display = ["name", "code", "technique", "material"]
    search_fields = ["name", "code", "technique", "material"]
    list_filter = ["material"]
    fields = ["code", "name", "technique", "material"]


class PhoneForm(TenantForm):
    """Writes the phone number in its one spelling."""

    def clean_phone(self) -> str:
        raw = self.cleaned_data["phone"]
        if not raw:
            return raw
        try:
            return normalise_phone(raw, self.instance.tenant.country)
        except Invalid as error:
            raise ValidationError(error.message) from error


class SkillInline(TenantInline):
    model = WorkshopSkill
    edit_permission = Permission.EDIT_NETWORK
    fields = ["skill", "level"]


@admin.register(Workshop)
class WorkshopAdmin(NetworkAdmin):
    form = PhoneForm
    list_display = ["code", "name", "area", "phone", "language", "capacity_per_week"]
    list_select_related = ["area"]
    list_filter = ["language", "segment", "area"]
    search_fields = ["code", "name", "phone"]
    fields = [
        "code", "name", "area", "phone", "language", "segment", "capacity_per_week",
        "joined_on", "left_on",
    ]  # fmt: skip
    inlines = [SkillInline]


@admin.register(Artisan)
class ArtisanAdmin(NetworkAdmin):
    form = PhoneForm
    list_display = ["code", "name", "workshop", "engagement", "gender", "left_on"]
    list_select_related = ["workshop"]
    list_filter = ["engagement", "gender"]
    search_fields = ["code", "name", "workshop__code"]
    raw_id_fields = ["workshop"]
    fields = [
        "code", "name", "workshop", "engagement", "gender", "born_year", "phone",
        "joined_on", "left_on",
    ]  # fmt: skip


@admin.register(WorkshopSkill)
class WorkshopSkillAdmin(NetworkAdmin):
    list_display = ["workshop", "skill", "level"]
    list_select_related = ["workshop", "skill"]
    list_filter = ["level", "skill"]
    search_fields = ["workshop__code", "workshop__name", "skill__name"]
    raw_id_fields = ["workshop"]
    fields = ["workshop", "skill", "level"]


@admin.register(CapacityPeriod)
class CapacityPeriodAdmin(NetworkAdmin):
    list_display = ["workshop", "starts_on", "ends_on", "pieces_per_week", "reason"]
    list_select_related = ["workshop"]
    search_fields = ["workshop__code", "workshop__name", "reason"]
    raw_id_fields = ["workshop"]
    fields = ["workshop", "starts_on", "ends_on", "pieces_per_week", "reason"]
