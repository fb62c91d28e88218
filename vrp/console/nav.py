"""The console's navigation: one list, in the order of the day's work."""

from typing import Any

from django.http import HttpRequest

from vrp.accounts.enums import Permission, Role

# Label, address below /ops/, icon.
PAGES = [
    ("Today", "", "home"),
    ("Orders", "orders/", "orders"),
    ("Plans", "plans/", "plan"),
    ("Jobs", "jobs/", "hammer"),
    ("Deliveries", "deliveries/", "truck"),
    ("Grading", "batches/", "grade"),
    ("Rework", "rework/", "refresh"),
    ("Assembly", "assembly/", "product"),
    ("Workshops", "workshops/", "workshop"),
    ("Payouts", "payouts/", "money"),
    ("Ledger", "ledger/", "ledger"),
    ("Messages", "messages/", "message"),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The pages with the current one marked; the back office for those who may edit."""
    items = [
        {
            "label": label,
            "url": f"/ops/{path}",
            "icon": icon,
            "active": request.path == "/ops/"
            if not path
            else request.path.startswith(f"/ops/{path}"),
        }
        for label, path, icon in PAGES
    ]
    if request.grant.may(Permission.MANAGE_MEMBERS):  # type: ignore[attr-defined]
        items.append(
            {
                "label": "People",
                "url": "/ops/people/",
                "icon": "people",
                "active": request.path.startswith("/ops/people/"),
            }
        )
    roles = request.grant.roles  # type: ignore[attr-defined]
    if roles & {Role.ADMIN, Role.AUDITOR}:
        items.append(
            {
                "label": "API keys",
                "url": "/ops/api-keys/",
                "icon": "key",
                "active": request.path.startswith(("/ops/api-keys/", "/ops/webhooks/")),
            }
        )
    if roles & {Role.ADMIN, Role.PLANNER, Role.AUDITOR} or request.user.is_superuser:
        items.append(
            {
                "label": "Back office",
                "url": "/ops/office/",
                "icon": "settings",
                "active": request.path.startswith("/ops/office/"),
            }
        )
    return items
