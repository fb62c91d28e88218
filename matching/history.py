"""Counting job records into the four dimensions that are learned: one SQL statement.

Each job gives each dimension one observation between 0 and 1, or NULL where it is not
known: nothing blank counts as bad, a job not yet due is neither late nor on time, and
nothing that happened after the moment asked for is seen. The formulas in words are
``matching.scores.FORMULAS``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from matching.enums import Dimension
from matching.scores import WINDOW_DAYS
from vrp.tenancy.models import Tenant

# Records of our own jobs are named after the job's number; imported ones by their source.
LIVE_PREFIX = "live:"

# An imported job without a delivery time is not known; one of ours is not delivered.
STATEMENT = """
WITH record AS (
    SELECT workshop_id, answer, answered_at, offered_at, due_at, delivered_at,
           job LIKE 'live:%%' AS live,
           coalesce(units_aa, 0) + coalesce(units_a, 0) + coalesce(units_b, 0) AS good,
           coalesce(units_rework, 0) + coalesce(units_scrap, 0) AS bad,
           coalesce(delivered_at <= %(now)s, false) AS delivered,
           coalesce(answered_at, offered_at) AS began
    FROM matching_jobrecord
    WHERE tenant_id = %(tenant)s AND offered_at > %(since)s AND offered_at <= %(now)s
), taken AS (
    SELECT *, answer IN ('accepted', 'part') OR (answer = '' AND delivered) AS took
    FROM record
), observed AS (
    SELECT workshop_id,
        CASE WHEN good + bad > 0 AND (delivered OR delivered_at IS NULL)
             THEN good::float8 / (good + bad)
        END AS quality,
        CASE WHEN took AND delivered THEN (delivered_at <= due_at)::int::float8
             WHEN took AND live AND due_at < %(now)s THEN 0
        END AS timeliness,
        CASE WHEN answer = 'silent' THEN 0
             WHEN answer = '' OR answered_at > %(now)s THEN NULL
             WHEN answered_at > offered_at + make_interval(hours => %(hours)s) THEN 0
             ELSE 1::float8
        END AS responsiveness,
        CASE WHEN took AND delivered AND due_at > began AND delivered_at > began
             THEN least(1, extract(epoch FROM due_at - began)::float8
                           / extract(epoch FROM delivered_at - began)::float8)
        END AS capacity
    FROM taken
)
SELECT workshop_id,
    count(quality), sum(quality), sum(quality * quality),
    count(timeliness), sum(timeliness), sum(timeliness * timeliness),
    count(responsiveness), sum(responsiveness), sum(responsiveness * responsiveness),
    count(capacity), sum(capacity), sum(capacity * capacity)
FROM observed GROUP BY workshop_id
"""


@dataclass(frozen=True)
class Observed:
    """Observations of one workshop in one dimension, their sum and sum of squares."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0


def observe(tenant: Tenant, now: datetime) -> dict[Dimension, dict[int, Observed]]:
    """By dimension and workshop id, over the last ``WINDOW_DAYS`` before ``now``."""
    found: dict[Dimension, dict[int, Observed]] = {
        Dimension.QUALITY: {},
        Dimension.TIMELINESS: {},
        Dimension.RESPONSIVENESS: {},
        Dimension.CAPACITY: {},
    }
    with connection.cursor() as cursor:
        cursor.execute(
            STATEMENT,
            {
                "tenant": tenant.pk,
                "now": now,
                "since": now - timedelta(days=WINDOW_DAYS),
                "hours": tenant.offer_hours,
            },
        )
        for workshop, *numbers in cursor.fetchall():
            for index, rows in enumerate(found.values()):
                n, total, squares = numbers[index * 3 : index * 3 + 3]
                if n:
                    rows[workshop] = Observed(n, float(total), float(squares))
    return found
