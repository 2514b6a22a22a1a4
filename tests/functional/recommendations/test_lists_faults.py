"""What becomes of a list when something is away, damaged or throttled: a worse list that says so, never an error."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from tests.functional.recommendations import tiny_ranker
from tests.functional.recommendations.suite import Suite, names


def known(suite: Suite) -> None:
    suite.stand("popular#all", ("hit", 9), ("i-2", 3))
    suite.fill({"item_id": "i-2", "title": "Socks"}, {"item_id": "hit", "title": "Hit"})
    suite.know("u-1", ("i-1", "view", 1.0))


def test_a_popular_list_from_memory_when_dynamodb_is_away(suite: Suite, metrics: Callable[[], Counter[str]]) -> None:
    known(suite)
    suite.recommend()
    metrics()
    suite.wire.down("BatchGetItem")
    suite.wire.down("BatchExecuteStatement")
    status, answer = suite.recommend(k="2")
    assert (status, names(answer), answer["items"][0]["title"]) == (200, ["hit", "i-2"], "Hit")
    assert answer["degraded"] == ["list", "profile"], "titles are from memory too"
    assert (answer["list_id"], answer["next"]) == (None, None), "nobody could tell what was done with it"
    assert suite.headers["Cache-Control"] == "no-store"
    assert "ETag" not in suite.headers
    assert metrics()["ListsDegraded"] == 1


def test_the_models_popular_items_when_nothing_was_ever_read(suite: Suite) -> None:
    suite.wire.down("BatchGetItem")
    status, answer = suite.recommend(k="2")
    assert (status, names(answer)) == (200, ["i-1", "i-2"])
    assert answer["degraded"] == ["catalogue", "list", "popular", "profile"]


def test_after_one_call_without_an_answer_nothing_more_is_asked(suite: Suite) -> None:
    suite.wire.down("BatchGetItem")
    suite.wire.calls.clear()
    suite.recommend()
    assert suite.wire.calls == {"BatchGetItem": 2}, "two attempts of one call: somebody waits"


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_throttling_is_ridden_out_or_done_without(suite: Suite, code: str) -> None:
    known(suite)
    suite.wire.refuse("BatchGetItem", code, times=1)
    assert suite.recommend(k="1")[1]["degraded"] == []
    suite.wire.refuse("BatchGetItem", code, times=2)
    assert "profile" in suite.recommend(k="1")[1]["degraded"]
    assert suite.recommend(k="1")[1]["degraded"] == [], "the next one is whole"


def test_keys_that_stay_throttled_are_told(suite: Suite) -> None:
    """All tables answer, the profile's partition does not."""
    known(suite)

    def throttled(answer: dict[str, Any]) -> dict[str, Any]:
        answer["Responses"].pop("profiles", None)
        keys = [{"user_id": {"S": "u-1"}}]
        return {**answer, "UnprocessedKeys": {"profiles": {"Keys": keys, "ConsistentRead": True}}}

    suite.wire.edit("BatchGetItem", throttled, times=4)
    status, answer = suite.recommend(k="1")
    assert (status, names(answer), answer["degraded"]) == (200, ["hit"], ["profile"])
    assert answer["list_id"] in suite.items("lists")


def test_a_list_that_cannot_be_stored_is_answered_without_an_id(suite: Suite) -> None:
    known(suite)
    suite.wire.down("BatchExecuteStatement")
    status, answer = suite.recommend(k="1")
    assert (status, names(answer), answer["list_id"], answer["degraded"]) == (200, ["i-2"], None, ["list"])


def test_a_lost_answer_to_the_write_is_no_fault(suite: Suite) -> None:
    known(suite)
    suite.wire.lose_answer("BatchExecuteStatement")
    answer = suite.recommend(k="1")[1]
    assert (answer["degraded"], list(suite.items("lists"))) == ([], [answer["list_id"]])


def test_a_damaged_profile_or_shelf_stops_nothing(suite: Suite) -> None:
    known(suite)
    dynamo().put_all("profiles", [{"user_id": "u-1", "n": 3, "p": b"\xc1rubbish"}])
    assert names(suite.recommend(k="1")[1]) == ["hit"]
    dynamo().put_all("shelves", [{"shelf": "popular#country=IT", "n": 1, "p": b"\x00"}])
    answer = suite.recommend(k="1", context="country:IT")[1]
    assert (names(answer), answer["degraded"]) == (["hit"], ["popular", "profile"])


def test_a_missing_model_gives_popular_items(
    suite: Suite, environment: pytest.MonkeyPatch, metrics: Callable[[], Counter[str]]
) -> None:
    known(suite)
    environment.setenv("MODEL_URI", "/nowhere/model.onnx")
    settings.cache_clear()
    status, answer = suite.recommend(k="1")
    assert (status, names(answer), answer["model_version"], answer["degraded"]) == (200, ["hit"], "popular", ["model"])
    assert metrics()["RankerFailures"] == 1


def test_an_endpoint_that_is_away_gives_popular_items(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    known(suite)
    environment.setenv("MODEL_URI", "sagemaker:ranker")
    settings.cache_clear()
    suite.wire.down("POST")
    status, answer = suite.recommend(k="1")
    assert (status, names(answer), answer["degraded"]) == (200, ["hit"], ["model"])


def test_without_model_and_shelves_there_is_nothing_to_show(
    suite: Suite, environment: pytest.MonkeyPatch, metrics: Callable[[], Counter[str]]
) -> None:
    environment.setenv("MODEL_URI", "sagemaker:ranker")
    settings.cache_clear()
    suite.wire.down("POST")
    status, answer = suite.recommend(k="1")
    assert (status, names(answer), answer["degraded"]) == (200, [], ["model"])
    assert metrics()["ListsEmpty"] == 1


def shadow(environment: pytest.MonkeyPatch, uri: Path | str) -> None:
    environment.setenv("SHADOW_MODEL_URI", str(uri))
    settings.cache_clear()


def test_a_shadow_ranks_under_the_same_rules_and_is_never_shown(
    suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known(suite)
    suite.fill({"item_id": "i-9", "title": "gone", "available": False})
    follows = {"i-1": {"i-9": 1.0, "i-8": 0.9, "i-7": 0.8}}
    shadow(environment, tiny_ranker.save(tmp_path / "model.onnx", version="tiny-2", follows=follows))
    answer = suite.recommend(k="2")[1]
    assert (names(answer), answer["model_version"]) == (["i-2", "i-3"], "tiny-1")
    served = suite.served(answer["list_id"])
    assert served.shadow is not None
    assert (served.shadow.version, served.shadow.items) == ("tiny-2", ("i-8", "i-7"))


@pytest.mark.parametrize("damage", ["absent", "not a model", "another checksum"])
def test_a_broken_shadow_is_told_and_stops_nothing(
    suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path, damage: str, metrics: Callable[[], Counter[str]]
) -> None:
    known(suite)
    path = tmp_path / "model.onnx"
    if damage == "not a model":
        path.write_bytes(b"rubbish")
    elif damage == "another checksum":
        tiny_ranker.save(path)
        Path(f"{path}.sha256").write_text("0" * 64, encoding="utf-8")
    shadow(environment, path)
    status, answer = suite.recommend(k="1")
    assert (status, names(answer), answer["degraded"]) == (200, ["i-2"], [])
    assert suite.served(answer["list_id"]).shadow is None
    assert metrics()["ShadowFailures"] == 1


def test_lists_that_no_model_ranked_have_no_shadow(suite: Suite, environment: pytest.MonkeyPatch, tiny: Path) -> None:
    known(suite)
    shadow(environment, tiny)
    served = suite.served(suite.recommend("nobody")[1]["list_id"])
    assert (served.model_version, served.shadow) == ("popular", None)


def test_where_only_the_shadow_knows_somebody_it_gets_its_trial(
    suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The shipped model in a shop of other items, and the first one that was trained there."""
    suite.know("u-1", ("x-1", "view", 1.0))
    path = tmp_path / "model.onnx"
    theirs = [*tiny_ranker.NAMES[:10], "x-1", "x-2"]
    shadow(environment, tiny_ranker.save(path, version="tiny-2", names=theirs, follows={"x-1": {"x-2": 1.0}}))
    served = suite.served(suite.recommend(k="2")[1]["list_id"])
    assert served.model_version == "popular"
    assert served.shadow is not None
    assert (served.shadow.version, served.shadow.items[0]) == ("tiny-2", "x-2")


def test_a_huge_history_is_ranked(suite: Suite) -> None:
    taken = [(f"x-{number}", "view", number / 10) for number in range(98)]
    suite.know("u-1", *taken[:50], ("i-1", "view", 5.0), *taken[50:], ("i-7", "view", 10.0))
    assert names(suite.recommend(k="2")[1]) == ["i-2", "i-3"]


def test_an_incomplete_policy_is_a_clear_fault_of_the_deployment(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POLICY", json.dumps({"diversty": 0.1}))
    settings.cache_clear()
    status, answer = suite.recommend()
    assert (status, answer["error"]["code"]) == (500, "internal_server")
