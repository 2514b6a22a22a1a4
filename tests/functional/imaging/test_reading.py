"""A study from its arrival to its result, by the state machine's own definition: every ending, and who learns what."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from cdk.reading_definition import JOBS, definition
from cuatro.adapters.radiograph import reader
from cuatro.config import settings
from functions.imaging.outcome import decode, results_of
from local.demo.imaging.phantoms import phantom
from tests.dicom.planted import MARKS, ROOT, file_of, image
from tests.dicom_programs import errors
from tests.functional.imaging import tiny_reader
from tests.functional.imaging.machine import Machine, StateFailed
from tests.functional.imaging.suite import NAMES, Suite
from tests.functional.stage import Context

TEXT_MODEL = Path(__file__).resolve().parents[3] / "models" / "imaging" / "text.onnx"
STUDY = NAMES.study(f"{ROOT}.8")
SIDE = 224
NORMAL, SICK = 0.3, 1.6
"""Of the tiny model's probability, which is how bright an image is."""


def chest(number: int = 1, **changes: object) -> Dataset:
    """A phantom whose attributes are marked, all of one study and series."""
    made = image(SIDE, SIDE)
    made.SOPInstanceUID = f"{ROOT}.9.{number}"
    made.ViewPosition = "AP"
    made.add_new(0x7FE00010, "OW", phantom(number, size=(SIDE, SIDE)).tobytes())
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def model(environment: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[float], None]:
    def change(share: float) -> None:
        environment.setenv("MODEL_URI", str(tiny_reader.save(tmp_path, share=share)))
        reader.cache_clear()
        settings.cache_clear()

    for name, value in {"TEXT_MODEL_URI": str(TEXT_MODEL), "SHADOW_MODEL_URI": "", "ALLOW_PRIVATE_HOSTS": ""}.items():
        environment.setenv(name, value)
    change(NORMAL)
    return change


@pytest.fixture
def arrive(suite: Suite, policy: Callable[..., None]) -> Callable[..., Any]:
    """Datasets -> the input of the execution that begins when all of them have come, and it is quiet."""

    def send(*datasets: Dataset) -> Any:
        policy(quiet_s=1)
        known = set(suite.executions())
        assert suite.stow(*map(file_of, datasets)).status == 200
        suite.receive()
        suite.begin({"study": STUDY, "t": 2**53})
        ((_, given),) = ((name, each) for name, each in suite.executions().items() if name not in known)
        return given

    return send


def machine(answer: Callable[[Any], Any] | None = None) -> Machine:
    """Every job is its handler; a question is taken by nobody, and answered as told."""

    def function(job: str) -> Callable[[Any], Any]:
        def call(event: Any) -> Any:
            return import_module(f"functions.imaging.{job}.handler").handler(event, Context())

        return call

    functions = {job: function(job) for job in JOBS if job != "ask"} | {"ask": lambda event: None}
    return Machine(definition({job: job for job in JOBS}, review_days=30), functions, answer)


def reviewed(choice: str) -> Callable[[Any], Any]:
    return lambda _asked: {"task": "t", "outcome": choice, "reasons": [], "reads": [{"choice": choice}], "agreed": True}


@pytest.fixture
def quiet_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of `begin` is ahead of the arrivals."""
    begin = import_module("functions.imaging.begin.handler")
    real = begin.time.time

    class Clock:
        @staticmethod
        def time() -> float:
            return float(real() + 10)

    monkeypatch.setattr(begin, "time", Clock)


pytestmark = pytest.mark.usefixtures("quiet_soon", "model")


def test_a_normal_study_is_read_by_the_model_alone(suite: Suite, arrive: Callable[..., Any]) -> None:
    run = machine()
    given = arrive(chest(1), chest(2))
    assert run.run(given) == {"study": STUDY, "revision": 1, "state": "read"}
    row = suite.items("studies")[STUDY]
    outcome = decode(row["v"])
    assert (row["s"], outcome.verdict, outcome.by, outcome.read) == ("read", "normal", "model", 2)
    assert "Review" not in run.visited
    kinds = [each.kind for each in results_of(row["k"])["1"]]
    assert sorted(kinds) == ["sc", "sc", "sr"]
    assert {each["s"] for each in suite.items("instances").values()} == {"read"}


def test_a_finding_is_a_persons_to_decide(
    suite: Suite, arrive: Callable[..., Any], model: Callable[[float], None]
) -> None:
    model(SICK)
    run = machine(reviewed("normal"))
    assert run.run(arrive(chest(1)))["state"] == "read"
    (event,) = suite.events("StudyRead")
    assert (event["verdict"], event["suggested"], event["human"]) == ("normal", "pneumonia", True)
    assert run.visited[-6:] == ["Review", "Report", "Reidentify", "Deliver", "Conclude", "Concluded"]


def test_what_the_sender_gets_is_valid_dicom(
    suite: Suite, arrive: Callable[..., Any], model: Callable[[float], None], tmp_path: Path
) -> None:
    """By an independent validator: results with and without the patient."""
    model(SICK)
    machine(reviewed("pneumonia")).run(arrive(chest(1)))
    results = suite.objects("identified", "results/") | suite.objects("deidentified", f"studies/{STUDY}/report/")
    files = [content for key, content in results.items() if key.endswith(".dcm")]
    assert len(files) == 4
    for number, content in enumerate(files):
        file = tmp_path / f"{number}.dcm"
        file.write_bytes(content)
        assert errors(file) == []


def test_a_part_that_cannot_be_read_does_not_keep_the_rest(suite: Suite, arrive: Callable[..., Any]) -> None:
    slice_ = chest(2, SOPClassUID="1.2.840.10008.5.1.4.1.1.2", Modality="CT")
    run = machine()
    assert run.run(arrive(chest(1), slice_))["state"] == "read"
    outcome = decode(suite.items("studies")[STUDY]["v"])
    assert (outcome.read, outcome.rejected, outcome.verdict) == (1, 1, "normal")
    assert sorted(each["s"] for each in suite.items("instances").values()) == ["read", "rejected"]


def test_where_no_part_can_be_read_there_is_no_verdict(suite: Suite, arrive: Callable[..., Any]) -> None:
    run = machine()
    assert run.run(arrive(chest(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.2", Modality="CT")))["state"] == "rejected"
    assert not {"Review", "Report"} & set(run.visited)
    (event,) = suite.events("StudyRejected")
    assert event["codes"] == ["unsupported_sop_class"]


def test_a_reader_who_never_answers(suite: Suite, arrive: Callable[..., Any], model: Callable[[float], None]) -> None:
    def never(_asked: Any) -> Any:
        raise StateFailed("ReviewExpired")

    model(SICK)
    run = machine(never)
    assert run.run(arrive(chest(1)))["state"] == "expired"
    assert decode(suite.items("studies")[STUDY]["v"]).verdict is None
    assert not suite.objects("identified", "results/")  # a finding that nobody confirmed leaves for nobody


def test_what_is_away_for_long_fails_the_reading_and_a_replay_reads_it(
    suite: Suite, arrive: Callable[..., Any], environment: pytest.MonkeyPatch, model: Callable[[float], None]
) -> None:
    given = arrive(chest(1))
    suite.wire.down("PutObject")
    run = machine()
    with pytest.raises(StateFailed) as caught:
        run.run(given)
    assert caught.value.name == "ReadingFailed"
    assert suite.items("studies")[STUDY]["s"] == "failed"
    assert [event["error"] for event in suite.events("StudyFailed")] == ["Unavailable"]
    suite.wire.repair()
    suite.begin({"study": STUDY, "again": True})
    again = suite.executions()[f"{STUDY}-2"]
    assert machine().run(again) == {"study": STUDY, "revision": 2, "state": "read"}
    assert suite.items("studies")[STUDY]["s"] == "read"


def test_what_passes_by_itself_is_not_noticed(suite: Suite, arrive: Callable[..., Any]) -> None:
    given = arrive(chest(1))
    suite.wire.down("PutObject", times=5)
    assert machine().run(given)["state"] == "read"


@pytest.mark.safeguard("164.312(a)(1)")
def test_nobody_but_the_sender_learns_whose_study_it_is(
    suite: Suite, arrive: Callable[..., Any], model: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Everything that a reading wrote, searched for what identifies the patient; and it is there, where it belongs."""
    model(SICK)
    run = machine(reviewed("pneumonia"))
    given = arrive(chest(1), chest(2, PatientName="Planted^Öne"))
    run.run(given)
    rows = {name: suite.items(name) for name in ("studies", "instances")}
    events = [suite.events(kind) for kind in ("StudyRead", "StudyFailed", "StudyRejected")]
    logged = [record.__dict__ for record in caplog.records]
    told = json.dumps([given, run.handed_on, rows, events, suite.messages("audit.fifo")], default=str) + str(logged)
    contents = [told.encode(), *suite.objects("deidentified").values(), *map(str.encode, suite.objects("deidentified"))]
    for content in contents:
        assert not [mark for mark in MARKS if mark in content]
    assert len(suite.objects("deidentified")) >= 8
    results = suite.objects("identified", "results/")
    assert len(results) == 3
    for content in results.values():
        assert b"Planted-1" in content
        assert f"{ROOT}.8".encode() in content
