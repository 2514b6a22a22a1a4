"""De-identified results and the originals' headers -> results/<study>/<revision>/, as the sender may have them.

Who the patient is comes from the originals alone; that they are those of the study is told by its pseudonym.
"""

from datetime import datetime
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset

from cuatro.adapters import blobs, secrets
from cuatro.errors import Rejected
from functions.imaging.own_objects import encoded
from functions.imaging.progress import Progress, Report, Result
from functions.imaging.pseudonym import Pseudonyms
from functions.imaging.reading import header, quiet
from functions.imaging.reidentification import reidentified
from functions.imaging.reidentify.settings import Settings

HEADER_BYTES = 8 << 20
"""Of a sender's file: what it has before its pixels, by far."""
RESULT_BYTES = 64 << 20


def give_back(progress: Progress, report: Report, setting: Settings) -> tuple[Result, ...]:
    """The results, re-identified and written; again they are the same. Raises Rejected, Unavailable, Refused."""
    pseudonyms = Pseudonyms(secrets.text(setting.pseudonym_secret_arn).encode())
    originals = [_original(setting, pseudonyms, progress.study, item.instance) for item in progress.read]
    made_at = datetime.fromisoformat(report.made_at)
    names = ["sr", *(f"sc-{instance}" for instance in report.secondary)]
    with quiet():
        results = reidentified([_result(setting, progress, name) for name in names], originals, pseudonyms, made_at)
        contents = [encoded(each) for each in results]
    told = []
    for name, result, content in zip(names, results, contents, strict=True):
        key = f"results/{progress.study}/{progress.revision}/{name}.dcm"
        blobs.put(setting.identified_bucket, key, content, "application/dicom")
        told.append(_told(name, key, result))
    return tuple(told)


def _original(setting: Settings, pseudonyms: Pseudonyms, study: str, instance: str) -> Dataset:
    found = blobs.fetch(setting.identified_bucket, f"instances/{instance}.dcm", HEADER_BYTES, HEADER_BYTES)
    if found is None:
        raise Rejected("an instance of the study is not there any more", code="gone")
    original = header(found)
    with quiet():
        names = (str(original.get("StudyInstanceUID", "")), str(original.get("SOPInstanceUID", "")))
    if (pseudonyms.study(names[0]), pseudonyms.instance(names[1])) != (study, instance):
        raise Rejected(f"instance {instance} is not one of study {study}", code="other_study")
    return original


def _result(setting: Settings, progress: Progress, name: str) -> Dataset:
    key = f"studies/{progress.study}/report/{progress.revision}/{name}.dcm"
    found = blobs.fetch(setting.deidentified_bucket, key, RESULT_BYTES)
    if found is None:
        raise Rejected("a result of the study is not there any more", code="gone")
    return dcmread(BytesIO(found))


def _told(name: str, key: str, result: Dataset) -> Result:
    return Result(
        kind="sr" if name == "sr" else "sc",
        key=key,
        series=str(result.SeriesInstanceUID),
        instance=str(result.SOPInstanceUID),
        sop_class=str(result.SOPClassUID),
    )
