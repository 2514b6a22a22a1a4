"""Numbers -> a small radiograph of nobody, as DICOM; and as the bytes of a file."""

from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid


def image(number: int = 1, study: int = 1, **changes: Any) -> Dataset:
    """A small radiograph of nobody; the same numbers make the same UIDs. changes: attributes, by keyword."""
    made = Dataset()
    made.preamble = bytes(128)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = DigitalXRayImageStorageForPresentation
    made.StudyInstanceUID = generate_uid(entropy_srcs=[f"study {study}"])
    made.SeriesInstanceUID = generate_uid(entropy_srcs=[f"series {study}"])
    made.SOPInstanceUID = generate_uid(entropy_srcs=[f"study {study} instance {number}"])
    made.PatientName, made.PatientID = "Phantom^One", f"PHANTOM-{study}"
    made.PatientBirthDate, made.PatientAge, made.PatientSex = "20200101", "004Y", "O"
    made.StudyDate, made.StudyTime, made.AccessionNumber, made.StudyID = "20240102", "101112", "A1", "1"
    made.ReferringPhysicianName = ""
    made.Modality, made.BodyPartExamined, made.ViewPosition = "DX", "CHEST", "AP"
    made.Rows = made.Columns = 4
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = bytes(range(16))
    for name, value in changes.items():
        setattr(made, name, value)
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def file(dataset: Dataset) -> bytes:
    """DICOM Part 10."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
