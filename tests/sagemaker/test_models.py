"""Models and endpoint configurations: what they take, what they refuse, and in whose words."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT
from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import INSTANCE, SERVERLESS, Endpoints, variant
from tests.sagemaker.programs import register

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://captured/here",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
NO_ROLE = f"arn:aws:iam::{ACCOUNT}:role/none"
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://answers/here"}}


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, role: str, bucket: str) -> Endpoints:
    """Models of the serve program."""
    return Endpoints(aws, register(platform, "serving", "serve_program.py"), role, bucket)


@pytest.fixture(scope="module")
def model(endpoints: Endpoints) -> str:
    """A model that no test changes."""
    return endpoints.model()


def refused(call: Any, **given: Any) -> str:
    """Message of a ValidationException."""
    with pytest.raises(ClientError) as failed:
        call(**given)
    assert failed.value.response["Error"]["Code"] == "ValidationException"
    return str(failed.value.response["Error"]["Message"])


def test_a_model_is_described_listed_and_deleted(endpoints: Endpoints) -> None:
    url = endpoints.artefact(name="a")
    name = endpoints.model(url, environment={"CUATRO_MODEL": "fraud"}, Tags=[{"Key": "pipeline", "Value": "fraud"}])
    found = endpoints.sagemaker.describe_model(ModelName=name)
    assert found["PrimaryContainer"]["ModelDataUrl"] == url
    assert found["PrimaryContainer"]["Environment"] == {"CUATRO_MODEL": "fraud"}
    assert found["ExecutionRoleArn"] == endpoints.role
    assert endpoints.sagemaker.list_tags(ResourceArn=found["ModelArn"])["Tags"][0]["Value"] == "fraud"
    assert [each["ModelName"] for each in endpoints.sagemaker.list_models(NameContains=name)["Models"]] == [name]
    endpoints.sagemaker.delete_model(ModelName=name)
    message = refused(endpoints.sagemaker.describe_model, ModelName=name)
    assert message == f'Could not find model "{found["ModelArn"]}".'


def test_a_name_is_taken_once(endpoints: Endpoints, model: str) -> None:
    container = {"PrimaryContainer": {"Image": endpoints.image}}
    for name in (model, model.upper()):
        given = {"ModelName": name, "ExecutionRoleArn": endpoints.role, **container}
        message = refused(endpoints.sagemaker.create_model, **given)
        assert message.startswith('Cannot create already existing model "arn:aws:sagemaker:us-east-1:')


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "You must provide either PrimaryContainer or Containers"),
        ({"Containers": [{"Image": "a/b"}, {"Image": "a/c"}]}, "an inference pipeline"),
        ({"PrimaryContainer": {"Image": "a/b", "Mode": "MultiModel"}}, "A multi-model container"),
        ({"PrimaryContainer": {"ModelDataUrl": "s3://a/b"}}, "You must provide Image or ModelPackageName"),
        ({"PrimaryContainer": {"ModelPackageName": "none"}}, "model-package/none does not exist"),
        ({"PrimaryContainer": {"Image": "a/b"}, "ExecutionRoleArn": NO_ROLE}, "Could not assume"),
    ],
)  # fmt: skip
def test_what_a_model_cannot_be(endpoints: Endpoints, given: dict[str, Any], expected: str) -> None:
    more = {"ExecutionRoleArn": endpoints.role, **given}
    assert expected in refused(endpoints.sagemaker.create_model, ModelName=unique("model"), **more)


def test_an_approved_model_package_can_be_deployed(endpoints: Endpoints) -> None:
    sagemaker = endpoints.sagemaker
    container = {"Image": endpoints.image, "ModelDataUrl": endpoints.artefact(name="packaged")}
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group(sagemaker),
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    given = {"PrimaryContainer": {"ModelPackageName": package}, "ExecutionRoleArn": endpoints.role}
    assert "is not in Approved status" in refused(sagemaker.create_model, ModelName=unique("model"), **given)
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    name = endpoints.model(**given)
    assert endpoints.tell(endpoints.serving({"ModelName": name}))["model"] == "packaged"


def group(sagemaker: Any) -> str:
    """Name of a new model package group."""
    name = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def test_a_configuration_is_described_listed_and_deleted(endpoints: Endpoints, model: str) -> None:
    name = endpoints.config({"ModelName": model}, DataCaptureConfig=CAPTURE)
    sagemaker = endpoints.sagemaker
    found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert found["ProductionVariants"] == [
        {"VariantName": "AllTraffic", "ModelName": model, "InitialVariantWeight": 1.0, **INSTANCE}
    ]
    assert found["DataCaptureConfig"] == CAPTURE
    listed = sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in listed] == [name]
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    assert "Could not find endpoint configuration" in refused(
        sagemaker.describe_endpoint_config, EndpointConfigName=name
    )
    assert "Could not find endpoint configuration" in refused(
        sagemaker.create_endpoint, EndpointName=unique("endpoint"), EndpointConfigName=name
    )


@pytest.mark.parametrize(
    ("variants", "more", "expected"),
    [
        ([SERVERLESS, {"VariantName": "b"}], {}, "can have only that one"),
        ([SERVERLESS], {"DataCaptureConfig": CAPTURE}, "DataCaptureConfig is not supported for serverless"),
        ([SERVERLESS], {"AsyncInferenceConfig": ASYNC}, "AsyncInferenceConfig is not supported for serverless"),
        ([{}, {"VariantName": "b"}], {"AsyncInferenceConfig": ASYNC}, "only one production variant"),
        ([{}, {}], {}, "Variant names must be unique"),
        ([{"ModelName": "none"}], {}, 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/none"'),
        ([{"ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}], {}, "must be one of 1024, 2048"),
        ([{"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 201}}], {}, "less than or equal to 200"),
        ([{**SERVERLESS, **INSTANCE}], {}, "do not go with it"),
        ([{"InstanceType": "ml.none.large"}], {}, "Member must satisfy enum value set"),
        ([{}], {"ShadowProductionVariants": [{"VariantName": "s", **INSTANCE}]}, "not served by the local platform"),
    ],
)  # fmt: skip
def test_what_a_configuration_cannot_be(
    endpoints: Endpoints, model: str, variants: list[dict[str, Any]], more: dict[str, Any], expected: str
) -> None:
    given = [variant(lambda: model, **each) for each in variants]
    message = refused(
        endpoints.sagemaker.create_endpoint_config,
        EndpointConfigName=unique("config"),
        ProductionVariants=given,
        **more,
    )
    assert expected in message


def test_who_may_not_create_models_does_not(aws: Aws, endpoints: Endpoints) -> None:
    reader = aws.acting(aws.role({"Effect": "Allow", "Action": "sagemaker:Describe*", "Resource": "*"}))
    with pytest.raises(ClientError) as failed:
        reader.client("sagemaker").create_model(
            ModelName=unique("model"), PrimaryContainer={"Image": endpoints.image}, ExecutionRoleArn=endpoints.role
        )
    assert failed.value.response["Error"]["Code"] == "AccessDeniedException"


def test_only_who_may_invoke_an_endpoint_does(aws: Aws, endpoints: Endpoints) -> None:
    name = endpoints.serving()
    arn = endpoints.describe(name)["EndpointArn"]
    allowed = aws.acting(aws.role({"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}))
    assert Endpoints(allowed, "", "", "").tell(name)["variant"] == "AllTraffic"
    other = aws.acting(aws.role({"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": f"{arn}-other"}))
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:InvokeEndpoint"):
        Endpoints(other, "", "", "").tell(name)
