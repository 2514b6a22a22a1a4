"""Readings, images, heat maps -> the study's de-identified results, beside its images; again they are the same bytes.

studies/<study>/report/<revision>/: sr.dcm, sc-<instance>.dcm for each image that was readable, report.json.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from pydicom.dataset import Dataset

from cuatro.adapters import blobs
from cuatro.errors import Rejected
from functions.imaging.outcome import outcome_of
from functions.imaging.own_objects import encoded, label
from functions.imaging.progress import Progress
from functions.imaging.reading import header, quiet
from functions.imaging.secondary_capture import drawn, secondary_capture
from functions.imaging.structured_report import ReadImage, structured_report

HEADER_BYTES = 1 << 20
"""Of an image of our own: private and unknown elements are gone, and pixels come last."""
PNG_BYTES = 32 << 20


class Made(NamedTuple):
    """name: of the file; content; type: media type."""

    name: str
    content: bytes
    type: str


def folder(progress: Progress) -> str:
    """Where the results of a revision lie."""
    return f"studies/{progress.study}/report/{progress.revision}"


def write(progress: Progress, bucket: str) -> tuple[str, ...]:
    """Make and write them all; the instances that have a secondary capture. Raises Rejected, Unavailable, Refused."""
    captured = []
    for made in _made(progress, bucket):
        blobs.put(bucket, f"{folder(progress)}/{made.name}", made.content, made.type)
        if made.name.startswith("sc-"):
            captured.append(made.name.removeprefix("sc-").removesuffix(".dcm"))
    return tuple(captured)


def _made(progress: Progress, bucket: str) -> Iterator[Made]:
    images = [ReadImage(item, _header(progress.study, item.instance, bucket)) for item in progress.read]
    outcome, reads = outcome_of(progress), progress.review.reads if progress.review else ()
    with quiet():
        report = encoded(structured_report(images, outcome, reads, progress.study))
    yield Made("sr.dcm", report, "application/dicom")
    for number, image in enumerate(images, 1):
        if image.item.finding != "not_readable":
            yield _capture(progress, image, number, bucket)
    told = {
        "label": label(outcome.model_version),
        "study": progress.study,
        "outcome": outcome,
        "items": progress.items,
        "reads": reads,
    }
    body = msgspec.json.format(msgspec.json.encode(told, order="deterministic"), indent=1)
    yield Made("report.json", body, "application/json")


def _capture(progress: Progress, image: ReadImage, number: int, bucket: str) -> Made:
    """Pictures are fetched one by one: a study may have hundreds."""
    instance = image.item.instance
    pictures = [_fetched(bucket, f"studies/{progress.study}/{instance}/{name}.png") for name in ("image", "heatmap")]
    picture = drawn(image.item, *pictures)
    with quiet():
        made = secondary_capture(image.item, image.header, picture, (progress.study, progress.revision), number)
        return Made(f"sc-{instance}.dcm", encoded(made), "application/dicom")


def _header(study: str, instance: str, bucket: str) -> Dataset:
    return header(_fetched(bucket, f"studies/{study}/{instance}/image.dcm", HEADER_BYTES))


def _fetched(bucket: str, key: str, first: int | None = None) -> bytes:
    found = blobs.fetch(bucket, key, PNG_BYTES, first)
    if found is None:
        raise Rejected("an object of the study is not there any more", code="gone")
    return found
