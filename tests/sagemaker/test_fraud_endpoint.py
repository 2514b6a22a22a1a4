"""The suite's own container behind an endpoint: the shipped fraud model scores as its golden rows say."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.process import ROOT
from tests.checked import Aws
from tests.sagemaker.endpoint_calls import INSTANCE, SERVERLESS, Endpoints, packed

MODEL = ROOT / "models" / "fraud" / "model.onnx"
GOLDEN = json.loads((ROOT / "models" / "fraud" / "golden.json").read_text())
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/cuatro-models:local"


@pytest.fixture(scope="module", params=[INSTANCE, SERVERLESS], ids=["realtime", "serverless"])
def endpoint(request: pytest.FixtureRequest, aws: Aws, role: str, bucket: str) -> tuple[Endpoints, str]:
    """An endpoint of the shipped model in the smallest size that the suite uses."""
    endpoints = Endpoints(aws, IMAGE, role, bucket)
    artefact = endpoints.uploaded(packed({"model.onnx": MODEL.read_bytes()}))
    model = endpoints.model(artefact, environment={"CUATRO_MODEL": "fraud"})
    return endpoints, endpoints.serving({"ModelName": model, **request.param})


def ask(endpoint: tuple[Endpoints, str], instances: list[Any]) -> Any:
    """The answer to rows of features."""
    endpoints, name = endpoint
    answer = endpoints.runtime.invoke_endpoint(
        EndpointName=name,
        ContentType="application/json",
        Accept="application/json",
        Body=json.dumps({"instances": instances}),
    )
    return json.loads(answer["Body"].read())


def test_it_scores_as_the_golden_rows_say(endpoint: tuple[Endpoints, str]) -> None:
    answer = ask(endpoint, [row["features"] for row in GOLDEN])
    assert answer["scores"] == pytest.approx([row["score"] for row in GOLDEN], abs=1e-5)


def test_a_bad_row_is_a_model_error_that_names_it(endpoint: tuple[Endpoints, str]) -> None:
    with pytest.raises(ClientError) as failed:
        ask(endpoint, [[1.0, 2.0]])
    assert failed.value.response["OriginalStatusCode"] == 400
    assert "row" in failed.value.response["OriginalMessage"]
