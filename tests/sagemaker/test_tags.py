"""Tags: given at creation, added, listed page by page, removed; only on what is there."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.checked import unique


def group(sagemaker: Any, *keys: str) -> str:
    """ARN of a new group with tags of these keys."""
    tags = [{"Key": key, "Value": key.upper()} for key in keys]
    return str(
        sagemaker.create_model_package_group(ModelPackageGroupName=unique("tagged"), Tags=tags)["ModelPackageGroupArn"]
    )


def test_tags_are_added_replaced_and_removed(sagemaker: Any) -> None:
    arn = group(sagemaker, "a", "b")
    answer = sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
    assert {tag["Key"]: tag["Value"] for tag in answer["Tags"]} == {"a": "A", "b": "2", "c": "3"}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "never"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]


def test_many_tags_are_listed_page_by_page(sagemaker: Any) -> None:
    keys = [f"key{number:02}" for number in range(50)]
    arn = group(sagemaker, *keys)
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn, PaginationConfig={"PageSize": 50})
    assert [tag["Key"] for page in pages for tag in page["Tags"]] == keys
    with pytest.raises(ClientError, match="at most 50"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "one-too-many", "Value": ""}])
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 50


def test_what_is_not_there_has_no_tags(sagemaker: Any) -> None:
    arn = group(sagemaker, "a")
    sagemaker.delete_model_package_group(ModelPackageGroupName=arn)
    for call in (
        lambda: sagemaker.list_tags(ResourceArn=arn),
        lambda: sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}]),
    ):
        with pytest.raises(ClientError, match="Could not find"):
            call()
