"""AWS::Athena::NamedQuery of a template -> a query that Athena offers under a name; MiniStack lacks the type."""

# ruff: noqa: ARG001, SLF001 - handlers have one shape; the names of MiniStack's inside are the touch points
import json
from typing import Any

from ministack.services import athena
from ministack.services.cloudformation import provisioners

TYPE = "AWS::Athena::NamedQuery"
_GIVEN = ("Name", "Description", "Database", "QueryString", "WorkGroup")

Properties = dict[str, Any]


def install() -> None:
    """Registers the type. Raises RuntimeError when MiniStack has got it itself."""
    if TYPE in provisioners._RESOURCE_HANDLERS:
        raise RuntimeError(f"MiniStack has {TYPE} itself now: remove local/emulator/namedqueries.py.")
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _create(logical_id: str, properties: Properties, stack_name: str) -> tuple[str, Properties]:
    _, _, body = athena._create_named_query({name: properties[name] for name in _GIVEN if name in properties})
    identity = json.loads(body)["NamedQueryId"]
    return identity, {"NamedQueryId": identity}


def _update(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
) -> tuple[str, Properties]:
    """A change of any property makes another query, as AWS documents it."""
    _delete(physical_id, old)
    return _create(logical_id or physical_id, new, stack_name)


def _delete(physical_id: str, properties: Properties) -> None:
    athena._delete_named_query({"NamedQueryId": physical_id})
