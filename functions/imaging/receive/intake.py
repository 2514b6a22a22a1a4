"""A new object -> its place, its rows and a word to the queue that waits for its study to be complete; or a refusal.

Everything is done in an order in which the same message, delivered again after a fault at any place, ends the same way:
row "arriving" -> copy -> row "received" and its study's count, at once -> word -> ledger -> the new object is removed.
"""

import time
from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from cuatro.adapters import intake
from cuatro.adapters.attributes import Item
from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change, insertion
from cuatro.adapters.queues import send
from cuatro.adapters.transactions import transact
from cuatro.errors import Rejected, Unavailable
from functions.imaging import studies
from functions.imaging.header import FIRST_BYTES, Header, header, issuer_of
from functions.imaging.policy import Policy
from functions.imaging.pseudonym import Pseudonyms
from functions.imaging.receive.places import REFUSED, identity_of, instance_key, sender_of
from functions.imaging.receive.settings import Settings
from functions.imaging.senders import Sender
from functions.imaging.studies import ARRIVING, GONE, RECEIVED, REJECTED, Arrival

_MB = 1 << 20


class Outcome(NamedTuple):
    """what: "received", "repeated" (nothing new), "own" (a result of ours, not kept), "refused" (code says why) or
    "gone" (it is no longer there).
    """

    what: str
    object: str = ""
    study: str = ""
    code: str = ""
    size: int = 0


class _Found(NamedTuple):
    """The object in question. tag: of its bytes."""

    key: str
    tag: str
    size: int
    sender: str
    sha256: str = ""


class Intake:
    """What arrives in one suite."""

    def __init__(
        self, setting: Settings, policy: Policy, pseudonyms: Pseudonyms, known: Mapping[str, Sender], dynamo: Dynamo
    ) -> None:
        self._setting, self._policy, self._pseudonyms = setting, policy, pseudonyms
        self._known, self._dynamo = known, dynamo
        self._audit = Audit(setting.audit_queue_url)

    def take(self, key: str) -> Outcome:
        """One object. Raises Unavailable or Refused: then it is to be tried again."""
        measured = intake.measure(self._setting.identified_bucket, key)
        if measured is None:
            return Outcome("gone")
        size, tag = measured
        sender = sender_of(key, self._known)
        if size > self._policy.max_object_mb * _MB:
            return self._refuse(_Found(key, tag, size, sender), "oversized")
        taken = intake.take(self._setting.identified_bucket, key, FIRST_BYTES)
        if taken is None:
            return Outcome("gone")
        found = _Found(key, taken.tag, taken.size, sender, taken.sha256)
        try:
            head = header(taken.first)
            arrival = self._arrival(head, found)
        except Rejected as rejected:
            return self._refuse(found, rejected.code)
        # A result of ours would be read, sent back, come again, and so on for ever.
        return self._done("own", arrival, found) if head.own else self._settle(arrival, found)

    def _arrival(self, head: Header, found: _Found) -> Arrival:
        """Raises Rejected for what is no image."""
        if not head.is_image and not head.own:
            raise Rejected("is no image", "sop_class", "unsupported_sop_class")
        now = time.time()
        configured = self._known[found.sender].issuer if found.sender in self._known else None
        issuer = issuer_of(head, found.sender, configured)
        names = self._pseudonyms
        return Arrival(
            instance=names.instance(head.instance),
            study=names.study(head.study),
            series=names.series(head.series),
            patient=names.patient_of(issuer, head.patient_id, head.study),
            sha256=found.sha256,
            size=found.size,
            sender=found.sender,
            modality=head.modality,
            at=int(now * 1000),
            expires=self._expires(now),
        )

    def _settle(self, arrival: Arrival, found: _Found) -> Outcome:
        row, study = self._rows(arrival)
        if row is None or row["s"] == GONE:
            why = studies.unwelcome(study, arrival.sender, self._policy.max_instances)
            if why:
                return self._refuse(found, why, arrival if why != "other_sender" else None)
            row = self._claimed(arrival, row)
        if row["h"] != arrival.sha256:
            own = row["o"] == arrival.sender
            return self._refuse(found, "duplicate_instance" if own else "other_sender", arrival if own else None)
        if row["s"] == ARRIVING:
            # Where another sender's same bytes were first, it is that sender's; a delivery that was cut short goes on.
            return self._place(replace(arrival, sender=row["o"], at=row["a"]), found)
        if row["s"] == RECEIVED and study is not None:
            self._wait(arrival.study, study["t"])
        return self._done("repeated", arrival, found)

    def _claimed(self, arrival: Arrival, gone: Item | None) -> Item:
        """The instance's row: ours, or that of whoever was first."""
        table, row = self._setting.instances_table, studies.row(arrival)
        values = {name: value for name, value in row.items() if name != "instance"}
        where = {"instance": arrival.instance, "s": GONE, "h": gone["h"]} if gone else {}
        written = self._dynamo.write([change(table, values, where) if gone else insertion(table, row)])[0]
        if written.status == "done":
            return row
        first = self._rows(arrival)[0] if written.status == "conflict" else None
        if first is None:
            raise Unavailable(f"instance {arrival.instance} could not be written")
        return first

    def _place(self, arrival: Arrival, found: _Found) -> Outcome:
        setting = self._setting
        to = instance_key(arrival.instance)
        if not intake.copy(setting.identified_bucket, found.key, to, found.tag, "application/dicom"):
            mine = {"instance": arrival.instance, "s": ARRIVING, "h": arrival.sha256}
            self._dynamo.write([change(setting.instances_table, {"s": GONE}, mine)])
            return Outcome("gone")  # other bytes lie there now, and come with a message of their own
        updates = studies.counted(arrival, setting.instances_table, setting.studies_table, self._policy.max_instances)
        failed = transact(updates)
        if not failed or failed[0]:
            self._wait(arrival.study, arrival.at)
            return self._done("repeated" if failed else "received", arrival, found)
        # The study took the last instance that it may have, or another sender's first, a moment ago.
        study = self._rows(arrival)[1]
        why = studies.unwelcome(study, arrival.sender, self._policy.max_instances)
        if why is None:
            raise Unavailable(f"study {arrival.study} is being changed by others")
        mine = {"instance": arrival.instance, "s": ARRIVING}
        self._dynamo.write([change(setting.instances_table, {"s": REJECTED, "why": why}, mine)])
        return self._refuse(found, why)

    def _done(self, what: str, arrival: Arrival, found: _Found) -> Outcome:
        # Also when it changes nothing: it is an access, and the delivery that changed something may have been cut off.
        self._audit.record(
            "receive", arrival.instance, actor=f"sender:{found.sender}", outcome="success", purpose="treatment",
            correlation=arrival.study,
            details={"sha256": arrival.sha256, "bytes": arrival.size, "repeated": int(what != "received")},
        )  # fmt: skip
        intake.discard(self._setting.identified_bucket, found.key, found.tag)
        return Outcome(what, arrival.instance, arrival.study, size=arrival.size)

    def _refuse(self, found: _Found, code: str, arrival: Arrival | None = None) -> Outcome:
        """Kept below rejected/ with the reason in a row, and gone from where it was."""
        bucket, now = self._setting.identified_bucket, time.time()
        study = arrival.study if arrival else ""
        identity = identity_of(found.key) or self._pseudonyms.instance(f"object {found.key} {found.tag}")
        can_move = found.size <= intake.MAX_COPY_BYTES
        if can_move and not intake.copy(
            bucket, found.key, f"{REFUSED}{identity}", found.tag, "application/octet-stream"
        ):
            return Outcome("gone")
        row = studies.refusal(identity, code, found.sender, found.size, int(now * 1000), self._expires(now), arrival)
        self._dynamo.put_all(self._setting.instances_table, [row])
        self._audit.record(
            "refuse", identity, actor=f"sender:{found.sender}", outcome="denied", purpose="treatment",
            correlation=study, details={"code": code, "bytes": found.size},
        )  # fmt: skip
        if can_move:
            intake.discard(bucket, found.key, found.tag)
        return Outcome("refused", identity, study, code, found.size)

    def _rows(self, arrival: Arrival) -> tuple[Item | None, Item | None]:
        instances, kept = self._setting.instances_table, self._setting.studies_table
        found = self._dynamo.read(
            {instances: Keys("instance", [arrival.instance]), kept: Keys("study", [arrival.study])}
        )
        if found[instances].unread or found[kept].unread:
            raise Unavailable(f"the rows of instance {arrival.instance} could not be read")
        return found[instances].items.get(arrival.instance), found[kept].items.get(arrival.study)

    def _wait(self, study: str, at: int) -> None:
        """`begin` looks at the study when it has been quiet for long enough since this arrival."""
        send(self._setting.quiet_queue_url, {"study": study, "t": at}, self._policy.quiet_s)

    def _expires(self, now: float) -> int:
        return int(now) + self._policy.retention_days * studies.DAY_S
