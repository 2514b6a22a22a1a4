"""Results of a study as the hospital's program fetches them (WADO-RS) -> files to open, and what the report says."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.dataset import Dataset
from requests import HTTPError, Session

_GONE = 404


def program(url: str, authority: str | None, sender: str, token: str) -> DICOMwebClient:
    """A DICOMweb client as hospitals' programs have it. authority: PEM file to verify TLS by."""
    session = Session()
    session.auth = (sender, token)
    if authority:
        session.verify = authority
        session.trust_env = False  # REQUESTS_CA_BUNDLE of the environment would come before it
    return DICOMwebClient(url.rstrip("/"), session=session)


def fetched(client: DICOMwebClient, study: str) -> list[Dataset]:
    """The study's structured reports and secondary captures; [] while there are none."""
    try:
        found: list[Dataset] = client.retrieve_study(study)
    except HTTPError as error:
        if error.response is not None and error.response.status_code == _GONE:
            return []
        raise
    return found


def kept(results: Sequence[Dataset], folder: Path) -> list[Path]:
    """Each as a DICOM file in the folder, pictures also as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, result in enumerate(results, start=1):
        path = folder / f"{result.PatientID}-{result.Modality.lower()}-{number}.dcm"
        result.save_as(path, enforce_file_format=True)
        written.append(path)
        if "PixelData" in result:
            picture = path.with_suffix(".png")
            Image.fromarray(result.pixel_array).save(picture)
            written.append(picture)
    return written


def lines(report: Dataset, depth: int = 0) -> Iterator[tuple[int, str, str]]:
    """(depth, name, value) of what a structured report says in words and numbers."""
    for item in report.get("ContentSequence", ()):
        names = item.get("ConceptNameCodeSequence")
        value = _value(item)
        if names and value:
            yield depth, str(names[0].CodeMeaning), value
        yield from lines(item, depth + 1)


def _value(item: Any) -> str:
    kind = item.get("ValueType")
    if kind == "CODE":
        return str(item.ConceptCodeSequence[0].CodeMeaning)
    if kind == "NUM" and item.get("MeasuredValueSequence"):
        return f"{float(item.MeasuredValueSequence[0].NumericValue):.3f}"
    return str(item.get("TextValue", "")) if kind == "TEXT" else ""
