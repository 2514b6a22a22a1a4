"""Target -> AWS clients: the local platform's by localstack-client (so LocalStack works too), or an AWS account's.

`connect()` finds the target by itself: a platform that runs here, an emulator that AWS_ENDPOINT_URL names, else AWS.
"""

import json
import os
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from local.platform.account import ACCESS_KEY, IDENTITY_PATH, REGION, SECRET_KEY
from local.platform.errors import PlatformError
from local.platform.process import STATE, running

if TYPE_CHECKING:
    from boto3.session import Session
    from localstack_client.session import Session as LocalSession

Target = Literal["local", "aws"]
_OWN = ("personalize", "personalize-events", "personalize-runtime")
_API_HOST = re.compile(r"^https?://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+/(?P<stage>[^/]+)(?P<path>/.*)?$")


@dataclass(frozen=True)
class Connection:
    """Where the suite runs. `endpoint` is None on AWS."""

    target: Target
    endpoint: str | None
    session: "Session | LocalSession"
    region: str

    def client(self, service: str, **options: Any) -> Any:
        """boto3 client of that service, such as `kinesis`."""
        return self.session.client(service, **options)

    def credentials(self) -> Any:
        """botocore credentials of the session, to sign a request to the API with. Raises PlatformError without any."""
        found = self.session.get_credentials()
        if found is None:
            raise PlatformError("No AWS credentials were found.", "Set AWS_PROFILE, or run `aws configure`.")
        return found

    def outputs(self, stack: str = "CuatroFraud") -> dict[str, str]:
        """Outputs of a deployed stack, by their key. Raises PlatformError when it is not there."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - botocore takes long to import

        try:
            described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            advice = (
                "Run `cuatro up`." if self.target == "local" else "Deploy it: `npx cdk deploy --all -c target=dev`."
            )
            raise PlatformError(f"Stack {stack} is not deployed here: {error}", advice) from error
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def api_url(self, url: str) -> str:
        """The `ApiUrl` output -> a URL that answers from here: DNS does not know the emulator's host name."""
        return _reached(url, self.endpoint)

    def secure_api_url(self, url: str) -> tuple[str, str | None]:
        """The `ApiUrl` output -> its URL by TLS, and the PEM file to verify it by (None: the system's authorities).

        Raises PlatformError where the emulator is not ours and so has no TLS port that we know.
        """
        if self.endpoint is None:
            return url, None
        try:
            with urllib.request.urlopen(f"{self.endpoint}{IDENTITY_PATH}", timeout=10) as answer:  # noqa: S310 - an emulator
                known = json.load(answer)
            return _reached(url, f"https://localhost:{known['secure_port']}"), str(known["authority"])
        except (OSError, ValueError, KeyError) as error:
            raise PlatformError(
                f"{self.endpoint} is no platform that answers by TLS.", "End it and run `cuatro up`."
            ) from error


def endpoint(state: Path = STATE) -> str | None:
    """URL of the emulator: what AWS_ENDPOINT_URL names, else the platform that runs here, else None."""
    named = os.environ.get("AWS_ENDPOINT_URL")
    found = None if named else running(state)
    return found.endpoint if found else named


def connect(target: Target | None = None, state: Path = STATE) -> Connection:
    """Connection to that target, or to the one that is there. Raises PlatformError when there is none."""
    url = endpoint(state) if target != "aws" else None
    if url:
        return Connection("local", url, _local_session(url), REGION)
    if target == "local":
        raise PlatformError("No local platform runs.", "Run `cuatro up`.")
    import boto3  # noqa: PLC0415 - takes long to import

    session = boto3.Session()
    if target is None and session.get_credentials() is None:
        raise PlatformError(
            "No local platform runs, and there are no AWS credentials.", "Run `cuatro up`, or give `--target aws`."
        )
    return Connection("aws", None, session, session.region_name or REGION)


def session(state: Path = STATE) -> "Session | LocalSession":
    """boto3-like session of the local platform."""
    return connect("local", state).session


def outputs(stack: str = "CuatroFraud", state: Path = STATE) -> dict[str, str]:
    """Outputs of a stack of the local platform."""
    return connect("local", state).outputs(stack)


def _reached(url: str, endpoint: str | None) -> str:
    """An API's URL on AWS -> the same at an emulator's endpoint, if there is one."""
    found = _API_HOST.match(url)
    if endpoint is None or not found:
        return url
    return f"{endpoint}/restapis/{found['api']}/{found['stage']}/_user_request_{found['path'] or '/'}"


def _local_session(url: str) -> "LocalSession":
    from localstack_client.session import Session as LocalSession  # noqa: PLC0415 - imports boto3

    session = LocalSession(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        aws_session_token="",
        region_name=REGION,
        localstack_host=url.partition("//")[2].rstrip("/"),
    )
    for service in _OWN:  # LocalStack has none of them, so its client refuses their names
        session._service_endpoint_mapping.setdefault(service, url)  # noqa: SLF001
    return session
