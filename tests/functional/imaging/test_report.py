"""report and reidentify: results of both kinds lie where they belong, say the same again, and nothing leaks between."""

import json
from typing import Any

import pytest

from cuatro.errors import Rejected, Unavailable
from functions.imaging.own_objects import LABEL
from functions.imaging.pseudonym import Pseudonyms
from tests.functional.imaging.ending import PLANTED, STUDY, Ending, instance, item, rejected, state
from tests.functional.imaging.suite import Suite
from tests.functional.stage import client
from tests.unit.imaging_results import original

REVIEW: dict[str, Any] = {"outcome": "pneumonia", "reasons": [], "agreed": True, "decided_at": "2026-11-23T10:00:00Z",
                          "reads": [{"reviewer": "r", "choice": "pneumonia", "role": "read"}]}  # fmt: skip
LATERAL = item(2, "not_readable", None, unsure=True, why=["view"], distance=None)
EVENT = state(item(1), LATERAL, rejected(3), routing={"route": "review", "why": ["positive"]}, review=REVIEW)
FOLDER = f"studies/{STUDY}/report/1"


def planted(content: bytes) -> list[str]:
    """Marks of the patient in some bytes, as any of DICOM's alphabets would write them."""
    return [mark for mark in PLANTED for coding in ("utf-8", "latin-1") if mark.encode(coding) in content]


@pytest.mark.safeguard("164.312(a)(1)")
def test_the_results_lie_beside_the_images_without_the_patient(suite: Suite) -> None:
    ending = Ending(suite, 1, 2)
    answer = ending.call("report", EVENT)
    assert answer["report"]["secondary"] == [instance(1)]  # no map is drawn over what the model cannot read
    found = suite.objects("deidentified", FOLDER)
    assert sorted(found) == [f"{FOLDER}/{name}" for name in ("report.json", f"sc-{instance(1)}.dcm", "sr.dcm")]
    assert not [mark for content in found.values() for mark in planted(content)]
    told = json.loads(found[f"{FOLDER}/report.json"])
    assert told["outcome"]["verdict"] == "pneumonia"
    assert LABEL in told["label"]
    assert "reviewer" not in str(told)


def test_the_results_come_back_with_the_patient_at_the_edge(suite: Suite) -> None:
    ending = Ending(suite, 1, 2)
    answer = ending.reported(EVENT)
    prefix = f"results/{STUDY}/1/"
    found = ending.results("identified", prefix)
    assert set(found) == {"sr.dcm", f"sc-{instance(1)}.dcm"}
    for made in found.values():
        assert (made.PatientID, str(made.PatientName)) == ("PLANTED-ID", "Phantom^Öne")
        assert made.StudyInstanceUID == original().StudyInstanceUID
    assert {each["key"]: each["instance"] for each in answer["results"]} == {
        prefix + name: made.SOPInstanceUID for name, made in found.items()
    }
    assert [each["kind"] for each in answer["results"]] == ["sr", "sc"]


@pytest.mark.safeguard("164.312(a)(1)", "164.312(b)")
def test_nothing_of_the_patient_is_handed_on_logged_or_audited(
    suite: Suite, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = Ending(suite, 1, 2).reported(EVENT)
    written = capsys.readouterr()
    logged = str([record.__dict__ for record in caplog.records])
    audited = json.dumps(suite.messages("audit.fifo"))
    for text in (json.dumps(answer), written.out, written.err, logged, audited):
        assert not planted(text.encode())
    assert "reidentified" in logged  # there was something to look at
    assert [each["action"] for each in suite.messages("audit.fifo")] == ["report", "reidentify"]


def test_tried_again_they_write_the_same_bytes(suite: Suite) -> None:
    ending = Ending(suite, 1, 2)
    first = ending.reported(EVENT)
    before = suite.objects("deidentified", FOLDER) | suite.objects("identified", "results/")
    again = ending.call("report", EVENT)
    again = ending.call("reidentify", {**again, "report": first["report"]})
    assert suite.objects("deidentified", FOLDER) | suite.objects("identified", "results/") == before
    assert again["results"] == first["results"]


def test_another_revision_has_results_of_its_own(suite: Suite) -> None:
    ending = Ending(suite, 1, r=2)
    first = ending.reported(state(item(1, "normal", 0.1), routing={"route": "report"}))
    second = ending.reported(state(item(1, "normal", 0.1), routing={"route": "report"}, revision=2))
    uids = [each["instance"] for answer in (first, second) for each in answer["results"]]
    assert len(set(uids)) == len(uids) == 4


@pytest.mark.parametrize("lost", ["image.dcm", "image.png", "heatmap.png"])
def test_a_lost_object_is_no_reason_to_try_again(suite: Suite, lost: str) -> None:
    ending = Ending(suite, 1)
    suite.s3.delete_object(Bucket="deidentified", Key=f"studies/{STUDY}/{instance(1)}/{lost}")
    with pytest.raises(Rejected) as caught:
        ending.call("report", state(item(1), routing={"route": "report"}))
    assert caught.value.code == "gone"


@pytest.mark.safeguard("164.312(c)(1)")
@pytest.mark.parametrize("job", ["report", "reidentify"])
def test_of_an_erased_study_nothing_is_written(suite: Suite, job: str) -> None:
    ending = Ending(suite, 1, 2)
    event = ending.reported(EVENT) if job == "reidentify" else EVENT
    for bucket, prefix in (("deidentified", FOLDER), ("identified", "results/")):
        for key in suite.objects(bucket, prefix):
            suite.s3.delete_object(Bucket=bucket, Key=key)
    ending.gone()
    with pytest.raises(Rejected) as caught:
        ending.call(job, event)
    assert caught.value.code == "erased"
    assert not suite.objects("deidentified", FOLDER) | suite.objects("identified", "results/")


@pytest.mark.safeguard("164.312(a)(1)", "164.312(c)(2)")
def test_an_instance_of_another_study_is_not_given_away(suite: Suite) -> None:
    """Whoever can start the machine must not get one patient's name on another's results."""
    ending = Ending(suite, 1, 2)
    event = ending.call("report", EVENT)
    other = original(1, StudyInstanceUID="1.2.3", PatientName="Other^Phantom")
    from functions.imaging.own_objects import encoded  # noqa: PLC0415

    suite.s3.put_object(Bucket="identified", Key=f"instances/{instance(1)}.dcm", Body=encoded(other))
    with pytest.raises(Rejected) as caught:
        ending.call("reidentify", event)
    assert caught.value.code == "other_study"
    assert not suite.objects("identified", "results/")


def test_with_another_secret_no_result_is_given_back(suite: Suite) -> None:
    ending = Ending(suite, 1, 2)
    event = ending.call("report", EVENT)
    client("secretsmanager").put_secret_value(SecretId="pseudonyms", SecretString="x" * 40)
    assert Pseudonyms(b"x" * 40).study(original().StudyInstanceUID) != STUDY
    with pytest.raises(Rejected):
        ending.call("reidentify", event)


@pytest.mark.parametrize(
    ("job", "operation"),
    [("report", "GetObject"), ("report", "PutObject"), ("report", "BatchGetItem"), ("reidentify", "GetObject"),
     ("reidentify", "GetSecretValue"), ("reidentify", "PutObject"), ("reidentify", "SendMessage")],
)  # fmt: skip
def test_what_is_away_is_tried_again(suite: Suite, job: str, operation: str) -> None:
    ending = Ending(suite, 1, 2)
    event = ending.call("report", EVENT) if job == "reidentify" else EVENT
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        ending.call(job, event)
    suite.wire.repair()
    ending.call(job, event)
