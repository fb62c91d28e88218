import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import vrp.tenancy.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("artisans", "0002_row_level_security"),
        ("orders", "0002_row_level_security"),
        ("tenancy", "0002_row_level_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True)),
                ("number", models.PositiveBigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting for a worker"),
                            ("running", "being computed"),
                            ("ready", "ready for review"),
                            ("released", "released"),
                            ("discarded", "discarded"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("min_lot", models.PositiveIntegerField()),
                ("max_lot", models.PositiveIntegerField()),
                ("fairness", models.DecimalField(decimal_places=2, max_digits=3)),
                ("seed", models.PositiveIntegerField(default=1)),
                ("due_on", models.DateField(blank=True, null=True)),
                (
                    "progress",
                    models.PositiveSmallIntegerField(default=0, help_text="per cent"),
                ),
                ("step", models.CharField(blank=True, max_length=80)),
                ("score_version", models.CharField(blank=True, max_length=20)),
                ("solver", models.CharField(blank=True, max_length=160)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("released_by", models.CharField(blank=True, max_length=120)),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="PlanWorkOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("quantity", models.PositiveIntegerField(default=0)),
                ("short", models.PositiveIntegerField(default=0)),
                ("why_short", models.CharField(blank=True, max_length=240)),
                ("due_on", models.DateField(blank=True, null=True)),
                ("eligible", models.PositiveIntegerField(default=0)),
                (
                    "plan",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="matching.plan",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
                (
                    "work_order",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="plan_rows",
                        to="orders.workorder",
                    ),
                ),
            ],
            options={
                "ordering": ["due_on", "work_order_id"],
            },
        ),
        migrations.AddField(
            model_name="plan",
            name="work_orders",
            field=models.ManyToManyField(
                related_name="plans",
                through="matching.PlanWorkOrder",
                to="orders.workorder",
            ),
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("quantity", models.PositiveIntegerField()),
                ("score", models.FloatField()),
                ("dimensions", models.JSONField(default=dict)),
                ("reasons", models.JSONField(default=list)),
                ("free", models.PositiveIntegerField(default=0)),
                ("warning", models.CharField(blank=True, max_length=200)),
                ("override_reason", models.CharField(blank=True, max_length=200)),
                (
                    "edited_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "job",
                    vrp.tenancy.models.TenantOneToOne(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposal",
                        to="orders.job",
                    ),
                ),
                (
                    "plan",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proposals",
                        to="matching.plan",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
                (
                    "work_order",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="orders.workorder",
                    ),
                ),
                (
                    "workshop",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="artisans.workshop",
                    ),
                ),
            ],
            options={
                "ordering": ["work_order_id", "-score", "id"],
            },
        ),
        migrations.CreateModel(
            name="JobRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("job", models.CharField(max_length=60)),
                ("quantity", models.PositiveIntegerField()),
                ("offered_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("accepted", "accepted"),
                            ("part", "accepted in part"),
                            ("declined", "declined"),
                            ("silent", "no answer"),
                        ],
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(null=True)),
                ("units_aa", models.PositiveIntegerField(null=True)),
                ("units_a", models.PositiveIntegerField(null=True)),
                ("units_b", models.PositiveIntegerField(null=True)),
                ("units_rework", models.PositiveIntegerField(null=True)),
                ("units_scrap", models.PositiveIntegerField(null=True)),
                ("unit_price_minor", models.PositiveIntegerField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("attributes", models.JSONField(default=dict)),
                (
                    "component",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="orders.component",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
                (
                    "workshop",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="artisans.workshop",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["tenant", "workshop", "-offered_at"],
                        name="record_by_workshop",
                    ),
                    models.Index(
                        fields=["tenant", "-offered_at"], name="record_newest"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "job"), name="job_record_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PassedOver",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "obstacle",
                    models.CharField(
                        choices=[
                            ("left", "left the network"),
                            ("skill", "does not hold the skill"),
                            ("level", "skill level too low"),
                            ("paused", "paused before the due date"),
                            ("full", "no free capacity before the due date"),
                            ("open_job", "already has a job for this work order"),
                            ("declined", "declined or did not answer this work order"),
                            ("min_lot", "free capacity is below the smallest lot"),
                            ("outscored", "others scored higher"),
                            ("share", "has had its share of the work"),
                            (
                                "used",
                                "its free capacity went to other work of this plan",
                            ),
                            ("covered", "others cover the whole need"),
                            ("edited", "taken out by a planner"),
                        ],
                        max_length=10,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=200)),
                ("score", models.FloatField(null=True)),
                ("free", models.PositiveIntegerField(default=0)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
                (
                    "work_order",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orders.workorder",
                    ),
                ),
                (
                    "workshop",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="artisans.workshop",
                    ),
                ),
                (
                    "plan",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="passed_over",
                        to="matching.plan",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "plan", "work_order", "workshop"),
                        name="passed_over_unique",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="planworkorder",
            constraint=models.UniqueConstraint(
                fields=("tenant", "plan", "work_order"), name="plan_row_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="plan",
            index=models.Index(fields=["tenant", "state", "due_at"], name="plan_due"),
        ),
        migrations.AddIndex(
            model_name="plan",
            index=models.Index(fields=["tenant", "-number"], name="plan_newest"),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                fields=("tenant", "number"), name="plan_number_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_lot__gte", models.F("min_lot")), ("min_lot__gt", 0)
                ),
                name="plan_lots_make_sense",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("fairness__gte", 0), ("fairness__lte", 1)),
                name="plan_fairness_0_to_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                fields=("tenant", "plan", "work_order", "workshop"),
                name="proposal_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)),
                name="proposal_quantity_positive",
            ),
        ),
    ]
