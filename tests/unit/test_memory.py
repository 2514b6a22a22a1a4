"""What a process remembers of the tables: for how long it is fresh, how much there is of it."""

from functions.recommendations.api.memory import Memory


def test_what_was_read_is_fresh_for_a_while_and_kept_after_that() -> None:
    memory: Memory[str | None] = Memory(10)
    memory.put("a", "A", 100.0)
    memory.put("none", None, 100.0)
    assert memory.stale(["a", "b", "none", "b"], 109.9, 10) == ["b"]
    assert memory.stale(["a"], 110.0, 10) == ["a"]
    assert memory.last(["a", "b", "none"]) == {"a": "A", "none": None}


def test_with_an_age_of_nothing_everything_is_read_again() -> None:
    memory: Memory[str] = Memory(10)
    memory.put("a", "A", 100.0)
    assert memory.stale(["a"], 100.0, 0) == ["a"]


def test_a_clock_that_was_set_back_makes_nothing_fresh_for_ever() -> None:
    memory: Memory[str] = Memory(10)
    memory.put("a", "A", 1_000.0)
    assert memory.stale(["a"], 500.0, 10) == ["a"]


def test_what_was_read_longest_ago_goes_first() -> None:
    memory: Memory[int] = Memory(3)
    for number, key in enumerate("abcad"):
        memory.put(key, number, float(number))
    assert memory.last("abcd") == {"c": 2, "a": 3, "d": 4}
