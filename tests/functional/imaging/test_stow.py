"""POST /studies: what is taken, what is answered, and what comes to the rows; once in effect however often."""

import pytest

from functions.imaging.own_objects import MANUFACTURER, MODEL_NAME
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import NAMES, Suite


def test_a_study_is_taken_kept_and_waits_for_quiet(suite: Suite) -> None:
    images = [image(1), image(2)]
    answer = suite.stow(*map(file, images))
    uid = images[0].StudyInstanceUID
    url = f"https://imaging.test/v1/studies/{uid}"
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/dicom+json"
    assert answer.json == {
        "00081190": {"vr": "UR", "Value": [url]},
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": [each.SOPClassUID]},
                    "00081155": {"vr": "UI", "Value": [each.SOPInstanceUID]},
                    "00081190": {"vr": "UR", "Value": [url]},
                }
                for each in images
            ],
        },
    }
    assert suite.receive() == {"batchItemFailures": []}
    names = [NAMES.instance(each.SOPInstanceUID) for each in images]
    kept = {f"instances/{name}.dcm": file(each) for name, each in zip(names, images, strict=True)}
    assert suite.objects("identified") == kept
    study = suite.items("studies")[NAMES.study(uid)]
    assert (study["s"], study["c"], study["w"], study["o"], study["m"]) == (
        "arriving",
        2,
        2,
        "north",
        frozenset({"DX"}),
    )
    assert study["p"] == NAMES.patient("north", "PHANTOM-1")
    assert {row["s"] for row in suite.items("instances").values()} == {"received"}
    assert [each["study"] for each in suite.messages("quiet")] == [NAMES.study(uid)] * 2


@pytest.mark.parametrize("times", [2, 3])
def test_what_is_sent_again_is_taken_once(suite: Suite, times: int) -> None:
    for _ in range(times):
        assert suite.stow(file(image())).status == 200
        suite.receive()
    (study,) = suite.items("studies").values()
    assert (study["c"], study["w"]) == (1, 1)
    assert len(suite.audited("receive")) == 1


def test_some_may_be_refused_and_what_is_refused_is_kept(suite: Suite) -> None:
    """202: the good one is taken; another image of its UID, and what is no DICOM, are kept below rejected/."""
    changed = file(image(1, PixelData=bytes(16)))
    answer = suite.stow(file(image(1)), changed, b"no image at all")
    assert answer.status == 202
    assert [each["00081155"]["Value"] for each in answer.json["00081199"]["Value"]] == [[image(1).SOPInstanceUID]]
    assert [each["00081197"]["Value"] for each in answer.json["00081198"]["Value"]] == [[0x0111]]
    assert answer.json["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [0xC000]}}]
    suite.receive(*sorted(suite.objects("identified"), key=lambda key: suite.objects("identified")[key] == changed))
    refused = {row["why"] for row in suite.items("instances").values() if row["s"] == "rejected"}
    assert refused == {"duplicate_instance", "not_dicom"}
    assert sorted(suite.objects("identified", "rejected/").values()) == sorted([changed, b"no image at all"])


def test_another_image_under_a_uid_that_is_taken_is_a_conflict(suite: Suite) -> None:
    suite.stow(file(image(1)))
    suite.receive()
    changed = file(image(1, PixelData=bytes(16)))
    for sender, reason in (("north", 0x0111), ("south", 0x0124)):
        answer = suite.stow(changed, sender=sender)
        assert answer.status == 409
        assert answer.json["00081198"]["Value"][0]["00081197"]["Value"] == [reason]
        assert "00081199" not in answer.json


def test_the_same_image_twice_in_one_request_is_one(suite: Suite) -> None:
    answer = suite.stow(file(image(1)), file(image(1)))
    assert (answer.status, len(answer.json["00081199"]["Value"])) == (200, 2)
    assert len(suite.objects("identified", "inbox/")) == 1


def test_a_request_that_is_sent_again_puts_nothing_twice(suite: Suite) -> None:
    for _ in range(2):
        suite.stow(file(image(1)))
    assert len(suite.objects("identified", "inbox/")) == 1


def test_images_of_another_study_than_the_paths_are_not_taken(suite: Suite) -> None:
    answer = suite.stow(file(image(1, 2)), study=image(1, 1).StudyInstanceUID)
    assert answer.status == 409
    assert answer.json["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]
    assert suite.objects("identified") == {}
    assert suite.stow(file(image(1, 2)), study=image(1, 2).StudyInstanceUID).status == 200


def test_the_answer_is_what_is_accepted(suite: Suite) -> None:
    answer = suite.stow(file(image()), accept="application/dicom+xml")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/dicom+xml")
    assert image().SOPInstanceUID.encode() in answer.body
    assert suite.stow(file(image()), accept="text/html, */*;q=0.1").headers["Content-Type"] == "application/dicom+json"
    refused = suite.stow(file(image(2)), accept="text/html")
    assert (refused.status, refused.json["error"]["code"]) == (406, "not_acceptable")
    assert len(suite.objects("identified")) == 1


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("application/dicom", 415),
        ("multipart/form-data; boundary=x", 415),
        ('multipart/related; type="application/dicom+xml"; boundary=x', 415),
        ('multipart/related; type="application/dicom"', 400),
        ('multipart/related; type="application/dicom"; boundary=x', 400),
        ("", 415),
    ],
)
def test_another_body_is_refused(suite: Suite, content_type: str, status: int) -> None:
    answer = suite.call("POST", "/studies", file(image()), {"Content-Type": content_type})
    assert answer.status == status
    assert suite.objects("identified") == {}


def test_what_is_too_big_for_a_request_is_told_the_other_way(suite: Suite) -> None:
    answer = suite.stow(file(image()) + bytes(4_500_000))
    assert answer.status == 413
    assert "POST /uploads" in answer.json["error"]["message"]
    assert suite.objects("identified") == {}


def test_more_parts_than_a_study_has_are_refused(suite: Suite) -> None:
    answer = suite.stow(*[b"x"] * 201)
    assert (answer.status, answer.json["error"]["code"]) == (400, "too_many_parts")


@pytest.mark.safeguard("164.312(e)(1)", "164.312(d)")
def test_only_by_tls_and_only_with_a_sender(suite: Suite) -> None:
    for given, status, code in (
        ({"proto": "http"}, 403, "tls_required"),
        ({"proto": ""}, 403, "tls_required"),
        ({"sender": ""}, 401, "unauthorized"),
    ):
        for method, resource in (("POST", "/studies"), ("GET", "/studies"), ("POST", "/uploads")):
            headers = {"Content-Type": "application/json"}
            answer = suite.call(method, resource, b"{}", headers, **given)
            assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert suite.objects("identified") == {}


def test_an_unknown_method_is_refused_in_the_usual_shape(suite: Suite) -> None:
    answer = suite.call("DELETE", "/studies")
    assert (answer.status, answer.json["error"]["code"]) == (405, "method_not_allowed")


def test_nothing_kept_is_503_and_something_kept_says_which(suite: Suite) -> None:
    suite.wire.down("PutObject")
    assert suite.stow(file(image(1))).status == 503
    suite.wire.repair()
    suite.wire.down("PutObject", times=4)  # of one object; which of the two depends on the threads
    answer = suite.stow(file(image(1)), file(image(2)))
    suite.wire.repair()
    lost = answer.json.get("00081198", {}).get("Value", [])
    assert {each["00081197"]["Value"][0] for each in lost} <= {0xA700}
    assert len(answer.json["00081199"]["Value"]) == 2 - len(lost) == len(suite.objects("identified"))


@pytest.mark.parametrize("operation", ["BatchGetItem", "GetSecretValue"])
def test_what_cannot_be_looked_up_is_not_taken(suite: Suite, operation: str) -> None:
    suite.wire.down(operation)
    assert suite.stow(file(image())).status == 503
    assert suite.objects("identified") == {}


@pytest.mark.safeguard("164.312(a)(1)")
def test_nobody_is_named_in_logs_rows_or_keys(
    suite: Suite, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    marked = image(PatientName="Marked^Person", PatientID="MARKED-7")
    changed = image(PatientName="Marked^Person", PatientID="MARKED-7", PixelData=bytes(16))
    suite.stow(file(marked))
    suite.receive()
    suite.stow(file(changed), b"Marked^Person", study=marked.StudyInstanceUID)
    suite.stow(file(image(1, 2)), study=marked.StudyInstanceUID)
    suite.call("GET", "/status/{study}", study=marked.StudyInstanceUID)
    suite.call("GET", "/studies", query={"PatientName": ["Marked*"], "PatientID": ["MARKED-7"]})
    suite.call("GET", "/studies", query={"MARKED-7": ["Marked*"]})
    suite.wire.down("BatchGetItem")
    suite.call("GET", "/studies/{study}", study=marked.StudyInstanceUID)
    suite.wire.repair()
    written = "".join([*capfd.readouterr(), caplog.text, *(str(vars(record)) for record in caplog.records)])
    left = str([suite.items("studies"), suite.items("instances"), suite.messages("audit.fifo"),
                suite.messages("quiet"), list(suite.objects("identified"))])  # fmt: skip
    assert "unavailable" in written
    for mark in ("Marked", "MARKED", marked.StudyInstanceUID, marked.SOPInstanceUID, marked.SeriesInstanceUID):
        assert mark not in written
        assert mark not in left


def test_a_correlation_id_is_a_uuid_or_our_own(suite: Suite) -> None:
    """Any other word could be a patient's number, and would be in every line of the log."""
    for given, kept in (("MARKED-7", "request-1"), ("0f8fad5b-d9cb-469f-a165-70867728950e", None)):
        answer = suite.call("GET", "/studies", headers={"X-Correlation-Id": given})
        assert answer.headers["x-correlation-id"] == (kept or given)


OWN = {"Manufacturer": MANUFACTURER, "ManufacturerModelName": MODEL_NAME}
SR = "1.2.840.10008.5.1.4.1.1.88.33"


def test_our_own_results_that_come_back_are_not_read(suite: Suite) -> None:
    """A PACS that forwards whatever it gets would have them read, and their results too, for ever."""
    suite.stow(file(image(1)))
    suite.receive()
    before = suite.items("studies")
    results = [file(image(8, SOPClassUID=SR, **OWN)), file(image(9, **OWN))]
    answer = suite.stow(*results)
    assert (answer.status, len(answer.json["00081199"]["Value"])) == (200, 2)
    assert suite.objects("identified", "inbox/") == {}
    for number, content in enumerate(results):
        suite.drop(f"drop/north/{number}", content)
    assert suite.receive() == {"batchItemFailures": []}
    assert suite.items("studies") == before
    assert len(suite.items("instances")) == 1
    assert list(suite.objects("identified")) == [f"instances/{NAMES.instance(image(1).SOPInstanceUID)}.dcm"]


@pytest.mark.parametrize(
    "sop_class", [SR, f"{SR[:-2]}59", "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.104.1"]
)
def test_what_is_no_image_is_refused_before_it_counts(suite: Suite, sop_class: str) -> None:
    suite.stow(file(image(1)))
    suite.receive()
    before = suite.items("studies")
    answer = suite.stow(file(image(2, SOPClassUID=sop_class)))
    assert answer.status == 409
    assert answer.json["00081198"]["Value"][0]["00081197"]["Value"] == [0x0122]
    suite.receive()
    assert suite.items("studies") == before
    assert [row["why"] for row in suite.items("instances").values() if row["s"] == "rejected"] == [
        "unsupported_sop_class"
    ]
    assert len(suite.objects("identified", "rejected/")) == 1
