"""The suite's own container with the shipped classifier: endpoint and batch transform say what it says in-process."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cuatro.adapters.backends import backend
from cuatro.adapters.classifier import TOKENIZER
from cuatro.classification import Text
from cuatro.posts import LABELS, Verdict
from functions.sentiment import features
from local.platform.account import ACCOUNT, REGION
from local.platform.process import ROOT
from tests.backend_contract import keeps_the_contract
from tests.bare import reaching
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import INSTANCE, Endpoints, packed
from tests.sagemaker.training_jobs import ENDED
from tests.waiting import eventually

SHIPPED = ROOT / "models" / "sentiment"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/cuatro-models:local"
LINES = (SHIPPED / "examples.jsonl").read_text(encoding="utf-8").splitlines()[::8]
INSTANCES = [{name: each[name] for name in ("text", "language")} for each in map(json.loads, LINES)]
NEAR = 0.02
"""A batch is padded to its longest post, and the weights are whole numbers of 8 bits."""


@pytest.fixture(scope="module")
def endpoints(aws: Aws, role: str, bucket: str) -> Endpoints:
    return Endpoints(aws, IMAGE, role, bucket)


@pytest.fixture(scope="module")
def model(endpoints: Endpoints) -> str:
    """A model of the archive that ships, with its tokenizer."""
    files = {name: (SHIPPED / name).read_bytes() for name in ("model.onnx", TOKENIZER)}
    return endpoints.model(endpoints.uploaded(packed(files)), environment={"CUATRO_MODEL": "sentiment"})


@pytest.fixture(scope="module")
def endpoint(endpoints: Endpoints, model: str) -> str:
    return endpoints.serving({"ModelName": model, **INSTANCE})


@pytest.fixture
def reached(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The adapters reach this platform, as a function does by its environment."""
    with reaching(aws.endpoint, monkeypatch, backend):
        yield


@pytest.fixture(scope="module")
def expected() -> list[Verdict]:
    """What the model says of the instances in this process."""
    here = backend("onnx", str(SHIPPED / "model.onnx"), features)
    return here.classify([Text(each["text"], each["language"]) for each in INSTANCES])


def near(found: list[Any], expected: list[Verdict]) -> None:
    assert len(found) == len(expected) > 10
    for each, verdict in zip(found, expected, strict=True):
        assert each["probabilities"] == pytest.approx(verdict.probabilities, abs=NEAR)


def test_an_endpoint_says_what_the_model_says_and_names_a_bad_instance(
    endpoints: Endpoints, endpoint: str, expected: list[Verdict]
) -> None:
    def ask(instances: list[Any]) -> Any:
        body = json.dumps({"instances": instances})
        answer = endpoints.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=body)
        return json.loads(answer["Body"].read())

    told = ask(INSTANCES)
    near(told["predictions"], expected)
    assert told["model_version"] == expected[0].model_version
    assert 1 / len(LABELS) <= told["unsure_below"] < 1
    with pytest.raises(ClientError) as failed:
        ask([INSTANCES[0], {"text": 1}])
    assert failed.value.response["OriginalStatusCode"] == 400
    assert "instance 2" in failed.value.response["OriginalMessage"]


@pytest.mark.usefixtures("reached")
def test_the_endpoint_is_a_backend_like_any_other(endpoint: str) -> None:
    keeps_the_contract(backend(f"sagemaker:{endpoint}"))


def test_a_batch_transform_writes_a_prediction_a_line(
    endpoints: Endpoints, model: str, aws: Aws, bucket: str, expected: list[Verdict]
) -> None:
    place, name = unique("posts"), unique("classes")
    s3, sagemaker = aws.client("s3"), aws.client("sagemaker")
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in INSTANCES)
    s3.put_object(Bucket=bucket, Key=f"{place}/posts.jsonl", Body=lines)
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        BatchStrategy="MultiRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{place}/"}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        TransformOutput={
            "S3OutputPath": f"s3://{bucket}/{place}-out", "Accept": "application/jsonlines", "AssembleWith": "Line",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )  # fmt: skip

    def ended() -> Any:
        job = sagemaker.describe_transform_job(TransformJobName=name)
        return job if job["TransformJobStatus"] in ENDED else None

    job = eventually(ended, "the batch transform ends")
    assert job["TransformJobStatus"] == "Completed", job
    written = s3.get_object(Bucket=bucket, Key=f"{place}-out/posts.jsonl.out")["Body"].read()
    near([json.loads(line) for line in written.splitlines() if line], expected)
