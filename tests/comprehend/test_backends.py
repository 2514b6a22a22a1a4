"""The adapters on the local platform: Comprehend as a backend, Bedrock as the second opinion with its budget."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from cuatro.adapters.backends import backend, second_opinion
from cuatro.classification import Text, verdict
from functions.sentiment import features
from local.platform.process import ROOT
from tests.backend_contract import PLAIN, keeps_the_contract
from tests.checked import Aws

MODEL, MONTH = "amazon.nova-micro-v1:0", "2026-11"
SHIPPED = ROOT / "models" / "sentiment" / "model.onnx"


@pytest.fixture
def table(aws: Aws) -> Iterator[str]:
    name = f"cursors-{uuid.uuid4().hex[:8]}"
    aws.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "source", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "source", "AttributeType": "S"}],
    )  # fmt: skip
    yield name
    aws.client("dynamodb").delete_table(TableName=name)


@pytest.mark.usefixtures("reached")
def test_comprehend_keeps_the_contract() -> None:
    keeps_the_contract(backend("comprehend"))


def test_the_shipped_model_keeps_the_contract() -> None:
    keeps_the_contract(backend("onnx", str(SHIPPED), features))


@pytest.mark.usefixtures("reached")
def test_an_unsure_post_gets_a_second_opinion_until_the_budget_is_spent(aws: Aws, table: str) -> None:
    opinion = second_opinion(f"bedrock:{MODEL}", table, 0.00004)
    assert opinion is not None
    unsure = verdict([0.34, 0.33, 0.33], "onnx", "v", 0.5)
    texts = [text for text, _ in PLAIN]
    found = opinion.review(texts, [unsure] * 3, MONTH)
    assert (found.problem, found.unanswered) == ("", 0)
    assert 1 <= found.asked < 3, "the reservation of three is more than the budget"
    assert [each.label for each in found.verdicts[: found.asked]] == [label for _, label in PLAIN[: found.asked]]
    for _ in range(20):
        last = opinion.review(texts, [unsure] * 3, MONTH)
    assert (last.asked, last.unpaid, last.verdicts) == (0, 3, [unsure] * 3)
    key: dict[str, Any] = {"source": {"S": f"budget#{MODEL}#{MONTH}"}}
    item = aws.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    assert 0 < int(item["microusd"]["N"]) <= 40


@pytest.mark.usefixtures("reached")
def test_a_model_that_is_not_there_leaves_the_first_verdict(table: str) -> None:
    opinion = second_opinion("bedrock:anthropic.claude-3-haiku-20240307-v1:0", f"{table}-other", 1.0)
    assert opinion is not None
    unsure = verdict([0.34, 0.33, 0.33], "onnx", "v", 0.5)
    found = opinion.review([Text("a post", "en")], [unsure], MONTH)
    assert (found.verdicts, found.unpaid) == ([unsure], 1)
    assert "ResourceNotFoundException" in found.problem


def test_converse_answers_as_bedrock_does_and_says_that_it_is_a_double(aws: Aws) -> None:
    runtime = aws.client("bedrock-runtime")
    messages = [{"role": "user", "content": [{"text": "This is wonderful, I love it"}]}]
    told = runtime.converse(modelId=MODEL, messages=messages, inferenceConfig={"maxTokens": 8, "temperature": 0.0})
    assert told["output"]["message"] == {"role": "assistant", "content": [{"text": "positive"}]}
    assert told["stopReason"] == "end_turn"
    assert told["usage"]["totalTokens"] == told["usage"]["inputTokens"] + told["usage"]["outputTokens"]
    assert "double" in told["additionalModelResponseFields"]
    cut = runtime.converse(modelId=f"us.{MODEL}", messages=messages, inferenceConfig={"maxTokens": 1})
    assert (cut["stopReason"], cut["usage"]["outputTokens"]) == ("max_tokens", 1)
