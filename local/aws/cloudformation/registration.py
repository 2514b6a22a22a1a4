"""Our resource types -> MiniStack's tables of CloudFormation, each with this process's operations behind it.

MiniStack keeps what it knows of a resource type in some tables; ours are added to them. `install` raises when one of
those tables is gone, or when MiniStack has got such a type itself: both are for a person to look at on an upgrade.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/sagemaker shows that they hold
from collections.abc import Callable, Sequence
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from local.aws.cloudformation.kind import Kind
from local.aws.cloudformation.provisioning import Provisioner
from local.aws.service import Operation, Service


def install(kinds: Sequence[Kind], service: Service, operations: dict[str, Operation]) -> None:
    """Registers our types. Their operations may wait, so they run in a thread of their own, not on the event loop."""
    taken = {kind.type for kind in kinds} & provisioners._RESOURCE_HANDLERS.keys()
    if taken:
        raise RuntimeError(f"MiniStack has {sorted(taken)} itself now: choose whose they are in local/{service.name}.")
    for kind in kinds:
        provisioner = Provisioner(service, operations, kind, provisioners._physical_name)
        provisioners._RESOURCE_HANDLERS[kind.type] = {
            "create": provisioner.create,
            "update": provisioner.update,
            "delete": provisioner.delete,
        }
        provisioners._REPLACING_PROPERTIES[kind.type] = kind.replacing
        if kind.tagged:
            provisioners._CUSTOM_NAME_REPLACEMENT[kind.type] = {"name": kind.name}
            provisioners._STACK_TAG_PROPERTY[kind.type] = ("Tags", "list")
    stacks._runs_on_worker_thread = _also_ours({kind.type for kind in kinds}, stacks._runs_on_worker_thread)


def _also_ours(ours: set[str], runs_on_worker_thread: Callable[[str], bool]) -> Callable[[str], bool]:
    def decide(resource_type: str, *more: Any) -> bool:
        return resource_type in ours or runs_on_worker_thread(resource_type, *more)

    return decide
