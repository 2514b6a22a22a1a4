"""What holds for every operation: unknown ones, bad bodies, missing and wrong parameters, who may call; all are called.

The operations that the platform serves are found by asking it for each one that botocore knows.
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import operations
from tests.checked import SAGEMAKER, Aws, unique
from tests.operations import UNSERVED, Served, code
from tests.sagemaker.conftest import CALLED


@pytest.fixture(scope="module")
def careless(aws: Aws) -> dict[str, Any]:
    return {name: aws.careless(name) for name in SAGEMAKER}


@pytest.fixture(scope="module")
def served(careless: dict[str, Any]) -> Served:
    """The served operations of each client."""
    return operations.served(careless)


def test_the_services_parts_are_all_there(served: Served) -> None:
    assert {
        "CreateTrainingJob", "StopProcessingJob", "CreateTransformJob", "UpdateEndpoint", "InvokeEndpoint",
        "InvokeEndpointAsync", "StartPipelineExecution", "UpdateModelPackage", "PutRecord", "AddTags",
        "PutScalingPolicy",
    } <= operations.names(served)  # fmt: skip


def test_missing_parameters_are_told(careless: dict[str, Any], served: Served) -> None:
    assert operations.silent_about_missing(careless, served) == []


def test_wrong_types_are_told(aws: Aws, served: Served) -> None:
    """By every operation, for each member of its body."""
    for name in ("sagemaker", "application-autoscaling"):
        assert operations.silent_about_types(aws, name, name, served[name]) == []


@pytest.mark.parametrize(
    ("path", "target", "body", "expected"),
    [
        ("/", "SageMaker.ListModels", b"{", "SerializationException"),
        ("/", "SageMaker.ListModels", b"[1]", "SerializationException"),
        ("/", "SageMaker.ListModels", b"[" * 100_000, "SerializationException"),
        ("/", "SageMaker.ListModels", b'{"MaxResults": 3000000000}', "SerializationException"),
        ("/", "SageMaker.ListModels", b'{"CreationTimeAfter": 1' + b"0" * 400 + b"}", "SerializationException"),
        ("/", "SageMaker.DescribeModel", b'{"ModelName": "\\ud800"}', "SerializationException"),
        ("/", "SageMaker.ListModels", b'{"NextToken": "WyJzbGljZSIsIFsieCJdXQ=="}', "ValidationException"),
        ("/", "SageMaker.UpdateEndpointWeightsAndCapacities",
         b'{"DesiredWeightsAndCapacities": [{"VariantName": "a", "DesiredWeight": NaN}]}', "SerializationException"),
        ("/", "SageMaker.ListModels", b"\xff\xfe", "SerializationException"),
        ("/", "SageMaker.MakeCoffee", b"{}", UNSERVED),
        ("/", "Nobody.ListModels", b"{}", UNSERVED),
        ("/endpoints/e/coffee", "", b"{}", UNSERVED),
        ("/", "", b"{}", UNSERVED),
    ],
)  # fmt: skip
def test_what_is_no_request_gets_a_proper_error(aws: Aws, path: str, target: str, body: bytes, expected: str) -> None:
    headers = {"X-Amz-Target": target} if target else {}
    status, told = aws.post("sagemaker", path, body, **headers)
    assert (status, told["__type"]) == (400, expected)
    assert told["message"]


def test_an_operation_that_only_aws_serves_says_so(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="not served by the local platform") as failed:
        sagemaker.list_domains()
    assert failed.value.response["Error"]["Code"] == UNSERVED


def test_broken_constraints_are_told_in_aws_words(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="1 validation error detected: Value 'a b' at 'trainingJobName' failed"):
        sagemaker.describe_training_job(TrainingJobName="a b")
    with pytest.raises(ClientError, match=r"2 validation errors detected: .*enum value set.*less than or equal to 100"):
        sagemaker.list_models(SortBy="Size", MaxResults=101)


def test_a_role_without_grants_may_do_nothing(aws: Aws, served: Served) -> None:
    assert operations.open_to_anybody(aws.acting(aws.role()), served) == []


def test_a_grant_on_one_resource_is_for_that_one_only(aws: Aws, sagemaker: Any) -> None:
    group, other = unique("Mine"), unique("other")
    for name in (group, other):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    grant = {"Effect": "Allow", "Action": "sagemaker:DescribeModelPackageGroup", "Resource": arn}
    client = aws.acting(aws.role(grant)).client("sagemaker")
    for name in (group, arn):
        assert client.describe_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupArn"] == arn
    with pytest.raises(ClientError, match=f"sagemaker:DescribeModelPackageGroup on resource: arn:.*{other}"):
        client.describe_model_package_group(ModelPackageGroupName=other)


def test_tags_and_roles_that_a_call_hands_over_need_grants_too(aws: Aws, role: str) -> None:
    grant = {"Effect": "Allow", "Action": "sagemaker:Create*", "Resource": "*"}
    client = aws.acting(aws.role(grant)).client("sagemaker")
    with pytest.raises(ClientError, match="sagemaker:AddTags on resource"):
        client.create_model_package_group(ModelPackageGroupName=unique("g"), Tags=[{"Key": "a", "Value": "b"}])
    features = {"FeatureGroupName": unique("f"), "RecordIdentifierFeatureName": "a", "EventTimeFeatureName": "b",
                "FeatureDefinitions": [{"FeatureName": n, "FeatureType": "String"} for n in "ab"],
                "OnlineStoreConfig": {"EnableOnlineStore": True}, "RoleArn": role}  # fmt: skip
    with pytest.raises(ClientError, match="iam:PassRole on resource"):
        client.create_feature_group(**features)
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role,
               "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}  # fmt: skip
    aws.acting(aws.role(grant, passing)).client("sagemaker").create_feature_group(**features)


@pytest.mark.parametrize("name", SAGEMAKER)
def test_wrong_credentials_are_refused_as_everywhere(aws: Aws, name: str) -> None:
    stranger = aws.keys(aws_access_key_id="AKIANOBODYKNOWSTHIS0").careless(name)
    operation = stranger.meta.service_model.operation_model(stranger.meta.service_model.operation_names[0])
    assert code(stranger, operation) == "UnrecognizedClientException"
    forged = aws.acting(aws.role()).keys(aws_secret_access_key="of-somebody-else").careless(name)  # noqa: S106
    assert code(forged, operation) == "InvalidSignatureException"


@pytest.mark.after_all_others
def test_every_served_operation_is_tested(served: Served, pytestconfig: Any) -> None:
    """So that each answer was held against the model at least once."""
    assert sorted(operations.names(served) - pytestconfig.stash[CALLED]) == []
