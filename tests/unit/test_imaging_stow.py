"""STOW-RS bodies -> parts, answers as PS3.18 has them; nothing but parts or a refusal comes of any bytes."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuatro.errors import Rejected
from functions.imaging.dicomjson import attribute, matches, tag_of, xml
from functions.imaging.stow import CANNOT_UNDERSTAND, DUPLICATE, Failed, Stored, answer, parts

KIND = 'multipart/related; type="application/dicom"; boundary=frontier'
STORED = Stored("1.2.840.10008.5.1.4.1.1.1.1", "2.25.1", "2.25.2")


def body(*contents: bytes, kind: bytes = b"application/dicom", end: bytes = b"--frontier--\r\n") -> bytes:
    return b"".join(b"--frontier\r\nContent-Type: " + kind + b"\r\n\r\n" + each + b"\r\n" for each in contents) + end


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300).filter(lambda each: b"--frontier" not in each), min_size=1, max_size=5))
def test_parts_come_out_as_they_went_in(contents: list[bytes]) -> None:
    assert [part.content for part in parts(KIND, body(*contents), 10)] == contents


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.binary(max_size=100).map(lambda noise: body(b"one", noise)[: -len(noise) or None]))
def test_any_bytes_are_parts_or_refused(noise: bytes) -> None:
    try:
        assert parts(KIND, noise, 10)
    except Rejected as rejected:
        assert rejected.code in {"malformed_multipart", "unsupported_media_type", "too_many_parts"}  # noqa: PT017


def test_a_body_cut_anywhere_is_refused() -> None:
    whole = body(b"first image", b"second image", end=b"--frontier--")
    for length in range(len(whole)):
        with pytest.raises(Rejected):
            parts(KIND, whole[:length], 10)
    assert len(parts(KIND, whole, 10)) == 2


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("", "unsupported_media_type"),
        ("application/dicom", "unsupported_media_type"),
        ("multipart/form-data; boundary=frontier", "unsupported_media_type"),
        ('multipart/related; type="application/dicom+json"; boundary=frontier', "unsupported_media_type"),
        ('multipart/related; type="application/dicom"', "malformed_multipart"),
        ('multipart/related; type="application/dicom"; boundary=another', "malformed_multipart"),
        (f"multipart/related; boundary={'x' * 300}", "malformed_multipart"),
    ],
)
def test_another_media_type_is_refused(kind: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        parts(kind, body(b"image"), 10)
    assert refused.value.code == code


def test_media_types_are_compared_as_http_does() -> None:
    kind = 'Multipart/Related; TYPE=application/dicom; boundary="frontier"'
    assert len(parts(kind, body(b"image", kind=b"Application/DICOM; transfer-syntax=1.2.840.10008.1.2.1"), 10)) == 1
    with pytest.raises(Rejected) as refused:
        parts(KIND, body(b"image", kind=b"image/jpeg"), 10)
    assert refused.value.code == "unsupported_media_type"


def test_a_request_has_a_limit_of_parts_and_at_least_one() -> None:
    with pytest.raises(Rejected) as refused:
        parts(KIND, body(*[b"x"] * 11), 10)
    assert refused.value.code == "too_many_parts"
    with pytest.raises(Rejected):
        parts(KIND, b"--frontier--\r\n", 10)


def test_answers_tell_each_instance() -> None:
    status, told = answer([STORED], [Failed(DUPLICATE, "1.2", "2.25.9"), Failed(CANNOT_UNDERSTAND)], "https://here")
    assert status == 202
    assert told["00081190"]["Value"] == ["https://here/studies/2.25.2"]
    assert told["00081199"]["Value"][0]["00081155"]["Value"] == ["2.25.1"]
    assert told["00081198"]["Value"] == [
        {
            "00081150": {"vr": "UI", "Value": ["1.2"]},
            "00081155": {"vr": "UI", "Value": ["2.25.9"]},
            "00081197": {"vr": "US", "Value": [0x0111]},
        }
    ]
    assert told["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [0xC000]}}]
    assert answer([STORED], [], "")[0] == 200
    assert answer([], [Failed(CANNOT_UNDERSTAND)], "") == (409, {
        "00081190": {"vr": "UR"}, "0008119A": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xC000]}}]},
    })  # fmt: skip


def test_images_of_several_studies_have_no_common_address() -> None:
    other = STORED._replace(study="2.25.3", instance="2.25.4")
    told = answer([STORED, other], [], "https://here")[1]
    assert told["00081190"] == {"vr": "UR"}
    assert [each["00081190"]["Value"] for each in told["00081199"]["Value"]] == [
        ["https://here/studies/2.25.2"], ["https://here/studies/2.25.3"],
    ]  # fmt: skip


def test_the_answer_can_be_xml() -> None:
    written = ElementTree.fromstring(xml(answer([STORED], [Failed(CANNOT_UNDERSTAND)], "https://here/a&b")[1]))  # noqa: S314
    space = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
    assert written.tag == f"{space}NativeDicomModel"
    found = {each.get("tag"): each for each in written}
    assert found["00081190"].get("keyword") == "RetrieveURL"
    assert found["00081190"].findtext(f"{space}Value") == "https://here/a&b/studies/2.25.2"
    uids = [each.text for each in found["00081199"].iter(f"{space}Value")]
    assert uids[:2] == [STORED.sop_class, STORED.instance]


@pytest.mark.parametrize(
    ("vr", "values", "wanted", "fits"),
    [
        ("UI", ["1.2"], "1.2", True), ("UI", ["1.2"], "1.3,1.2", True), ("UI", ["1.2"], "1.3\\1.2", True),
        ("UI", ["1.2"], "1.*", False), ("UI", ["1.2"], "1", False), ("UI", ["1.2"], "", True),
        ("DA", ["20240102"], "20240102", True), ("DA", ["20240102"], "20240101-20240103", True),
        ("DA", ["20240102"], "20240103-", False), ("DA", ["20240102"], "-20240102", True),
        ("TM", ["101112"], "10-11", True), ("TM", ["121112"], "10-11", False),
        ("LO", ["PHANTOM-1"], "PHANTOM*", True), ("LO", ["PHANTOM-1"], "PHANTOM-?", True),
        ("LO", ["PHANTOM-1"], "phantom-1", False), ("LO", ["A[1]"], "A[1]", True), ("LO", ["A1"], "A[1]", False),
        ("LO", [], "x", False), ("LO", [], "*", True),
    ],
)  # fmt: skip
def test_queries_match_as_dicom_does(vr: str, values: list[str], wanted: str, fits: bool) -> None:
    assert matches({"00100020": attribute(vr, *values)}, "00100020", wanted) is fits


def test_names_match_whatever_their_case() -> None:
    name = {"00100010": attribute("PN", {"Alphabetic": "Phantom^One"})}
    assert matches(name, "00100010", "phantom*")
    assert not matches(name, "00100010", "other*")


def test_attributes_are_named_by_keyword_or_tag() -> None:
    assert tag_of("PatientID") == tag_of("00100020") == "00100020"
    assert tag_of("0020000d") == "0020000D"
    assert tag_of("Nonsense") is None
