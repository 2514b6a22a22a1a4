"""Who may do what in imaging: each function's exact actions on each store, in one place.

The two keys meet in two functions, deidentify and reidentify, which turn one kind of data into the other. What reads an
image has no way to the patient, and what speaks to senders none to the images as read.
"""

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam

from cdk.constructs.findings import acknowledge
from cdk.constructs.kept_secret import allow_secret
from cdk.constructs.objects import allow_objects
from cdk.constructs.suite_function import SuiteFunction
from cdk.stacks.platform import CuatroPlatform

if TYPE_CHECKING:
    from cdk.stacks.imaging import CuatroImaging

_READ, _WRITE = "GetObject", "PutObject"
_REMOVE = ("DeleteObject", "DeleteObjectVersion")
# BatchExecuteStatement and TransactWriteItems have no permission of their own: AWS checks what is in them.
_ROWS, _CHANGE, _UPDATE = "BatchGetItem", "PartiQLUpdate", "UpdateItem"


def allow_all(stack: "CuatroImaging", platform: CuatroPlatform) -> None:
    """The grants of every function but begin's."""
    for grant in (
        _allow_authorize, _allow_api, _allow_receive, _allow_validate, _allow_deidentify, _allow_normalise,
        _allow_infer, _allow_route, _allow_report, _allow_reidentify, _allow_deliver, _allow_erase, _allow_audit,
    ):  # fmt: skip
        grant(stack)
    _allow_conclude(stack, platform)


def allow_begin(stack: "CuatroImaging") -> None:
    """Asks which instances a study has, starts the machine, asks itself again later."""
    role = stack.jobs["begin"].role
    stack.store.studies.allow(role, _ROWS, _CHANGE, _UPDATE)
    stack.store.instances.allow(role, _CHANGE)
    stack.store.instances.allow_query(role, "by_study")
    stack.quiet.allow_send(role)
    role.add_to_policy(
        iam.PolicyStatement(actions=["states:StartExecution"], resources=[stack.machine.state_machine_arn])
    )


def _allow_authorize(stack: "CuatroImaging") -> None:
    allow_secret(stack.jobs["authorize"], stack.store.senders)


def _allow_api(stack: "CuatroImaging") -> None:
    """Puts what arrives into the inbox, unread; gives a sender what is its own."""
    store, role = stack.store, stack.jobs["api"].role
    store.identified.allow(role, [_WRITE], "inbox")
    store.identified.allow(role, [_READ], "results")
    store.identified.allow(role, [_READ, _WRITE], "downloads")
    store.identified.allow_listing(role)
    store.studies.allow(role, _ROWS)
    store.studies.allow_query(role, "by_sender")
    store.instances.allow(role, _ROWS)
    store.instances.allow_query(role, "by_study")
    _pseudonyms(stack, stack.jobs["api"])


def _allow_receive(stack: "CuatroImaging") -> None:
    """Takes what arrived away from where it arrived, every version of it."""
    store, receive = stack.store, stack.jobs["receive"]
    role = receive.role
    store.identified.allow(role, [_READ, *_REMOVE], "inbox", "drop")
    store.identified.allow(role, [_WRITE], "instances", "rejected")
    store.identified.allow_listing(role, versions=True)
    store.studies.allow(role, _ROWS, _UPDATE)
    store.instances.allow(role, _ROWS, _UPDATE, _CHANGE, "PartiQLInsert", "BatchWriteItem")
    stack.quiet.allow_send(role)
    _pseudonyms(stack, receive)
    allow_secret(receive, store.senders)


def _allow_validate(stack: "CuatroImaging") -> None:
    _sets_aside(stack, stack.jobs["validate"].role)


def _allow_deidentify(stack: "CuatroImaging") -> None:
    """With both keys: this is where the patient is taken away."""
    store, deidentify = stack.store, stack.jobs["deidentify"]
    _sets_aside(stack, deidentify.role)
    store.deidentified.allow(deidentify.role, [_WRITE], "studies")
    store.instances.allow(deidentify.role, _ROWS)
    _pseudonyms(stack, deidentify)


def _allow_normalise(stack: "CuatroImaging") -> None:
    _makes_of_the_deidentified(stack, stack.jobs["normalise"].role)


def _allow_infer(stack: "CuatroImaging") -> None:
    """Images without a patient, and nothing else."""
    _makes_of_the_deidentified(stack, stack.jobs["infer"].role)


def _allow_route(stack: "CuatroImaging") -> None:
    stack.store.studies.allow(stack.jobs["route"].role, _ROWS, _UPDATE)


def _allow_report(stack: "CuatroImaging") -> None:
    role = stack.jobs["report"].role
    _makes_of_the_deidentified(stack, role)
    stack.store.studies.allow(role, _ROWS)


def _allow_reidentify(stack: "CuatroImaging") -> None:
    """With both keys: this is where the sender's patient comes back."""
    store, reidentify = stack.store, stack.jobs["reidentify"]
    store.identified.allow(reidentify.role, [_READ], "instances")
    store.identified.allow(reidentify.role, [_WRITE], "results")
    store.identified.allow_listing(reidentify.role)
    store.deidentified.allow(reidentify.role, [_READ], "studies")
    store.deidentified.allow_listing(reidentify.role)
    store.studies.allow(reidentify.role, _ROWS)
    _pseudonyms(stack, reidentify)


def _allow_deliver(stack: "CuatroImaging") -> None:
    store, deliver = stack.store, stack.jobs["deliver"]
    store.identified.allow(deliver.role, [_READ], "results")
    store.identified.allow_listing(deliver.role)
    store.studies.allow(deliver.role, _ROWS)
    allow_secret(deliver, store.senders)


def _allow_conclude(stack: "CuatroImaging", platform: CuatroPlatform) -> None:
    role = stack.jobs["conclude"].role
    stack.store.studies.allow(role, _ROWS, _CHANGE)
    stack.store.instances.allow(role, _CHANGE)
    platform.bus.grant_put_events_to(role)


def _sets_aside(stack: "CuatroImaging", role: iam.Role) -> None:
    """Reads an image as it came, copies what cannot be read on to rejected/, and says why in its row."""
    store = stack.store
    store.identified.allow(role, [_READ], "instances")
    store.identified.allow(role, [_WRITE], "rejected")
    store.identified.allow_listing(role)
    store.instances.allow(role, _UPDATE)


def _makes_of_the_deidentified(stack: "CuatroImaging", role: iam.Role) -> None:
    stack.store.deidentified.allow(role, [_READ, _WRITE], "studies")
    stack.store.deidentified.allow_listing(role)


def _allow_erase(stack: "CuatroImaging") -> None:
    """Removes every version of a patient's objects, after looking at what locks them; opens none of them."""
    store, role = stack.store, stack.jobs["erase"].role
    for bucket, prefixes in (
        (store.identified, ("instances", "rejected", "results")),
        (store.deidentified, ("studies",)),
    ):
        # Without the key, and without reading: only what locks an object is asked.
        allow_objects(role, ["GetObjectLegalHold", "GetObjectRetention", *_REMOVE], bucket.bucket, *prefixes)
        bucket.allow_listing(role, versions=True)
    store.studies.allow(role, _UPDATE, "DeleteItem")
    store.studies.allow_query(role, "by_patient")
    store.instances.allow(role, "DeleteItem")
    store.instances.allow_query(role, "by_study")
    stack.review.table.allow(role, "DeleteItem")
    stack.review.table.allow_query(role, "by_subject")
    _pseudonyms(stack, stack.jobs["erase"])
    executions = stack.format_arn(
        service="states", resource="execution", resource_name=f"{stack.machine.state_machine_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )  # fmt: skip
    stops = ["states:DescribeExecution", "states:StopExecution"]
    role.add_to_policy(iam.PolicyStatement(actions=stops, resources=[executions]))
    logical = stack.get_logical_id(stack.machine.node.default_child)  # type: ignore[arg-type]
    acknowledge(
        role, f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
        f"<{logical}.Name>:*]", "An execution is named by its study, which nobody knows beforehand.",
    )  # fmt: skip


def _allow_audit(stack: "CuatroImaging") -> None:
    """Adds to the ledger; that nobody changes or deletes an entry the table's own policy says."""
    store, role = stack.store, stack.jobs["audit"].role
    store.ledger.allow(role, "PartiQLInsert", "Query")
    store.anchors.allow(role, [_WRITE], "ledger")


def _pseudonyms(stack: "CuatroImaging", function: SuiteFunction) -> None:
    allow_secret(function, stack.store.pseudonyms, stack.store.identified_key)
