"""Reviewers list, take, look at and decide tasks; what they may see, who stands in the log, what the asker gets."""

from typing import Any

import pytest

from functions.review.asking import task_id
from tests.functional.review.suite import ATTACHMENT, Suite

TASK = task_id("imaging", "study-1")


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


def test_from_the_list_to_the_answer(suite: Suite) -> None:
    suite.ask(attachments=[ATTACHMENT], payload={"probability": 0.93})
    status, listed = suite.listed()
    assert status == 200
    (line,) = listed["tasks"]
    assert (line["task"], line["state"], line["open_to_you"], line["lease"]) == (TASK, "open", True, None)
    assert suite.lease("ada", TASK)[1]["lease"]["yours"]
    _, shown = suite.show("ada", TASK)
    assert (shown["suggested"], shown["payload"]) == ("pneumonia", {"probability": 0.93})
    status, answer = suite.decide("ada", TASK, "normal", "artefact", note="the marker, not the lung")
    assert (status, answer) == (200, {"task": TASK, "choice": "normal", "changed": True, "state": "done"})
    told = suite.executions.answers["token-1"]
    assert (told["outcome"], told["reasons"], told["agreed"]) == ("normal", ["artefact"], True)
    assert "marker" not in str(told)
    assert suite.task().votes[0].note == "the marker, not the lung"
    assert suite.listed()[1]["tasks"] == []
    assert [each["task"] for each in suite.listed(state="done")[1]["tasks"]] == [TASK]


@pytest.mark.safeguard("164.312(b)")
def test_everything_is_in_the_log_with_who_did_it(suite: Suite) -> None:
    suite.ask(attachments=[ATTACHMENT])
    suite.listed("ada")
    suite.lease("ada", TASK)
    suite.show("ada", TASK)
    suite.call("ada", "POST", "/tasks/{task}/release", task=TASK)
    suite.read("bo", TASK, "pneumonia")
    assert suite.audited() == [
        ("open_task", "function:ask", "study"),
        ("search", "reviewer:ada", "imaging"),
        ("lease", "reviewer:ada", "study"),
        ("view", "reviewer:ada", "study"),
        ("release", "reviewer:ada", "study"),
        ("lease", "reviewer:bo", "study"),
        ("decide", "reviewer:bo", "study"),
    ]


@pytest.mark.safeguard("164.312(a)(1)")
def test_links_are_for_who_holds_the_task(suite: Suite) -> None:
    suite.s3.put_object(Bucket="lake", Key=ATTACHMENT["key"], Body=b"png")
    suite.ask(attachments=[ATTACHMENT])
    suite.lease("ada", TASK)
    (link,) = suite.show("ada", TASK)[1]["attachments"]
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link["url"]
    assert "X-Amz-Expires=300" in link["url"]
    assert suite.show("bo", TASK)[1]["attachments"] == [{"name": "image-1", "type": "image/png", "url": None}]
    suite.wait(16)
    assert suite.show("ada", TASK)[1]["attachments"][0]["url"] is None, "the lease has run out"


@pytest.mark.safeguard("164.312(a)(1)")
def test_readers_do_not_see_each_other_and_the_adjudicator_sees_what_was_said(suite: Suite) -> None:
    suite.ask(reads=2)
    suite.read("ada", TASK, "pneumonia", note="left lower lobe")
    assert suite.show("bo", TASK)[1]["votes"] == []
    assert [vote["choice"] for vote in suite.show("ada", TASK)[1]["votes"]] == ["pneumonia"]
    suite.read("bo", TASK, "normal", "artefact")
    assert [vote["choice"] for vote in suite.show("bo", TASK)[1]["votes"]] == ["normal"], "only one's own"
    votes = suite.show("cy", TASK)[1]["votes"]
    assert [(vote["reader"], vote["reviewer"], vote["choice"]) for vote in votes] == [
        (1, None, "pneumonia"), (2, None, "normal"),
    ]  # fmt: skip
    assert votes[0]["note"] == "left lower lobe"
    for reader in ("ada", "bo"):
        assert code(suite.lease(reader, TASK)) == (409, "already_decided")
    assert suite.executions.answers == {}
    suite.read("cy", TASK, "pneumonia")
    told = suite.executions.answers["token-1"]
    assert (told["outcome"], told["agreed"]) == ("pneumonia", False)
    assert [(vote["reviewer"], vote["role"]) for vote in told["reads"]] == [
        ("ada", "read"), ("bo", "read"), ("cy", "adjudication"),
    ]  # fmt: skip
    shown = suite.show("ada", TASK)[1]
    assert [vote["reviewer"] for vote in shown["votes"]] == ["ada", "bo", "cy"]
    assert shown["outcome"] == {"choice": "pneumonia", "reasons": [], "agreed": False}


def test_states_of_a_task_in_the_lists(suite: Suite) -> None:
    suite.ask(reads=2)
    suite.ask("token-2", once="study-2", priority="urgent", sla_min=60)
    other = task_id("imaging", "study-2")
    assert [each["task"] for each in suite.listed()[1]["tasks"]] == [other, TASK], "what is due first comes first"
    suite.read("ada", TASK, "pneumonia")
    suite.lease("bo", other)
    by_state = {
        state: [each["task"] for each in suite.listed(state=state)[1]["tasks"]]
        for state in ("open", "second_read", "leased", "adjudication", "done")
    }
    assert by_state == {"open": [], "second_read": [TASK], "leased": [other], "adjudication": [], "done": []}
    assert suite.listed("bo")[1]["tasks"][0]["lease"]["yours"] is True
    assert suite.listed("ada")[1]["tasks"][0]["open_to_you"] is False


def test_pages_of_a_list(suite: Suite) -> None:
    for number in range(7):
        suite.ask(f"token-{number}", once=f"study-{number}", sla_min=100 + number)
    found, query = [], {"limit": "3"}
    while True:
        _, page = suite.listed(**query)
        found += [each["task"] for each in page["tasks"]]
        if page["next"] is None:
            break
        query["next"] = page["next"]
    assert found == [task_id("imaging", f"study-{number}") for number in range(7)]
    status, answer = suite.listed(queue="other", next=query["next"])
    assert (status, answer["error"]["field"]) == (400, "next")


@pytest.mark.parametrize(
    ("query", "field"),
    [({"queue": ""}, "queue"), ({"queue": "A B"}, "queue"), ({"state": "lost"}, "state"), ({"limit": "0"}, "limit"),
     ({"next": "???"}, "next")],
)  # fmt: skip
def test_a_list_that_cannot_be(suite: Suite, query: dict[str, str], field: str) -> None:
    status, answer = suite.listed(**query)
    assert (status, answer["error"]["field"]) == (400, field)


@pytest.mark.parametrize("verb", ["lease", "heartbeat", "release", "decision"])
def test_a_task_that_is_not_there(suite: Suite, verb: str) -> None:
    for name in ("a" * 26, "A B"):
        answer = suite.call("ada", "POST", f"/tasks/{{task}}/{verb}", {"choice": "normal"}, task=name)
        assert code(answer) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"choice": "tumour"}, "choice"),
        ({"choice": "normal"}, "reasons"),
        ({"choice": "normal", "reasons": ["bored"]}, "reasons"),
        ({"choice": "normal", "note": "x" * 2001}, "note"),
        ({}, "choice"),
        (b"no JSON", None),
    ],
)
def test_a_decision_that_cannot_be(suite: Suite, body: Any, field: str | None) -> None:
    suite.ask()
    suite.lease("ada", TASK)
    status, answer = suite.call("ada", "POST", "/tasks/{task}/decision", body, task=TASK)
    assert (status, answer["error"]["field"]) == (400, field)
    assert suite.task().votes == ()


def test_metrics_tell_of_decisions_and_disagreement(suite: Suite, metrics: Any) -> None:
    suite.ask(reads=2)
    suite.read("ada", TASK, "pneumonia")
    suite.read("bo", TASK, "normal", "artefact")
    suite.read("cy", TASK, "pneumonia")
    suite.decide("cy", TASK, "pneumonia")
    sums = metrics()
    assert {name: sums[name] for name in ("TasksOpened", "Decisions", "TasksDone", "Disagreements")} == {
        "TasksOpened": 1, "Decisions": 3, "TasksDone": 1, "Disagreements": 1,
    }  # fmt: skip
