"""Our signature of a POST against botocore's signer."""

from datetime import UTC, datetime
from unittest import mock

import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from cuatro.adapters.signature import Signer

TEXT = st.text("abcdefgXYZ0123456789+/=", min_size=1, max_size=40)
URLS = st.sampled_from([
    "https://dynamodb.eu-west-1.amazonaws.com/", "http://127.0.0.1:4566/", "http://localhost:80/", "https://[::1]:8443/",
    "https://vpce-1.dynamodb.cn-north-1.vpce.amazonaws.com.cn:443/",
])  # fmt: skip


@given(
    url=URLS,
    names=st.tuples(TEXT, TEXT, st.none() | TEXT),
    scope=st.tuples(st.sampled_from(["dynamodb", "events"]), st.sampled_from(["eu-west-1", "us-east-1"])),
    body=st.binary(max_size=100),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - hypothesis wants them naive
)
def test_it_is_botocore_s(
    url: str, names: tuple[str, str, str | None], scope: tuple[str, str], body: bytes, now: datetime
) -> None:
    credentials = Credentials(*names)
    service, region = scope
    content_type, target = "application/x-amz-json-1.0", "DynamoDB_20120810.BatchGetItem"
    reference = AWSRequest("POST", url, {"Content-Type": content_type, "X-Amz-Target": target}, body)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=now):
        SigV4Auth(credentials, service, region).add_auth(reference)
    signed = Signer(url, service, region, content_type).headers(
        credentials, target, body, lambda: now.replace(tzinfo=UTC)
    )
    assert signed == {name.lower(): value for name, value in reference.headers.items()}
