"""Records of the local SageMaker: kept over a restart, in order, changed as a whole; lists page by page."""

import threading
from pathlib import Path
from typing import Any

import pytest

from local.aws.errors import ResourceNotFound, ValidationException
from local.aws.paging import page
from local.aws.store import Store
from local.sagemaker.target_tracking import instances


def test_records_outlive_the_platform_in_their_order(tmp_path: Path) -> None:
    table = Store(tmp_path).table("job")
    for name in ("b", "a", "arn:aws:x:1:kind/" + "long" * 80, "c/../d"):
        assert table.create(name, {"Name": name})
    table.put("b", {"Name": "b", "Status": "Done"})
    again = Store(tmp_path).table("job")
    assert [record["Name"][:3] for record in again.all()] == ["b", "a", "arn", "c/."]
    assert again.get("b")["Status"] == "Done"
    assert again.get("c/../d")["Name"] == "c/../d"
    assert not (tmp_path / "d.json").exists()


def test_a_taken_name_is_not_taken_again(tmp_path: Path) -> None:
    table = Store(tmp_path).table("job")
    assert table.create("a", {"first": True})
    assert not table.create("a", {"first": False})
    assert not table.create("A", {"first": False})  # both would have the same ARN
    assert table.get("a") == {"first": True}
    table.delete("a")
    assert table.find("a") is None
    for call in (table.get, table.delete):
        with pytest.raises(ResourceNotFound):
            call("a")


def test_what_is_handed_out_is_a_copy(tmp_path: Path) -> None:
    table = Store(tmp_path).table("job")
    table.put("a", {"list": [1]})
    table.get("a")["list"].append(2)
    table.all()[0]["list"].append(3)
    assert table.get("a") == {"list": [1]}


def test_no_change_is_lost(tmp_path: Path) -> None:
    table = Store(tmp_path).table("job")
    table.put("a", {"count": 0})

    def more(record: dict[str, Any]) -> None:
        record["count"] += 1

    threads = [threading.Thread(target=lambda: [table.change("a", more) for _ in range(20)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Store(tmp_path).table("job").get("a") == {"count": 100}


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    table = Store(tmp_path).table("job")
    table.put("a", {"count": 0})

    def fails(record: dict[str, Any]) -> None:
        record["count"] = 7
        raise ValidationException("no")

    with pytest.raises(ValidationException):
        table.change("a", fails)
    assert table.get("a") == {"count": 0}


def records(count: int) -> list[dict[str, Any]]:
    return [{"Name": f"n{i}", "CreationTime": float(i // 2), "Size": -i} for i in range(count)]


def test_pages_join_to_the_whole_list_while_records_come(tmp_path: Path) -> None:
    found = records(5)
    first, token = page(found, {"MaxResults": 2}, name="Name")
    assert [record["Name"] for record in first] == ["n4", "n3"]
    found.append({"Name": "new", "CreationTime": 9.0})
    second, token = page(found, {"MaxResults": 2, "NextToken": token}, name="Name")
    third, end = page(found, {"MaxResults": 2, "NextToken": token}, name="Name")
    assert [record["Name"] for record in [*second, *third]] == ["n2", "n1", "n0"]
    assert end is None


def test_lists_are_filtered_and_sorted(tmp_path: Path) -> None:
    def names(**given: Any) -> list[str]:
        return [record["Name"] for record in page(records(5), given, name="Name")[0]]

    assert names(NameContains="N1") == ["n1"]
    assert names(CreationTimeAfter=1.0, CreationTimeBefore=1.0, SortOrder="Ascending") == ["n2", "n3"]
    assert names(SortBy="Size", SortOrder="Ascending") == ["n4", "n3", "n2", "n1", "n0"]


def test_a_token_of_another_question_is_refused(tmp_path: Path) -> None:
    _, token = page(records(5), {"MaxResults": 2}, name="Name")
    for given in ({"NextToken": token, "SortOrder": "Ascending"}, {"NextToken": "x"}, {"NextToken": "bnVsbA=="}):
        with pytest.raises(ValidationException, match="NextToken"):
            page(records(5), given, name="Name")


@pytest.mark.parametrize(
    ("invocations", "current", "configuration", "expected"),
    [
        (0, 2, {}, 1),
        (100, 1, {}, 1),
        (101, 1, {}, 2),
        (1000, 1, {}, 4),
        (0, 3, {"DisableScaleIn": True}, 3),
        (0, 9, {"DisableScaleIn": True}, 4),
    ],
)
def test_instances_keep_each_at_its_target(
    invocations: float, current: int, configuration: dict[str, Any], expected: int
) -> None:
    assert instances(invocations, current, (1, 4), {"TargetValue": 100.0, **configuration}) == expected
