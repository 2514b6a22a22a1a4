"""What CloudFormation documents of a type: its operations, what Ref and GetAtt give, which changes replace it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Properties = dict[str, Any]


def _all(_old: Properties, new: Properties) -> Properties:
    return new


@dataclass(frozen=True)
class Kind:
    """One resource type.

    name: member of the operations that names the resource; ref: member of Describe's answer that is the physical id;
    attributes: GetAtt name -> member; update: operation that changes it in place, "" where only tags can change;
    tagged: whether it has Tags, which AddTags and DeleteTags change; request: properties -> input of Create; changes:
    old and new ones -> input of Update; status: member that tells when it is there; moving: how the statuses end of
    what is not there yet; holds: member that is as asked for after an update that succeeded; table: its records.
    """

    type: str
    resource: str
    name: str
    ref: str
    table: str
    replacing: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    client: str = "sagemaker"
    tagged: bool = True
    update: str = ""
    request: Callable[[Properties], Properties] = dict
    changes: Callable[[Properties, Properties], Properties] = _all
    holds: str = ""
    status: str = ""
    moving: tuple[str, ...] = ("ing", "RollingBack", "SystemUpdating")
    create: str = ""
    delete: str = ""
    describe: str = ""
    key: tuple[str, ...] = ()

    def operation(self, verb: str) -> str:
        """AWS's name of an operation: Create -> CreateModel."""
        return str(getattr(self, verb.lower())) or f"{verb}{self.resource}"
