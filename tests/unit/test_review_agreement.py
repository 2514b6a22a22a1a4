"""Kappa against published tables and an independent implementation; the report of a queue; labels for retraining."""

import random
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from functions.review.agreement import agreement
from functions.review.kappa import cohen, fleiss
from functions.review.labels import label
from functions.review.task import Task
from tests.unit.review_tasks import read, task


def pairs(table: dict[tuple[str, str], int]) -> list[tuple[str, ...]]:
    return [votes for votes, times in table.items() for _ in range(times)]


def test_cohen_of_a_table_that_is_known() -> None:
    """J. Sim and C. Wright, The kappa statistic in reliability studies (2005), table 1: kappa 0.67."""
    found = cohen(pairs({("yes", "yes"): 22, ("yes", "no"): 2, ("no", "yes"): 4, ("no", "no"): 11}))
    assert found.value is not None
    assert found.value == pytest.approx(0.67, abs=0.005)
    assert found.observed == pytest.approx(33 / 39)


def test_fleiss_of_a_table_that_is_known() -> None:
    """Fourteen raters, ten subjects, five categories: the example that textbooks print, kappa 0.210."""
    rows = ["0 0 0 0 14", "0 2 6 4 2", "0 0 3 5 6", "0 3 9 2 0", "2 2 8 1 1", "7 7 0 0 0", "3 2 6 3 0", "2 5 3 2 2",
            "6 5 2 1 0", "0 2 2 3 7"]  # fmt: skip
    votes = [tuple(str(c) for c, times in enumerate(map(int, row.split())) for _ in range(times)) for row in rows]
    assert fleiss(votes).value == pytest.approx(0.210, abs=0.0005)


@pytest.mark.parametrize("seed", range(5))
def test_values_are_those_of_independent_implementations(seed: int) -> None:
    chance = random.Random(seed)
    choices = ["normal", "not_readable", "pneumonia"]
    votes = []
    for _ in range(80):
        truth = chance.choice(choices)
        votes.append(tuple(truth if chance.random() < 0.7 else chance.choice(choices) for _ in range(3)))
    first, second = [each[0] for each in votes], [each[1] for each in votes]
    assert cohen([each[:2] for each in votes]).value == pytest.approx(cohen_kappa_score(first, second))
    coded = [[choices.index(vote) for vote in each] for each in votes]
    assert fleiss(votes).value == pytest.approx(fleiss_kappa(aggregate_raters(coded)[0]))


def test_the_interval_is_that_of_theory_for_many_tasks() -> None:
    """J. L. Fleiss, J. Cohen, B. S. Everitt, Large sample standard errors of kappa (1969), as statsmodels has it."""
    table = {("a", "a"): 300, ("a", "b"): 60, ("b", "a"): 40, ("b", "b"): 200}
    found, theory = cohen(pairs(table)), cohens_kappa([[300, 60], [40, 200]])
    assert found.low is not None
    assert found.high is not None
    assert (found.low, found.high) == pytest.approx((theory.kappa_low, theory.kappa_upp), abs=0.002)


def test_what_nothing_can_be_said_of() -> None:
    assert cohen([]) == (None, None, None, 0, None)
    assert cohen([("a", "a")] * 5) == (None, None, None, 5, 1.0)
    few = cohen([("a", "a"), ("b", "b")])
    assert (few.value, few.low) == (1.0, None)
    with pytest.raises(ValueError, match="equally many"):
        fleiss([("a", "b"), ("a", "b", "c")])
    with pytest.raises(ValueError, match="two at least"):
        fleiss([("a",)])


def decided(number: int, *votes: tuple[str, str], **fields: Any) -> Task:
    found = task(once=f"study-{number}", reads=2, **fields)
    for reviewer, choice in votes:
        found = read(found, reviewer, choice)
    return found


def test_the_report_of_a_queue() -> None:
    agreed = [decided(number, ("ada", "pneumonia"), ("bo", "pneumonia")) for number in range(6)]
    agreed += [decided(number, ("bo", "normal"), ("ada", "normal")) for number in range(6, 10)]
    split = [decided(10, ("ada", "pneumonia"), ("bo", "normal"), ("cy", "normal"))]
    told = agreement([*agreed, *split])
    assert (told["tasks"], told["disagreements"], told["outcomes"]) == (11, 1, {"pneumonia": 6, "normal": 5})
    (pair,) = told["pairs"]
    assert (pair["readers"], pair["tasks"]) == (["ada", "bo"], 11)
    first = ["p"] * 6 + ["n"] * 4 + ["p"]
    second = ["p"] * 6 + ["n"] * 4 + ["n"]
    assert pair["kappa"] == pytest.approx(cohen_kappa_score(first, second), abs=0.0001)
    low, high = pair["interval"]
    assert low < pair["kappa"] < high <= 1
    assert told["readers"]["2"]["tasks"] == 11
    assert told["overruled"] == pytest.approx(5 / 11, abs=0.0001)
    assert told["reasons"] == {"consolidation": 5}
    assert told["median_s"] == 60


def test_a_report_of_nothing() -> None:
    told = agreement([])
    assert (told["tasks"], told["readers"], told["pairs"], told["overruled"], told["median_s"]) == (
        0,
        {},
        [],
        None,
        None,
    )
    assert told["model"]["kappa"] is None


def test_a_label_has_what_retraining_needs_and_no_more() -> None:
    attachment = {"name": "image-1", "bucket": "deidentified", "key": "studies/a/b/image.png", "type": "image/png"}
    split = decided(
        1, ("ada", "pneumonia"), ("bo", "normal"), ("cy", "normal"), attachments=[attachment], payload={"model": "v-1"}
    )
    found = label(split)
    assert found is not None
    assert (found.label, found.suggested, found.agreed, found.adjudicated, found.reads) == (
        "normal", "pneumonia", False, True, 2,
    )  # fmt: skip
    assert (found.attachments[0].key, found.payload) == ("studies/a/b/image.png", {"model": "v-1"})
    assert not {"votes", "note", "reviewer", "token"} & set(found.__struct_fields__)
    assert label(task()) is None
