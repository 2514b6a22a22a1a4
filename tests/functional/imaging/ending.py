"""A study whose images have been read: its rows, files and pictures are there, and the steps that follow are called."""

import json
from importlib import import_module
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from functions.imaging.own_objects import encoded
from functions.imaging.reading import quiet
from tests.functional.imaging.suite import NAMES, Suite
from tests.functional.stage import Context, client
from tests.unit.imaging_results import STUDY_UID, deidentified, heatmap, original, picture

STUDY = NAMES.study(STUDY_UID)
PLANTED = ("PLANTED", "Planted", "Öne", "19990101", STUDY_UID, "1.2.826.0.1.3680043.99")
"""What identifies the patient and the study of these tests, wherever it turns up."""


def instance(number: int = 1) -> str:
    return NAMES.instance(original(number).SOPInstanceUID)


def item(number: int = 1, finding: str = "pneumonia", probability: float | None = 0.91, **more: Any) -> dict[str, Any]:
    """As the machine keeps it of what infer said."""
    return {
        "instance": instance(number), "state": "read", "finding": finding, "probability": probability, "unsure": False,
        "why": [], "model_version": "imaging-1", "distance": 0.4, **more,
    }  # fmt: skip


def rejected(number: int = 9, code: str = "multi_frame") -> dict[str, Any]:
    return {"instance": instance(number), "state": "rejected", "code": code}


def state(*items: dict[str, Any], revision: int = 1, **more: Any) -> dict[str, Any]:
    """What the machine hands to the step after the instances."""
    names = [each["instance"] for each in items]
    return {"study": STUDY, "revision": revision, "instances": names, "items": list(items), **more}


class Ending:
    """numbers: of the study's images. The study's row is as `begin` leaves it."""

    def __init__(self, suite: Suite, *numbers: int, **row: Any) -> None:
        self.suite = suite
        self.set(**row)
        for number in numbers:
            self._image(number)

    def set(self, **row: Any) -> None:
        """The study's row, anew."""
        plain = {"study": STUDY, "n": 3, "s": "reading", "r": 1, "o": "north", "p": "p" * 26, "t": 1, "c": 1, "w": 0}
        self._put("studies", plain | row)

    def gone(self) -> None:
        """The study was erased."""
        client("dynamodb").delete_item(TableName="studies", Key={"study": {"S": STUDY}})

    def call(self, job: str, event: dict[str, Any]) -> dict[str, Any]:
        """One step, as the machine does it: JSON in, JSON out."""
        handler = import_module(f"functions.imaging.{job}.handler").handler
        answer: dict[str, Any] = json.loads(json.dumps(handler(json.loads(json.dumps(event)), Context())))
        return answer

    def reported(self, event: dict[str, Any]) -> dict[str, Any]:
        """Report, then reidentify."""
        return self.call("reidentify", self.call("report", event))

    @property
    def row(self) -> dict[str, Any]:
        return self.suite.items("studies")[STUDY]

    def results(self, bucket: str, prefix: str) -> dict[str, Dataset]:
        """DICOM objects below a prefix, by the last part of their key."""
        found = self.suite.objects(bucket, prefix)
        return {key.rpartition("/")[2]: dcmread(BytesIO(each)) for key, each in found.items() if key.endswith(".dcm")}

    def _image(self, number: int) -> None:
        name, folder = instance(number), f"studies/{STUDY}/{instance(number)}"
        with quiet():
            self._object("identified", f"instances/{name}.dcm", encoded(original(number)))
            self._object("deidentified", f"{folder}/image.dcm", encoded(deidentified(number, NAMES)))
        self._object("deidentified", f"{folder}/image.png", picture())
        self._object("deidentified", f"{folder}/heatmap.png", heatmap())
        self._put("instances", {"instance": name, "study": STUDY, "s": "reading", "rev": 1})

    def _object(self, bucket: str, key: str, content: bytes) -> None:
        self.suite.s3.put_object(Bucket=bucket, Key=key, Body=content)

    @staticmethod
    def _put(table: str, item: dict[str, Any]) -> None:
        typed = {key: {"N": str(value)} if isinstance(value, int) else {"S": value} for key, value in item.items()}
        client("dynamodb").put_item(TableName=table, Item=typed)
