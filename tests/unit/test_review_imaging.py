"""What imaging asks and the queue takes; what the queue answers and imaging takes: they share JSON, and no code."""

import msgspec
import pytest

from functions.imaging.policy import Policy
from functions.imaging.progress import CHOICES, Item, Progress, Review
from functions.imaging.routing import asked, routed
from functions.review.answering import answer
from functions.review.asking import call_of, task_id
from functions.review.task import Task
from tests.unit.review_tasks import T0, read

STUDY = "s" * 26


def study(instances: int) -> Progress:
    """All that an image may say, for so many images."""
    items = tuple(
        Item(
            instance=f"{number:026d}".replace("0", "a").replace("1", "b").replace("8", "c").replace("9", "d"),
            state="read", finding="pneumonia", probability=0.91234, why=("near_threshold", "view_unknown"),
            model_version="v-2026-11-23-0123456789abcdef",
        )
        for number in range(instances)
    )  # fmt: skip
    return Progress(study=STUDY, revision=1, items=items)


@pytest.mark.parametrize("instances", [1, 200])
def test_a_study_of_any_size_is_a_question(instances: int) -> None:
    progress, policy = study(instances), Policy()
    bucket = "cuatroimaging-deidentifiedbucket978ca3f2-9fac51b11e363"
    call = call_of({"token": "t" * 600, "ask": asked(progress, routed(progress.items), policy, bucket)})
    assert call.ask is not None
    assert (call.ask.subject, call.ask.once, call.ask.choices) == (STUDY, f"{STUDY}-1", CHOICES)
    assert len(call.ask.attachments) == 2 * instances
    assert policy.max_instances <= 200, "a larger study may be more than a task holds"


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("double_read", [False, True])
def test_every_answer_is_one_that_imaging_takes(choice: str, double_read: bool) -> None:
    progress = study(1)
    ask = call_of({
        "token": "token",
        "ask": asked(progress, routed(progress.items), Policy(double_read=double_read), "deidentified"),
    }).ask  # fmt: skip
    assert ask is not None
    task = Task(task=task_id(ask.queue, ask.once), ask=ask, token="token", opened=T0)  # noqa: S106 - no password
    for number in range(ask.reads):
        reasons = () if choice == ask.suggested else (ask.reasons[0],)
        task = read(task, f"reader-{number}", choice, reasons=reasons)
    assert ask.reads == (2 if double_read else 1)
    taken = msgspec.convert(answer(task), Review)
    assert (taken.outcome, taken.agreed, len(taken.reads)) == (choice, True, ask.reads)
