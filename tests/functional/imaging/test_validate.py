"""The validate step: facts go on, what is not read is kept beside its reason, and no word of a file is told."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydicom.uid import CTImageStorage

from cuatro.errors import Refused, Unavailable
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import ENVIRONMENT, Suite
from tests.functional.stage import Context, client
from tests.unit.films import film

INSTANCE, STUDY = "i" * 26, "s" * 26


def put(suite: Suite, content: bytes) -> None:
    """An instance that has been received."""
    suite.s3.put_object(Bucket="identified", Key=f"instances/{INSTANCE}.dcm", Body=content)
    client("dynamodb").put_item(
        TableName="instances", Item={"instance": {"S": INSTANCE}, "study": {"S": STUDY}, "s": {"S": "received"}}
    )


def validate() -> dict[str, Any]:
    from functions.imaging.validate.handler import handler  # noqa: PLC0415 - reads the test's environment

    return handler({"study": STUDY, "revision": 1, "instance": INSTANCE}, Context())


def told() -> list[dict[str, Any]]:
    """Audit events."""
    url = ENVIRONMENT["AUDIT_QUEUE_URL"]
    messages = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(each["Body"]) for each in messages]


def test_the_facts_of_a_radiograph_go_on(suite: Suite, metrics: Callable[[], Counter[str]]) -> None:
    put(suite, file(film()))

    assert validate() == {
        "study": STUDY, "revision": 1, "instance": INSTANCE, "state": "valid", "modality": "DX",
        "sop_class": "1.2.840.10008.5.1.4.1.1.1.1", "rows": 60, "columns": 41, "frames": 1, "age_years": 4,
        "view": "AP", "body_part": "CHEST",
    }  # fmt: skip
    assert suite.items("instances")[INSTANCE]["s"] == "received"
    assert metrics()["InstancesValid"] == 1
    (event,) = told()
    assert (event["action"], event["object"], event["correlation"], event["outcome"]) == (
        "validate", INSTANCE, STUDY, "success",
    )  # fmt: skip


def test_what_is_not_read_is_kept_with_its_reason(suite: Suite, metrics: Callable[[], Counter[str]]) -> None:
    content = file(film(SOPClassUID=CTImageStorage))
    put(suite, content)

    for _ in range(2):  # Step Functions may ask again
        answer = validate()

    assert (answer["state"], answer["code"]) == ("rejected", "unsupported_sop_class")
    kept = suite.s3.get_object(Bucket="identified", Key=f"rejected/{INSTANCE}.dcm")["Body"].read()
    assert kept == content
    row = suite.items("instances")[INSTANCE]
    assert (row["s"], row["why"]) == ("rejected", "unsupported_sop_class")
    assert metrics()["InstancesRejected"] == 2
    assert told()[0]["details"] == {"code": "unsupported_sop_class"}


def test_the_policys_limits_hold(suite: Suite, policy: Callable[..., None]) -> None:
    put(suite, file(film()))
    policy(max_pixels=1_000)
    assert validate()["code"] == "too_many_pixels"

    policy(max_object_mb=1)
    put(suite, file(film()) + bytes(1 << 20))
    assert validate()["code"] == "oversized"


def test_what_was_erased_meanwhile_is_not_written_again(suite: Suite) -> None:
    answer = validate()

    assert (answer["state"], answer["code"]) == ("rejected", "gone")
    assert not suite.items("instances")
    assert suite.s3.list_objects_v2(Bucket="identified")["KeyCount"] == 0


@pytest.mark.parametrize("operation", ["GetObject", "SendMessage"])
def test_a_service_that_is_away_is_asked_again_later(suite: Suite, operation: str) -> None:
    put(suite, file(film()))
    suite.wire.down(operation)

    with pytest.raises(Unavailable):
        validate()


def test_a_missing_grant_is_told(suite: Suite) -> None:
    put(suite, file(film()))
    suite.wire.refuse("GetObject", "AccessDenied", status=403)

    with pytest.raises(Refused):
        validate()


@pytest.mark.safeguard("164.312(a)(1)")
@pytest.mark.parametrize(
    "change", [{}, {"BitsAllocated": 32}, {"StudyInstanceUID": "Phantom^One"}, {"PixelRepresentation": None}]
)
def test_no_word_of_a_file_is_told(suite: Suite, change: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    planted = {"PatientID": "PLANTED-ID", "BodyPartExamined": "PLANTED PART", "ViewPosition": "PLANTED VIEW"}
    put(suite, file(image(**planted, StudyDescription="PLANTED TEXT", **change)))

    answer = validate()

    out, err = capfd.readouterr()
    said = json.dumps([answer, told(), suite.items("instances")], default=str) + out + err
    for word in ("PLANTED", "Phantom", "20200101", "1.2.826"):
        assert word not in said
