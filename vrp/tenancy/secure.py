"""Row-level security and tenant-tied foreign keys, as one migration operation.

Every migration that creates a tenant's table ends with
``secure("app_label", "ModelA", "ModelB")``. A test reads the catalogue of PostgreSQL and
fails when a tenant table lacks its policy or a foreign key lacks its tenant.
"""

from typing import Any

from django.db import migrations
from django.db.models import ForeignKey

POLICY = "tenant_id = NULLIF(current_setting('vrp.tenant', true), '')::bigint"


def secure(app_label: str, *model_names: str) -> migrations.RunPython:
    """Put the tables of these models under forced row-level security.

    Also adds UNIQUE (tenant_id, id) and, for each foreign key to another tenant's
    table, FOREIGN KEY (tenant_id, x_id) REFERENCES parent (tenant_id, id).
    """

    def forward(apps: Any, editor: Any) -> None:
        models = [apps.get_model(app_label, name) for name in model_names]
        for model in models:
            _protect(editor, model._meta.db_table)
        for model in models:
            _tie_parents(editor, model)

    return migrations.RunPython(forward, migrations.RunPython.noop)


def _protect(editor: Any, table: str) -> None:
    editor.execute(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_id_id"'
        " UNIQUE (tenant_id, id)"
    )
    editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    editor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    editor.execute(
        f'CREATE POLICY tenant_only ON "{table}" USING ({POLICY}) WITH CHECK ({POLICY})'
    )


def _tie_parents(editor: Any, model: Any) -> None:
    table = model._meta.db_table
    for field in model._meta.local_fields:
        if not isinstance(field, ForeignKey) or field.name == "tenant":
            continue
        parent = field.remote_field.model
        if not any(other.name == "tenant" for other in parent._meta.local_fields):
            continue
        name = f"{table}_{field.column}_same_tenant"[:63]
        editor.execute(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}"'
            f" FOREIGN KEY (tenant_id, {field.column})"
            f' REFERENCES "{parent._meta.db_table}" (tenant_id, id)'
            " DEFERRABLE INITIALLY DEFERRED"
        )
