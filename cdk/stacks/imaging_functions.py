"""Jobs of imaging -> their functions: layers, memory, time, and settings, which are the handlers' own."""

from typing import TYPE_CHECKING, NamedTuple

from cdk.constructs.suite_function import SuiteFunction

if TYPE_CHECKING:
    from cdk.stacks.imaging import CuatroImaging
    from cdk.stacks.platform import CuatroPlatform

DETECTOR = "text.onnx"


class Job(NamedTuple):
    """What a function runs with. layers: names of the stack's, besides core. rarely: one alarm, for it runs for
    seconds a day, or the state machine tells of its failures."""

    purpose: str
    layers: tuple[str, ...] = ()
    memory_mb: int = 512
    timeout_s: int = 60
    scores: bool = False
    rarely: bool = True


# An image of 64 million pixels, decoded, takes 128 MB, and so do the steps on the way; 1,769 MB is one whole vCPU.
_PIXELS_MB, _VCPU_MB = 3008, 1769
_DICOM = ("dicom",)
JOBS = {
    "authorize": Job("Knows senders by their tokens", (), 256, 10, rarely=False),
    # API Gateway waits for 29 seconds.
    "api": Job("Takes studies, gives results: STOW-RS, QIDO-RS, WADO-RS", _DICOM, _VCPU_MB, 29, rarely=False),
    "receive": Job("Names what arrived and puts it to its study", _DICOM, _VCPU_MB, 120, rarely=False),
    "begin": Job("Begins to read a study that is complete", rarely=False),
    "validate": Job("Refuses what is no image that the model can read", _DICOM, _PIXELS_MB, 120),
    "deidentify": Job("Takes away who the patient is, pixels too", ("inference", *_DICOM, "detector"), _PIXELS_MB, 180),
    "normalise": Job("Shows the image as a reader would see it", _DICOM, _PIXELS_MB, 120),
    "infer": Job("Reads the image", _DICOM, _VCPU_MB, 60, scores=True, rarely=False),
    "route": Job("Says who decides: the model or a person"),
    "report": Job("Writes the finding as DICOM", (*_DICOM, "report"), _VCPU_MB, 120),
    "reidentify": Job("Gives the finding back its patient, for the sender", (*_DICOM, "report"), _VCPU_MB, 120),
    "deliver": Job("Sends the finding back by STOW-RS", (), _VCPU_MB, 120),
    "conclude": Job("Says how the reading ended"),
    "erase": Job("Erases a patient", (), 512, 900),
    "audit": Job("Chains what was done into the ledger", rarely=False),
}


def settings(stack: "CuatroImaging", platform: "CuatroPlatform") -> dict[str, dict[str, str]]:
    """Job -> its settings, but begin's, which needs the machine."""
    store, target = stack.store, stack.target
    every = {"AUDIT_QUEUE_URL": stack.audited.url, "POLICY": target.imaging_policy.as_json()}
    identified = {"IDENTIFIED_BUCKET": store.identified.name}
    deidentified = {"DEIDENTIFIED_BUCKET": store.deidentified.name}
    studies, instances = {"STUDIES_TABLE": store.studies.name}, {"INSTANCES_TABLE": store.instances.name}
    pseudonyms = {"PSEUDONYM_SECRET_ARN": store.pseudonyms.secret_arn}
    senders = {"SENDERS_SECRET_ARN": store.senders.secret_arn}
    quiet = {"QUIET_QUEUE_URL": stack.quiet.url}
    both = {**identified, **deidentified}
    rows = {**studies, **instances}
    return {
        "authorize": {**every, **senders},
        "api": {**every, **identified, **rows, **pseudonyms},
        "receive": {**every, **identified, **rows, **quiet, **pseudonyms, **senders},
        "validate": {**every, **identified, **instances},
        "deidentify": {
            **every, **both, **instances, **pseudonyms, "TEXT_MODEL_URI": f"/opt/models/{stack.pipeline}/{DETECTOR}",
        },
        "normalise": {**every, **deidentified},
        "infer": {**every, **deidentified, "MODEL_URI": stack.model.uri, "SHADOW_MODEL_URI": stack.shadow_uri},
        "route": {**every, **deidentified, **studies},
        "report": {**every, **deidentified, **studies},
        "reidentify": {**every, **both, **studies, **pseudonyms},
        "deliver": {
            **every, **identified, **studies, **senders,
            "ALLOW_PRIVATE_HOSTS": "1" if target.private_hosts else "",
        },
        "conclude": {**every, **rows, "BUS_NAME": platform.bus.event_bus_name},
        "erase": {
            **both, **rows, **pseudonyms, "REVIEWS_TABLE": stack.review.table.name,
            "AUDIT_QUEUE_URL": stack.audited.url,
        },
        "audit": {
            "LEDGER_TABLE": store.ledger.name, "LEDGER_BUCKET": store.anchors.name,
            "ANCHOR_EVERY": str(target.anchor_every),
        },
    }  # fmt: skip


def begins(stack: "CuatroImaging", machine_arn: str) -> dict[str, str]:
    """Settings of begin."""
    return {
        "STUDIES_TABLE": stack.store.studies.name, "INSTANCES_TABLE": stack.store.instances.name,
        "QUIET_QUEUE_URL": stack.quiet.url, "READING_MACHINE_ARN": machine_arn, "AUDIT_QUEUE_URL": stack.audited.url,
        "POLICY": stack.target.imaging_policy.as_json(),
    }  # fmt: skip


def make(stack: "CuatroImaging", job: str, told: dict[str, str]) -> SuiteFunction:
    """The function of one job; it may tell the ledger what it did."""
    plan = JOBS[job]
    made = stack.function(
        f"{job.capitalize()}Function", job, plan.purpose, plan.memory_mb, scores=plan.scores, settings=told,
        timeout_s=plan.timeout_s, more=[stack.shelf[layer] for layer in plan.layers], rarely=plan.rarely,
    )  # fmt: skip
    if "AUDIT_QUEUE_URL" in told:
        stack.audited.allow_send(made.role)
    return made
