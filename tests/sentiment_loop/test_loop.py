"""Words change: corrections in the lake, retraining, gate, shadow, weighted alias, right classes; and what is refused.

One story, told in order: each test goes on where the one before it ended.
"""

from datetime import UTC, datetime

import numpy as np

from local.lifecycle.versions import versions
from tests.sentiment_loop.conftest import DAYS, LABELLED
from tests.sentiment_loop.story import Story
from tests.sentiment_loop.writing import PLAIN, SLANG, labelled, said

MEASURED = 45
POISON = 2
"""Wrong labels, for each right one."""


def test_the_model_of_the_deployment_classifies_what_is_written(story: Story) -> None:
    assert story.classifiers() == {story.shipped}


def test_the_gate_lets_a_model_pass_that_learned_the_new_words(story: Story) -> None:
    ended = story.retrain("people have new words")
    assert ended.status == "Succeeded", story.control.why(ended)
    steps = [each.name for each in story.control.steps(ended.arn)]
    assert steps == ["FindChampion", "BuildTrainingSet", "Train", "Evaluate", "Gate", "Register"]
    made = versions(story.control)[0]
    story.made = made.arn
    assert (made.approval, made.metric, made.reason) == ("Approved", "macro_recall", "people have new words")
    assert made.figure is not None
    assert made.gain is not None
    assert made.figure > made.gain > 0.03


def test_a_version_tells_where_it_comes_from(story: Story) -> None:
    package = story.control.sagemaker.describe_model_package(ModelPackageName=story.made)
    told = package["CustomerMetadataProperties"]
    assert told["champion_version"] == story.shipped
    assert len(told["model_sha256"]) == len(told["data_hash"]) == 64
    assert float(told["guard_macro_recall"]) > 0.5
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["Environment"] == {"CUATRO_MODEL": "sentiment"}


def test_it_goes_live_by_shadow_and_weighted_alias_and_knows_the_words(story: Story) -> None:
    rng = np.random.default_rng(11)
    before = story.right(said(rng, SLANG, MEASURED))
    found = story.reach(story.made)
    assert found.stage == "Production", found.note
    assert {"Shadow", "Canary"} & set(story.stages)
    assert story.classifiers() == {found.name}
    assert story.right(said(rng, SLANG, MEASURED)) > before + 0.1


def test_the_shadow_phase_compared_posts(story: Story) -> None:
    told = story.report(story.version(story.made).name)
    assert told["verdict"] == "good"
    assert told["rows"] >= 30
    assert told["agreement"] >= 0.8
    assert sum(told["classes"]["challenger"].values()) > 0.99
    assert told["bad_lines"] == 0


def test_a_model_of_poisoned_labels_is_refused(story: Story) -> None:
    """They fool the comparison on labels, which are as wrong; the guard set has never heard of them."""
    posts = said(np.random.default_rng(3), PLAIN, POISON * LABELLED)
    story.fill(labelled(posts, "poison", datetime.now(UTC), DAYS, turned=True), "poison")
    live, before = story.live(), [(each.arn, each.stage) for each in versions(story.control)]
    ended = story.retrain("somebody sends nonsense")
    assert ended.status == "Failed"
    steps = {each.name: each.failure for each in story.control.steps(ended.arn) if each.failure}
    assert set(steps) == {"Refused"}, steps
    assert steps["Refused"].startswith("The challenger was refused: macro recall")
    assert [(each.arn, each.stage) for each in versions(story.control)] == before
    assert story.classifiers() == {live.name}


def test_a_person_takes_the_last_promotion_back(story: Story) -> None:
    answer = story.control.roll_back("people complain")
    assert answer["version"] == story.shipped
    assert story.classifiers() == {story.shipped}
    assert story.version(story.made).stage == "RolledBack"
