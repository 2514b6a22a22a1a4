"""deidentify: what leaves is clean, what cannot be cleaned stays and is told, and done again it is the same."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from cuatro.config import settings
from cuatro.errors import Unavailable
from tests.dicom.confidentiality import faults
from tests.dicom.planted import WORD, file_of, image, leaks, planted
from tests.dicom.radiographs import chest, drawn, ink
from tests.functional.imaging.suite import NAMES, Suite
from tests.functional.stage import Context

TEXT_MODEL = Path(__file__).resolve().parents[3] / "models" / "imaging" / "text.onnx"
STUDY, INSTANCE, PATIENT = NAMES.study("1"), NAMES.instance("2"), NAMES.patient(None, "3")
KEY = f"studies/{STUDY}/{INSTANCE}/image.dcm"
Body = dict[str, Any]


@pytest.fixture(autouse=True)
def detector(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TEXT_MODEL_URI", str(TEXT_MODEL))
    settings.cache_clear()


def lettered(text: str) -> np.ndarray:
    """The chest with text in its corner."""
    return drawn(chest(), ink(480, text, (12, 12), 22))


def of(values: np.ndarray, made: Dataset | None = None) -> bytes:
    made = made or image(*values.shape)
    made.Rows, made.Columns = values.shape
    made.add_new(0x7FE00010, "OW", values.tobytes())
    return file_of(made)


def arrived(suite: Suite, content: bytes) -> bytes:
    suite.s3.put_object(Bucket="identified", Key=f"instances/{INSTANCE}.dcm", Body=content)
    row = {"instance": {"S": INSTANCE}, "study": {"S": STUDY}, "s": {"S": "received"}, "p": {"S": PATIENT}}
    from tests.functional.stage import client  # noqa: PLC0415

    client("dynamodb").put_item(TableName="instances", Item=row)
    return content


def deidentify() -> Body:
    from functions.imaging.deidentify.handler import handler  # noqa: PLC0415 - reads the test's environment

    return handler({"study": STUDY, "revision": 1, "instance": INSTANCE, "state": "valid", "modality": "DX"}, Context())


@pytest.mark.safeguard("164.312(a)(1)")
def test_a_clean_image_leaves(suite: Suite, caplog: pytest.LogCaptureFixture) -> None:
    made = planted()
    del made.NumberOfFrames  # of which one with a mark has too many
    content = arrived(suite, of(chest(), made))
    answer = deidentify()
    assert answer == {
        "study": STUDY, "revision": 1, "instance": INSTANCE, "state": "deidentified", "modality": "DX", "masked": 0,
    }  # fmt: skip
    objects = suite.objects("deidentified")
    assert list(objects) == [KEY]
    assert faults(objects[KEY], content) == []
    left = dcmread(BytesIO(objects[KEY]))
    assert np.array_equal(left.pixel_array, chest())
    assert left.PatientID == PATIENT
    (event,) = suite.audited("deidentify")
    assert (event["object"], event["outcome"], event["correlation"]) == (INSTANCE, "success", STUDY)
    # The logger writes to the stream of whichever test imported the handler: its records are here in any order.
    told = str([record.__dict__ for record in caplog.records])
    assert leaks((told + str(suite.messages("audit.fifo")) + str(answer)).encode()) == []
    assert INSTANCE in told


@pytest.mark.safeguard("164.312(a)(1)")
def test_text_in_the_image_is_masked(suite: Suite) -> None:
    arrived(suite, of(lettered("PLANTED^PHANTOM  14.03.1957")))
    assert deidentify()["masked"] >= 1
    made = dcmread(BytesIO(suite.objects("deidentified")[KEY]))
    changed = made.pixel_array != lettered("PLANTED^PHANTOM  14.03.1957")
    assert made.pixel_array.max() < 4095, "no pixel of the letters is left"
    assert not changed[60:].any(), "nothing else is touched"
    assert made.ImageType[0] == "DERIVED"


@pytest.mark.parametrize("says", ["YES", "NO"])
def test_text_that_is_said_and_not_found_is_refused(suite: Suite, says: str) -> None:
    made = image(480, 480)
    made.BurnedInAnnotation = says
    arrived(suite, of(chest(), made))
    answer = deidentify()
    assert answer["state"] == {"YES": "rejected", "NO": "deidentified"}[says]
    assert answer.get("code") == {"YES": "burned_in_text", "NO": None}[says]


def test_with_masking_off_an_image_with_text_is_refused(suite: Suite, policy: Any) -> None:
    policy(mask_text=False)
    content = arrived(suite, of(lettered("PLANTED^PHANTOM  14.03.1957")))
    assert deidentify()["code"] == "burned_in_text"
    assert suite.objects("deidentified") == {}
    assert suite.objects("identified", "rejected/") == {f"rejected/{INSTANCE}.dcm": content}
    assert suite.items("instances")[INSTANCE]["why"] == "burned_in_text"
    assert suite.items("instances")[INSTANCE]["s"] == "rejected"
    assert suite.audited("deidentify")[0]["details"]["code"] == "burned_in_text"


def test_a_page_of_text_is_refused(suite: Suite) -> None:
    letters = sum(ink(480, f"{WORD} One at 12 Synthetic Road", (8, 8 + line * 38), 24) for line in range(12))
    page = drawn(np.full((480, 480), 300, "<u2"), np.clip(letters, 0, 1))
    arrived(suite, of(page))
    assert deidentify()["code"] == "burned_in_text"
    assert suite.objects("deidentified") == {}


def test_what_the_detector_misses_the_second_look_refuses(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.imaging.deidentify import leave  # noqa: PLC0415

    monkeypatch.setattr(leave, "network", lambda _uri: lambda given: np.zeros((1, 1, *given.shape[2:]), np.float32))
    arrived(suite, of(lettered("PLANTED PHANTOM")))
    assert deidentify()["code"] == "burned_in_text"
    assert suite.objects("deidentified") == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, "unsupported_sop_class"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "unsupported_pixel_format"),
        ({"Rows": 481}, "truncated"),
        ({"StudyInstanceUID": ""}, "missing_uid"),
    ],
)
def test_what_cannot_be_de_identified_stays(
    suite: Suite, change: Body, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = image(480, 480)
    made.add_new(0x7FE00010, "OW", chest().tobytes())
    for keyword, value in change.items():
        setattr(made, keyword, value)
    arrived(suite, file_of(made))
    assert (deidentify()["state"], deidentify()["code"]) == ("rejected", code)
    assert suite.objects("deidentified") == {}
    told = str([record.__dict__ for record in caplog.records])
    assert "rejected" in told
    assert leaks(told.encode()) == []


def test_done_again_it_is_the_same_object(suite: Suite) -> None:
    arrived(suite, of(lettered("PHANTOM ONE")))
    first = (deidentify(), suite.objects("deidentified"))
    assert (deidentify(), suite.objects("deidentified")) == first


def test_what_was_erased_meanwhile_stays_erased(suite: Suite) -> None:
    assert deidentify()["code"] == "gone"
    arrived(suite, of(chest()))
    from tests.functional.stage import client  # noqa: PLC0415

    client("dynamodb").delete_item(TableName="instances", Key={"instance": {"S": INSTANCE}})
    assert deidentify()["code"] == "gone"
    assert suite.objects("deidentified") == {}
    assert suite.items("instances") == {}


def test_a_bucket_that_is_away_is_tried_again(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived(suite, of(chest()))
    from cuatro.adapters import blobs  # noqa: PLC0415

    def away(*_given: Any) -> None:
        raise Unavailable("put_object: 503")

    monkeypatch.setattr(blobs, "put", away)
    with pytest.raises(Unavailable):
        deidentify()
    assert suite.items("instances")[INSTANCE]["s"] == "received", "a fault of ours rejects nothing"
