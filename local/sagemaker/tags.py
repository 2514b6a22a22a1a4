"""AddTags, ListTags and DeleteTags, and the tags that resources are created with: one table for every kind of ARN."""

from collections.abc import Iterable
from typing import Any

from local.aws.errors import ResourceLimitExceeded, ValidationException
from local.aws.paging import slice_of
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Table

MOST = 50
PAGE = 50


def given(service: Service, arn: str, tags: Iterable[dict[str, str]] | None) -> None:
    """Keeps the tags that a resource is created with. Raises ResourceLimitExceeded for more than 50."""
    _table(service).put(arn, {"tags": {}})
    _add(service, arn, list(tags or ()))


def forget(service: Service, arn: str) -> None:
    """Removes the tags of a resource that is deleted."""
    if _table(service).find(arn) is not None:
        _table(service).delete(arn)


def listed(service: Service, arn: str) -> list[dict[str, str]]:
    """Tags of a resource, as AWS spells them."""
    record = _table(service).find(arn) or {"tags": {}}
    return [{"Key": key, "Value": value} for key, value in record["tags"].items()]


def add_tags(service: Service, request: Input) -> Output:
    """AddTags: a key that is there gets the new value."""
    arn = _known(service, request["ResourceArn"])
    _add(service, arn, request["Tags"])
    return {"Tags": listed(service, arn)}


def list_tags(service: Service, request: Input) -> Output:
    """ListTags."""
    arn = _known(service, request["ResourceArn"])
    tags, token = slice_of(listed(service, arn), request, PAGE)
    return {"Tags": tags, "NextToken": token}


def delete_tags(service: Service, request: Input) -> Output:
    """DeleteTags: keys that are not there do not matter."""
    arn = _known(service, request["ResourceArn"])

    def change(record: dict[str, Any]) -> None:
        record["tags"] = {k: v for k, v in record["tags"].items() if k not in request["TagKeys"]}

    _table(service).change(arn, change)
    return {}


def _table(service: Service) -> Table:
    return service.store.table("tags")


def _add(service: Service, arn: str, tags: list[dict[str, str]]) -> None:
    def change(record: dict[str, Any]) -> None:
        record["tags"] |= {tag["Key"]: tag["Value"] for tag in tags}
        if len(record["tags"]) > MOST:
            raise ResourceLimitExceeded(f"{arn} would have {len(record['tags'])} tags; at most {MOST} are allowed.")

    _table(service).change(arn, change)


def _known(service: Service, arn: str) -> str:
    """The ARN, if a resource with it was created. Raises ValidationException."""
    if _table(service).find(arn) is None:
        raise ValidationException(f"Could not find a resource with the ARN {arn}.")
    return arn


OPERATIONS: dict[str, Operation] = {"AddTags": add_tags, "ListTags": list_tags, "DeleteTags": delete_tags}
