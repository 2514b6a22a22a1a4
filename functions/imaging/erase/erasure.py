"""A patient's pseudonym -> everything that is kept of them, found and removed for good: objects, rows, reviews.

In an order in which nothing that still runs brings anything back: studies say that they are erased, readings are
stopped, then the data goes, and is looked for again; the rows that lead to it go last, so that an erasure that was
interrupted is ended by the same call. What stays: for three months a study's pseudonym, so that it is not taken in
again; and the ledger, which holds pseudonyms and proves the erasure.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from cuatro.adapters import blobs, workflows
from cuatro.adapters.attributes import Item
from cuatro.adapters.aws import backoff
from cuatro.adapters.blobs import Version
from cuatro.adapters.dynamodb import Dynamo
from cuatro.errors import Refused, Unavailable
from functions.imaging.erase.request import Certificate, State
from functions.imaging.erase.settings import Settings
from functions.imaging.studies import BY_PATIENT, BY_STUDY, ERASED

_PAGE = 100
_PLACES = "instances", "rejected"
_ERASED_AT = "erased"
BURIED_S = 91 * 86_400
"""Step Functions remembers an execution's name, which is the study's pseudonym and a number, for 90 days."""
ROUNDS = 8
"""A step that was on its way may have written meanwhile; an index follows its table a moment later."""


class Found(NamedTuple):
    """What is to be removed, now. objects: with their buckets."""

    tasks: list[str]
    objects: list[tuple[str, Version]]


class Erasure:
    """Of one patient."""

    def __init__(self, patient: str, setting: Settings, dynamo: Dynamo, now: float) -> None:
        """now: unix seconds."""
        self._patient, self._setting, self._dynamo, self._now = patient, setting, dynamo, int(now)
        self._studies = list(self._all(setting.studies_table, BY_PATIENT, {"p": patient}))
        self._instances: set[str] = set()  # all that were ever seen: an object may outlive its row
        self._tasks: set[str] = set()

    def preview(self) -> Certificate:
        """What there is. Raises Unavailable or Refused."""
        found = self._find()
        anything = any(found) or self._instances or any(_ERASED_AT not in study for study in self._studies)
        return self._certificate("found" if anything else "nothing", len(found.objects), locked=self._locked(found))

    def erase(self) -> Certificate:
        """All of it, or, where anything is locked, nothing. Raises Unavailable or Refused: call it again."""
        before = self.preview()
        if before.locked or before.state == "nothing":
            return msgspec.structs.replace(before, state="refused" if before.locked else "nothing")
        stopped = sum(self._stop(study) for study in self._studies)
        removed = 0
        for attempt in range(ROUNDS):
            if attempt:
                backoff(attempt)
            found = self._find()
            if not any(found):
                break
            self._remove(found)
            removed += len(found.objects)
        else:
            raise Unavailable("something goes on writing what is to be erased")
        if stopped:
            # A step may be on its way for as long as a function may run: rows that know where it writes stay for now.
            return self._certificate("erasing", removed, executions=stopped)
        for instance in self._instances:
            self._dynamo.delete(self._setting.instances_table, {"instance": instance})
        for study in self._studies:
            self._bury(study)
        return self._certificate("erased", removed)

    def _find(self) -> Found:
        setting, found = self._setting, Found([], [])
        for each in self._studies:
            study = str(each["study"])
            rows = [str(row["instance"]) for row in self._all(setting.instances_table, BY_STUDY, {"study": study})]
            tasks = [str(row["task"]) for row in self._all(setting.reviews_table, "by_subject", {"s": study})]
            found.tasks.extend(tasks)
            self._instances.update(rows)
            self._tasks.update(tasks)
            self._look(setting.identified_bucket, f"results/{study}/", found)
            self._look(setting.deidentified_bucket, f"studies/{study}/", found)
        for instance in sorted(self._instances):
            for place in _PLACES:
                self._look(setting.identified_bucket, f"{place}/{instance}", found)
        return found

    def _look(self, bucket: str, prefix: str, found: Found) -> None:
        found.objects.extend((bucket, version) for version in blobs.versions(bucket, prefix))

    def _locked(self, found: Found) -> dict[str, int]:
        return dict(Counter(why for bucket, version in found.objects if (why := blobs.locked(bucket, version))))

    def _stop(self, study: Item) -> int:
        """Readings of all its revisions; how many ran. Their tasks are withdrawn when they end."""
        try:
            self._dynamo.update(
                self._setting.studies_table, {"study": study["study"]}, "SET s = :s ADD n :one",
                {":s": ERASED, ":one": 1}, "attribute_exists(study)",
            )  # fmt: skip
        except Refused as refused:
            if refused.code != "ConditionalCheckFailedException":
                raise
        newest = str(study.get("e") or "")
        if not newest:
            return 0
        machine = newest.rpartition(":")[0]
        names = [f"{study['study']}-{revision}" for revision in range(1, int(study["r"]) + 1)]
        return sum(workflows.stop(f"{machine}:{name}", "The patient's data is erased") for name in names)

    def _bury(self, study: Item) -> None:
        """What stays for a while says only that this study was erased: a PACS that repeats itself is refused."""
        self._dynamo.update(
            self._setting.studies_table, {"study": study["study"]},
            f"SET s = :s, x = :x, {_ERASED_AT} = :now REMOVE e, k, v, c, w, b, m",
            {":s": ERASED, ":x": self._now + BURIED_S, ":now": self._now}, "attribute_exists(study)",
        )  # fmt: skip

    def _remove(self, found: Found) -> None:
        setting = self._setting
        for task in found.tasks:
            self._dynamo.delete(setting.reviews_table, {"task": task})
        for bucket in (setting.identified_bucket, setting.deidentified_bucket):
            blobs.remove_versions(bucket, [version for where, version in found.objects if where == bucket], _kept)

    def _all(self, table: str, index: str, key: Item) -> Iterator[Item]:
        page = self._dynamo.query(table, index, key, _PAGE)
        yield from page.items
        while page.start:
            page = self._dynamo.query(table, index, key, _PAGE, page.start)
            yield from page.items

    def _certificate(
        self, state: State, objects: int, executions: int = 0, locked: dict[str, int] | None = None
    ) -> Certificate:
        studies = sum(_ERASED_AT not in study for study in self._studies)
        return Certificate(
            state=state, patient=self._patient, studies=studies, instances=len(self._instances),
            tasks=len(self._tasks), executions=executions, objects=objects, locked=locked or {},
        )  # fmt: skip


def _kept(_version: Version, code: str) -> None:
    """A lock or a hold was set in the last moment: the rest of the patient's data waits with it."""
    raise Refused("delete_objects", code, "a version is locked")
