"""Leases, independent reads, disagreement and adjudication: who may do what with a task, and what comes of it."""

import random
from typing import Any

import pytest

from cuatro.errors import Conflict, Rejected
from functions.review.answering import answer
from functions.review.deciding import Decision, decided, ended, leased, may_take, prolonged, released
from functions.review.task import MINUTE, Task, held, outcome, reads, stage, state
from tests.unit.review_tasks import CHOICES, T0, read, task

LEASE = 15 * MINUTE


def refused(code: str) -> Any:
    return pytest.raises(Conflict, check=lambda error: error.code == code)


def test_a_lease_keeps_others_away_until_it_runs_out() -> None:
    taken = leased(task(), "ada", T0)
    assert state(taken, T0) == "leased"
    with refused("leased_by_another"):
        leased(taken, "bo", T0 + LEASE - 1)
    with refused("leased_by_another"):
        released(taken, "bo", T0)
    assert state(taken, T0 + LEASE) == "open"
    assert leased(taken, "bo", T0 + LEASE).lease == leased(task(), "bo", T0 + LEASE).lease
    with refused("not_leased"):
        decided(taken, "ada", Decision(choice="pneumonia"), T0 + LEASE)


def test_a_heartbeat_prolongs_a_lease_that_has_not_run_out() -> None:
    taken = prolonged(leased(task(), "ada", T0), "ada", T0 + LEASE - 1)
    assert held(taken, T0 + 2 * LEASE - 2)
    with refused("not_leased"):
        prolonged(taken, "ada", T0 + 3 * LEASE)
    with refused("leased_by_another"):
        prolonged(taken, "bo", T0 + LEASE)


def test_taking_again_keeps_the_time_since_when() -> None:
    again = leased(leased(task(), "ada", T0), "ada", T0 + MINUTE)
    assert again.lease is not None
    assert (again.lease.since, again.lease.until) == (T0, T0 + MINUTE + LEASE)
    done = decided(again, "ada", Decision(choice="pneumonia"), T0 + 2 * MINUTE)
    assert done.votes[0].took_s == 120


def test_leaving_a_task_gives_it_back_and_may_be_repeated() -> None:
    left = released(leased(task(), "ada", T0), "ada", T0)
    assert (left.lease, released(left, "ada", T0)) == (None, left)
    assert leased(left, "bo", T0).lease


def test_one_read_decides_where_one_is_wanted() -> None:
    done = read(task(), "ada", "normal", note="clear lungs")
    assert (done.end, state(done, T0)) == ("done", "done")
    told = answer(done)
    assert (told["outcome"], told["reasons"], told["agreed"]) == ("normal", ["consolidation"], True)
    assert [(vote["reviewer"], vote["choice"]) for vote in told["reads"]] == [("ada", "normal")]
    assert "clear lungs" not in str(told), "notes stay in the table"


def test_two_reads_that_agree() -> None:
    first = read(task(reads=2), "ada", "pneumonia")
    assert (first.end, stage(first), outcome(first)) == (None, "second_read", None)
    done = read(first, "bo", "pneumonia")
    assert (done.end, outcome(done)) == ("done", ("pneumonia", (), True))


def test_two_reads_that_differ_are_adjudicated_by_a_third() -> None:
    both = read(read(task(reads=2), "ada", "pneumonia"), "bo", "normal")
    assert (both.end, stage(both)) == (None, "adjudication")
    for reader in ("ada", "bo"):
        assert not may_take(both, reader, T0)
        with refused("already_decided"):
            leased(both, reader, T0)
    done = read(both, "cy", "normal", reasons=("rotated",))
    assert [vote.role for vote in done.votes] == ["read", "read", "adjudication"]
    assert (done.end, outcome(done)) == ("done", ("normal", ("rotated",), False))


def test_without_adjudication_the_most_cautious_choice_stands() -> None:
    differing = task(reads=2, adjudicate=False)
    done = read(read(differing, "ada", "normal"), "bo", "not_readable", reasons=("artefact",))
    assert (done.end, outcome(done)) == ("done", ("not_readable", ("artefact",), False))


def test_nobody_gives_both_reads() -> None:
    with refused("already_decided"):
        leased(read(task(reads=2), "ada", "pneumonia"), "ada", T0)


def test_the_same_decision_again_changes_nothing_and_another_one_is_refused() -> None:
    done = read(task(), "ada", "normal", reasons=("artefact", "rotated"))
    assert decided(done, "ada", Decision(choice="normal", reasons=("rotated", "artefact")), T0) == done
    with refused("already_decided"):
        decided(done, "ada", Decision(choice="pneumonia"), T0)
    with refused("ended"):
        decided(done, "bo", Decision(choice="pneumonia"), T0)


@pytest.mark.parametrize(
    ("decision", "field"),
    [
        (Decision(choice="tumour"), "choice"),
        (Decision(choice="pneumonia", reasons=("bored",)), "reasons"),
        (Decision(choice="pneumonia", reasons=("rotated", "rotated")), "reasons"),
        (Decision(choice="normal"), "reasons"),
    ],
    ids=str,
)
def test_a_decision_wants_choices_and_reasons_of_the_question(decision: Decision, field: str) -> None:
    taken = leased(task(), "ada", T0)
    with pytest.raises(Rejected) as rejected:
        decided(taken, "ada", decision, T0)
    assert rejected.value.field == field


def test_overruling_needs_no_reason_where_there_are_none_to_give() -> None:
    assert read(task(reasons=[]), "ada", "normal", reasons=()).end == "done"
    assert read(task(suggested=None), "ada", "normal", reasons=()).end == "done"


def test_what_has_ended_stays_so() -> None:
    over = ended(leased(task(), "ada", T0), "expired", T0)
    assert (over.end, over.lease, ended(over, "cancelled", T0 + 1)) == ("expired", None, over)
    with refused("ended"):
        leased(over, "ada", T0)
    with refused("ended"):
        decided(over, "ada", Decision(choice="pneumonia"), T0)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_people_do_the_rules_hold(seed: int) -> None:
    """Four people, at random: takes, heartbeats, leaves, decisions, and time that passes."""
    chance = random.Random(seed)
    current: Task = task(reads=chance.choice([1, 2, 3]), adjudicate=chance.random() < 0.8, suggested=None)
    now = T0
    for _ in range(200):
        now += chance.choice([0, MINUTE, LEASE])
        before, who = current, chance.choice(["ada", "bo", "cy", "di"])
        holder = held(before, now)
        decision = Decision(choice=chance.choice(CHOICES))
        try:
            match chance.choice(["lease", "decide", "decide", "heartbeat", "release"]):
                case "lease":
                    current = leased(current, who, now)
                case "heartbeat":
                    current = prolonged(current, who, now)
                case "release":
                    current = released(current, who, now)
                case _:
                    current = decided(current, who, decision, now)
        except Conflict:
            assert current == before
            continue
        if len(current.votes) > len(before.votes):
            assert holder is not None
            assert holder.reviewer == who, "only who held it has decided"
        if before.end:
            assert current == before
    voters = [vote.reviewer for vote in current.votes]
    assert len(set(voters)) == len(voters) <= current.ask.reads + 1
    assert len(reads(current)) <= current.ask.reads
    assert (current.end == "done") == (outcome(current) is not None)
