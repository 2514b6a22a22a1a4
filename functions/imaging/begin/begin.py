"""A study that may be complete -> its next revision, begun once; or patience.

DICOM has no last image: a study is taken as complete when nothing of it has come for a while (quiet_s). What comes
later is read by a revision of its own. The claim is one conditional write that also says what is to be read, so whoever
finds a claim without an execution goes on with it, and an execution's name makes sure that there is only one.
"""

from typing import NamedTuple

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change
from cuatro.adapters.queues import send
from cuatro.adapters.transactions import transact
from cuatro.adapters.workflows import start_execution
from cuatro.errors import Unavailable
from functions.imaging import studies
from functions.imaging.begin.settings import Settings
from functions.imaging.policy import Policy
from functions.imaging.studies import BY_STUDY, ERASED, READING, RECEIVED, Begun

_PAGE = 1_000
ACTOR = "function:begin"


class Message(msgspec.Struct, frozen=True):
    """t: the arrival after which it was sent, unix milliseconds. again: read what the last revision read once more."""

    study: str
    t: int = 0
    again: bool = False


class Outcome(NamedTuple):
    """what: "begun", "resumed", "waits" (asked again later), or "nothing" is to be done."""

    what: str
    study: str
    revision: int = 0
    instances: int = 0


def decide(message: Message, setting: Settings, policy: Policy, dynamo: Dynamo, now: float) -> Outcome:
    """now: unix seconds. Raises Unavailable or Refused: then it is to be tried again."""
    found = dynamo.read({setting.studies_table: Keys("study", [message.study])})[setting.studies_table]
    if found.unread:
        raise Unavailable(f"study {message.study} could not be read")
    study = found.items.get(message.study)
    if study is None or study["s"] == ERASED:
        return Outcome("nothing", message.study)
    last = studies.begun_of(study)
    if last and not study.get("e"):
        _start(study["study"], last, setting, dynamo)
        if message.again:
            return Outcome("resumed", message.study, last.revision, len(last.instances))
    if not message.again:
        # Whatever came after this message's arrival has sent one of its own.
        if study["w"] <= 0 or study["t"] > message.t:
            return Outcome("nothing", message.study)
        left = study["t"] / 1000 + policy.quiet_s - now
        if left > 0:
            send(setting.quiet_queue_url, message, left)
            return Outcome("waits", message.study)
    return _begin(study, last if message.again else None, setting, dynamo)


def _begin(study: Item, before: Begun | None, setting: Settings, dynamo: Dynamo) -> Outcome:
    waiting = _waiting(study, setting, dynamo)
    wanted = sorted({*waiting, *(before.instances if before else [])})
    if not wanted:
        return Outcome("nothing", study["study"])
    begun = Begun(study["r"] + 1, wanted)
    if transact([studies.begin(setting.studies_table, study, begun, len(waiting))]):
        return Outcome("nothing", study["study"])  # another delivery of the message was first
    if before:
        _mark(begun, {}, setting, dynamo)
    _start(study["study"], begun, setting, dynamo)
    return Outcome("begun", study["study"], begun.revision, len(wanted))


def _waiting(study: Item, setting: Settings, dynamo: Dynamo) -> list[str]:
    """Instances that no revision has begun. The index follows its table a moment later: then it is asked again."""
    page = dynamo.query(setting.instances_table, BY_STUDY, {"study": study["study"]}, _PAGE)
    items = page.items
    while page.start:
        page = dynamo.query(setting.instances_table, BY_STUDY, {"study": study["study"]}, _PAGE, page.start)
        items += page.items
    found = [item["instance"] for item in items if item["s"] == RECEIVED]
    if len(found) < study["w"]:
        raise Unavailable(f"study {study['study']}: the index knows {len(found)} of {study['w']} new instances")
    return found


def _start(study: str, begun: Begun, setting: Settings, dynamo: Dynamo) -> None:
    _mark(begun, {"s": RECEIVED}, setting, dynamo)
    payload = {"study": study, "revision": begun.revision, "instances": begun.instances}
    Audit(setting.audit_queue_url).record(
        "begin", study, actor=ACTOR, outcome="success", purpose="treatment",
        details={"revision": begun.revision, "instances": len(begun.instances)},
    )  # fmt: skip
    arn = start_execution(setting.reading_machine_arn, f"{study}-{begun.revision}", payload)
    written = dynamo.write([change(setting.studies_table, {"e": arn}, {"study": study, "r": begun.revision})])[0]
    if written.status == "failed":
        raise Unavailable(f"study {study}: {written.code}")


def _mark(begun: Begun, where: Item, setting: Settings, dynamo: Dynamo) -> None:
    """Their rows say that they are being read, and by which revision; those that are not as `where` says stay."""
    values = {"s": READING, "rev": begun.revision}
    table = setting.instances_table
    written = dynamo.write([change(table, values, {"instance": each, **where}) for each in begun.instances])
    if any(each.status == "failed" for each in written):
        raise Unavailable("instances could not be marked")
