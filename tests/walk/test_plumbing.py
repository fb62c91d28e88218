"""The tour's own tools: reading pages and screens, believing webhooks, telling."""

import base64
import hashlib
import hmac
import json
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
import requests

from vrp.walk.actors.artisan import Screen
from vrp.walk.cli import main
from vrp.walk.facts import read_facts
from vrp.walk.pages import Page, read
from vrp.walk.problem import NotRight
from vrp.walk.receiver import Receiver, signature_problem
from vrp.walk.scenes.planning import OFFER, proposals
from vrp.walk.show import Show, count
from vrp.walk.web import poll

ROOT = Path(__file__).parents[2]
HTML = """
<main><h1>Plan 7 <svg><title>x</title></svg></h1>
<p class="flash success">Done.</p>
<table><tr><td><a href="/ops/workshops/3/">W-017</a> Otieno</td>
  <td><input name="quantity_3" value="30"></td></tr>
 <tr><td>W-018</td><td><input name="quantity_4" value=""></td></tr></table>
<form method="post" action="/ops/plans/7/release/"><input type="hidden" name="_tenant"
  value="1"><input type="checkbox" name="box" value="a" checked><input type="checkbox"
  name="box" value="b"><select name="defect"><option value="">-</option>
  <option value="scratch" selected>scratch</option></select><textarea name="note">
hi</textarea><button name="stage" value="packed">Packed</button></form></main>
"""
PAGE = Page("http://x/ops/plans/7/", 200, read(HTML))


def test_a_form_sends_what_a_browser_would_send() -> None:
    form = PAGE.form(r"/ops/plans/\d+/release/")
    assert form.action == "http://x/ops/plans/7/release/"
    assert form.filled({}) == [
        ("_tenant", "1"),
        ("box", "a"),
        ("defect", "scratch"),
        ("note", "hi"),
        ("stage", "packed"),
    ]


def test_a_form_takes_changes_and_refuses_unknown_fields() -> None:
    form = PAGE.form(r"/ops/plans/\d+/release/")
    sent = form.filled({"box": ["b", "c"], "stage": "shipped"})
    assert [value for name, value in sent if name == "box"] == ["b", "c"]
    assert [value for name, value in sent if name == "stage"] == ["shipped"]
    with pytest.raises(NotRight, match="no field colour"):
        form.filled({"colour": "red"})


def test_a_missing_form_is_told_with_what_the_page_says() -> None:
    with pytest.raises(NotRight, match="has no form to /nowhere/"):
        PAGE.form("/nowhere/")


def test_links_titles_and_messages_are_read() -> None:
    assert [match[1] for match, _ in PAGE.links(r"/ops/workshops/(\d+)/")] == ["3"]
    assert PAGE.title == "Plan 7"
    assert PAGE.said == ["Done."]
    assert proposals(PAGE) == [("W-017", 30)]


def test_choices_are_found_by_their_words() -> None:
    screen = Screen("8841 HP-01 x30, KES 560 each.\n1 Accept\n3 Kataa\n0 Back", True)
    assert screen.option("Accept", "Kubali") == "1"
    assert screen.option("Decline", "Kataa") == "3"
    assert screen.option("Money") == ""
    assert screen.options() == ["1", "3"]


@pytest.mark.parametrize(
    "text",
    [
        "Job 51: 30 HP-01 at KES 560 = 16,800, due 6 Dec.",
        "Kazi 51: HP-01 30 kwa KES 560 = 16,800, mwisho 6 Des.",
    ],
)
def test_offers_are_read_in_both_languages(text: str) -> None:
    match = OFFER.match(text)
    assert match
    assert (match["job"] or match["kazi"]) == "51"
    assert (match["component"] or match["sehemu"]) == "HP-01"
    assert (match["quantity"] or match["idadi"]) == "30"


def _signed(secret: bytes, stamp: int, body: bytes) -> dict[str, str]:
    digest = hmac.new(
        secret, f"msg_1.{stamp}.".encode() + body, hashlib.sha256
    ).digest()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": "v1,wrong v1," + base64.b64encode(digest).decode(),
    }


def test_a_webhook_is_believed_only_with_its_signature_and_in_time() -> None:
    key, now = b"0123456789abcdef", int(time.time())
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = _signed(key, now, b"{}")
    assert signature_problem(secret, headers, b"{}") == ""
    assert signature_problem(secret, headers, b"{ }") == "the signature is wrong"
    late = _signed(key, now - 301, b"{}")
    assert "too far off" in signature_problem(secret, late, b"{}")


def test_the_receiver_answers_and_keeps_repeats_once() -> None:
    key = b"0123456789abcdef"
    body = json.dumps(
        {"type": "order.placed", "data": {"order": {"id": "o1"}}}
    ).encode()
    receiver = Receiver()
    receiver.secret = "whsec_" + base64.b64encode(key).decode()
    try:
        headers = _signed(key, int(time.time()), body)
        for _ in range(2):
            answer = requests.post(receiver.url, data=body, headers=headers, timeout=5)
            assert answer.status_code == 204
        bad = requests.post(receiver.url, data=b"{}", headers=headers, timeout=5)
        assert bad.status_code == 401
        assert [one.event for one in receiver.about("o1")] == ["order.placed"]
    finally:
        receiver.close()


def test_the_story_is_plain_text_when_it_is_not_on_a_terminal() -> None:
    out = StringIO()
    show = Show(out)
    show.chapter("1. A buyer orders")
    show.step("Peter", "does a thing " * 20)
    show.phone("W-017", "SMS 22955", "Kazi 51: HP-01 30 kwa KES 560 = 16,800", "1")
    show.money("W-017 earns KES 560")
    assert show.wait("waiting", iter([None, "there"]).__next__, pause=0) == "there"
    told = out.getvalue()
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) <= 88
    assert "  1. Peter: does a thing" in told
    assert "| > 1 " in told
    assert "waiting ." in told


def test_quiet_leaves_chapters_and_the_end() -> None:
    out = StringIO()
    show = Show(out, quiet=True)
    show.chapter("1. A buyer orders")
    show.step("Peter", "does a thing")
    show.end("All well.")
    assert [line[:17] for line in out.getvalue().splitlines()] == [
        "1. A buyer orders",
        "All well. 1 steps",
    ]


def test_a_wait_is_bounded() -> None:
    with pytest.raises(NotRight, match="the moon: it did not happen within 0 s"):
        poll("the moon", lambda: None, seconds=0, pause=0)


def test_counting_words() -> None:
    assert (count(1, "piece"), count(1_200, "piece")) == ("1 piece", "1,200 pieces")


def test_without_a_system_the_tour_ends_with_1_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path)]) == 1
    assert "Start the system with bin/up" in capsys.readouterr().out


def test_a_stopped_system_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = {
        "slug": "soko-demo", "ussd_code": "*384*55#", "ussd_url": "http://x/ussd",
        "buyers": [{"name": "N", "api_key": "k"}], "workshops": [],
    }  # fmt: skip
    facts = {
        "url": "http://127.0.0.1:9", "standin_url": "http://127.0.0.1:9",
        "users": {}, "tenants": [tenant],
    }  # fmt: skip
    (tmp_path / "demo.json").write_text(json.dumps(facts))
    assert read_facts(tmp_path).buyer == "N"
    assert main(["--data", str(tmp_path)]) == 1
    assert "Does the system run?" in capsys.readouterr().out


@pytest.mark.parametrize("quantity", ["0", "-5", "19", "2001", "many"])
def test_absurd_quantities_are_refused(quantity: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--data", str(tmp_path), "--quantity", quantity])
    assert refused.value.code == 2


def test_the_tour_knows_nothing_of_the_domain() -> None:
    import subprocess

    script = (
        "import sys, vrp.walk.cli, importlib.util\n"
        "from pathlib import Path\n"
        "rooms = {'artisans', 'orders', 'qc', 'matching', 'payments', 'phone'}\n"
        "print(sorted({n.split('.')[0] for n in sys.modules} & rooms))\n"
        "print([n for n in sys.modules if n.startswith('vrp.') and "
        "not n.startswith(('vrp.walk', 'vrp.celery'))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[]", "[]"]
