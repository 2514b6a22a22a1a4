"""Objects that arrive -> their places and rows; what cannot be used is kept with its reason, and never named."""

import json
from collections.abc import Callable

import pytest

from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import NAMES, Suite, notification
from tests.functional.stage import Context

ONE = image(PatientName="Marked^Person", PatientID="MARKED-7")
STUDY = ONE.StudyInstanceUID.encode()
NAMED = "drop/north/MARKED_PERSON/scan of marked person.dcm"
PHI = ("Marked", "MARKED", ONE.StudyInstanceUID, ONE.SOPInstanceUID, ONE.SeriesInstanceUID, "20200101")


def test_what_lies_in_a_senders_folder_is_that_senders(suite: Suite) -> None:
    suite.drop(NAMED, file(ONE))
    assert suite.receive() == {"batchItemFailures": []}
    (row,) = suite.items("instances").values()
    assert (row["s"], row["o"], row["instance"]) == ("received", "north", NAMES.instance(ONE.SOPInstanceUID))
    assert list(suite.objects("identified")) == [f"instances/{row['instance']}.dcm"]


@pytest.mark.parametrize("key", ["drop/MARKED_PERSON/x.dcm", "drop/x.dcm", "drop/NORTH/x.dcm"])
def test_a_folder_that_is_no_senders_is_not_told(suite: Suite, key: str) -> None:
    suite.drop(key, file(ONE))
    suite.receive()
    assert [row["o"] for row in suite.items("instances").values()] == ["drop"]


def test_a_sender_of_a_moment_ago_is_known(suite: Suite) -> None:
    suite.drop("drop/east/a.dcm", file(image(1, 1)))
    suite.set_senders({"east": {"sha256": "", "issuer": "EAST HOSPITAL"}})
    suite.receive("drop/east/a.dcm")
    (row,) = suite.items("instances").values()
    assert (row["o"], row["p"]) == ("east", NAMES.patient("EAST HOSPITAL", "PHANTOM-1"))


def test_patients_are_told_apart_by_who_numbers_them(suite: Suite) -> None:
    suite.set_senders({"south": {"issuer": "NORTH HOSPITAL"}, "north": {"issuer": "NORTH HOSPITAL"}})
    images = [
        image(1, 1),
        image(1, 2, PatientID="PHANTOM-1"),
        image(1, 3, PatientID="PHANTOM-1", IssuerOfPatientID="X"),
    ]
    for sender, each in zip(("north", "south", "south"), images, strict=True):
        suite.stow(file(each), sender=sender)
    suite.receive()
    patients = {row["study"]: row["p"] for row in suite.items("studies").values()}
    first, second, third = (patients[NAMES.study(each.StudyInstanceUID)] for each in images)
    assert first == second == NAMES.patient("NORTH HOSPITAL", "PHANTOM-1")
    assert third == NAMES.patient("X", "PHANTOM-1")


def test_patients_without_an_id_are_not_one_person(suite: Suite) -> None:
    for study in (1, 2):
        suite.stow(file(image(1, study, PatientID="")))
    suite.receive()
    assert len({row["p"] for row in suite.items("studies").values()}) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_dicom"),
        (b"GIF89a" + b"\0" * 500, "not_dicom"),
        (file(ONE)[:200], "damaged"),
        (file(image(StudyInstanceUID="")), "missing_uid"),
        (file(ONE).replace(STUDY, b"Marked^Person".ljust(len(STUDY), b"\0")), "invalid_uid"),
    ],
    ids=["empty", "picture", "cut", "no study", "a name for a UID"],
)
def test_what_cannot_be_used_is_kept_with_its_reason(suite: Suite, content: bytes, code: str) -> None:
    suite.drop(NAMED, content)
    assert suite.receive() == {"batchItemFailures": []}
    (row,) = suite.items("instances").values()
    assert (row["s"], row["o"], row["z"]) == ("rejected", "north", len(content))
    assert row["why"] == code
    assert suite.objects("identified") == {f"rejected/{row['instance']}": content}
    assert [each["details"]["code"] for each in suite.audited("refuse")] == [row["why"]]
    assert suite.items("studies") == {}
    assert suite.messages("quiet") == []


def test_what_is_too_big_is_not_even_read(suite: Suite, policy: Callable[..., None]) -> None:
    policy(max_object_mb=1)
    content = file(ONE) + b"\0" * (1 << 20)
    suite.drop(NAMED, content)
    suite.wire.calls.clear()
    suite.receive(NAMED)
    assert suite.wire.calls["GetObject"] == 1  # the list of its versions
    (row,) = suite.items("instances").values()
    assert (row["why"], row["z"]) == ("oversized", len(content))
    assert list(suite.objects("identified")) == [f"rejected/{row['instance']}"]


@pytest.mark.safeguard("164.312(c)(1)")
def test_another_image_under_the_same_uid_is_refused_and_kept(suite: Suite) -> None:
    suite.stow(file(ONE))
    suite.receive()
    other = file(image(PatientName="Marked^Person", PatientID="MARKED-7", PixelData=bytes(16)))
    suite.drop("drop/north/a", other)
    suite.receive()
    refused = [row for row in suite.items("instances").values() if row["s"] == "rejected"]
    assert [(row["why"], row["study"]) for row in refused] == [
        ("duplicate_instance", NAMES.study(ONE.StudyInstanceUID))
    ]
    kept = suite.objects("identified")
    assert kept[f"instances/{NAMES.instance(ONE.SOPInstanceUID)}.dcm"] == file(ONE)
    assert kept[f"rejected/{refused[0]['instance']}"] == other


def test_a_study_is_its_first_senders(suite: Suite) -> None:
    suite.stow(file(image(1)), sender="north")
    suite.receive()
    suite.stow(file(image(2)), sender="south")
    suite.drop("drop/south/changed", file(image(1, PixelData=bytes(16))))
    suite.receive()
    refused = [row for row in suite.items("instances").values() if row["s"] == "rejected"]
    assert [(row["why"], row.get("study"), row["o"]) for row in refused] == [("other_sender", None, "south")] * 2
    (study,) = suite.items("studies").values()
    assert (study["o"], study["c"]) == ("north", 1)


def test_the_same_bytes_from_another_sender_change_nothing(suite: Suite) -> None:
    for sender in ("north", "south"):
        suite.drop(f"drop/{sender}/same", file(ONE))
        suite.receive()
    (study,) = suite.items("studies").values()
    assert (study["o"], study["c"]) == ("north", 1)
    assert list(suite.objects("identified")) == [f"instances/{NAMES.instance(ONE.SOPInstanceUID)}.dcm"]


def test_a_study_has_a_limit(suite: Suite, policy: Callable[..., None]) -> None:
    policy(max_instances=2)
    for number in range(4):
        suite.stow(file(image(number)))
    suite.receive()
    (study,) = suite.items("studies").values()
    assert (study["c"], study["w"]) == (2, 2)
    refused = [row["why"] for row in suite.items("instances").values() if row["s"] == "rejected"]
    assert refused == ["too_many_instances"] * 2


def test_an_erased_study_takes_nothing_more(suite: Suite) -> None:
    suite.stow(file(image(1)))
    suite.receive()
    table = {"TableName": "studies", "Key": {"study": {"S": NAMES.study(ONE.StudyInstanceUID)}}}
    from tests.functional.stage import client  # noqa: PLC0415

    client("dynamodb").update_item(
        **table, UpdateExpression="SET s = :s", ExpressionAttributeValues={":s": {"S": "erased"}}
    )
    suite.stow(file(image(2)))
    suite.receive()
    assert [row["why"] for row in suite.items("instances").values() if row["s"] == "rejected"] == ["erased"]


def test_s3s_own_test_and_other_events_are_passed_over(suite: Suite) -> None:
    from functions.imaging.receive.handler import handler  # noqa: PLC0415

    suite.drop("results/x/1/sr.dcm", file(ONE))
    removed = notification("inbox/north/x")
    removed["body"] = removed["body"].replace("ObjectCreated:Put", "ObjectRemoved:Delete")
    records = [
        {"messageId": "1", "body": json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})},
        notification("results/x/1/sr.dcm"),
        notification("drop/north/"),
        notification("inbox/north/that-is-gone"),
        removed,
    ]
    assert handler({"Records": records}, Context()) == {"batchItemFailures": []}
    assert suite.items("instances") == {}
    assert list(suite.objects("identified")) == ["results/x/1/sr.dcm"]


def test_a_message_that_is_none_is_delivered_again_without_the_others(suite: Suite) -> None:
    from functions.imaging.receive.handler import handler  # noqa: PLC0415

    suite.drop(NAMED, file(ONE))
    bad = [{"messageId": f"bad-{number}", "body": body} for number, body in enumerate(["", "{}", '{"Records": [{}]}'])]
    answer = handler({"Records": [*bad, notification(NAMED)]}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in bad]}
    assert len(suite.items("studies")) == 1


@pytest.mark.safeguard("164.312(a)(1)")
def test_nobody_is_named_anywhere_but_in_the_object(
    suite: Suite, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Logs, metrics, rows, keys, messages, the ledger's events: also when it is refused, and when S3 is away."""
    changed = file(image(PatientName="Marked^Person", PatientID="MARKED-7", PixelData=bytes(16)))
    suite.drop(NAMED, file(ONE))
    suite.wire.refuse("GetObject", "AccessDenied", times=1, status=403)
    assert suite.receive(NAMED)["batchItemFailures"]
    suite.wire.down("GetObject", times=8)
    assert suite.receive(NAMED)["batchItemFailures"]
    suite.wire.repair()
    suite.receive()
    for content in (changed, b"Marked^Person MARKED-7"):
        suite.drop(NAMED, content)
        suite.receive()
    written = "".join([*capfd.readouterr(), caplog.text, *(str(vars(record)) for record in caplog.records)])
    left = [
        *suite.items("studies").values(), *suite.items("instances").values(), suite.messages("quiet"),
        suite.messages("audit.fifo"), list(suite.objects("identified")),
    ]  # fmt: skip
    assert "get_object" in written
    assert len(suite.objects("identified", "rejected/")) == 2
    for mark in PHI:
        assert mark not in written
        assert mark not in str(left)
