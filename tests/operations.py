"""What holds for every operation of a service that local/ answers for, asked by calling each that botocore knows.

Each check gives the operations that break it, so that a tier's test says in one line that there is none.
"""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from local.platform.process import ROOT
from tests.checked import Aws

UNSERVED = "UnknownOperationException"
WRONG: dict[str, Any] = {"string": 7, "integer": "x", "long": "x", "float": "x", "double": "x", "boolean": "x",
                         "list": "x", "map": "x", "structure": "x", "timestamp": {}, "blob": {}}  # fmt: skip
Served = Mapping[str, list[OperationModel]]


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


def served(clients: Mapping[str, Any]) -> Served:
    """The served operations of each client, found by asking for each."""
    found: dict[str, list[OperationModel]] = {}
    for name, client in clients.items():
        model = client.meta.service_model
        operations = [model.operation_model(operation) for operation in model.operation_names]
        found[name] = [operation for operation in operations if code(client, operation) != UNSERVED]
    return found


def names(operations: Served) -> set[str]:
    """Their names."""
    return {operation.name for each in operations.values() for operation in each}


def silent_about_missing(clients: Mapping[str, Any], operations: Served) -> list[str]:
    """Those that do not tell that required members are missing, of those that have some in their body."""
    silent = []
    for name, listed in operations.items():
        for operation in listed:
            shape = operation.input_shape
            required = [m for m in shape.required_members if not shape.members[m].serialization.get("location")]
            tokens = {m for m in required if shape.members[m].metadata.get("idempotencyToken")}
            if set(required) - tokens - {shape.serialization.get("payload")}:
                told = code(clients[name], operation)
                silent += [] if told in ("ValidationException", "ValidationError") else [f"{operation.name}: {told}"]
    return silent


def silent_about_types(aws: Aws, signing: str, client: str, listed: list[OperationModel]) -> list[str]:
    """Members of the body that may have a wrong type, of a client that calls by X-Amz-Target."""
    silent = []
    known = platforms_model(client)
    for operation in (known.operation_model(operation.name) for operation in listed):
        for member, shape in operation.input_shape.members.items():
            target = f"{operation.service_model.metadata['targetPrefix']}.{operation.name}"
            body = json.dumps({member: WRONG[shape.type_name]}).encode()
            status, told = aws.post(signing, "/", body, **{"X-Amz-Target": target})
            if (status, told["__type"]) != (400, "SerializationException"):
                silent.append(f"{operation.name}.{member}: {told}")
    return silent


def open_to_anybody(nobody: Aws, operations: Served) -> list[str]:
    """Those that a role without grants may call."""
    return [operation.name for name, listed in operations.items() for operation in listed
            if code(nobody.careless(name), operation) != "AccessDeniedException"]  # fmt: skip


def platforms_model(name: str) -> ServiceModel:
    """What the platform's own botocore knows: it is older than that of the clients, and lacks their newest members."""
    (data,) = (ROOT / ".venv" / "platform").glob("lib/python*/site-packages/botocore/data")
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model(name, "service-2"), name)
