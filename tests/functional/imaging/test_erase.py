"""A patient is erased: every version of every object, every row; or nothing, where a lock forbids it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Refused, Unavailable
from tests.functional.imaging.images import file, image
from tests.functional.imaging.kept import OF_THE_PATIENT, instance, read, reviews, seed, study, versions
from tests.functional.imaging.suite import MACHINE, NAMES, REGION, Suite
from tests.functional.locks_in_memory import locks
from tests.functional.stage import Context, client

Erase = Callable[..., dict[str, Any]]
PATIENT = NAMES.patient("north", "PHANTOM-1")


@pytest.fixture
def erase(suite: Suite, environment: pytest.MonkeyPatch) -> Iterator[Erase]:
    """The function; study 1 of patient PHANTOM-1 with two images, and study 2 of PHANTOM-2 with one, are there."""
    environment.setenv("REVIEWS_TABLE", "reviews")
    settings.cache_clear()
    reviews()
    for number, of in ((1, 1), (2, 1), (1, 2)):
        seed(suite, number, of)

    def call(**event: Any) -> dict[str, Any]:
        from functions.imaging.erase.handler import handler  # noqa: PLC0415 - reads the test's environment

        return handler(event, Context())

    with locks():
        yield call


def test_nothing_is_left_of_a_patient_and_all_of_others(suite: Suite, erase: Erase) -> None:
    read(suite)
    before = len(versions(suite, *OF_THE_PATIENT))

    made = erase(patient_id="PHANTOM-1", issuer="north", by="operator")

    assert made == {
        "state": "erased", "patient": PATIENT, "studies": 1, "instances": 2, "tasks": 1, "executions": 0,
        "objects": before, "locked": {},
    }  # fmt: skip
    assert before == 13
    assert not versions(suite, *OF_THE_PATIENT)
    assert suite.items("studies").keys() == {study(1), study(2)}
    assert suite.items("studies")[study()].keys() == {"study", "s", "n", "r", "p", "t", "x", "erased"}
    assert list(suite.items("instances")) == [instance(1, of=2)]
    assert client("dynamodb").scan(TableName="reviews")["Count"] == 0
    assert f"instances/{instance(1, of=2)}.dcm" in suite.objects("identified")


def test_the_pseudonym_does_as_well(suite: Suite, erase: Erase) -> None:
    assert erase(patient=PATIENT)["state"] == "erased"
    assert not versions(suite, *OF_THE_PATIENT)


def test_a_preview_only_counts(suite: Suite, erase: Erase) -> None:
    made = erase(patient=PATIENT, preview=True)

    assert (made["state"], made["studies"], made["instances"], made["objects"]) == ("found", 1, 2, 2)
    assert len(versions(suite, *OF_THE_PATIENT)) == 2
    assert suite.items("studies")[study()]["s"] == "arriving"


def test_who_is_not_known_is_told_so(suite: Suite, erase: Erase) -> None:
    """A number counts within its issuer: the same number elsewhere is somebody else."""
    assert erase(patient_id="PHANTOM-1", issuer="south")["state"] == "nothing"
    assert len(suite.items("studies")) == 2


def test_what_really_came_goes_with_what_was_refused(suite: Suite, erase: Erase) -> None:
    other = image(2, study=3)
    other.PixelData = bytes(16)
    suite.stow(file(image(1, study=3)), file(image(2, study=3)))
    suite.receive()
    suite.stow(file(other))
    suite.receive()
    assert len(suite.objects("identified", "rejected/")) == 1

    made = erase(patient_id="PHANTOM-3", issuer="north")

    assert (made["state"], made["studies"], made["instances"]) == ("erased", 1, 3)
    assert not suite.objects("identified", "rejected/")
    assert not versions(suite, study(3), instance(1, 3), instance(2, 3))
    assert len(suite.items("instances")) == 3


def test_a_study_that_was_erased_is_not_taken_in_again_and_leaves_nothing(suite: Suite, erase: Erase) -> None:
    """A PACS repeats itself; what it sends is refused, and goes with the next call."""
    suite.stow(file(image(1, study=3)))
    suite.receive()
    assert erase(patient_id="PHANTOM-3", issuer="north")["state"] == "erased"
    assert erase(patient_id="PHANTOM-3", issuer="north")["state"] == "nothing"

    suite.stow(file(image(1, study=3)))
    suite.receive()

    (refused,) = [row for row in suite.items("instances").values() if row["study"] == study(3)]
    assert refused["why"] == "erased"
    assert suite.items("studies")[study(3)]["s"] == "erased"
    again = erase(patient_id="PHANTOM-3", issuer="north")
    assert (again["state"], again["studies"], again["instances"]) == ("erased", 0, 1)
    assert not suite.objects("identified", "rejected/")


def test_a_running_reading_is_stopped_and_the_rows_wait_for_its_steps(suite: Suite, erase: Erase) -> None:
    """A function that was on its way writes a minute later: the next call finds it."""
    step = client("stepfunctions")
    names = [step.start_execution(stateMachineArn=MACHINE, name=f"{study()}-{r}")["executionArn"] for r in (1, 2)]
    dynamo().update("studies", {"study": study()}, "SET e = :e, r = :r", {":e": names[1], ":r": 2})

    first = erase(patient=PATIENT)
    assert (first["state"], first["executions"]) == ("erasing", 2)
    assert [step.describe_execution(executionArn=arn)["status"] for arn in names] == ["ABORTED", "ABORTED"]
    assert suite.items("studies")[study()]["s"] == "erased"
    assert not versions(suite, *OF_THE_PATIENT)

    suite.s3.put_object(Bucket="identified", Key=f"rejected/{instance(2)}.dcm", Body=b"late")
    second = erase(patient=PATIENT)
    assert (second["state"], second["objects"]) == ("erased", 1)
    assert not versions(suite, *OF_THE_PATIENT)
    assert suite.items("studies")[study()]["erased"]
    assert instance() not in suite.items("instances")


def test_what_is_written_meanwhile_goes_too(suite: Suite, erase: Erase) -> None:
    """A step that was on its way when the reading was stopped."""
    key = f"studies/{study()}/{instance()}/image.dcm"
    suite.wire.first("POST", lambda: suite.s3.put_object(Bucket="deidentified", Key=key, Body=b"late") and None)

    erase(patient=PATIENT)

    assert not versions(suite, *OF_THE_PATIENT)


@pytest.fixture
def locked(suite: Suite, erase: Erase) -> Suite:
    """Study 1's results lie in a bucket that can lock: the bucket of identified objects is made anew, with locks."""
    for each in suite.s3.list_object_versions(Bucket="identified")["Versions"]:
        suite.s3.delete_object(Bucket="identified", Key=each["Key"], VersionId=each["VersionId"])
    suite.s3.delete_bucket(Bucket="identified")
    suite.s3.create_bucket(
        Bucket="identified", CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True
    )
    for number in (1, 2):
        suite.s3.put_object(Bucket="identified", Key=f"instances/{instance(number)}.dcm", Body=b"image")
    return suite


def hold(suite: Suite) -> None:
    suite.s3.put_object_legal_hold(Bucket="identified", Key=f"instances/{instance()}.dcm", LegalHold={"Status": "ON"})


def retain(suite: Suite) -> None:
    suite.s3.put_object_retention(
        Bucket="identified", Key=f"instances/{instance()}.dcm",
        Retention={"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)},
    )  # fmt: skip


@pytest.mark.parametrize(("lock", "why"), [(hold, "legal_hold"), (retain, "compliance")])
def test_where_anything_is_locked_nothing_is_touched(
    locked: Suite, erase: Erase, lock: Callable[[Suite], None], why: str
) -> None:
    lock(locked)
    before = versions(locked, *OF_THE_PATIENT)

    made = erase(patient=PATIENT)

    assert (made["state"], made["locked"]) == ("refused", {why: 1})
    assert versions(locked, *OF_THE_PATIENT) == before
    assert locked.items("studies")[study()]["s"] == "arriving"
    (event,) = locked.audited("erase")
    assert (event["outcome"], event["details"][why]) == ("denied", 1)


def test_a_lock_that_is_free_again_does_not_hinder(locked: Suite, erase: Erase) -> None:
    hold(locked)
    locked.s3.put_object_legal_hold(Bucket="identified", Key=f"instances/{instance()}.dcm", LegalHold={"Status": "OFF"})

    assert erase(patient=PATIENT)["state"] == "erased"


@pytest.mark.parametrize("operation", ["DeleteItem", "POST", "SendMessage"])
def test_an_erasure_that_is_interrupted_is_ended_by_the_next_call(suite: Suite, erase: Erase, operation: str) -> None:
    read(suite)
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        erase(patient=PATIENT)
    suite.wire.repair()

    assert erase(patient=PATIENT)["state"] in {"erased", "nothing"}
    assert not versions(suite, *OF_THE_PATIENT)
    assert suite.items("studies")[study()]["erased"]
    assert suite.items("studies")[study(2)]["s"] == "arriving"


def test_a_missing_grant_is_told(suite: Suite, erase: Erase) -> None:
    suite.wire.refuse("POST", "AccessDenied", status=403)

    with pytest.raises(Refused):
        erase(patient=PATIENT)
    assert study() in suite.items("studies"), "the next call finds the patient"


def test_the_certificate_is_in_the_ledger_and_nobody_is_named(
    suite: Suite, erase: Erase, capfd: pytest.CaptureFixture[str]
) -> None:
    number = str(image().PatientID)  # not in these lines: a logger that tells of a closed stream quotes them
    made = erase(patient_id=number, issuer="north", by="operator")

    (event,) = suite.audited("erase")
    assert (event["object"], event["actor"], event["details"]["objects"]) == (PATIENT, "operator", made["objects"])
    said = json.dumps(made) + json.dumps(suite.messages("audit.fifo")) + "".join(capfd.readouterr())
    assert number not in said
