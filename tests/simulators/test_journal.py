"""The stand-ins may be killed at any moment: nothing vanishes, nothing doubles."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
import requests

from simulators.faults import MAGIC, WORDS
from simulators.journal import Journal
from tests.simulators.conftest import introduce
from tests.simulators.daraja import PHONE, Daraja
from tests.simulators.product import Product, Running
from tests.simulators.test_carrier import PHONE as PLUS_PHONE
from tests.simulators.test_carrier import recipient, send
from tests.simulators.test_wallet import RESULT, results
from tests.standin import ROOT, StandIn, until


@pytest.fixture
def own(tmp_path: Path, standin_server: StandIn) -> Iterator[StandIn]:
    """Run stand-ins of this test's own, which it may kill."""
    # A key pair takes longest to make; any will do.
    (tmp_path / "standin").mkdir()
    for name in ("key.pem", "cert.pem"):
        copy(standin_server.data / "standin" / name, tmp_path / "standin" / name)
    server = StandIn(tmp_path, "--result-delay=0.4", "--report-delay=0.4")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def served(own: StandIn) -> Iterator[Product]:
    with Running() as product:
        introduce(own, product)
        yield product


def test_everything_survives_a_kill(own: StandIn, served: Product) -> None:
    daraja = Daraja(own, served.url)
    message_id = recipient(send(own))["messageId"]
    served.status["/in"] = [500]
    own.reply(PLUS_PHONE, "SOKO", "NDIO")
    assert daraja.pay(OriginatorConversationID="p-1").ok
    certificate = own.get_text("/_daraja/cert.pem")
    before = own.sms(PLUS_PHONE), own.wallet(PHONE)
    own.kill()
    own.start()
    assert (own.sms(PLUS_PHONE), own.wallet(PHONE)) == before
    assert own.get_text("/_daraja/cert.pem") == certificate
    # What was owed to the product is still told, and the id is still taken.
    results(served)
    until(lambda: own.state()["inbound_waiting"] == 0)
    until(lambda: own.state()["reports_waiting"] == 0)
    assert {report["id"] for report in served.at("/dlr")} == {message_id}
    daraja.mint()
    assert daraja.pay(OriginatorConversationID="p-1").status_code == 500
    assert daraja.pay(OriginatorConversationID="p-2").ok
    receipts = [money["receipt"] for money in own.wallet(PHONE)]
    assert len(receipts) == len(set(receipts)) == 2
    until(lambda: own.state()["results_waiting"] == 0)
    own.kill()
    told = len(served.at(RESULT))
    own.start()
    assert own.state()["results_waiting"] == 0
    assert len(served.at(RESULT)) == told


def test_a_payment_cut_off_by_a_kill_is_found_again(
    own: StandIn, served: Product
) -> None:
    daraja = Daraja(own, served.url)
    daraja.mint()
    own.faults({"wallet": {"do": "hang", "seconds": 30}})
    with pytest.raises(requests.ReadTimeout):
        daraja.pay(timeout=0.2, OriginatorConversationID="p-1")
    own.kill()
    own.start()
    assert [money["id"] for money in own.wallet(PHONE)] == ["p-1"]


def test_reset_lasts_and_receipts_go_on(own: StandIn, served: Product) -> None:
    daraja = Daraja(own, served.url)
    daraja.pay()
    (old,) = own.wallet(PHONE)
    own.reset()
    assert own.wallet(PHONE) == []
    own.kill()
    own.start()
    assert own.wallet(PHONE) == []
    daraja.mint()
    daraja.pay()
    assert own.wallet(PHONE)[0]["receipt"] != old["receipt"]


def test_a_torn_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"kind":"a"}\nnonsense\n{"kind":"b"}\n{"kind":"c"')
    journal = Journal(path)
    journal.append({"kind": "d"})
    assert [entry["kind"] for entry in journal.replay()] == ["a", "b", "d"]
    journal.close()


def test_a_second_process_and_a_taken_port_say_so(own: StandIn, tmp_path: Path) -> None:
    def refused(data: Path, port: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "simulators", "--port", port, "--data", str(data)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert ended.returncode == 1
        return ended.stderr

    assert "already run" in refused(own.data, "0")
    port = own.url.rpartition(":")[2]
    assert "address already in use" in refused(tmp_path / "other", port)


def test_posts_from_another_site_are_refused(standin: StandIn) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = requests.post(standin.url + "/_reset", json={}, headers=headers, timeout=5)
    assert answer.status_code == 403


def test_the_readme_knows_every_word_and_number() -> None:
    readme = (ROOT / "simulators" / "README.md").read_text()
    for stages in WORDS.values():
        for words in stages.values():
            for word, meaning in words.items():
                assert f"| `{word}` | {meaning} |" in readme
    for prefix, meanings in MAGIC.values():
        assert prefix in readme
        for suffix, rule in meanings.items():
            assert f"| {suffix} | `{rule.do}`" in readme
