"""Business metrics for Prometheus: what waits, what is unknown, what is alive.

Read from PostgreSQL at each scrape, so that every web process gives the same answer.
Rooms add theirs with ``@gauge``; each is measured tenant by tenant.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vrp import rates
from vrp.events import outbox
from vrp.ops.health import readiness
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

Measure = Callable[[], float]
_gauges: dict[str, tuple[str, Measure]] = {}


def gauge(name: str, help_text: str) -> Callable[[Measure], Measure]:
    """Declare a per-tenant gauge; the function runs in each tenant's scope."""

    def declare(measure: Measure) -> Measure:
        _gauges[name] = (help_text, measure)
        return measure

    return declare


@gauge("vrp_outbox_oldest_due_seconds", "Age of the oldest outbox row past its time")
def oldest_due() -> float:
    from vrp.tenancy.scope import active_tenant

    tenant = active_tenant()
    return outbox.oldest_due(tenant).total_seconds() if tenant else 0.0


class DatabaseCollector(Collector):
    """Measures at scrape time."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("vrp_part_up", "1 if the part works", labels=["part"])
        report = readiness()
        for part, value in report.parts.items():
            up.add_metric([part], 1.0 if value == "ok" else 0.0)
        yield up
        if report.parts["database"] != "ok":
            return
        tenants = list(Tenant.objects.filter(is_active=True))
        for name, (help_text, measure) in sorted(_gauges.items()):
            family = GaugeMetricFamily(name, help_text, labels=["tenant"])
            for tenant in tenants:
                with tenant_scope(tenant):
                    family.add_metric([tenant.slug], measure())
            yield family


RATE_COUNTERS = {
    "vrp_rate_limited": "Requests refused by a rate limit",
    "vrp_rate_unchecked": "Requests let through because Redis was away",
}


class RateCollector(Collector):
    """What the rate limits did, by scope; Redis gathers it from all processes."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        for (name, help_text), counts in zip(
            RATE_COUNTERS.items(), rates.totals(), strict=True
        ):
            family = CounterMetricFamily(name, help_text, labels=["scope"])
            for scope, count in sorted(counts.items()):
                family.add_metric([scope], count)
            yield family


registry = CollectorRegistry()
registry.register(DatabaseCollector())
registry.register(RateCollector())
