"""The suite's own container with the shipped ranker: an endpoint and a batch transform give the golden lists."""

import json
from typing import Any

import onnx
import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.process import ROOT
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import INSTANCE, Endpoints, packed
from tests.sagemaker.training_jobs import ENDED
from tests.waiting import eventually

SHIPPED = ROOT / "models" / "recommendations"
GOLDEN = json.loads((SHIPPED / "golden.json").read_text())
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/cuatro-models:local"
NAMES: list[str] = json.loads(
    next(each.value for each in onnx.load(SHIPPED / "model.onnx").metadata_props if each.key == "items")
)
INSTANCES = [
    {
        "items": [NAMES[item] for item in row["items"]],
        "ages": row["ages"],
        "exclude": [NAMES[item] for item in row["exclude"]],
        "k": len(row["top"]),
    }
    for row in GOLDEN
]
EXPECTED = [[NAMES[item] for item in row["top"]] for row in GOLDEN]


@pytest.fixture(scope="module")
def endpoints(aws: Aws, role: str, bucket: str) -> Endpoints:
    return Endpoints(aws, IMAGE, role, bucket)


@pytest.fixture(scope="module")
def model(endpoints: Endpoints) -> str:
    """A model of the archive that ships, as the registry's packages and the endpoints' constructs describe it."""
    artefact = endpoints.uploaded(packed({"model.onnx": (SHIPPED / "model.onnx").read_bytes()}))
    return endpoints.model(artefact, environment={"CUATRO_MODEL": "recommendations"})


def test_an_endpoint_answers_with_the_golden_lists_and_names_a_bad_instance(endpoints: Endpoints, model: str) -> None:
    name = endpoints.serving({"ModelName": model, **INSTANCE})

    def ask(instances: list[Any]) -> Any:
        body = json.dumps({"instances": instances})
        answer = endpoints.runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
        return json.loads(answer["Body"].read())

    told = ask(INSTANCES)
    assert [each["items"] for each in told["predictions"]] == EXPECTED
    assert told["model_version"].startswith("recommendations-")
    with pytest.raises(ClientError) as failed:
        ask([INSTANCES[0], {"items": [1]}])
    assert failed.value.response["OriginalStatusCode"] == 400
    assert "instance 2" in failed.value.response["OriginalMessage"]


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_a_batch_transform_writes_a_list_a_line(
    endpoints: Endpoints, model: str, aws: Aws, bucket: str, strategy: str
) -> None:
    place, name = unique("profiles"), unique("lists")
    s3, sagemaker = aws.client("s3"), aws.client("sagemaker")
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in INSTANCES)
    s3.put_object(Bucket=bucket, Key=f"{place}/profiles.jsonl", Body=lines)
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        BatchStrategy=strategy,
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

    job = eventually(ended, f"the end of transform job {name}")
    assert job["TransformJobStatus"] == "Completed", job
    written = s3.get_object(Bucket=bucket, Key=f"{place}-out/profiles.jsonl.out")["Body"].read()
    # Between answers that end with a line end, AssembleWith puts another one.
    assert [json.loads(line)["items"] for line in written.splitlines() if line] == EXPECTED
