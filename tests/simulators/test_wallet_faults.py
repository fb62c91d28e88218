"""Everything that goes wrong with a payout: never paid twice, never lost."""

from typing import Any

import pytest
import requests

from tests.simulators.daraja import PHONE, STATUS, Daraja, parameters
from tests.simulators.product import Product
from tests.simulators.test_wallet import RESULT, TIMEOUT, code, daraja, results
from tests.standin import StandIn, until

__all__ = ["daraja"]


def quiet(standin: StandIn) -> None:
    """Wait until every callback that was planned has been made."""
    until(lambda: standin.state()["results_waiting"] == 0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("hang", requests.ReadTimeout), ("lost", requests.ConnectionError)],
)
def test_no_answer_but_paid_once(
    standin: StandIn,
    product: Product,
    daraja: Daraja,
    fault: str,
    error: type[Exception],
) -> None:
    daraja.mint()
    standin.faults({"wallet": {"do": fault, "times": 1, "seconds": 3}})
    with pytest.raises(error):
        daraja.pay(timeout=0.3, OriginatorConversationID="p-1")
    again = daraja.pay(OriginatorConversationID="p-1")
    assert code(again) == (500, "500.002.1001")
    (result,) = results(product)
    assert result["Result"]["OriginatorConversationID"] == "p-1"
    assert len(standin.wallet(PHONE)) == 1


def test_dropped_means_never_seen(
    standin: StandIn, product: Product, daraja: Daraja
) -> None:
    daraja.mint()
    standin.faults({"wallet": {"do": "drop", "times": 1}})
    with pytest.raises(requests.ConnectionError):
        daraja.pay(OriginatorConversationID="p-1")
    assert standin.wallet(PHONE) == []
    assert daraja.pay(OriginatorConversationID="p-1").ok


@pytest.mark.parametrize(
    ("rule", "expected", "paid"),
    [
        ({"do": "http", "code": 429}, (429, "500.003.02"), 0),
        ({"do": "http", "code": 500}, (500, "500.003.1001"), 0),
        ({"do": "http", "code": 401}, (401, "401.002.01"), 0),
        ({"do": "token_expired"}, (404, "404.001.03"), 0),
        ({"do": "error_200"}, (200, "500.003.03"), 0),
        ({"do": "busy"}, (500, "500.002.1001"), 0),
        ({"do": "busy_paid"}, (500, "500.002.1001"), 1),
    ],
)
def test_error_answers(
    standin: StandIn,
    daraja: Daraja,
    rule: dict[str, Any],
    expected: tuple[int, str],
    paid: int,
) -> None:
    standin.faults({"wallet": {**rule, "times": 1}})
    assert code(daraja.pay()) == expected
    assert len(standin.wallet(PHONE)) == paid


@pytest.mark.parametrize(
    ("do", "codes"),
    [
        ("result_none", []),
        ("result_repeated", ["0", "0", "0"]),
        ("contradictory", ["0", "8"]),
        ("queue_timeout_only", []),
        ("queue_timeout", ["0"]),
    ],
)
def test_results_misbehave_but_money_moves_once(
    standin: StandIn, product: Product, daraja: Daraja, do: str, codes: list[str]
) -> None:
    standin.faults({"wallet": {"do": do}})
    assert daraja.pay(OriginatorConversationID="p-1").ok
    quiet(standin)
    told = [str(one["Result"]["ResultCode"]) for one in product.at(RESULT)]
    assert told == codes
    notices = product.at(TIMEOUT)
    assert len(notices) == do.startswith("queue_timeout")
    for notice in notices:
        assert "Result" not in notice
        assert "SecurityCredential" not in notice
        assert notice["OriginatorConversationID"] == "p-1"
    assert len(standin.wallet(PHONE)) == 1


def test_result_before_the_answer(
    standin: StandIn, product: Product, daraja: Daraja
) -> None:
    standin.faults({"wallet": {"do": "result_early"}})
    assert daraja.pay().ok
    assert len(product.at(RESULT)) == 1
    quiet(standin)
    assert len(product.at(RESULT)) == 1


def test_result_late(standin: StandIn, product: Product, daraja: Daraja) -> None:
    standin.faults({"wallet": {"do": "result_late", "seconds": 0.5}})
    daraja.pay()
    assert len(standin.wallet(PHONE)) == 1
    assert product.at(RESULT) == []
    results(product)


@pytest.mark.parametrize("wanted", ["1", "2040", "SFC_IC0003", "17", "99"])
def test_each_result_code(
    standin: StandIn, product: Product, daraja: Daraja, wanted: str
) -> None:
    rule = {"do": "result", "code": wanted, "phone": "+" + PHONE, "times": 1}
    standin.faults({"wallet": rule})
    daraja.pay()
    assert str(results(product)[0]["Result"]["ResultCode"]) == wanted
    assert standin.wallet(PHONE) == []
    daraja.pay()
    assert str(results(product, 2)[1]["Result"]["ResultCode"]) == "0"


def test_queries_misbehave(standin: StandIn, product: Product, daraja: Daraja) -> None:
    daraja.pay(OriginatorConversationID="p-1")
    results(product)
    standin.faults({"wallet": {"do": "query_contradicts", "times": 1}})
    daraja.query(STATUS, OriginalConversationID="p-1")
    denial = parameters(results(product, 2)[-1])
    assert denial["TransactionStatus"] == "Declined"
    standin.faults({"wallet": {"do": "query_timeout", "times": 1}})
    daraja.query(STATUS, OriginalConversationID="p-1")
    until(lambda: product.at(TIMEOUT))
    assert len(product.at(RESULT)) == 2


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"fax": {}}, "unknown channel fax"),
        ({"sms": {"do": "explode"}}, "'do' must be one of"),
        ({"sms": "hang"}, "a rule is an object"),
        ({"sms": {"do": "hang", "time": 1}}, "unknown time"),
        ({"sms": {"do": "hang", "times": 0}}, "'times' must be"),
        ({"wallet": {"do": "http", "code": 200}}, "needs a 'code'"),
        ({"wallet": {"do": "hang", "seconds": -1}}, "'seconds' must be"),
    ],
)
def test_a_bad_rule_is_explained_and_changes_nothing(
    standin: StandIn, rules: dict[str, Any], words: str
) -> None:
    standin.faults({"sms": {"do": "slow"}})
    with pytest.raises(requests.HTTPError, match=words):
        standin.faults(rules)
    assert standin.get("/_faults")["sms"] == [{"do": "slow"}]
    assert standin.faults({}) == {"sms": [], "wallet": [], "ussd": []}
