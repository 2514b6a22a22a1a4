"""The answer of a custom resource -> the address that CloudFormation waits at."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from cuatro.adapters.aws import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from cuatro.errors import Unavailable


def answer(event: Mapping[str, Any], status: Literal["SUCCESS", "FAILED"], reason: str, physical_id: str) -> None:
    """Tell CloudFormation how it went. Raises Unavailable: then it waits until its own time-out."""
    from botocore.awsrequest import AWSPreparedRequest, HeadersDict
    from botocore.exceptions import BotoCoreError
    from botocore.httpsession import URLLib3Session

    body = msgspec.json.encode(
        {
            "Status": status,
            "Reason": reason[:1000],
            "PhysicalResourceId": event.get("PhysicalResourceId") or physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        }
    )
    # The address is signed for a request without a content type.
    headers: Any = HeadersDict({"Content-Type": "", "Content-Length": str(len(body))})
    session = URLLib3Session(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S))  # type: ignore[arg-type]  # as in aws.py
    try:
        response = session.send(AWSPreparedRequest("PUT", event["ResponseURL"], headers, body, stream_output=False))
    except BotoCoreError as error:
        raise Unavailable(f"CloudFormation's address: {error}") from error
    if response.status_code >= 300:
        raise Unavailable(f"CloudFormation's address answered {response.status_code}")
