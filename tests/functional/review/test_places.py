"""Whoever reviews, people of the own queue or of Amazon A2I: the asker waits for the same answer and gets it alike."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.model import ServiceModel

from cuatro.adapters.human_review import Question
from cuatro.config import settings
from cuatro.errors import Unavailable
from functions.review.asking import task_id
from tests.contract import problems
from tests.functional.review.human_loops import HumanLoops
from tests.functional.review.suite import ATTACHMENT, FLOW, Suite

TASK = task_id("imaging", "study-1")
FILES = Path(__file__).resolve().parents[3] / "functions" / "review" / "a2i"
WITHDRAWAL = {"cancel": {"queue": "imaging", "once": "study-1"}}


class Place:
    """Where people review."""

    def __init__(self, suite: Suite, loops: HumanLoops | None) -> None:
        self.suite, self.loops = suite, loops

    def read(self, who: str, choice: str, *reasons: str, note: str = "") -> None:
        if self.loops is None:
            assert self.suite.read(who, TASK, choice, *reasons, note=note)[0] == 200
            return
        self.loops.submit(TASK, who, choice, *reasons, note=note)
        if self.loops.loops[TASK]["status"] != "InProgress":
            self.suite.remind(self.loops.event(TASK))


@pytest.fixture
def a2i(suite: Suite, environment: pytest.MonkeyPatch) -> Callable[[int], HumanLoops]:
    def chosen(task_count: int) -> HumanLoops:
        environment.setenv("FLOW_DEFINITION_ARN", FLOW)
        settings.cache_clear()
        return HumanLoops(suite, task_count)

    return chosen


@pytest.fixture(params=["own", "a2i"])
def at(request: pytest.FixtureRequest, suite: Suite, a2i: Callable[[int], HumanLoops]) -> Callable[[int], Place]:
    """The place, with so many readers a task."""
    return lambda reads: Place(suite, a2i(reads) if request.param == "a2i" else None)


def test_one_who_reads_it_decides(suite: Suite, at: Callable[[int], Place]) -> None:
    place = at(1)
    assert suite.ask() == {"task": TASK, "state": "open"}
    place.read("ada", "normal", "artefact", note="a marker")
    told = suite.executions.answers["token-1"]
    assert (told["outcome"], told["reasons"], told["agreed"]) == ("normal", ["artefact"], True)
    assert [(each["choice"], each["role"]) for each in told["reads"]] == [("normal", "read")]
    assert told["reads"][0]["reviewer"].removeprefix("a2i:") == "ada"
    assert suite.task().votes[0].note == "a marker"
    assert "marker" not in str(told)


def test_two_who_agree(suite: Suite, at: Callable[[int], Place]) -> None:
    place = at(2)
    suite.ask(reads=2)
    place.read("ada", "pneumonia")
    assert suite.executions.answers == {}
    place.read("bo", "pneumonia")
    assert suite.executions.answers["token-1"]["agreed"] is True


def test_where_they_differ_another_one_of_the_own_queue_adjudicates(suite: Suite, at: Callable[[int], Place]) -> None:
    place = at(2)
    suite.ask(reads=2)
    place.read("ada", "pneumonia")
    place.read("bo", "normal", "artefact")
    assert suite.executions.answers == {}
    assert [each["task"] for each in suite.listed(state="adjudication")[1]["tasks"]] == [TASK]
    suite.read("cy", TASK, "normal", "rotated")
    told = suite.executions.answers["token-1"]
    assert (told["outcome"], told["agreed"], len(told["reads"])) == ("normal", False, 3)


def test_asked_again_nobody_is_asked_twice(suite: Suite, at: Callable[[int], Place]) -> None:
    place = at(1)
    suite.ask()
    suite.ask("token-2")
    assert len(suite.items("reviews")) == 1
    assert place.loops is None or place.loops.started == 1
    place.read("ada", "pneumonia")
    assert set(suite.executions.answers) == {"token-2"}


def test_withdrawn_it_wants_no_answer(suite: Suite, at: Callable[[int], Place]) -> None:
    place = at(1)
    assert suite.invoke_ask(WITHDRAWAL)["task"] is None
    suite.ask()
    for _ in range(2):
        assert suite.invoke_ask(WITHDRAWAL)["state"] == "cancelled"
    assert place.loops is None or place.loops.loops[TASK]["status"] == "Stopped"
    if place.loops:
        suite.remind(place.loops.event(TASK))
    suite.remind()
    assert (suite.executions.answers, suite.executions.failures["token-1"][0]) == ({}, "ReviewCancelled")


def test_nobody_answers(suite: Suite, at: Callable[[int], Place]) -> None:
    at(1)
    suite.ask(review_days=1)
    suite.wait(1441)
    suite.remind()
    assert suite.executions.failures["token-1"][0] == "ReviewExpired"


def test_a_task_of_a2i_is_not_taken_by_the_own_queue(suite: Suite, a2i: Callable[[int], HumanLoops]) -> None:
    a2i(1)
    suite.ask()
    status, answer = suite.lease("ada", TASK)
    assert (status, answer["error"]["code"]) == (409, "read_elsewhere")


def test_a_loop_that_failed_leaves_its_task_to_the_own_queue(suite: Suite, a2i: Callable[[int], HumanLoops]) -> None:
    loops = a2i(1)
    suite.ask()
    loops.fail(TASK)
    suite.remind(loops.event(TASK))
    suite.read("ada", TASK, "pneumonia")
    assert suite.executions.answers["token-1"]["reads"][0]["reviewer"] == "ada"


def test_an_event_that_comes_twice_or_of_another_loop(suite: Suite, a2i: Callable[[int], HumanLoops]) -> None:
    loops = a2i(1)
    suite.ask()
    loops.submit(TASK, "ada", "pneumonia")
    event = loops.event(TASK)
    for _ in range(2):
        suite.remind(event)
    assert len(suite.task().votes) == 1
    other = {**event, "detail": {**event["detail"], "humanLoopName": "somebodys-own-loop"}}
    assert suite.remind(other) == {"collected": 0}


def test_an_output_that_no_template_of_ours_gives_is_not_lost(suite: Suite, a2i: Callable[[int], HumanLoops]) -> None:
    loops = a2i(1)
    suite.ask()
    loops.submit(TASK, "ada", "pneumonia")
    suite.s3.put_object(Bucket="lake", Key=f"a2i/{TASK}/output.json", Body=b'{"humanAnswers": [{"no": 1}]}')
    with pytest.raises(Unavailable):
        suite.remind(loops.event(TASK))
    assert suite.task().end is None


def test_a2i_gets_the_question_and_nothing_else(suite: Suite, a2i: Callable[[int], HumanLoops]) -> None:
    loops = a2i(1)
    suite.ask(attachments=[ATTACHMENT], payload={"probability": 0.9})
    content = loops.loops[TASK]["content"]
    assert set(content) == set(Question._fields)
    assert content["attachments"][0]["uri"] == f"s3://lake/{ATTACHMENT['key']}"
    assert "token-1" not in str(content)


def test_the_template_uses_fields_that_a_question_has() -> None:
    text = (FILES / "task.liquid.html").read_text()
    used = set(re.findall(r"task\.input\.(\w+)", text))
    assert used <= set(Question._fields)
    assert used >= {"choices", "reasons", "attachments", "suggested"}
    for name in ('name="choice-{{ choice | escape }}"', 'name="reason-{{ reason | escape }}"', 'name="note"'):
        assert name in text
    assert "grant_read_access" in text
    assert text.count("{%") == text.count("%}")
    opened = re.findall(r"{% (if|for) ", text)
    assert len(opened) == len(re.findall(r"{% end(?:if|for) %}", text))


def test_the_flow_definition_is_one_that_sagemaker_takes() -> None:
    flow: dict[str, Any] = msgspec.json.decode((FILES / "flow_definition.json").read_bytes())
    model = ServiceModel(botocore.session.get_session().get_service_data("sagemaker"), "sagemaker")
    flow["OutputConfig"]["KmsKeyId"] = "arn:aws:kms:us-east-1:123456789012:key/one"
    assert not list(problems(model.operation_model("CreateFlowDefinition").input_shape, flow, "CreateFlowDefinition"))
