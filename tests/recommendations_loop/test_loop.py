"""Tastes change: history in the lake, retraining, gate, shadow, weighted alias, better lists; and what is refused.

One story, told in order: each test goes on where the one before it ended.
"""

import json
import re

import numpy as np
import onnx
import pandas as pd

from local.lifecycle.backfill import put_files
from local.lifecycle.versions import versions
from models.recommendations.backfill import files
from models.recommendations.world import World
from tests.recommendations_loop.conftest import NOW
from tests.recommendations_loop.story import POPULAR, Story
from tests.registration import model_of, register

MEASURED = 150
POISON = 2
"""Things that nobody wanted, for each one that somebody took."""
EVALUATED_DAYS = 3


def hits(story: Story, world: World, people: list[str]) -> float:
    """Mean probability that somebody's list holds the next wish, of those whose lists a model ranks."""
    places, shares = {user: place for place, user in enumerate(world.crowd.ids)}, []
    for user in people:
        body = story.shown(user)
        if body["model_version"] != POPULAR:
            shares.append(world.share(places[user], [each["item_id"] for each in body["items"]], NOW))
    assert len(shares) > len(people) / 2
    return float(np.mean(shares))


def test_the_model_of_the_deployment_ranks_the_lists_of_people_with_a_past(story: Story) -> None:
    users, had_one = story.known
    assert users == len(story.people) > 500
    assert had_one == 0
    lists = story.traffic(30)
    assert {each["model_version"] for each in lists} == {story.shipped, POPULAR}, "one in ten is a hold-out"
    assert all(len(each["items"]) == 10 for each in lists if each["model_version"] == story.shipped)


def test_the_gate_lets_a_model_of_the_last_weeks_pass(story: Story) -> None:
    ended = story.retrain("tastes have changed")
    assert ended.status == "Succeeded", story.control.why(ended)
    steps = [each.name for each in story.control.steps(ended.arn)]
    assert steps == ["FindChampion", "BuildTrainingSet", "Train", "Evaluate", "Gate", "Register"]
    made = versions(story.control)[0]
    story.made = made.arn
    assert (made.approval, made.metric, made.reason) == ("Approved", "ndcg_10", "tastes have changed")
    assert made.figure is not None
    assert made.gain is not None
    assert made.figure > made.gain > 0.01


def test_a_version_tells_where_it_comes_from(story: Story) -> None:
    package = story.control.sagemaker.describe_model_package(ModelPackageName=story.made)
    told = package["CustomerMetadataProperties"]
    assert told["champion_version"] == story.shipped
    assert len(told["model_sha256"]) == len(told["data_hash"]) == 64
    assert float(told["recall_10"]) > float(told["ndcg_10"])
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["Environment"] == {"CUATRO_MODEL": "recommendations"}


def test_it_goes_live_by_shadow_and_weighted_alias_and_lists_are_better(story: Story, world: World) -> None:
    measured = story.people[:MEASURED]
    before = hits(story, world, measured)
    found = story.reach(story.made)
    assert found.stage == "Production", found.note
    assert {"Shadow", "Canary"} & set(story.stages)
    assert story.rankers() == {found.name}
    assert hits(story, world, measured) > before + 0.02


def test_the_shadow_phase_compared_lists(story: Story) -> None:
    told = story.report(story.version(story.made).name)
    assert told["verdict"] == "good"
    assert told["rows"] >= 30
    assert told["comparable"] > told["rows"] / 2
    assert 0.05 < told["overlap_10"]["mean"] < 1
    assert told["empty"]["challenger"] == 0
    assert told["bad_lines"] == 0


def test_a_model_of_poisoned_interactions_is_refused(story: Story) -> None:
    rng = np.random.default_rng(3)
    newest = story.past["time"].max() - pd.Timedelta(days=EVALUATED_DAYS)
    trained = story.past[(story.past["time"] < newest) & (story.past["kind"] == "view")]
    wrong = pd.concat([trained] * POISON, ignore_index=True)
    wrong["item_id"] = rng.choice(story.past["item_id"].unique(), len(wrong))
    wrong["event_id"] = [f"poison-{number}" for number in range(len(wrong))]
    wrong["time"] += pd.to_timedelta(rng.integers(1, 600, len(wrong)), unit="s")
    put_files(story.connection, "recommendations", files(wrong), "poison")
    live, before = story.live(), [(each.arn, each.stage) for each in versions(story.control)]
    ended = story.retrain("somebody sends nonsense")
    assert ended.status == "Failed"
    steps = {each.name: each.failure for each in story.control.steps(ended.arn) if each.failure}
    assert set(steps) == {"Refused"}, steps
    assert steps["Refused"].startswith("The challenger was refused: ")
    assert [(each.arn, each.stage) for each in versions(story.control)] == before
    assert story.rankers() == {live.name}


def test_a_model_of_another_shop_does_not_survive_the_shadow_phase(story: Story) -> None:
    live = story.live()
    model = onnx.load_from_string(model_of(story.control, story.made))
    for each in model.metadata_props:
        if each.key == "version":
            each.value = "another-shop"
        elif each.key == "items":
            each.value = json.dumps([f"else-{number}" for number in range(len(json.loads(each.value)))])
    found = story.reach(register(story.control, story.made, "another-shop", model.SerializeToString()))
    assert found.stage == "RolledBack"
    # Of nobody's past does it know anything: all get its most popular things, which this shop does not have.
    assert re.match(r"the challenger would show \d\d different items where the champion showed \d{3}", found.note)
    assert story.report("another-shop")["overlap_10"]["mean"] < 0.1
    assert story.live().arn == live.arn
    assert story.rankers() == {live.name}


def test_a_person_takes_the_last_promotion_back(story: Story) -> None:
    answer = story.control.roll_back("people complain")
    assert answer["version"] == story.shipped
    assert story.rankers() == {story.shipped}
    assert story.version(story.made).stage == "RolledBack"
