"""Readings and outcome of a study -> a DICOM structured report: Comprehensive SR by template TID 1500 (PS3.16).

Each image that was read has a measurement group (TID 1501) with the model's finding, its probability, its reasons and
the algorithm; where people reviewed the study, each reading of theirs has one, without their names, and the impression
is theirs. The document is complete, preliminary and unverified: nobody signs a research result. IHE's profile AI
Results (AIR) asks for this template. Built by highdicom (Bridge et al., J Digit Imaging 2022).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from functions.imaging.outcome import Outcome
from functions.imaging.own_objects import (
    DEVICE_UID,
    MANUFACTURER,
    MODEL_NAME,
    content_time,
    label,
    of_image,
    of_study,
    own_uid,
)
from functions.imaging.progress import Item, Read

SERIES_NUMBER = 9001
"""Scanners count from 1; what is added to a study should not look like one of theirs."""
_SCHEME = "99CUATRO"
_SCHEME_NAME = "Cuatro imaging: what its model and its readers say of their readings"
_FINDINGS: Mapping[str, CodedConcept] = {
    "pneumonia": CodedConcept("233604007", "SCT", "Pneumonia"),
    "normal": CodedConcept("17621005", "SCT", "Normal"),
    "other_finding": CodedConcept("263654008", "SCT", "Abnormal"),
    "not_readable": CodedConcept("373068000", "SCT", "Undetermined"),
}
_PROCEDURE = CodedConcept("399208008", "SCT", "Plain chest X-ray")
_PROBABILITY = CodedConcept("probability", _SCHEME, "Probability of pneumonia")
_DISTANCE = CodedConcept("distance", _SCHEME, "Distance from intended use in feature space")
_WORDS: Mapping[str, str] = {
    "pneumonia": "findings that suggest pneumonia",
    "normal": "no finding that suggests pneumonia",
    "other_finding": "another finding than pneumonia",
    "not_readable": "not readable for this purpose",
}


class ReadImage(NamedTuple):
    """An image as the model read it. header: of the de-identified image, without its pixels."""

    item: Item
    header: Dataset


def structured_report(images: Sequence[ReadImage], outcome: Outcome, reads: Sequence[Read], study: str) -> Dataset:
    """The report of a revision; equal for equal arguments. images: one at least; reads: of people, in their order.

    study: its pseudonym. Dates and times are those of the study (which are moved): see own_objects.content_time.
    Raises KeyError for a header without type 1 attributes.
    """
    evidence = [of_image(each.header) for each in images]
    parts = (study, outcome.revision)
    content = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=None, observer_device_context=_device()),
        procedure_reported=_PROCEDURE,
        imaging_measurements=[
            *(_of_the_model(each, number, parts) for number, each in enumerate(images, 1)),
            *(_of_a_person(each, number, parts) for number, each in enumerate(reads, 1)),
        ],
        referenced_images=[_plain(each) for each in evidence],
    )
    observers = [item for number in range(1, len(reads) + 1) for item in _person(number)]
    root = content[0]
    # Who observed follows the device that did (TID 1001, row 1).
    place = 1 + len(_device())
    root.ContentSequence[place:place] = observers
    root.ContentSequence.append(_text(codes.DCM.Impression, impression(outcome)))
    root.ContentSequence.append(_text(codes.DCM.Comment, label(outcome.model_version)))
    report = ComprehensiveSR(
        evidence=evidence,
        content=root,
        series_instance_uid=own_uid("sr series", *parts),
        series_number=SERIES_NUMBER,
        sop_instance_uid=own_uid("sr", *parts),
        instance_number=outcome.revision,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        software_versions=outcome.model_version or "none",
        series_description=label("").removesuffix(" - model none"),
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    return _timeless(report, evidence[0])


def impression(outcome: Outcome) -> str:
    """One sentence for whoever opens the report."""
    words = _WORDS[outcome.verdict] if outcome.verdict else "no verdict"
    who = {
        "model": "by the model alone",
        "review": f"by human review of {outcome.reads}" if outcome.reads != 1 else "by human review",
        "nobody": "by nobody",
    }[outcome.by]
    images = f"{outcome.read} image{'s' if outcome.read != 1 else ''} read, {outcome.rejected} not"
    return f"{words.capitalize()}, {who}. {images}. {label(outcome.model_version)}."


def _device() -> ObserverContext:
    return ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=DEVICE_UID, name="CUATRO", manufacturer_name=MANUFACTURER, model_name=MODEL_NAME
        ),
    )


def _person(number: int) -> ObserverContext:
    """The template asks for a name; the queue knows whose it is, and the report need not."""
    return ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(name=f"Reader^{number}"),
    )


def _of_the_model(image: ReadImage, number: int, parts: tuple[str, int]) -> MeasurementsAndQualitativeEvaluations:
    item = image.item
    readable = item.finding != "not_readable"
    algorithm = AlgorithmIdentification(
        name=MODEL_NAME, version=item.model_version or "none", manufacturer=MANUFACTURER,
        family=codes.DCM.ArtificialIntelligence,
    )  # fmt: skip
    measurements = []
    if readable and item.probability is not None:
        measurements.append(_number(_PROBABILITY, item.probability))
    if item.distance is not None:
        measurements.append(_number(_DISTANCE, item.distance))
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=own_uid("tracking", *parts, item.instance), identifier=f"Model reading {number}"
        ),
        finding_type=_FINDINGS[item.finding],
        algorithm_id=algorithm,
        measurements=measurements or None,
        qualitative_evaluations=[
            QualitativeEvaluation(codes.DCM.CertaintyOfFinding, _certainty(unsure=item.unsure)),
            *(_reason(code) for code in item.why),
        ],
        source_images=[SourceImageForMeasurementGroup(image.header.SOPClassUID, image.header.SOPInstanceUID)],
    )


def _of_a_person(read: Read, number: int, parts: tuple[str, int]) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=own_uid("tracking", *parts, "read", number), identifier=f"Human reading {number}"
        ),
        finding_type=_FINDINGS[read.choice],
        qualitative_evaluations=[
            QualitativeEvaluation(_ours("role", "Role of the reading"), _ours(read.role, read.role.capitalize())),
            *(_reason(code) for code in read.reasons),
        ],
    )


def _plain(image: Dataset) -> Dataset:
    """For the image library. As a projection it would need orientation and spacing, which many a sender leaves out."""
    plain = Dataset()
    plain.update(image)
    plain.Modality = "OT"
    return plain


def _number(name: CodedConcept, value: float) -> Measurement:
    # DICOM's decimal strings have 16 characters.
    return Measurement(name=name, value=round(value, 6), unit=codes.UCUM.NoUnits)


def _reason(code: str) -> QualitativeEvaluation:
    return QualitativeEvaluation(_ours("reason", "Reason"), _ours(code, code.replace("_", " ").capitalize()))


def _certainty(*, unsure: bool) -> CodedConcept:
    return _ours("unsure", "Unsure") if unsure else _ours("sure", "Sure")


def _ours(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, _SCHEME, meaning[:64])


def _text(name: CodedConcept, value: str) -> TextContentItem:
    return TextContentItem(name=name, value=value, relationship_type=RelationshipTypeValues.CONTAINS)


def _timeless(report: Dataset, study: Dataset) -> Dataset:
    """highdicom stamps the moment of its call; and it does not say whose codes ours are."""
    date, time = content_time(study)
    report.update(of_study(study))  # highdicom leaves out how it was de-identified
    report.ContentDate, report.ContentTime = date, time
    report.InstanceCreationDate, report.InstanceCreationTime = date, time
    report.SeriesDate, report.SeriesTime = date, time
    for equipment in report.get("ContributingEquipmentSequence", []):
        equipment.pop("ContributionDateTime", None)
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = _SCHEME, _SCHEME_NAME
    scheme.CodingSchemeResponsibleOrganization = MANUFACTURER
    report.CodingSchemeIdentificationSequence = [scheme]
    return report
