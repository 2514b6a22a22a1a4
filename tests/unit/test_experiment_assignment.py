"""Who is in which arm: shares hold, nobody changes arms, experiments are independent of each other."""

import msgspec
import pytest

from cdk.policies import RecommendationPolicy
from functions.recommendations.experiment import EVERYBODY, Arm, Experiment, assigned
from functions.recommendations.policy import Policy, policies

PINNED = ["model", "model", "model", "popular", "popular", "model", "popular", "model"]
USERS = [f"user-{number}" for number in range(20_000)]


def two(name: str = "ranking-1", share: float = 0.9) -> Experiment:
    return Experiment(name, (Arm("model", share), Arm("popular", round(1 - share, 9), {"ranker": "popular"})))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 1.0])
def test_an_arm_has_its_share_of_the_users(share: float) -> None:
    found = sum(assigned(two(share=share), user).name == "model" for user in USERS) / len(USERS)
    assert found == pytest.approx(share, abs=4 * (share * (1 - share) / len(USERS)) ** 0.5)


def test_a_user_stays_in_an_arm() -> None:
    first = [assigned(two(), user).name for user in USERS[:500]]
    assert [assigned(two(), user).name for user in USERS[:500]] == first


def test_a_larger_share_keeps_those_who_were_in() -> None:
    """A ramp from 10 % to 50 % moves nobody out of the first arm."""
    small = {user for user in USERS if assigned(two(share=0.1), user).name == "model"}
    large = {user for user in USERS if assigned(two(share=0.5), user).name == "model"}
    assert small < large


def test_another_experiment_deals_anew() -> None:
    both = sum(
        assigned(two("a", 0.5), user).name == assigned(two("b", 0.5), user).name == "model" for user in USERS
    ) / len(USERS)
    assert both == pytest.approx(0.25, abs=0.015)


def test_assignment_is_the_same_on_every_machine() -> None:
    """Pinned: a change of the hash would move users between the arms of a running experiment."""
    assert [assigned(two(share=0.5), f"u{number}").name for number in range(8)] == PINNED


def test_names_of_any_script_have_an_arm() -> None:
    assert assigned(two(), "Ζωή 🛒").name in {"model", "popular"}
    assert assigned(EVERYBODY, "x").name == "all"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"experiment":{"name":"x","arms":[{"name":"a","share":0.5},{"name":"b","share":0.6}]}}', "add up to 1.1"),
        ('{"experiment":{"name":"x","arms":[{"name":"a","share":0.5},{"name":"a","share":0.5}]}}', "one name"),
        ('{"experiment":{"name":"x","arms":[]}}', "length >= 1"),
        ('{"experiment":{"name":"x","arms":[{"name":"a","share":1,"changes":{"diversty":1}}]}}', "diversty"),
        ('{"experiment":{"name":"x","arms":[{"name":"a","share":1,"changes":{"experiment":{}}}]}}', "experiment"),
        ('{"explore_slot":0}', "explore_slot"),
        ('{"diversity":1.5}', "diversity"),
        ('{"nonsense":1}', "nonsense"),
    ],
)
def test_a_wrong_policy_is_told_by_its_field(text: str, why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        Policy.from_json(text)


def test_an_arm_changes_the_policy_and_nothing_else() -> None:
    changes = '{"ranker":"popular","diversity":0}'
    made = policies(
        '{"diversity":0.3,"pages":2,"experiment":{"name":"x","arms":'
        f'[{{"name":"a","share":0.5}},{{"name":"b","share":0.5,"changes":{changes}}}]}}}}'
    )
    assert (made.of_arm["a"].ranker, made.of_arm["a"].diversity) == ("model", 0.3)
    assert (made.of_arm["b"].ranker, made.of_arm["b"].diversity, made.of_arm["b"].pages) == ("popular", 0, 2)


def test_what_is_deployed_is_what_the_functions_take() -> None:
    """Every field and every default on both sides, but the experiment, which the functions have none of by default."""
    deployed = Policy.from_json(RecommendationPolicy().as_json())
    assert {arm.name: arm.share for arm in deployed.experiment.arms} == {"model": 0.9, "popular": 0.1}
    assert msgspec.structs.replace(deployed, experiment=EVERYBODY) == Policy()
