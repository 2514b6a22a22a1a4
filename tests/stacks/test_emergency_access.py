"""What can be had back when something is lost: versions, points in time, keys; data that is to last is retained."""

import pytest

from cdk.config import TARGETS
from tests.stacks.imaging import STACK, found
from tests.stacks.synthesis import TARGET_NAMES, Assembly, assembly


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


@pytest.mark.safeguard("164.312(a)(2)(ii)")
def test_nothing_about_patients_is_in_one_place_only(suite: Assembly) -> None:
    """An object that is overwritten, a row that is deleted, a key that is to be deleted: each can be had back."""
    for bucket in found(suite, "AWS::S3::Bucket"):
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, bucket.where
    for table in found(suite, "AWS::DynamoDB::Table"):
        assert table.properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], table.where
    keys = found(suite, "AWS::KMS::Key")
    assert keys
    assert all(key.properties["PendingWindowInDays"] >= 7 for key in keys)


@pytest.mark.safeguard("164.312(a)(2)(ii)")
@pytest.mark.parametrize("name", [name for name in TARGET_NAMES if TARGETS[name].retain_data])
def test_where_data_is_to_last_a_deleted_stack_leaves_it(name: str) -> None:
    kinds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key")
    resources = assembly(name).template(STACK)["Resources"].values()

    policies = [each.get("DeletionPolicy") for each in resources if each["Type"] in kinds]
    assert len(policies) > 6
    assert set(policies) == {"Retain"}
