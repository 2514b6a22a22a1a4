"""Data capture: what an endpoint was asked and answered lies in S3 as SageMaker writes it."""

import base64
import json
from typing import Any

import pytest

from local.platform.process import Platform
from tests.checked import Aws
from tests.sagemaker.endpoint_calls import Endpoints
from tests.sagemaker.programs import register
from tests.waiting import eventually


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, role: str, bucket: str) -> Endpoints:
    """Endpoints of the serve program."""
    return Endpoints(aws, register(platform, "serving", "serve_program.py"), role, bucket)


def capture(endpoints: Endpoints, modes: tuple[str, ...], percentage: int = 100) -> dict[str, Any]:
    """A DataCaptureConfig."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percentage,
        "DestinationS3Uri": f"s3://{endpoints.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }


def lines(endpoints: Endpoints, name: str, count: int) -> list[tuple[str, dict[str, Any]]]:
    """(key, line) of at least `count` captured invocations."""
    s3 = endpoints.aws.client("s3")

    def probe() -> list[tuple[str, dict[str, Any]]] | None:
        listed = s3.list_objects_v2(Bucket=endpoints.bucket, Prefix=f"captured/{name}/").get("Contents", ())
        found = []
        for entry in listed:
            body = s3.get_object(Bucket=endpoints.bucket, Key=entry["Key"])["Body"].read().decode()
            found += [(entry["Key"], json.loads(line)) for line in body.splitlines()]
        return found if len(found) >= count else None

    return eventually(probe, f"{count} captured invocations of {name}")


def test_input_and_output_are_captured_in_sagemakers_format(endpoints: Endpoints) -> None:
    name = endpoints.serving(DataCaptureConfig=capture(endpoints, ("Input", "Output")))
    described = endpoints.describe(name)["DataCaptureConfig"]
    assert (described["CaptureStatus"], described["CurrentSamplingPercentage"]) == ("Started", 100)
    invoke = endpoints.runtime.invoke_endpoint
    invoke(EndpointName=name, ContentType="text/csv", Body=b"1,2\n3,4", InferenceId="one", CustomAttributes="a=b")
    invoke(EndpointName=name, ContentType="application/json", Body=b'{"instances": []}')
    invoke(EndpointName=name, ContentType="application/x-npy", Body=b"\x93NUMPY")
    found = lines(endpoints, name, 3)
    for key, line in found:
        _, _, variant, year, month, day, hour, file = key.split("/")
        assert variant == "AllTraffic"
        assert f"{year}-{month}-{day}T{hour}" == line["eventMetadata"]["inferenceTime"][:13]
        assert file.endswith(".jsonl")
        assert line["eventVersion"] == "0"
        assert line["eventMetadata"]["eventId"]
    csv, structured, binary = (line["captureData"] for _, line in found)
    side = {"observedContentType": "text/csv", "data": "1,2\n3,4", "encoding": "CSV"}
    assert csv == {"endpointInput": {**side, "mode": "INPUT"}, "endpointOutput": {**side, "mode": "OUTPUT"}}
    assert structured["endpointInput"]["encoding"] == "JSON"
    assert structured["endpointInput"]["data"] == '{"instances": []}'
    assert binary["endpointInput"]["encoding"] == "BASE64"
    assert base64.b64decode(binary["endpointInput"]["data"]) == b"\x93NUMPY"
    assert found[0][1]["eventMetadata"]["inferenceId"] == "one"
    assert found[0][1]["eventMetadata"]["customAttributes"] == ["a=b"]


def test_only_the_sampled_share_and_mode_are_captured(endpoints: Endpoints) -> None:
    name = endpoints.serving(DataCaptureConfig=capture(endpoints, ("Input",), percentage=25))
    for i in range(8):
        endpoints.runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=str(i).encode())
    found = lines(endpoints, name, 2)
    endpoints.delete(name)
    assert [line["captureData"]["endpointInput"]["data"] for _, line in found] == ["3", "7"]
    assert all("endpointOutput" not in line["captureData"] for _, line in found)
