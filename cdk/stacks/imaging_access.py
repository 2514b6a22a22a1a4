"""Who may do what in imaging: each function's exact actions on each store, in one place.

The two keys meet in four functions: deidentify and reidentify, which turn one kind of data into the other, erase, and
nobody else. What reads an image has no way to the patient, and what speaks to senders none to the images as read.
"""

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from cdk.constructs.kept_secret import allow_secret
from cdk.constructs.suite_function import SuiteFunction
from cdk.stacks.platform import CuatroPlatform

if TYPE_CHECKING:
    from cdk.stacks.imaging import CuatroImaging

_READ, _WRITE = "GetObject", "PutObject"
_TAKE_AWAY = ("DeleteObject", "DeleteObjectVersion")


def allow_all(stack: "CuatroImaging", platform: CuatroPlatform) -> None:
    """The grants of every function but begin's."""
    for grant in (
        _allow_authorize, _allow_api, _allow_receive, _allow_validate, _allow_deidentify, _allow_normalise,
        _allow_infer, _allow_route, _allow_report, _allow_reidentify, _allow_deliver, _allow_erase, _allow_audit,
    ):  # fmt: skip
        grant(stack)
    _allow_conclude(stack, platform)
    platform.bus.grant_put_events_to(stack.jobs["receive"].role)


def allow_begin(stack: "CuatroImaging") -> None:
    """Asks which instances a study has, starts the machine, asks itself again later."""
    role = stack.jobs["begin"].role
    stack.store.studies.allow(role, "GetItem", "UpdateItem")
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
    store.identified.allow(role, [_WRITE], "inbox", "downloads")
    store.identified.allow(role, [_READ], "results", "downloads")
    store.identified.allow_listing(role)
    store.studies.allow(role, "GetItem", "BatchGetItem")
    store.studies.allow_query(role)
    store.instances.allow(role, "GetItem", "BatchGetItem")
    store.instances.allow_query(role, "by_study")
    _pseudonyms(stack, stack.jobs["api"])


def _allow_receive(stack: "CuatroImaging") -> None:
    store, receive = stack.store, stack.jobs["receive"]
    role = receive.role
    store.identified.allow(role, [_READ, *_TAKE_AWAY], "inbox", "drop")
    store.identified.allow(role, [_READ, _WRITE], "instances", "rejected")
    store.identified.allow_listing(role)
    store.studies.allow(role, "GetItem", "PutItem", "UpdateItem")
    store.instances.allow(role, "GetItem", "PutItem", "UpdateItem")
    stack.quiet.allow_send(role)
    _pseudonyms(stack, receive)
    allow_secret(receive, store.senders)


def _allow_validate(stack: "CuatroImaging") -> None:
    store, role = stack.store, stack.jobs["validate"].role
    store.identified.allow(role, [_READ], "instances")
    store.identified.allow(role, [_WRITE], "rejected")
    store.identified.allow_listing(role)
    store.instances.allow(role, "GetItem", "UpdateItem")


def _allow_deidentify(stack: "CuatroImaging") -> None:
    """With both keys: this is where the patient is taken away."""
    store, deidentify = stack.store, stack.jobs["deidentify"]
    store.identified.allow(deidentify.role, [_READ], "instances")
    store.identified.allow(deidentify.role, [_WRITE], "rejected")
    store.identified.allow_listing(deidentify.role)
    store.deidentified.allow(deidentify.role, [_WRITE], "studies")
    store.instances.allow(deidentify.role, "GetItem", "UpdateItem")
    _pseudonyms(stack, deidentify)


def _allow_normalise(stack: "CuatroImaging") -> None:
    role = stack.jobs["normalise"].role
    stack.store.deidentified.allow(role, [_READ, _WRITE], "studies")
    stack.store.deidentified.allow_listing(role)


def _allow_infer(stack: "CuatroImaging") -> None:
    """Images without a patient, and nothing else."""
    role = stack.jobs["infer"].role
    stack.store.deidentified.allow(role, [_READ, _WRITE], "studies")
    stack.store.deidentified.allow_listing(role)


def _allow_route(stack: "CuatroImaging") -> None:
    stack.store.studies.allow(stack.jobs["route"].role, "GetItem", "UpdateItem")


def _allow_report(stack: "CuatroImaging") -> None:
    role = stack.jobs["report"].role
    stack.store.deidentified.allow(role, [_READ, _WRITE], "studies")
    stack.store.deidentified.allow_listing(role)
    stack.store.studies.allow(role, "GetItem", "UpdateItem")


def _allow_reidentify(stack: "CuatroImaging") -> None:
    """With both keys: this is where the sender's patient comes back."""
    store, reidentify = stack.store, stack.jobs["reidentify"]
    store.identified.allow(reidentify.role, [_READ], "instances")
    store.identified.allow(reidentify.role, [_READ, _WRITE], "results")
    store.identified.allow_listing(reidentify.role)
    store.deidentified.allow(reidentify.role, [_READ], "studies")
    store.deidentified.allow_listing(reidentify.role)
    store.studies.allow(reidentify.role, "GetItem", "UpdateItem")
    store.instances.allow(reidentify.role, "GetItem")
    store.instances.allow_query(reidentify.role, "by_study")
    _pseudonyms(stack, reidentify)


def _allow_deliver(stack: "CuatroImaging") -> None:
    store, deliver = stack.store, stack.jobs["deliver"]
    store.identified.allow(deliver.role, [_READ], "results")
    store.identified.allow_listing(deliver.role)
    store.studies.allow(deliver.role, "GetItem", "UpdateItem")
    allow_secret(deliver, store.senders)


def _allow_conclude(stack: "CuatroImaging", platform: CuatroPlatform) -> None:
    role = stack.jobs["conclude"].role
    stack.store.studies.allow(role, "GetItem", "UpdateItem")
    stack.store.instances.allow(role, "GetItem", "UpdateItem")
    stack.store.instances.allow_query(role, "by_study")
    platform.bus.grant_put_events_to(role)


def _allow_erase(stack: "CuatroImaging") -> None:
    """Removes every version of a patient's objects, and what locks them says; opens none of them."""
    store, erase = stack.store, stack.jobs["erase"]
    for bucket, prefixes in (
        (store.identified, ("instances", "rejected", "results", "downloads")),
        (store.deidentified, ("studies",)),
    ):
        bucket.allow(
            erase.role, ["DeleteObject", "DeleteObjectVersion", "GetObjectLegalHold", "GetObjectRetention"], *prefixes
        )
        bucket.allow_listing(erase.role, versions=True)
    store.studies.allow(erase.role, "GetItem", "UpdateItem", "DeleteItem")
    store.studies.allow_query(erase.role, "by_patient")
    store.instances.allow(erase.role, "GetItem", "DeleteItem")
    store.instances.allow_query(erase.role, "by_study")
    stack.review.table.allow(erase.role, "DeleteItem")
    stack.review.table.allow_query(erase.role, "by_subject")
    _pseudonyms(stack, erase)


def _allow_audit(stack: "CuatroImaging") -> None:
    """Adds to the ledger; that nobody changes or deletes an entry the table's own policy says."""
    store, role = stack.store, stack.jobs["audit"].role
    store.ledger.allow(role, "PartiQLInsert", "Query")
    store.anchors.allow(role, [_WRITE], "ledger")


def _pseudonyms(stack: "CuatroImaging", function: SuiteFunction) -> None:
    allow_secret(function, stack.store.pseudonyms, stack.store.identified_key)
