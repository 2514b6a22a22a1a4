"""Which objects of a table Athena reads: those of projected or registered partitions, and no others."""

from datetime import UTC, datetime
from typing import Any

import pytest

from local.emulator.partitions import TablePropertyError, place, read

NOW = datetime(2024, 3, 5, 13, 30, tzinfo=UTC)


def table(keys: list[str], location: str = "s3://lake/a/", **properties: str) -> dict[str, Any]:
    names = {name.replace("__", "."): value for name, value in properties.items()}
    return {
        "StorageDescriptor": {"Location": location},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
        "Parameters": names,
    }


def days(span: str, form: str = "yyyy-MM-dd", **more: str) -> dict[str, Any]:
    dates = {"projection__dt__type": "date", "projection__dt__format": form, "projection__dt__range": span}
    return table(["dt"], projection__enabled="true", **dates, **more)


def seen(found: dict[str, Any], *keys: str) -> list[str]:
    return [key for key, _ in read(found, [], keys, NOW)]


def test_all_below_the_location_of_a_plain_table() -> None:
    keys = ["a/x", "a/b/y", "a/_SUCCESS", "a/.hidden/z", "a/b/_tmp/z", "a/b/", "ab/x", "b/x"]
    assert read(table([]), [], keys, NOW) == [("a/x", ()), ("a/b/y", ())]
    assert seen(table([], location="s3://lake/a"), *keys) == ["a/x", "a/b/y"]
    assert place(table([], location="s3://lake")) == ("lake", "")


def test_without_projection_only_registered_partitions() -> None:
    registered = [{"Values": ["one"], "StorageDescriptor": {"Location": "s3://lake/a/p=one"}}]
    found = read(table(["p"]), registered, ["a/p=one/x", "a/p=two/x", "a/p=onemore/x"], NOW)
    assert found == [("a/p=one/x", ("one",))]
    assert not read(table(["p"]), [], ["a/p=one/x"], NOW)


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        ("2024-03-01,NOW", ["2024-03-01", "2024-03-04", "2024-03-05"]),
        ("NOW-1DAYS,NOW", ["2024-03-04", "2024-03-05"]),
        ("NOW-1WEEK,NOW+1DAY", ["2024-03-01", "2024-03-04", "2024-03-05", "2024-03-06"]),
        ("2024-03-04,2024-03-04", ["2024-03-04"]),
    ],
)
def test_days_within_the_range(span: str, shown: list[str]) -> None:
    given = [
        "2024-02-01",
        "2024-03-01",
        "2024-03-04",
        "2024-03-05",
        "2024-03-06",
        "2024-3-5",
        "yesterday",
        "2024-02-30",
    ]
    assert seen(days(span), *(f"a/dt={day}/x" for day in given)) == [f"a/dt={day}/x" for day in shown]


def test_where_the_template_says() -> None:
    found = days("2024/01/01,NOW", "yyyy/MM/dd", storage__location__template="s3://lake/a/in/${dt}/")
    assert not seen(found, "a/dt=2024/03/05/x")
    assert read(found, [], ["a/in/2024/03/05/x/y"], NOW) == [("a/in/2024/03/05/x/y", ("2024/03/05",))]
    hours = days("2024-03-05 10,NOW", "yyyy-MM-dd HH", storage__location__template="s3://lake/a/h/${dt}/")
    keys = ["a/h/2024-03-05 09/x", "a/h/2024-03-05 13/x", "a/h/2024-03-05 14/x"]
    assert read(hours, [], keys, NOW) == [("a/h/2024-03-05 13/x", ("2024-03-05 13",))]


def test_the_other_kinds_of_keys() -> None:
    found = table(
        ["kind", "shard", "user"],
        projection__enabled="TRUE",
        projection__kind__type="enum", projection__kind__values="view, click",
        projection__shard__type="integer", projection__shard__range="1,12", projection__shard__digits="2",
        projection__user__type="injected",
    )  # fmt: skip
    keys = [
        f"a/kind={kind}/shard={shard}/user=u/x" for kind in ("view", "buy") for shard in ("1", "02", "12", "13", "x")
    ]
    assert [values for _, values in read(found, [], keys, NOW)] == [("view", "02", "u"), ("view", "12", "u")]


@pytest.mark.parametrize(
    "wrong",
    [
        days("2024-01-01"), days("2024-01-01,soon"), days("2024-01-01,NOW", "EEE"),
        days("2024-01-01,NOW", storage__location__template="s3://lake/a/"),
        table(["dt"], projection__enabled="true"),
        table(["dt"], projection__enabled="true", projection__dt__type="number"),
    ],
)  # fmt: skip
def test_wrong_properties_are_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(TablePropertyError):
        read(wrong, [], ["a/dt=2024-01-01/x"], NOW)
