"""Retrainings that must not bring a model: each ends with a status and a reason, and the live model decides on."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd
import pytest

from local.feed.api import Api
from local.feed.batch import batched
from local.feed.labels import LABELS_A_CALL
from local.feed.transactions import rfc3339
from local.lifecycle.versions import versions
from models.fraud.scenario import poisoned
from tests.retraining.story import Story

DELIVERED_S = 60


@pytest.fixture(autouse=True)
def nothing_changed(story: Story, live: str) -> Iterator[None]:
    """No version was added or moved, and the model that decided before decides still."""
    before = [(each.arn, each.stage) for each in versions(story.control)]
    yield
    assert [(each.arn, each.stage) for each in versions(story.control)] == before
    assert story.deciders() == {live}


def failed(story: Story, reason: str, **parameters: str) -> dict[str, str]:
    """Step -> why it failed, of a retraining with these parameters."""
    ended = story.retrain(reason, **parameters)
    assert (ended.status, ended.failure) == ("Failed", "Step failure: One or multiple steps failed.")
    steps = story.control.steps(ended.arn)
    assert all(each.status == ("Failed" if each.failure else "Succeeded") for each in steps), steps
    return {each.name: each.failure for each in steps if each.failure}


def test_a_window_with_too_few_frauds_says_how_many_there_are(story: Story, live: str) -> None:
    (step,) = failed(story, "a short window", TrainDays="1").items()
    assert step[0] == "BuildTrainingSet"
    assert "known frauds among the " in step[1]
    assert "at least 30 are needed: wait for labels, or take more days (--train-days)" in step[1]


def test_a_training_that_crashes_is_told_in_its_own_words(story: Story, live: str) -> None:
    (step,) = failed(story, "no rounds", Rounds="0").items()
    assert step[0] == "Train"
    assert "hyperparameter rounds='0' is no whole number from 1 to 1000" in step[1]


def test_a_challenger_that_learned_tampered_labels_is_refused(story: Story, live: str) -> None:
    world = story.world
    everything = pd.concat([world.history, world.changed, world.kept])
    wrong = poisoned(everything, pd.Timestamp(datetime.now(UTC)))
    # Those that the suite itself decided: the API takes no labels of others.
    wrong = wrong[wrong["TRANSACTION_ID"].isin(world.changed["TRANSACTION_ID"])]
    labels = [
        {
            "version": 1, "transaction_id": row.TRANSACTION_ID, "fraud": bool(row.TX_FRAUD),
            "time": rfc3339(row.LABEL_TIME.to_pydatetime().replace(tzinfo=UTC)), "source": "analyst",
        }
        for row in wrong.itertuples()
    ]  # fmt: skip
    api = Api(story.connection, story.control.outputs["ApiUrl"])
    for batch in batched(labels, LABELS_A_CALL):
        assert api.post("/labels", {"labels": batch}).body == {"accepted": len(batch), "unknown": []}
    sent = {(each["transaction_id"], each["fraud"], "analyst") for each in labels}

    def delivered() -> bool | None:
        there = {(each["transaction_id"], each["fraud"], each["source"]) for each in story.lake("labels")}
        return sent <= there or None

    story.control.until(delivered, "the tampered labels in the lake", DELIVERED_S)

    (step,) = failed(story, "tampered labels").items()
    assert step[0] == "Refused"
    assert step[1].startswith("The challenger was refused: ")
    assert live in step[1]
