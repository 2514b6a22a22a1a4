"""A bare local platform for all tests of this tier, a small shop's rows, and a solution version trained on them."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from cuatro.adapters import personalize as adapter
from cuatro.adapters.ranker import ranker
from local.platform.process import Platform
from tests.bare import bare, reaching, with_log
from tests.checked import Aws
from tests.personalize.shop import Shop

PLATFORM = pytest.StashKey[Platform]()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Platform]:
    """The platform without any deployment."""
    with bare(tmp_path_factory.mktemp("personalize")) as started:
        pytestconfig.stash[PLATFORM] = started
        yield started


@pytest.fixture(scope="session")
def aws(platform: Platform) -> Aws:
    """Clients of the platform as its root user; answers are held against AWS's service models."""
    return Aws(platform.endpoint, set())


@pytest.fixture(scope="session")
def bucket(aws: Aws) -> str:
    """A bucket for whatever the tests store."""
    name = f"personalize-{uuid.uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def role(aws: Aws, bucket: str) -> str:
    """ARN of a role that Personalize may assume: it may use the bucket."""
    return aws.role(
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
        trusts="personalize.amazonaws.com",
    )


@pytest.fixture(scope="session")
def shop(aws: Aws, bucket: str, role: str) -> Shop:
    """The shop's dataset group with its rows imported."""
    made = Shop(aws, bucket, role)
    made.fill()
    return made


@pytest.fixture(scope="session")
def version(shop: Shop) -> str:
    """ARN of a solution version, trained on the shop's interactions."""
    return shop.trained("aws-user-personalization-v2")


@pytest.fixture(scope="session")
def campaign(shop: Shop, version: str) -> str:
    """ARN of a campaign that answers with it."""
    return shop.campaign(version)


@pytest.fixture
def reached(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The adapters reach this platform, as a function does by its environment."""
    with reaching(platform.endpoint, monkeypatch, adapter._tracker, ranker):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the end of the platform's log."""
    return with_log((yield), item.config.stash.get(PLATFORM, None))
