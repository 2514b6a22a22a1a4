"""Unsure verdicts -> asked again within a month's budget, whatever fails and whoever takes money at the same time."""

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuatro.adapters.aws import client
from cuatro.adapters.backends import second_opinion
from cuatro.adapters.bedrock import MOST, BedrockOpinion, Budget
from cuatro.classification import Text, unsupported, verdict
from cuatro.config import Misconfigured
from cuatro.errors import Refused, Unavailable
from tests.functional.aws_in_memory import Wire, wired

MODEL, TABLE, MONTH = "amazon.nova-micro-v1:0", "cursors", "2026-11"
SURE, UNSURE = verdict([0.9, 0.05, 0.05], "onnx", "v", 0.5), verdict([0.4, 0.35, 0.25], "onnx", "v", 0.5)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with wired() as found:
        client("dynamodb").create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "source", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "source", "AttributeType": "S"}],
        )  # fmt: skip
        yield found


class Purse:
    """A purse in memory."""

    def __init__(self, money: int) -> None:
        self.money = money

    def take(self, costs: Any, month: str) -> int:
        taken = [total for total in itertools.accumulate(costs) if total <= self.money]
        self.money -= taken[-1] if taken else 0
        return len(taken)

    def give_back(self, amount: int, month: str) -> None:
        self.money += amount


class Model:
    """Answers `word`, or raises it; keeps what it was asked. Used from many threads."""

    def __init__(self, word: str | Exception = "neutral") -> None:
        self.word, self.asked = word, list[dict[str, Any]]()
        self._lock = threading.Lock()

    def __call__(self, **given: Any) -> dict[str, Any]:
        with self._lock:
            self.asked.append(given)
        if isinstance(self.word, Exception):
            raise self.word
        return {
            "output": {"message": {"role": "assistant", "content": [{"text": self.word}]}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 100, "outputTokens": 2, "totalTokens": 102}, "metrics": {"latencyMs": 1},
        }  # fmt: skip


def texts(count: int) -> list[Text]:
    return [Text(f"post {number}", "en") for number in range(count)]


def spent() -> int:
    item = client("dynamodb").get_item(TableName=TABLE, Key={"source": {"S": f"budget#{MODEL}#{MONTH}"}}).get("Item")
    return int(item["microusd"]["N"]) if item else 0


def test_only_unsure_posts_are_asked_about_and_each_by_itself() -> None:
    model = Model("Neutral.")
    verdicts = [SURE, UNSURE, unsupported("onnx", "v"), SURE, UNSURE]
    posts = [*texts(4), Text(" ", "en")]
    found = BedrockOpinion(MODEL, Purse(10**9), converse=model).review(posts, verdicts, MONTH)
    assert [each.backend for each in found.verdicts] == ["onnx", "onnx+bedrock", "onnx+bedrock", "onnx", "onnx"]
    assert [each.label for each in found.verdicts] == ["negative", "neutral", "neutral", "negative", "negative"]
    assert (found.asked, found.changed, found.unpaid, found.unanswered, found.problem) == (2, 1, 0, 0, "")
    asked = [json.loads(each["messages"][0]["content"][0]["text"]) for each in model.asked]
    assert sorted(asked, key=lambda each: each["text"]) == [
        {"language": "en", "text": "post 1"}, {"language": "en", "text": "post 2"},
    ]  # fmt: skip
    assert all(each["modelId"] == MODEL and each["inferenceConfig"]["temperature"] == 0 for each in model.asked)
    assert found.spent_usd == pytest.approx(2 * 4e-6), "100 tokens read and 2 written, each call rounded up"


def test_nobody_is_asked_where_all_are_sure() -> None:
    model = Model()
    found = BedrockOpinion(MODEL, Purse(0), converse=model).review(texts(3), [SURE] * 3, MONTH)
    assert (found.verdicts, model.asked, found.unpaid) == ([SURE] * 3, [], 0)


@pytest.mark.parametrize(
    ("word", "problem"),
    [(Unavailable("throttled"), "throttled"), (Refused("Converse", "AccessDeniedException", "no"), "AccessDenied"),
     ("I think it is positive", "not with a label"), ("", "not with a label")],
)  # fmt: skip
def test_the_first_verdict_stands_when_there_is_no_answer(word: str | Exception, problem: str) -> None:
    purse = Purse(10**6)
    found = BedrockOpinion(MODEL, purse, converse=Model(word)).review(texts(3), [UNSURE] * 3, MONTH)
    assert found.verdicts == [UNSURE] * 3
    assert (found.asked, found.unanswered) == (0, 3)
    assert problem in found.problem
    assert 10**6 - purse.money == (0 if isinstance(word, Exception) else 3 * 4), "what was answered is paid"


def test_a_batch_asks_so_many_at_most() -> None:
    model = Model()
    found = BedrockOpinion(MODEL, Purse(10**9), converse=model).review(texts(MOST + 5), [UNSURE] * (MOST + 5), MONTH)
    assert (len(model.asked), found.asked, found.unpaid) == (MOST, MOST, 5)


def test_a_slow_model_is_not_waited_for_by_all() -> None:
    seconds = itertools.count(0.0, 2.0)
    model, purse = Model("positive"), Purse(10**6)
    opinion = BedrockOpinion(MODEL, purse, converse=model, clock=lambda: next(seconds))
    found = opinion.review(texts(20), [UNSURE] * 20, MONTH)
    assert 0 < found.asked == len(model.asked) < 20
    assert found.asked + found.unanswered == 20
    assert "took longer than 10 s" in found.problem
    assert 10**6 - purse.money == 4 * found.asked, "what was not asked is not paid"


def test_the_budget_ends_the_questions_and_what_was_not_used_is_given_back(wire: Wire) -> None:
    budget = Budget(TABLE, MODEL, monthly_usd=0.0001)  # 100 millionths; a question is reserved some 16, and costs 4
    opinion = BedrockOpinion(MODEL, budget, converse=Model())
    first = opinion.review(texts(10), [UNSURE] * 10, MONTH)
    assert 0 < first.asked < 10
    assert first.unpaid == 10 - first.asked
    assert spent() == 4 * first.asked
    asked = first.asked
    for _ in range(40):
        asked += opinion.review(texts(10), [UNSURE] * 10, MONTH).asked
    assert spent() == 4 * asked <= 100
    last = opinion.review(texts(1), [UNSURE], MONTH)
    assert (last.verdicts, last.unpaid, last.asked) == ([UNSURE], 1, 0)
    assert opinion.review(texts(1), [UNSURE], "2026-12").asked == 1, "a new month has its own budget"


def test_no_budget_is_no_question(wire: Wire) -> None:
    model = Model()
    found = BedrockOpinion(MODEL, Budget(TABLE, MODEL, 0.0), converse=model).review(texts(2), [UNSURE] * 2, MONTH)
    assert (found.unpaid, model.asked, wire.calls["UpdateItem"]) == (2, [], 0)


@pytest.mark.parametrize("operation", ["UpdateItem"])
def test_a_table_that_is_away_costs_only_the_opinion(wire: Wire, operation: str) -> None:
    wire.down(operation)
    model = Model()
    found = BedrockOpinion(MODEL, Budget(TABLE, MODEL, 1.0), converse=model).review(texts(2), [UNSURE] * 2, MONTH)
    assert (found.verdicts, found.unpaid, model.asked) == ([UNSURE] * 2, 2, [])
    assert found.problem


@given(st.lists(st.integers(1, 60), max_size=12), st.integers(0, 200))
def test_a_purse_gives_for_the_first_ones_that_it_has_money_for(costs: list[int], money: int) -> None:
    class Counted(Budget):
        total = 0

        def _add(self, amount: int, month: str, at_most: int | None) -> int | None:
            if at_most is not None and self.total > at_most:
                return self.total
            self.total += amount
            return None

    budget = Counted(TABLE, MODEL, money / 1_000_000)
    budget._limit = money
    count = budget.take(costs, MONTH)
    assert budget.total == sum(costs[:count]) <= money
    assert count == len(costs) or sum(costs[: count + 1]) > money
    rest = costs[count:]
    again = budget.take(rest, MONTH)
    assert (again == 0) == (not rest or sum(costs[:count]) + rest[0] > money)


def test_functions_that_spend_at_the_same_time_never_overspend(wire: Wire) -> None:
    budget, gate = Budget(TABLE, MODEL, 0.0002), threading.Barrier(4)
    taken: list[int] = []

    def spend() -> None:
        gate.wait()
        taken.extend(budget.take([17, 17, 17], MONTH) for _ in range(5))

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spent() == 17 * sum(taken)
    assert 200 - 17 < spent() <= 200


def test_names_and_prices_must_be_known() -> None:
    assert second_opinion("", TABLE, 5.0) is None
    assert second_opinion(f"bedrock:eu.{MODEL}", TABLE, 5.0) is not None
    for name in ("bedrock:", "nova", "openai:gpt"):
        with pytest.raises(Misconfigured, match="no second opinion"):
            second_opinion(name, TABLE, 5.0)
    with pytest.raises(Misconfigured, match="no price is known"):
        second_opinion("bedrock:amazon.nova-unheard-of", TABLE, 5.0)
