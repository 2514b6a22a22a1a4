"""TagResource, UntagResource and ListTagsForResource, and the tags that resources are created with."""

from collections.abc import Iterable

from local.aws.errors import AwsError
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record, Table
from local.personalize.errors import NotFound

MOST = 50


def given(service: Service, arn: str, tags: Iterable[dict[str, str]] | None) -> None:
    """Keeps the tags that a resource is created with. Raises TooManyTagsException."""
    _table(service).put(arn, {"tags": {}})
    _add(service, arn, tags or ())


def forget(service: Service, arn: str) -> None:
    """Removes the tags of a resource that is deleted."""
    if _table(service).find(arn) is not None:
        _table(service).delete(arn)


def tag(service: Service, request: Input) -> Output:
    """TagResource: a key that is there gets the new value."""
    _add(service, _known(service, request["resourceArn"]), request["tags"])
    return {}


def untag(service: Service, request: Input) -> Output:
    """UntagResource: keys that are not there do not matter."""

    def change(record: Record) -> None:
        record["tags"] = {key: value for key, value in record["tags"].items() if key not in request["tagKeys"]}

    _table(service).change(_known(service, request["resourceArn"]), change)
    return {}


def listed(service: Service, request: Input) -> Output:
    """ListTagsForResource."""
    record = _table(service).get(_known(service, request["resourceArn"]))
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in record["tags"].items()]}


def _add(service: Service, arn: str, tags: Iterable[dict[str, str]]) -> None:
    def change(record: Record) -> None:
        record["tags"] |= {each["tagKey"]: each["tagValue"] for each in tags}
        if len(record["tags"]) > MOST:
            raise AwsError("TooManyTagsException", f"A resource has at most {MOST} tags.")

    _table(service).change(arn, change)


def _table(service: Service) -> Table:
    return service.store.table("tags")


def _known(service: Service, arn: str) -> str:
    if _table(service).find(arn) is None:
        raise NotFound(f"Resource Arn {arn} does not exist.")
    return arn


OPERATIONS: dict[str, Operation] = {"TagResource": tag, "UntagResource": untag, "ListTagsForResource": listed}
