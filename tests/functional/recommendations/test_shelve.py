"""From the catalogue to the shelf of what is new: items come, change, sell out and go."""

import time

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.errors import Unavailable
from functions.recommendations import shelves
from functions.recommendations.shelves import Answers, NewItem, NewItems
from tests.functional.recommendations.suite import Suite, ago


def item(item_id: str, days: float, **changes: object) -> dict[str, object]:
    """An item that came so many days ago."""
    title = f"Item {item_id}"
    return {"item_id": item_id, "title": title, "category": "toys", "available": True, "added": ago(days), **changes}


def new(suite: Suite) -> list[str]:
    shelf = suite.items("shelves").get(shelves.NEW)
    return [each.item for each in shelves.new_items(shelf["p"] if shelf else None, int(time.time() * 1000), 14)]


def test_what_is_new_in_the_catalogue_stands_on_the_shelf_newest_first(suite: Suite) -> None:
    suite.fill(item("old", 15), item("newer", 1), item("new", 13), item("sold-out", 1, available=False))
    assert suite.shelve() == {"batchItemFailures": []}
    assert new(suite) == ["newer", "new"]
    (first, _) = shelves.decode_new(suite.items("shelves")[shelves.NEW]["p"]).items
    assert (first.category, first.impressions, first.clicks) == ("toys", 0, 0)


def test_an_item_without_a_readable_date_is_not_new(suite: Suite) -> None:
    undated = item("undated", 0)
    del undated["added"]
    suite.fill(
        undated, item("soonish", 0, added="yesterday"), item("zoneless", 0, added="2999-01-01T00:00:00"),
        item("numbered", 0, added=5), item("good", 0),
    )  # fmt: skip
    assert suite.shelve() == {"batchItemFailures": []}
    assert new(suite) == ["good"]


def test_an_item_without_category_is_new_all_the_same(suite: Suite) -> None:
    plain = item("plain", 1)
    del plain["category"], plain["available"]
    suite.fill(plain)
    suite.shelve()
    assert new(suite) == ["plain"]


def test_an_item_of_tomorrow_waits(suite: Suite) -> None:
    suite.fill(item("tomorrow", -1))
    suite.shelve()
    assert new(suite) == []
    shelf = suite.items("shelves")[shelves.NEW]["p"]
    in_two_days = int((time.time() + 2 * 86_400) * 1000)
    assert [each.item for each in shelves.new_items(shelf, in_two_days, 14)] == ["tomorrow"]


def test_the_shelf_outlives_what_waits_on_it(suite: Suite) -> None:
    """Nobody may write it meanwhile: the catalogue stays as it is, and nothing is there to be explored."""
    suite.fill(item("in-three-weeks", -21))
    suite.shelve()
    assert suite.items("shelves")[shelves.NEW]["x"] > time.time() + (21 + 14) * 86_400


def test_an_item_that_is_sold_out_deleted_or_found_to_be_old_leaves_the_shelf(suite: Suite) -> None:
    suite.fill(item("a", 1), item("b", 2), item("c", 3), item("d", 4))
    suite.shelve()
    suite.fill(item("a", 1, available=False), item("b", 40))
    dynamo().delete("items", {"item_id": "c"})
    assert suite.shelve() == {"batchItemFailures": []}
    assert new(suite) == ["d"]


def test_an_item_that_sells_out_and_comes_back_in_one_delivery_is_there(suite: Suite) -> None:
    suite.fill(item("a", 1))
    suite.fill(item("a", 1, available=False))
    suite.fill(item("a", 1))
    suite.shelve()
    assert new(suite) == ["a"]


def test_what_is_known_of_an_item_survives_another_import(suite: Suite) -> None:
    suite.fill(item("a", 1))
    suite.shelve()
    shelf = shelves.decode_new(suite.items("shelves")[shelves.NEW]["p"])
    dynamo().put_all("shelves", [{
        "shelf": shelves.NEW, "n": 2, "p": shelves.encode(shelves.answered(shelf, Answers({"a": 9}, {"a": 4})))
    }])  # fmt: skip
    suite.fill(item("a", 1, title="Another title"), item("b", 0))
    suite.shelve()
    after = shelves.decode_new(suite.items("shelves")[shelves.NEW]["p"]).items
    assert [(each.item, each.impressions, each.clicks) for each in after] == [("b", 0, 0), ("a", 9, 4)]


def test_an_import_of_what_everybody_knows_writes_nothing_twice(suite: Suite) -> None:
    suite.fill(*(item(f"i-{number}", 100) for number in range(120)))
    suite.shelve()
    number = suite.items("shelves")[shelves.NEW]["n"]
    suite.fill(*(item(f"j-{number}", 100) for number in range(120)))
    suite.shelve()
    assert suite.items("shelves")[shelves.NEW]["n"] == number
    assert new(suite) == []


def test_more_new_items_than_fit_leave_the_newest(suite: Suite) -> None:
    suite.fill(*(item(f"{number:03}", number / 100) for number in range(250)))
    suite.shelve()
    assert new(suite) == [f"{number:03}" for number in range(shelves.CAPACITY)]


def test_a_throttled_shelf_has_the_catalogue_wait(suite: Suite) -> None:
    suite.fill(item("a", 1))
    suite.wire.throttle(shelves.NEW, 100)
    with pytest.raises(Unavailable, match="Throttling"):
        suite.shelve()
    suite.wire.repair()
    assert suite.shelve() == {"batchItemFailures": []}
    assert new(suite) == ["a"]


def test_a_writer_who_is_first_is_not_overwritten(suite: Suite) -> None:
    suite.fill(item("a", 1))
    before = NewItem("b", int(time.time() * 1000) - 5000, None, 3, 1)

    def other() -> None:
        with suite.wire.undisturbed():
            suite.stand_new(before)

    suite.wire.first("BatchExecuteStatement", other)
    assert suite.shelve() == {"batchItemFailures": []}
    assert new(suite) == ["b", "a"]
    assert before in shelves.decode_new(suite.items("shelves")[shelves.NEW]["p"]).items


def test_a_damaged_shelf_is_begun_anew(suite: Suite) -> None:
    dynamo().put_all("shelves", [{"shelf": shelves.NEW, "n": 1, "p": b"\xff"}])
    suite.fill(item("a", 1))
    assert suite.shelve() == {"batchItemFailures": []}
    assert new(suite) == ["a"]
    assert NewItems() != shelves.decode_new(suite.items("shelves")[shelves.NEW]["p"])
