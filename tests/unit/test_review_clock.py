"""When the clock looks at a task, and what it finds: leases that lapsed, tasks overdue, questions that expired."""

from msgspec.structs import replace

from functions.review.clock import reminder, ticked, wake
from functions.review.deciding import ended, leased
from functions.review.task import DAY, MINUTE
from tests.unit.review_tasks import T0, read, task

SLA = 60 * MINUTE


def test_a_task_is_woken_for_the_first_thing_that_comes() -> None:
    open_task = task(sla_min=60)
    assert wake(open_task) == T0 + SLA
    assert wake(leased(open_task, "ada", T0)) == T0 + 15 * MINUTE
    assert wake(task(sla_min=525_600, review_days=2)) == T0 + 2 * DAY


def test_one_that_has_ended_wakes_until_its_asker_knows() -> None:
    done = read(task(), "ada", "pneumonia")
    assert wake(done) == T0 + MINUTE
    assert wake(replace(done, told=T0 + 2 * MINUTE)) is None
    assert wake(ended(task(), "cancelled", T0)) == T0


def test_nothing_happens_before_its_time() -> None:
    taken = leased(task(sla_min=60), "ada", T0)
    assert ticked(taken, T0 + 15 * MINUTE - 1) == (taken, False, False)


def test_a_lease_that_lapsed_is_gone() -> None:
    taken = leased(task(sla_min=60), "ada", T0)
    after = ticked(taken, T0 + 15 * MINUTE)
    assert (after.task.lease, after.lapsed, after.overdue) == (None, True, False)


def test_people_are_told_when_it_is_due_and_then_ever_more_seldom() -> None:
    current, told = task(sla_min=60), []
    for minute in range(0, 60 * 40, 5):
        after = ticked(current, T0 + minute * MINUTE)
        if after.overdue:
            told.append(minute // 60)
        current = after.task
    assert told == [1, 2, 4, 8, 16, 32]
    assert current.level == 6


def test_after_a_long_sleep_people_are_told_once() -> None:
    after = ticked(task(sla_min=60), T0 + 9 * 60 * MINUTE)
    assert (after.task.level, after.overdue) == (4, True)
    assert ticked(after.task, T0 + 9 * 60 * MINUTE) == (after.task, False, False)


def test_nobody_decided() -> None:
    taken = leased(task(review_days=1), "ada", T0 + DAY - MINUTE)
    after = ticked(taken, T0 + DAY)
    assert (after.task.end, after.task.ended, after.task.lease, after.overdue) == ("expired", T0 + DAY, None, False)
    assert ticked(after.task, T0 + 2 * DAY) == (after.task, False, False)


def test_a_reminder_says_which_task_and_nothing_of_its_content() -> None:
    late = ticked(read(task(reads=2, sla_min=60, payload={"probability": 0.9}), "ada", "normal", note="look again"),
                  T0 + 61 * MINUTE).task  # fmt: skip
    told = reminder(late, T0 + 61 * MINUTE)
    assert (told["level"], told["overdue_min"], told["state"], told["queue"]) == (1, 1, "second_read", "imaging")
    assert not {"votes", "payload", "subject", "note", "token"} & set(told)
    assert "look again" not in str(told)
