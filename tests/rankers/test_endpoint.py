"""Lists by a SageMaker endpoint: on instances that scale, while it is away or hangs, serverless, and when it is gone.

One story, told in order: each test goes on where the one before it ended.
"""

import time

import pytest

from cuatro.adapters.ranker import OnnxRanker
from cuatro.ranking import Taken
from local.platform.deployment import deploy
from local.platform.process import ROOT
from tests.emulator.conftest import Faults
from tests.emulator.deployed import Item
from tests.emulator.roles import denied, role_of
from tests.rankers.ranked import POPULAR, STACK, Past, RankedShop, items_of, shares
from tests.waiting import eventually

BEGUN = 3
PATIENCE_S = 10
"""Of somebody who asks for a list, on a busy machine; the ranker alone may take three."""


@pytest.fixture(scope="module")
def shop(served: RankedShop) -> RankedShop:
    return served


@pytest.fixture(scope="module")
def shipped() -> OnnxRanker:
    """The same model, in this process."""
    return OnnxRanker(ROOT / "models" / "recommendations" / "model.onnx")


@pytest.fixture(scope="module")
def person(shop: RankedShop, past: Past) -> str:
    """Somebody with a taste."""
    user = shop.somebody()
    shop.takes(user, *past.taken(past.world.crowd.ids[0])[:BEGUN])
    return user


def whole(body: Item) -> bool:
    return not body["degraded"]


def test_the_function_has_no_model_and_may_ask_this_endpoint_alone(shop: RankedShop) -> None:
    configuration = shop.client("lambda").get_function_configuration(FunctionName=shop.outputs["ApiFunction"])
    endpoint = shop.outputs["ModelEndpointName"]
    assert configuration["Environment"]["Variables"]["MODEL_URI"] == f"sagemaker:{endpoint}"
    assert not [layer for layer in configuration["Layers"] if "model" in layer["Arn"].lower()]
    with role_of(shop, "ApiFunction") as role:
        runtime = role.client("sagemaker-runtime", endpoint_url=shop.platform.endpoint)
        body = {"ContentType": "application/json", "Body": b'{"instances": [{"k": 1}]}'}
        assert runtime.invoke_endpoint(EndpointName=endpoint, **body)["Body"].read()
        assert denied(runtime.invoke_endpoint, EndpointName=f"{endpoint}-other", **body)


def test_a_stranger_gets_what_the_model_knows_to_be_popular(shop: RankedShop, shipped: OnnxRanker) -> None:
    body = shop.becomes(shop.somebody(), whole, "a whole list")
    assert (body["model_version"], len(body["items"])) == (POPULAR, 10)
    assert shares(items_of(body), list(shipped.favourites())) == 1


def test_lists_are_those_of_the_shipped_model_and_follow_the_profile(
    shop: RankedShop, person: str, past: Past, shipped: OnnxRanker
) -> None:
    taken = past.taken(past.world.crowd.ids[0])[:BEGUN]
    body = shop.becomes(person, whole, "a whole list")
    assert body["model_version"] == shipped.version
    assert {each["because"] for each in body["items"] if each["source"] == "model"} <= set(taken)
    ranked = shipped.rank("", [Taken(item, 0.0) for item in reversed(taken)], taken, 100)
    scores = dict(zip(ranked.items, ranked.scores, strict=True))
    shown = {each["item_id"]: each["score"] for each in body["items"] if each["source"] == "model"}
    assert len(shown) > 5
    assert shown == pytest.approx({item: scores[item] for item in shown}, rel=0.01)
    assert shares(items_of(shop.shown(shop.somebody(), k=10)), list(shown)) < 0.5


def test_a_click_counts_in_the_next_list(shop: RankedShop, person: str) -> None:
    before = shop.shown(person, k=10)
    clicked = items_of(before)[0]
    shop.clicks(before, clicked)
    after = shop.shown(person, k=10)
    assert clicked not in items_of(after)
    assert clicked in {each["because"] for each in after["items"]}


def test_similar_items_are_the_models(shop: RankedShop, past: Past, shipped: OnnxRanker) -> None:
    item = past.taken(past.world.crowd.ids[0])[0]
    answer = shop.call("GET", f"/items/{item}/similar?k=5").body
    assert (answer["model_version"], answer["degraded"]) == (shipped.version, [])
    assert set(items_of(answer)) <= set(shipped.similar(item, 10).items)


def test_a_young_shop_has_whole_lists_for_strangers(shop: RankedShop, past: Past) -> None:
    others = past.taken(past.world.crowd.ids[1])[:BEGUN]
    shop.takes(shop.somebody(), *others)
    eventually(lambda: shop.popular().keys() >= set(others), "the first interactions, on their shelf")
    # The function trusts a shelf that it read for some seconds.
    body = shop.becomes(shop.somebody(), lambda body: set(others) <= set(items_of(body)), "a list with what is popular")
    assert len(body["items"]) == 10


def test_instances_follow_the_load_within_the_stacks_limits(shop: RankedShop, person: str) -> None:
    endpoint = shop.outputs["ModelEndpointName"]
    target, policy = scaling_of(shop, endpoint)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 6000
    scaling = shop.client("application-autoscaling")
    scaling.put_scaling_policy(
        PolicyName=policy["PolicyName"], PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={**tracking, "TargetValue": 1, "ScaleOutCooldown": 0},
        **{name: target[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
    )  # fmt: skip

    def instances() -> int:
        shop.shown(person, k=1)
        (variant,) = shop.client("sagemaker").describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    eventually(lambda: instances() > 1, "a second instance, with the load")


def scaling_of(shop: RankedShop, endpoint: str) -> tuple[Item, Item]:
    """Target and policy of the endpoint's variant."""
    scaling = shop.client("application-autoscaling")
    found = [
        scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"],
        scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"],
    ]
    ((target,), (policy,)) = ([each for each in rows if f"/{endpoint}/" in each["ResourceId"]] for rows in found)
    return target, policy


def test_while_it_fails_lists_are_popular_and_nobody_waits_long(
    shop: RankedShop, person: str, past: Past, away: Faults
) -> None:
    away.inject("sagemaker", code="ServiceUnavailable", status=503)
    began = time.monotonic()
    body = shop.shown(person, k=10)
    assert time.monotonic() - began < PATIENCE_S
    assert (body["model_version"], body["degraded"]) == (POPULAR, ["model"])
    assert set(past.taken(past.world.crowd.ids[1])[:BEGUN]) <= set(items_of(body)), "what other people took lately"
    assert away.failed() == 2, "tried once more, and no longer"
    away.end()
    assert whole(shop.shown(person, k=10))


def test_serverless_it_gives_the_same_lists(shop: RankedShop, person: str, shipped: OnnxRanker) -> None:
    before = shop.shown(person, k=10)
    deploy(shop.platform, lambda doing, share: None, {"serving": "serverless", "retraining": "off"}, [STACK])
    shop.outputs.update(shop.connection.outputs(STACK))
    endpoint = shop.outputs["ModelEndpointName"]
    (variant,) = shop.client("sagemaker").describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    assert "CurrentServerlessConfig" in variant
    found = shop.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert found["ScalableTargets"] == [], "serverless scales by itself"
    body = shop.becomes(person, whole, "a list by the endpoint, once its container has started")
    assert body["model_version"] == shipped.version
    assert shares(items_of(before), items_of(body)) > 0.8  # in some lists one place goes to a new item


def test_without_the_endpoint_there_are_lists_all_the_same(shop: RankedShop, person: str) -> None:
    shop.client("sagemaker").delete_endpoint(EndpointName=shop.outputs["ModelEndpointName"])
    body = shop.becomes(person, lambda body: not whole(body), "a list without the endpoint")
    assert (body["model_version"], body["degraded"]) == (POPULAR, ["model"])
    assert body["items"]
    assert shop.list_of(person).headers["Cache-Control"] == "no-store"
