"""create, update and delete of one resource type by its operations; returns when AWS would call it complete."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from local.aws import protocol, shapes
from local.aws.cloudformation.kind import Kind, Properties
from local.aws.cloudformation.properties import fitted
from local.aws.errors import AwsError
from local.aws.service import Operation, Service
from local.aws.store import Record

POLL_S = 0.1
PATIENCE_S = 900
LONGEST_NAME = 63
Created = tuple[str, dict[str, Any]]  # physical id, attributes


class Provisioner:
    """Handlers of one type for MiniStack, which calls them with CloudFormation's properties."""

    def __init__(
        self, service: Service, operations: dict[str, Operation], kind: Kind, named: Callable[..., str]
    ) -> None:
        self._service = service
        self._operations = operations
        self._kind = kind
        self._named = named

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Makes the resource. Raises ValueError with the reason when it cannot, and leaves nothing behind."""
        kind = self._kind
        given = kind.request(properties)
        given.setdefault(kind.name, self._named(stack, logical_id, max_len=LONGEST_NAME))
        self._check(given)
        self._call(kind.operation("Create"), given)
        try:
            return self._created(self._settled(given))
        except ValueError:
            with suppress(ValueError):  # the reason of the failure is told, not that of what was to be cleaned up
                self._call(kind.operation("Delete"), given)
            raise

    def update(self, physical_id: str, old: Properties, new: Properties, _stack: str) -> Created:
        """Changes the resource in place."""
        kind = self._kind
        record = self._find(physical_id)
        if record is None:
            raise ValueError(f"{physical_id} was removed by somebody else.")
        given = {**kind.request(new), kind.name: record[kind.name]}
        before = {**kind.request(old), kind.name: record[kind.name]}
        if {**given, "Tags": None} != {**before, "Tags": None}:
            if not kind.update:
                raise ValueError(f"{kind.type} {physical_id} cannot be changed in place.")
            self._check(given)
            self._call(kind.update, kind.changes(before, given))
        if kind.tagged:
            self._retag(record, old, new)
        found = self._settled(given)
        if kind.holds and found[kind.holds] != given[kind.holds]:
            raise ValueError(found.get("FailureReason", f"{physical_id} was rolled back to {found[kind.holds]}."))
        return self._created(found)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Removes the resource; one that is gone already is no error."""
        kind = self._kind
        record = self._find(physical_id)
        if record is None:
            return
        self._call(kind.operation("Delete"), {**kind.request(properties), **record})
        self._wait(lambda: self._find(physical_id) is None, f"the end of {physical_id}")

    def _check(self, given: Properties) -> None:
        """Raises ValueError for a property that neither Create nor Update knows."""
        names = [self._kind.operation("Create"), *([self._kind.update] if self._kind.update else [])]
        shapes_of = [protocol.model(self._kind.client).operation_model(name).input_shape for name in names]
        unknown = [name for name in given if not any(name in shape.members for shape in shapes_of)]
        if unknown:
            raise ValueError(f"extraneous key [{unknown[0]}] is not permitted, or not served by the local platform")

    def _call(self, name: str, properties: Properties) -> None:
        """Calls an operation as a client would: types fitted, constraints checked. Raises ValueError."""
        shape = protocol.model(self._kind.client).operation_model(name).input_shape
        given = fitted(shape, {key: value for key, value in properties.items() if key in shape.members}, "#")
        if "ClientRequestToken" in shape.required_members:
            given.setdefault("ClientRequestToken", str(uuid.uuid4()))
        try:
            shapes.validate(shape, given)
            self._operations[name](self._service, given)
        except AwsError as error:
            raise ValueError(f"{error.message} (Service: {self._kind.client}, Error Code: {error.code})") from error

    def _settled(self, given: Properties) -> Record:
        """The record once it is there. Raises ValueError when it failed."""
        kind = self._kind

        def record() -> Record:
            found = next((r for r in self._records() if self._is(r, given)), None)
            if found is None:
                raise ValueError(f"{given[kind.name]} was removed by somebody else.")
            return found

        if kind.status:
            self._wait(lambda: not record()[kind.status].endswith(kind.moving), f"{given[kind.name]} to be there")
        found = record()
        if "fail" in str(found.get(kind.status, "")).lower():
            raise ValueError(found.get("FailureReason", f"{given[kind.name]} failed."))
        return found

    def _created(self, record: Record) -> Created:
        physical_id = self._physical_id(record)
        attributes = {name: _attribute(record[member]) for name, member in self._kind.attributes.items()}
        return physical_id, attributes if self._kind.ref else {"Id": physical_id}

    def _retag(self, record: Record, old: Properties, new: Properties) -> None:
        arn = record[f"{self._kind.resource}Arn"]
        before, after = ({tag["Key"]: tag["Value"] for tag in each.get("Tags", [])} for each in (old, new))
        gone = [key for key in before if key not in after]
        if gone:
            self._operations["DeleteTags"](self._service, {"ResourceArn": arn, "TagKeys": gone})
        if after:
            given = [{"Key": key, "Value": value} for key, value in after.items()]
            self._operations["AddTags"](self._service, {"ResourceArn": arn, "Tags": given})

    def _records(self) -> list[Record]:
        return self._service.store.table(self._kind.table).all()

    def _is(self, record: Record, given: Properties) -> bool:
        members = self._kind.key or (self._kind.name,)
        return all(record[member] == given[member] for member in members)

    def _find(self, physical_id: str) -> Record | None:
        return next((record for record in self._records() if self._physical_id(record) == physical_id), None)

    def _physical_id(self, record: Record) -> str:
        """What Ref gives: a name or an ARN; a scalable target has an id made of three members."""
        return str(record[self._kind.ref]) if self._kind.ref else "|".join(record[m] for m in self._kind.key)

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > end:
                raise ValueError(f"Waited {PATIENCE_S} s for {what}.")
            time.sleep(POLL_S)


def _attribute(value: Any) -> Any:
    """GetAtt gives texts: a time in RFC 3339."""
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds") if isinstance(value, float) else value
