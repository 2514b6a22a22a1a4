"""Picture + seed -> the DICOM of a synthetic patient, as a digital radiography unit writes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from local.demo.imaging.phantoms import BITS
from local.platform.errors import PlatformError

PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
HOSPITAL = "CUATRO SYNTHETIC HOSPITAL"
REGIONS = {"CHEST": ("51185008", "Chest"), "HAND": ("85562004", "Hand")}
"""Body part -> its SNOMED CT code and meaning."""


@dataclass(frozen=True)
class Patient:
    """Nobody: name and number say so."""

    number: int
    age_years: int
    sex: str = "O"
    run: str = ""

    @property
    def patient_id(self) -> str:
        return f"SYNTHETIC-{self.run}-{self.number:04d}"

    @property
    def name(self) -> str:
        return f"Synthetic^Patient {self.number}"


def radiograph(
    picture: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    patient: Patient,
    taken: datetime,
    *,
    bits: int = BITS,
    body_part: str = "CHEST",
) -> Dataset:
    """The picture ([rows, columns], MONOCHROME2, `bits` stored) as a digital X-ray image of the patient, taken AP.

    Its UIDs follow from the patient and the time, so that the same study is the same one again.
    """
    made = Dataset()
    made.file_meta = FileMetaDataset()
    seeds = [patient.patient_id, taken.isoformat(), body_part]
    made.SOPClassUID = DigitalXRayImageStorageForPresentation
    made.StudyInstanceUID = generate_uid(entropy_srcs=[*seeds[:2], "study"])
    made.SeriesInstanceUID = generate_uid(entropy_srcs=[*seeds, "series"])
    made.SOPInstanceUID = generate_uid(entropy_srcs=[*seeds, "instance"])
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    _who(made, patient, taken)
    _how(made, body_part)
    _what(made, picture, bits)
    return made


def _who(made: Dataset, patient: Patient, taken: datetime) -> None:
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientName, made.PatientID = patient.name, patient.patient_id
    born = taken - timedelta(days=365.25 * patient.age_years + 100)
    made.PatientBirthDate, made.PatientSex = f"{born:%Y%m%d}", patient.sex
    made.PatientAge = f"{patient.age_years:03d}Y"
    made.StudyDate = made.SeriesDate = made.ContentDate = made.AcquisitionDate = f"{taken:%Y%m%d}"
    made.StudyTime = made.SeriesTime = made.ContentTime = made.AcquisitionTime = f"{taken:%H%M%S}"
    made.AccessionNumber, made.StudyID = f"A{patient.number:06d}", f"{patient.number}"
    made.ReferringPhysicianName = "Synthetic^Physician"
    made.InstitutionName, made.StationName = HOSPITAL, "DX-1"
    made.StudyDescription = f"Chest of {patient.name.replace('^', ' ')}"


def _how(made: Dataset, body_part: str) -> None:
    made.Modality, made.PresentationIntentType = "DX", "FOR PRESENTATION"
    made.Manufacturer, made.ManufacturerModelName, made.DeviceSerialNumber = "Cuatro", "Phantom", "SN-0001"
    made.BodyPartExamined, made.ViewPosition = body_part, "AP"
    region = Dataset()
    region.CodeValue, region.CodeMeaning = REGIONS[body_part]
    region.CodingSchemeDesignator = "SCT"
    made.AnatomicRegionSequence = [region]
    made.SeriesNumber = made.InstanceNumber = 1
    made.ImageType = ["ORIGINAL", "PRIMARY"]
    made.PatientOrientation = ["L", "F"]
    made.ImageLaterality, made.ImagerPixelSpacing = "U", [0.2, 0.2]
    made.BurnedInAnnotation, made.LossyImageCompression = "NO", "00"
    made.PositionerType, made.DetectorType = "NONE", "DIRECT"
    made.AcquisitionContextSequence = []


def _what(made: Dataset, picture: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], bits: int) -> None:
    wide = 8 if picture.dtype == np.uint8 else 16
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = picture.shape
    made.BitsAllocated, made.BitsStored, made.HighBit = wide, min(bits, wide), min(bits, wide) - 1
    made.PixelRepresentation = 0
    made.PixelIntensityRelationship, made.PixelIntensityRelationshipSign = "LOG", -1
    made.RescaleIntercept, made.RescaleSlope, made.RescaleType = 0, 1, "US"
    made.PresentationLUTShape = "IDENTITY"
    levels = 2**made.BitsStored
    made.WindowCenter, made.WindowWidth = levels // 2, levels
    made.set_pixel_data(np.ascontiguousarray(picture), "MONOCHROME2", made.BitsStored)


def pictures(folder: Path) -> Iterator[tuple[Path, npt.NDArray[np.uint8]]]:
    """Every picture under the folder, in order of its path, as grey uint8[rows, columns].

    Raises PlatformError when there are none, or one cannot be read.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    if not found:
        raise PlatformError(f"{folder} has no pictures.", f"It should hold {', '.join(sorted(PICTURES))} files.")
    for path in found:
        try:
            with Image.open(path) as opened:
                yield path, np.asarray(opened.convert("L"), dtype=np.uint8)
        except (UnidentifiedImageError, OSError) as error:
            raise PlatformError(f"{path} is not a picture that can be read.", "Remove it, or convert it.") from error
