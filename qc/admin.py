"""Back office: the list of defects."""

from django.contrib import admin

from qc.models import Defect
from vrp.accounts.enums import Permission
from vrp.console.office_admin import TenantModelAdmin


@admin.register(Defect)
class DefectAdmin(TenantModelAdmin):
    edit_permission = Permission.EDIT_CATALOGUE
    list_display = ["name", "name_sw", "code", "defect_class", "is_active"]
    list_filter = ["defect_class", "is_active"]
    search_fields = ["name", "name_sw", "code"]
    fields = ["code", "name", "name_sw", "defect_class", "is_active"]
