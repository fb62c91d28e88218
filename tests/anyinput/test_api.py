"""Schemathesis over the committed OpenAPI document, against a real gunicorn.

Every operation gets the examples, the edges of every field, random good and bad
requests, and chains of requests along the document's links; every answer is checked for
server errors, status, content type, headers, schema, and for taking what is wrong.

``ANYINPUT_EXAMPLES=2000 bin/test tests/anyinput/test_api.py`` runs longer;
``ANYINPUT_SEED=random`` takes another seed and prints it.
"""

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from orders.models import Product, WebhookDelivery
from orders.services.webhooks import register_endpoint
from tests.anyinput.api_hooks import ADDRESS, SKUS
from tests.anyinput.served import ROOT, gunicorn
from tests.api.conftest import build_world
from tests.builders import SYSTEM, build_order
from vrp.tenancy.scope import tenant_scope

EXAMPLES = os.environ.get("ANYINPUT_EXAMPLES", "25")
SEED = os.environ.get("ANYINPUT_SEED", "20270301")
DOCUMENT = ROOT / "docs" / "openapi.json"


def build_catalogue() -> dict[str, str]:
    """Soko with the products that the hooks order; what the hooks must know of it."""
    world = build_world()
    with tenant_scope(world.tenant):
        for sku in SKUS[1:]:
            product = Product.objects.get(sku=SKUS[0])
            parts = list(product.bom.all())
            product.pk, product.sku, product._state.adding = None, sku, True
            product.save()
            for part in parts:
                part.pk, part.product, part._state.adding = None, product, True
                part.save()
        hook, _ = register_endpoint(
            buyer=world.buyer, url=ADDRESS, events=[], actor=SYSTEM
        )
        build_order(world.network)
        delivery = WebhookDelivery.objects.get()
    return {
        "ANYINPUT_KEY": world.api.key,
        "ANYINPUT_DELIVERY": f"{hook.public_id} {delivery.public_id}",
    }


@pytest.mark.django_db(transaction=True)
def test_schemathesis(tmp_path: Path) -> None:
    known = build_catalogue()
    seed = str(random.randrange(2**32)) if SEED == "random" else SEED
    with gunicorn(tmp_path / "gunicorn.log") as url:
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli",
             "--config-file", str(ROOT / "tests/anyinput/api.toml"),
             "run", str(DOCUMENT), "--url", url, "--seed", seed,
             "--max-examples", EXAMPLES, "--workers", "1",
             "--report-ndjson-path", str(tmp_path / "run.ndjson")],
            cwd=ROOT, env={**os.environ, **known, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, f"seed {seed}\n{done.stdout}\n{done.stderr}"
    check_reached(tmp_path / "run.ndjson")


def check_reached(report: Path) -> None:
    """Every operation answered with a 2xx and with a 4xx at least once."""
    seen: dict[str, set[int]] = defaultdict(set)
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        cases = recorder.get("cases", {})
        for key, interaction in recorder.get("interactions", {}).items():
            case = cases[key]["value"]
            answer = interaction["response"]
            if answer is not None:
                seen[f"{case['method']} {case['path']}"].add(answer["status_code"])
    wanted = {
        f"{method.upper()} {path}"
        for path, item in json.loads(DOCUMENT.read_text())["paths"].items()
        for method in item
    }
    for operation in wanted:
        assert {status // 100 for status in seen[operation]} >= {2, 4}, operation
