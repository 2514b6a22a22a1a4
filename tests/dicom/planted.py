"""A data set in which every attribute of the dictionary, private blocks and all odd places hold a mark to search for.

The marks are what identifies somebody: words for texts, a name, dates, UIDs of a root, numbers. `leaks` finds them in
any bytes, in the encodings in which DICOM could carry them.
"""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from pydicom import dcmwrite
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

WORD = "Planted"
ROOT = "1.2.999.4711"
DATE = "19570314"
NUMBER = "7654321"
MARKS = (WORD.encode(), WORD.upper().encode(), ROOT.encode(), DATE.encode(), NUMBER.encode(), WORD.encode("utf-16-le"))
"""In the bytes of a file: a text in another case or encoding is the same text."""
_BINARY = {"OB", "OW", "OD", "OF", "OL", "OV", "UN"}
_NUMERIC = {"US", "UL", "SS", "SL", "FL", "FD", "UV", "SV", "US or SS", "US or SS or OW", "US or OW"}


def value_of(vr: str) -> object:
    """Something that an attribute of this representation can hold and that identifies."""
    texts = {
        "PN": f"{WORD}^Person", "DA": DATE, "DT": f"{DATE}120000", "TM": "121314.765432", "AS": "094Y",
        "UI": f"{ROOT}.1", "IS": NUMBER, "DS": NUMBER, "AE": WORD.upper(), "CS": WORD.upper(),
    }  # fmt: skip
    if vr in _BINARY or vr == "OB or OW":
        return WORD.encode("utf-16-le") + b"  " if vr == "OW" else (WORD * 4).encode()
    if vr in _NUMERIC:
        return 31415 if vr.startswith("US") or vr == "SS" else 7654321
    return texts.get(vr, WORD)


def attributes() -> Iterator[tuple[int, str]]:
    """Tag and representation of every attribute of the standard that can be in a data set, retired ones too."""
    for tag, (vr, *_) in DicomDictionary.items():
        if tag >> 16 > 0x0007 and tag & 0xFFFF and tag >> 16 != 0xFFFE and vr not in {"NONE", "AT"}:
            yield tag, vr


def image(rows: int = 16, columns: int = 12) -> Dataset:
    """A DX image of an obviously synthetic patient with a diagonal of grey."""
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    made.SOPInstanceUID, made.StudyInstanceUID, made.SeriesInstanceUID = (f"{ROOT}.{at}" for at in (9, 8, 7))
    made.PatientName, made.PatientID, made.PatientBirthDate = f"{WORD}^Phantom", f"{WORD}-1", DATE
    made.PatientSex, made.PatientAge = "F", "007Y"
    made.StudyDate, made.StudyTime, made.Modality = "20240315", "101112.5", "DX"
    made.BodyPartExamined, made.ViewPosition = "CHEST", "PA"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = rows, columns
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.add_new(0x7FE00010, "OW", pixels(rows, columns).tobytes())
    return made


def pixels(rows: int = 16, columns: int = 12) -> np.ndarray:
    """Values of 12 bits."""
    return (np.add.outer(np.arange(rows), np.arange(columns)) * 100 % 4096).astype("<u2")


def planted() -> Dataset:
    """`image` and a mark wherever else one can be: all attributes, nested ones, private ones, overlays, curves."""
    made = image()
    everything = Dataset()
    for tag, vr in attributes():
        plain = vr.split(" or ")[0]
        if tag in made or tag == 0x00080005 or tag >> 16 == 0x7FE0:  # pydicom writes no encoding that it does not know
            continue
        if vr == "SQ":
            item = Dataset()
            item.PatientName, item.TextValue, item.UID = f"{WORD}^Nested", WORD, f"{ROOT}.2"
            item.CodeMeaning, item.CodeValue, item.CodingSchemeDesignator = WORD, WORD.upper(), "SCT"
            everything.add_new(tag, "SQ", Sequence([item]))
        else:
            everything.add_new(tag, plain, value_of(vr))
    for element in everything:
        if element.tag not in made:
            made[element.tag] = element
    _odd_places(made)
    return made


def _odd_places(made: Dataset) -> None:
    for group in (0x0009, 0x0029, 0x5533):
        block = made.private_block(group, f"{WORD} CREATOR", create=True)
        block.add_new(0x01, "LO", WORD)
        item = Dataset()
        item.PatientName = f"{WORD}^Private"
        block.add_new(0x02, "SQ", Sequence([item]))
        block.add_new(0x03, "UN", WORD.encode() + b"\0")
    for group in (0x6000, 0x6002, 0x601E):
        made.add_new(group << 16 | 0x3000, "OW", (WORD + "!").encode())
        made.add_new(group << 16 | 0x4000, "LT", WORD)
        made.add_new(group << 16 | 0x0022, "LO", WORD)
    for group in (0x5000, 0x501E):
        made.add_new(group << 16 | 0x3000, "OW", (WORD + "!").encode())
        made.add_new(group << 16 | 0x2500, "LO", WORD)
    made.add_new(0x00111234, "LO", WORD)
    made.add_new(0x00081234, "LO", WORD)  # of no dictionary
    made.add_new(0xFFFCFFFC, "OB", (WORD + "!").encode())


def file_of(made: Dataset) -> bytes:
    """As a sender might write it: words in the preamble, in the meta information, and after the end."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = ExplicitVRLittleEndian, f"{ROOT}.99"
    meta.ImplementationVersionName = WORD.upper()
    meta.SourceApplicationEntityTitle = meta.SendingApplicationEntityTitle = WORD.upper()
    meta.ReceivingApplicationEntityTitle = WORD.upper()
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = f"{ROOT}.98", (WORD + "!").encode()
    made.file_meta = meta
    made.preamble = (b"#!/bin/sh " + WORD.encode() * 20)[:128]
    file = BytesIO()
    dcmwrite(file, made, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return file.getvalue()


def leaks(content: bytes) -> list[bytes]:
    """Marks that are in there."""
    numbers = ((31415).to_bytes(2, "little"), (7654321).to_bytes(4, "little"), np.float32(7654321).tobytes())
    return [mark for mark in (*MARKS, *numbers, np.float64(7654321).tobytes()) if mark in content]
