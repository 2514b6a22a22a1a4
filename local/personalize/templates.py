"""CloudFormation's types of Personalize: AWS has dataset groups, schemas, datasets and solutions, and no others."""

from typing import Any

from local.aws.cloudformation.kind import Kind, Properties

MOVING = ("PENDING", "IN_PROGRESS")


def _request(properties: Properties) -> Properties:
    """Properties begin with a capital, members of the operations do not. Raises ValueError for what only AWS does."""
    if "DatasetImportJob" in properties:
        raise ValueError("DatasetImportJob in a template is not served by the local platform, only by AWS.")
    return {_small(name): _inner(value) for name, value in properties.items()}


def _inner(value: Any) -> Any:
    if isinstance(value, dict):
        return {_small(name): _inner(inner) for name, inner in value.items()}
    return [_inner(each) for each in value] if isinstance(value, list) else value


def _small(name: str) -> str:
    return name[0].lower() + name[1:]


def _kind(resource: str, replacing: tuple[str, ...], *, status: str = "status") -> Kind:
    small = _small(resource)
    place = {"DatasetGroup": "dataset-group"}.get(resource, small)
    arn = f"{resource}Arn"
    return Kind(
        f"AWS::Personalize::{resource}", resource, "name", f"{small}Arn", place, replacing, {arn: f"{small}Arn"},
        client="personalize", tagged=False, request=_request, status=status, moving=MOVING,
    )  # fmt: skip


KINDS = (
    _kind("DatasetGroup", ("Name", "RoleArn", "KmsKeyArn", "Domain")),
    _kind("Schema", ("Name", "Schema", "Domain"), status=""),
    _kind("Dataset", ("Name", "DatasetGroupArn", "DatasetType", "SchemaArn")),
    _kind("Solution", ("Name", "DatasetGroupArn", "EventType", "PerformAutoML", "PerformHPO", "RecipeArn",
                       "SolutionConfig")),
)  # fmt: skip
