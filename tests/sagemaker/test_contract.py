"""What holds for every operation: unknown ones, bad bodies, missing and wrong parameters, who may call; all are called.

The operations that the platform serves are found by asking it for each one that botocore knows.
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from local.platform.process import ROOT
from tests.checked import SAGEMAKER, Aws, unique
from tests.sagemaker.conftest import CALLED

UNSERVED = "UnknownOperationException"
WRONG: dict[str, Any] = {"string": 7, "integer": "x", "long": "x", "float": "x", "double": "x", "boolean": "x",
                         "list": "x", "map": "x", "structure": "x", "timestamp": {}, "blob": {}}  # fmt: skip


def code(client: Any, operation: OperationModel, **given: Any) -> str:
    """Error code of a call with what is given, and some name wherever the path needs one; "" when it succeeds."""
    for name, member in operation.input_shape.members.items():
        if member.serialization.get("location") == "uri":
            given.setdefault(name, "x")
    try:
        client._make_api_call(operation.name, given)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.fixture(scope="module")
def careless(aws: Aws) -> dict[str, Any]:
    return {name: aws.careless(name) for name in SAGEMAKER}


@pytest.fixture(scope="module")
def served(careless: dict[str, Any]) -> dict[str, list[OperationModel]]:
    """The served operations of each client."""
    found: dict[str, list[OperationModel]] = {}
    for name, client in careless.items():
        model = client.meta.service_model
        operations = [model.operation_model(operation) for operation in model.operation_names]
        found[name] = [operation for operation in operations if code(client, operation) != UNSERVED]
    return found


def test_the_services_parts_are_all_there(served: dict[str, list[OperationModel]]) -> None:
    names = {operation.name for operations in served.values() for operation in operations}
    assert {
        "CreateTrainingJob", "StopProcessingJob", "CreateTransformJob", "UpdateEndpoint", "InvokeEndpoint",
        "InvokeEndpointAsync", "StartPipelineExecution", "UpdateModelPackage", "PutRecord", "AddTags",
        "PutScalingPolicy",
    } <= names  # fmt: skip


def test_missing_parameters_are_told(careless: dict[str, Any], served: dict[str, list[OperationModel]]) -> None:
    """By every operation that has required members which do not stand in the path."""
    for name, operations in served.items():
        for operation in operations:
            shape = operation.input_shape
            required = [m for m in shape.required_members if not shape.members[m].serialization.get("location")]
            tokens = {m for m in required if shape.members[m].metadata.get("idempotencyToken")}
            if set(required) - tokens - {shape.serialization.get("payload")}:
                assert code(careless[name], operation) in ("ValidationException", "ValidationError"), operation.name


def test_wrong_types_are_told(careless: dict[str, Any], served: dict[str, list[OperationModel]]) -> None:
    """By every operation, for each member of its body."""
    for name in ("sagemaker", "application-autoscaling"):
        known = platforms_model(name)
        for operation in (known.operation_model(operation.name) for operation in served[name]):
            for member, shape in operation.input_shape.members.items():
                target = f"{operation.service_model.metadata['targetPrefix']}.{operation.name}"
                body = f'{{"{member}": {_json(WRONG[shape.type_name])}}}'.encode()
                status, told = _careless_post(careless[name], name, target, body)
                assert (status, told["__type"]) == (400, "SerializationException"), f"{operation.name}.{member}"


def platforms_model(name: str) -> ServiceModel:
    """What the platform's own botocore knows: it is older than that of the clients, and lacks their newest members."""
    (data,) = (ROOT / ".venv" / "platform").glob("lib/python*/site-packages/botocore/data")
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model(name, "service-2"), name)


def _json(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _careless_post(client: Any, name: str, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    return Aws(client.meta.endpoint_url, set()).post(name, "/", body, **{"X-Amz-Target": target})


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


def test_a_role_without_grants_may_do_nothing(aws: Aws, served: dict[str, list[OperationModel]]) -> None:
    nobody = aws.acting(aws.role())
    for name, operations in served.items():
        client = nobody.careless(name)
        for operation in operations:
            assert code(client, operation) == "AccessDeniedException", operation.name


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
def test_every_served_operation_is_tested(served: dict[str, list[OperationModel]], pytestconfig: Any) -> None:
    """So that each answer was held against the model at least once."""
    names = {operation.name for operations in served.values() for operation in operations}
    assert sorted(names - pytestconfig.stash[CALLED]) == []
