"""Headers of a study as they come and as they are de-identified, PNGs, and the results made of them."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation

from functions.imaging.outcome import outcome_of
from functions.imaging.progress import Progress
from functions.imaging.pseudonym import Pseudonyms
from functions.imaging.secondary_capture import drawn, secondary_capture
from functions.imaging.structured_report import ReadImage, structured_report

PSEUDONYMS = Pseudonyms(b"a secret of the tests, 32 bytes or more")
STUDY_UID, SERIES_UID = "1.2.826.0.1.3680043.99.1", "1.2.826.0.1.3680043.99.1.2"


def original(number: int = 1, **more: object) -> Dataset:
    """The header of an image as a hospital sends it; its patient is marked, so that tests can look for him."""
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 100"
    header.SOPClassUID, header.SOPInstanceUID = DigitalXRayImageStorageForPresentation, f"{SERIES_UID}.{number}"
    header.StudyInstanceUID, header.SeriesInstanceUID = STUDY_UID, SERIES_UID
    header.StudyDate, header.StudyTime, header.StudyID = "20261120", "081500", "PLANTED-STUDY"
    header.AccessionNumber, header.ReferringPhysicianName = "PLANTED-ACC", "Planted^Referrer"
    header.StudyDescription = "PLANTED chest"
    header.PatientName, header.PatientID, header.IssuerOfPatientID = "Phantom^Öne", "PLANTED-ID", "PLANTED-CLINIC"
    header.PatientBirthDate, header.PatientSex, header.PatientAge = "20220401", "F", "004Y"
    header.Modality, header.Rows, header.Columns = "DX", 256, 200
    for name, value in more.items():
        setattr(header, name, value)
    return header


def deidentified(number: int = 1, names: Pseudonyms = PSEUDONYMS, **more: object) -> Dataset:
    """The same as the pipeline keeps it: pseudonyms, moved dates."""
    known = original(number)
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.SOPClassUID = known.SOPClassUID
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(header, name, names.uid(getattr(known, name)))
    header.StudyDate, header.StudyTime, header.StudyID, header.AccessionNumber = "20190211", "081500", "", ""
    header.PatientID = header.PatientName = names.patient("PLANTED-CLINIC", "PLANTED-ID")
    header.PatientName = f"{header.PatientID}^"
    header.PatientBirthDate, header.PatientSex, header.PatientAge = "", "F", "004Y"
    header.PatientIdentityRemoved, header.DeidentificationMethod = "YES", "Cuatro, PS3.15"
    header.LongitudinalTemporalInformationModified = "MODIFIED"
    header.Modality, header.Rows, header.Columns = "DX", 256, 200
    for name, value in more.items():
        setattr(header, name, value)
    return header


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def picture(rows: int = 256, columns: int = 200) -> bytes:
    """A ramp from black to white."""
    return png(np.linspace(0, 255, rows * columns).reshape(rows, columns).astype(np.uint8))


def heatmap(row: int = 5, column: int = 2) -> bytes:
    """8 x 8, hot in one place."""
    y, x = np.mgrid[:8, :8]
    return png((255 * np.exp(-((x - column) ** 2 + (y - row) ** 2) / 4)).astype(np.uint8))


def results(progress: Progress, headers: Sequence[Dataset] | None = None) -> list[Dataset]:
    """The report, and a secondary capture of each image that was readable."""
    images = [
        ReadImage(item, header or deidentified(number))
        for number, (item, header) in enumerate(zip(progress.read, headers or [None] * 99, strict=False), 1)
    ]
    reads = progress.review.reads if progress.review else ()
    report = structured_report(images, outcome_of(progress), reads, progress.study)
    captures = [
        secondary_capture(
            each.item, each.header, drawn(each.item, picture(), heatmap()), (progress.study, progress.revision), number
        )
        for number, each in enumerate(images, 1)
        if each.item.finding != "not_readable"
    ]
    return [report, *captures]
