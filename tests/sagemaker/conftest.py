"""A bare local platform for all tests of this tier, and boto3 clients whose every answer is held against the models.

Nothing is deployed to it, so it is there in a second; it ends with the session. `aws.client("sagemaker")` is all that a
test needs: an answer that AWS's service model does not allow fails the test that got it.
"""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.platform.process import Platform
from tests.bare import bare, with_log
from tests.checked import Aws

PLATFORM = pytest.StashKey[Platform]()
CALLED = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """The marker of this tier."""
    config.addinivalue_line("markers", "after_all_others: runs last, when every test of tests/sagemaker ran")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Platform]:
    """The platform without any deployment."""
    with bare(tmp_path_factory.mktemp("sagemaker")) as started:
        pytestconfig.stash[PLATFORM] = started
        yield started


@pytest.fixture(scope="session")
def aws(platform: Platform, pytestconfig: pytest.Config) -> Aws:
    """Clients of the platform as its root user; `aws.role(...)` and `aws.acting(...)` give others."""
    called = pytestconfig.stash.setdefault(CALLED, set())
    return Aws(platform.endpoint, called)


@pytest.fixture(scope="session")
def sagemaker(aws: Aws) -> Any:
    """Checked client `sagemaker`."""
    return aws.client("sagemaker")


@pytest.fixture(scope="session")
def bucket(aws: Aws) -> str:
    """A bucket for whatever the tests store."""
    name = f"sagemaker-{uuid.uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def role(aws: Aws, bucket: str) -> str:
    """ARN of a role that SageMaker may assume: it may use the bucket and write logs."""
    return aws.role(
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": f"arn:aws:s3:::{bucket}"},
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What looks at all tests of the tier comes last, and only when all of them run."""
    last = [item for item in items if item.get_closest_marker("after_all_others")]
    tier = Path(__file__).parent
    whole = set(tier.glob("test_*.py")) <= {item.path for item in items}
    chosen = config.option.keyword or config.option.markexpr or any("::" in argument for argument in config.args)
    for item in last:
        if not whole or chosen:
            item.add_marker(pytest.mark.skip(reason="only a part of tests/sagemaker runs"))
    items[:] = [item for item in items if item not in last] + last


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the end of the platform's log."""
    return with_log((yield), item.config.stash.get(PLATFORM, None))
