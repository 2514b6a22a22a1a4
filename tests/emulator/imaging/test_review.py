"""A study that a person must see, deployed: it waits at no cost, is taken, looked at, decided, and goes on by that."""

import json
import time
from typing import Any

import pytest

from local.feed.reviews import fetched, saved
from local.platform.errors import PlatformError
from tests.emulator.imaging.readings import READ_S, Reading, image
from tests.emulator.roles import denied, role_of
from tests.waiting import eventually

PNG = b"\x89PNG\r\n\x1a\n"


def adult() -> Any:
    """Outside what the model is for, by the file's own words: certainly for a person."""
    return image(PatientAge="050Y", PatientBirthDate=None)


@pytest.fixture(scope="module")
def waiting(read: Reading) -> str:
    """A study that waits for its reviewer."""
    study = read.sent(adult())
    read.state(study, "review")
    return study


def execution(read: Reading, study: str) -> dict[str, Any]:
    """Of the study's first reading."""
    arn = read.outputs["ReadingMachineArn"].replace(":stateMachine:", ":execution:")
    found: dict[str, Any] = read.client("stepfunctions").describe_execution(executionArn=f"{arn}:{study}-1")
    return found


def listed(read: Reading, task: str, state: str) -> bool:
    return task in [each["task"] for each in read.reviewer().tasks(state=state)]


def test_a_decision_lets_the_study_go_on(read: Reading, waiting: str, tmp_path: Any) -> None:
    task, ada, bo = read.task(waiting), read.reviewer("ada"), read.reviewer("bo")
    assert execution(read, waiting)["status"] == "RUNNING"
    assert not any(each["url"] for each in ada.show(task)["attachments"]), "links are for who holds the task"
    assert ada.lease(task)["lease"]["yours"]
    with pytest.raises(PlatformError, match="another reviewer"):
        bo.lease(task)
    shown = ada.show(task)
    assert shown["suggested"] == "not_readable"
    assert "age" in shown["payload"]["why"]
    pictures = saved(shown, tmp_path)
    assert pictures
    assert all(path.read_bytes().startswith(PNG) for path in pictures)
    said = ada.decide(task, "normal", ["not_intended_use"], note="an adult, lungs are clear")
    assert (said["state"], said["changed"]) == ("done", True)
    row = read.state(waiting, "read")
    outcome = json.loads(row["v"])
    assert (outcome["verdict"], outcome["by"], outcome["suggested"]) == ("normal", "review", "not_readable")
    eventually(lambda: execution(read, waiting)["status"] == "SUCCEEDED", "the execution's end", READ_S)
    assert ada.decide(task, "normal", ["not_intended_use"])["changed"] is False, "said again, it is the same"
    assert [each["label"] for each in ada.labels() if each["subject"] == waiting] == ["normal"]
    assert "lungs are clear" not in read.histories()


@pytest.mark.safeguard("164.312(b)")
def test_who_looked_and_who_decided_is_in_the_ledger(read: Reading, waiting: str) -> None:
    """After the test above, whose reviewers were ada and bo."""
    wanted = {("view", "reviewer:ada"), ("lease", "reviewer:ada"), ("decide", "reviewer:ada"),
              ("open_task", "function:ask")}  # fmt: skip
    if not listed(read, read_task(read, waiting), "done"):
        read.decide(waiting, "normal", ["not_intended_use"])

    def told() -> bool:
        return wanted <= {(each["action"], each["actor"]) for each in read.ledger(object=waiting)}

    eventually(told, "who reviewed in the ledger", READ_S)


def first_key(read: Reading, bucket: str, prefix: str) -> str:
    """Of an object that is there."""
    found = read.client("s3").list_objects_v2(Bucket=read.outputs[bucket], Prefix=prefix, MaxKeys=1)["Contents"]
    return str(found[0]["Key"])


def read_task(read: Reading, study: str) -> str:
    """Of a study, waiting or not."""
    (found,) = (item["task"]["S"] for item in read.rows("ReviewsTable") if item["s"]["S"] == study)
    return str(found)


@pytest.mark.safeguard("164.312(a)(1)")
def test_a_link_is_no_link_without_its_signature(read: Reading) -> None:
    study = read.sent(adult())
    task, reviews = read.task(study), read.reviewer("ada")
    reviews.lease(task)
    url = reviews.show(task)["attachments"][0]["url"]
    assert fetched(url).startswith(PNG)
    with pytest.raises(PlatformError):
        fetched(url.partition("?")[0])
    reviews.release(task)
    assert listed(read, task, "open")


def test_what_waits_for_nobody_any_more_is_withdrawn(read: Reading) -> None:
    study = read.sent(adult())
    task = read.task(study)
    read.reviewer("ada").lease(task)
    read.client("stepfunctions").stop_execution(executionArn=execution(read, study)["executionArn"])
    eventually(lambda: listed(read, task, "cancelled"), "the withdrawn task", READ_S)
    with pytest.raises(PlatformError, match="cancelled"):
        read.reviewer("ada").decide(task, "normal", ["not_intended_use"])


def test_the_clock_finds_nothing_to_do_where_all_is_well(read: Reading) -> None:
    study = read.sent(adult())
    task = read.task(study)

    def quiet() -> bool:
        answer = read.client("lambda").invoke(FunctionName=read.outputs["RemindFunction"], Payload="{}")
        done = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, done
        return not any(done.values())

    eventually(quiet, "a round without work", READ_S)  # one before may tell what another test left
    assert listed(read, task, "open")


@pytest.mark.safeguard("164.312(a)(1)")
def test_each_function_may_do_its_own_part_only(read: Reading, waiting: str) -> None:
    """Who answers reviewers sees de-identified pictures; nobody of the queue sees identified images or other rows."""
    held = {"Bucket": read.outputs["IdentifiedBucket"], "Key": first_key(read, "IdentifiedBucket", "instances/")}
    picture = first_key(read, "DeidentifiedBucket", f"studies/{waiting}/")
    shown = {"Bucket": read.outputs["DeidentifiedBucket"], "Key": picture}
    for function, sees in (("AskFunction", False), ("RemindFunction", False), ("ReviewsFunction", True)):
        with role_of(read, function) as session:
            s3 = session.client("s3", endpoint_url=read.platform.endpoint)
            states = session.client("stepfunctions", endpoint_url=read.platform.endpoint)
            tables = session.client("dynamodb", endpoint_url=read.platform.endpoint)
            assert denied(s3.get_object, **held), function
            assert denied(s3.get_object, **shown) != sees, function
            assert denied(s3.put_object, **shown, Body=b""), function
            assert denied(tables.delete_item, TableName=read.outputs["ReviewsTable"], Key={"task": {"S": "none"}})
            assert denied(tables.scan, TableName=read.outputs["StudiesTable"]), function
            assert denied(states.start_execution, stateMachineArn=read.outputs["ReadingMachineArn"]), function


def test_the_command_line_shows_what_waits(read: Reading) -> None:
    study = read.sent(adult())
    task = read.task(study)
    assert task[:8] in read.cuatro("review", "list", "--as", "ada")
    assert "Yours until" in read.cuatro("review", "lease", task, "--as", "ada")
    began = time.monotonic()
    assert "It is decided" in read.cuatro("review", "decide", task, "not_readable", "--as", "ada")
    read.state(study, "read")
    assert time.monotonic() - began < READ_S
