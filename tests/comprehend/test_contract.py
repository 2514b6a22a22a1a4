"""What holds for every operation of the local Comprehend and Bedrock: bodies, parameters, grants, credentials."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import operations
from tests.checked import COMPREHEND, Aws
from tests.operations import UNSERVED, Served, code

MODEL = "amazon.nova-micro-v1:0"


@pytest.fixture(scope="module")
def careless(aws: Aws) -> dict[str, Any]:
    return {name: aws.careless(name) for name in COMPREHEND}


@pytest.fixture(scope="module")
def served(careless: dict[str, Any]) -> Served:
    """The served operations of each client."""
    return operations.served(careless)


def test_the_services_parts_are_all_there(served: Served) -> None:
    assert operations.names(served) == {
        "DetectSentiment", "BatchDetectSentiment", "DetectDominantLanguage", "BatchDetectDominantLanguage", "Converse",
    }  # fmt: skip


def test_missing_parameters_are_told(careless: dict[str, Any], served: Served) -> None:
    assert operations.silent_about_missing(careless, served) == []


def test_wrong_types_are_told(aws: Aws, served: Served) -> None:
    assert operations.silent_about_types(aws, "comprehend", "comprehend", served["comprehend"]) == []


def test_broken_bodies_are_told(aws: Aws) -> None:
    target = {"X-Amz-Target": "Comprehend_20171127.DetectSentiment"}
    for body in (b"{", b"[1]", b"[" * 100_000, b'{"Text": 7}', b'{"Text": "\\ud800"}', b"\xff"):
        for service, path, headers in (("comprehend", "/", target), ("bedrock", f"/model/{MODEL}/converse", {})):
            told = aws.post(service, path, body, **headers)
            if service == "bedrock" and body == b'{"Text": 7}':  # unknown members are passed over, as AWS does
                continue
            assert (told[0], told[1]["__type"]) == (400, "SerializationException"), (service, body[:20])


def test_an_operation_that_only_aws_serves_says_so(aws: Aws) -> None:
    with pytest.raises(ClientError, match="not served by the local platform") as failed:
        aws.client("comprehend").list_entity_recognizers()
    assert failed.value.response["Error"]["Code"] == UNSERVED


def test_a_role_without_grants_may_do_nothing(aws: Aws, served: Served) -> None:
    assert operations.open_to_anybody(aws.acting(aws.role()), served) == []


def test_grants_are_for_what_they_name(aws: Aws) -> None:
    model = f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"
    acting = aws.acting(aws.role(
        {"Effect": "Allow", "Action": "comprehend:DetectDominantLanguage", "Resource": "*"},
        {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": model},
    ))  # fmt: skip
    assert acting.client("comprehend").detect_dominant_language(Text="a quiet evening in the garden")["Languages"]
    with pytest.raises(ClientError, match="comprehend:BatchDetectDominantLanguage"):
        acting.client("comprehend").batch_detect_dominant_language(TextList=["a"])
    messages = [{"role": "assistant", "content": [{"text": "hello"}]}]
    with pytest.raises(ClientError, match="must start with a user message"):  # allowed, and then refused
        acting.client("bedrock-runtime").converse(modelId=MODEL, messages=messages)
    with pytest.raises(ClientError, match=r"bedrock:InvokeModel on resource.*nova-lite"):
        acting.client("bedrock-runtime").converse(modelId="amazon.nova-lite-v1:0", messages=messages)
    with pytest.raises(ClientError, match=r"bedrock:InvokeModel on resource.*inference-profile/us.amazon.nova-micro"):
        acting.client("bedrock-runtime").converse(modelId=f"us.{MODEL}", messages=messages)


@pytest.mark.parametrize("name", COMPREHEND)
def test_wrong_credentials_are_refused_as_everywhere(aws: Aws, name: str) -> None:
    stranger = aws.keys(aws_access_key_id="AKIANOBODYKNOWSTHIS0").careless(name)
    operation = stranger.meta.service_model.operation_model(stranger.meta.service_model.operation_names[0])
    assert code(stranger, operation) == "UnrecognizedClientException"
