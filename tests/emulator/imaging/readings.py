"""The deployed imaging pipeline as a test sees it: a hospital's requests, rows, a reviewer's decisions, its stores."""

import itertools
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from typing import Any

from pydicom import Dataset, dcmread

from functions.imaging.pseudonym import Pseudonyms
from local.demo.imaging.patients import Patient, radiograph
from local.demo.imaging.phantoms import phantom
from local.feed.reviews import Reviews
from local.feed.senders import add
from local.feed.studies import Reply, SenderApi, Sent
from local.platform.errors import PlatformError
from tests.emulator.deployed import Deployed, Item, name
from tests.waiting import eventually

READ_S, KNOWN_S = 120, 120
ENDED = ("read", "rejected", "failed", "expired")
DICOM = 'multipart/related; type="application/dicom"'
_numbers = itertools.count(1)


def image(finding: str = "normal", size: tuple[int, int] = (320, 288), **changes: Any) -> Dataset:
    """A child's radiograph that no other test has; changes: of the dataset, by keyword; None takes an element away."""
    number = next(_numbers)
    patient = Patient(number, 6, run=uuid.uuid4().hex[:8])
    taken = datetime.now(UTC) - timedelta(hours=2)
    made = radiograph(phantom(number, "pneumonia" if finding == "pneumonia" else "normal", size), patient, taken)
    for keyword, value in changes.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def bytes_of(dataset: Dataset) -> bytes:
    """The file."""
    written = BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


@dataclass
class Reading(Deployed):
    """With what a hospital, a reviewer and an auditor do."""

    hospital: str = field(default_factory=lambda: name("hospital"))

    @cached_property
    def sender(self) -> SenderApi:
        """The hospital's system, known by a token of its own."""
        return self.sender_named(self.hospital)

    def sender_named(self, sender: str, destination: str = "", header: str = "") -> SenderApi:
        """A sender, by TLS; a token that it had before is good no more."""
        url, authority = self.connection.secure_api_url(self.outputs["ApiUrl"])
        token = add(self.connection, sender, destination=destination, header=header)
        made = SenderApi(url, authority, sender, token)

        def known() -> bool:
            try:
                made.status("2.25.1")
            except PlatformError:
                return False
            return True

        # Strangers make the secret be read again every few seconds at most, and a refusal is kept for a minute.
        eventually(known, f"sender {sender} known", KNOWN_S)
        return made

    @cached_property
    def names(self) -> Pseudonyms:
        """Whoever knows the secret knows which study is which."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["PseudonymSecret"])
        return Pseudonyms(secret["SecretString"].encode())

    def send(self, *images: Dataset | bytes) -> Sent:
        """One STOW-RS request."""
        contents = [each if isinstance(each, bytes) else bytes_of(each) for each in images]
        return self.sender.store([(f"{number}.dcm", content) for number, content in enumerate(contents)])

    def sent(self, *images: Dataset) -> str:
        """The study of images that were all taken: its pseudonym."""
        sent = self.send(*images)
        assert (len(sent.instances), sent.refused) == (len(images), []), sent
        return self.names.study(images[0].StudyInstanceUID)

    def study(self, study: str) -> Item | None:
        return self.item("StudiesTable", study=study)

    def state(self, study: str, *states: str, deadline_s: float = READ_S) -> Item:
        """The row, once the study is in one of `states`."""

        def there() -> Item | None:
            row = self.study(study)
            return row if row and row["s"] in states else None

        try:
            return eventually(there, f"study {study} in {states}", deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.study(study)}") from None

    def reviewer(self, reviewer: str = "ada") -> Reviews:
        return Reviews(self.connection, reviewer)

    def task(self, study: str, reviewer: str = "ada", deadline_s: float = READ_S) -> str:
        """The task of a study, once it is there."""

        def asked() -> str | None:
            found = [each["task"] for each in self.reviewer(reviewer).tasks() if each["subject"] == study]
            return found[0] if found else None

        return eventually(asked, f"a task about study {study}", deadline_s)

    def decide(self, study: str, choice: str, reasons: Sequence[str] = (), reviewer: str = "ada") -> dict[str, Any]:
        """Lease and decide the study's task; the task as its reviewer saw it."""
        task, reviews = self.task(study, reviewer), self.reviewer(reviewer)
        reviews.lease(task)
        shown = reviews.show(task)
        why = list(reasons) or ([] if choice == shown["suggested"] else [shown["reasons"][0]])
        reviews.decide(task, choice, why)
        return shown

    def results(self, study_uid: str) -> list[Dataset]:
        """By WADO-RS, as the sender gets them."""
        reply = self.sender.get(f"/studies/{study_uid}", DICOM)
        assert reply.status == 200, reply
        return parts(reply)

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Every version of every object of a bucket (by its output), by key and version."""
        s3, kept = self.client("s3"), self.outputs[bucket]
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=kept, Prefix=prefix)
        found = [(each["Key"], each["VersionId"]) for page in pages for each in page.get("Versions", [])]
        return {
            f"{key}?{version}": s3.get_object(Bucket=kept, Key=key, VersionId=version)["Body"].read()
            for key, version in found
        }

    def rows(self, table: str) -> list[Any]:
        """Every item of a table (by its output), as DynamoDB has it."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[table])
        return [item for page in pages for item in page["Items"]]

    def ledger(self, **where: str) -> list[Item]:
        """Entries whose attributes are these, oldest first."""
        found = [{key: next(iter(value.values())) for key, value in item.items()} for item in self.rows("LedgerTable")]
        mine = [each for each in found if all(each.get(key) == value for key, value in where.items())]
        return sorted(mine, key=lambda each: int(each["seq"]))

    def histories(self) -> str:
        """All that state machines were given, gave, and said, as text."""
        client, arn = self.client("stepfunctions"), self.outputs["ReadingMachineArn"]
        said: list[Any] = []
        for page in client.get_paginator("list_executions").paginate(stateMachineArn=arn):
            for execution in page["executions"]:
                arn_of = execution["executionArn"]
                said.append(client.describe_execution(executionArn=arn_of))
                pages = client.get_paginator("get_execution_history").paginate(executionArn=arn_of)
                said += [events["events"] for events in pages]
        return json.dumps(said, default=str)


def parts(reply: Reply) -> list[Dataset]:
    """Datasets of a multipart answer."""
    boundary = reply.body.split(b"\r\n", 1)[0]
    bodies = reply.body.split(boundary)[1:-1]
    return [dcmread(BytesIO(each.partition(b"\r\n\r\n")[2][:-2])) for each in bodies]
