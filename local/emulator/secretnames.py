"""AWS::SecretsManager::Secret of a template -> what `Ref` gives: the secret's ARN, as on AWS; MiniStack gives its name.

A role that may read a secret is granted its ARN: with a name in its place nobody may.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points
from typing import Any

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

TYPE = "AWS::SecretsManager::Secret"

Properties = dict[str, Any]
Made = tuple[str, Properties]


def install() -> None:
    """Replaces the type's handlers. Raises RuntimeError when MiniStack has other ones than these were made for."""
    handlers = provisioners._RESOURCE_HANDLERS[TYPE]
    if handlers != {
        "create": provisioners._sm_secret_create,
        "update": provisioners._sm_secret_update,
        "update_with_logical_id": True,
        "delete": provisioners._sm_secret_delete,
    }:
        raise RuntimeError(
            f"MiniStack makes {TYPE} in another way now: see whether local/emulator/secretnames.py is needed."
        )
    provisioners._RESOURCE_HANDLERS[TYPE] = handlers | {"create": _create, "update": _update, "delete": _delete}


def _create(logical_id: str, properties: Properties, stack_name: str) -> Made:
    return _by_arn(provisioners._sm_secret_create(logical_id, properties, stack_name))


def _update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Made:
    return _by_arn(provisioners._sm_secret_update(_name(physical_id), old, new, stack_name, logical_id))


def _delete(physical_id: str, properties: Properties) -> None:
    provisioners._sm_secret_delete(_name(physical_id), properties)


def _by_arn(made: Made) -> Made:
    _, attributes = made
    return attributes["Arn"], attributes


def _name(identity: str) -> str:
    """MiniStack keeps secrets by their names; a stack of an older platform may know one by it."""
    name, _ = secretsmanager._resolve(identity)
    return name or identity
