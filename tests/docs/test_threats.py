"""Each proof that THREAT_MODEL.md names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "THREAT_MODEL.md").read_text()
PROOFS = sorted(set(re.findall(r"`((?:tests|bench)/[\w/.:]+)`", TEXT)))


@pytest.mark.parametrize("proof", PROOFS)
def test_it_exists(proof: str) -> None:
    name, _, test = proof.partition("::")
    path = ROOT / name
    assert path.exists()
    assert not test or f"def {test}(" in path.read_text()


def test_every_row_of_an_edge_names_a_proof() -> None:
    rows = re.findall(r"^\| [STRIDE] \|.*\|$", TEXT, flags=re.M)
    assert len(rows) > 25
    for row in rows:
        last = row.rsplit("|", 2)[1].strip()
        assert last.startswith("`") or last in ("operator", "see below"), row


def test_the_pages_of_security_lead_to_each_other() -> None:
    for page in (
        "SECURITY.md",
        "THREAT_MODEL.md",
        "docs/asvs.md",
        "docs/operations.md",
    ):
        assert (ROOT / page).exists()
    assert "THREAT_MODEL.md" in (ROOT / "SECURITY.md").read_text()
