"""What every operation is handed: state, names, events, clients and roles of one service that local/ answers for."""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/sagemaker shows that they hold
import json
import logging
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from local.aws.store import Store
from local.platform.account import ACCESS_KEY, ACCOUNT, HOST, REGION, SECRET_KEY

LOG = logging.getLogger(__name__)

Input = dict[str, Any]
Output = dict[str, Any]
Credentials = dict[str, str]
T = TypeVar("T")
ROOT: Credentials = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


class Service:
    """One a platform. Operations get it with their input; it is used from many threads."""

    account = ACCOUNT
    region = REGION

    def __init__(self, state: Path, port: int, title: str, *, lower_arns: bool = False) -> None:
        """title: AWS's name in one word, such as SageMaker; lower_arns: names lose their capitals in ARNs."""
        self.title = title
        self.name = title.lower()
        self._lower_arns = lower_arns
        self.state = state
        self.endpoint = f"http://{HOST}:{port}"
        self.store = Store(state / "records")
        self._clients: dict[str, Any] = {}
        self._parts: dict[Any, Any] = {}
        self._lock = threading.RLock()
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def arn(self, kind: str, name: str) -> str:
        """ARN of a resource: ("training-job", "my-job") -> arn:aws:sagemaker:...:training-job/my-job, as AWS has it."""
        shown = name.lower() if self._lower_arns else name
        return f"arn:aws:{self.name}:{self.region}:{self.account}:{kind}/{shown}"

    def part(self, make: Callable[["Service"], T]) -> T:
        """What `make` gives for this platform: made once, by whoever asks first, and the same for all after."""
        if make not in self._parts:  # once it is there, nobody waits for it
            with self._lock:
                if make not in self._parts:
                    self._parts[make] = make(self)
        found: T = self._parts[make]
        return found

    def made(self, make: Callable[["Service"], T]) -> T | None:
        """As `part`, but None when nobody has asked for it."""
        return self._parts.get(make)

    def client(self, name: str, credentials: Credentials | None = None, **config: Any) -> Any:
        """boto3 client of this platform: root's, or one with a role's credentials; config as botocore's Config has it.

        Only from worker threads: on the platform's event loop the call would wait for itself.
        """
        keys = credentials or ROOT
        which = json.dumps([name, keys, config], sort_keys=True)
        if which not in self._clients:
            with self._lock:
                if which not in self._clients:
                    self._clients[which] = self._client(name, keys, config)
        return self._clients[which]

    def credentials(self, role_arn: str) -> Credentials:
        """Environment variables with credentials of the role, as the service gets them by assuming it.

        Raises ValidationException, as AWS words it, when the role is not there or does not trust it.
        """
        from local.aws import roles  # noqa: PLC0415 - it needs this module

        found: Credentials = roles.credentials(self, role_arn)
        return found

    def event(self, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Puts an event of the service (aws.sagemaker) on the default bus. Returns at once; events keep their order."""
        self._events.put(
            {
                "Source": f"aws.{self.name}",
                "DetailType": detail_type,
                "Detail": json.dumps(detail),
                "Resources": resources,
            }
        )
        self.part(Service._telling)

    def end(self) -> None:
        """Tells what was not told yet."""
        self._events.put(None)
        telling = self.made(Service._telling)
        if telling:
            telling.join(timeout=5)

    def _client(self, name: str, credentials: Credentials, config: dict[str, Any]) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - takes long to import

        return self.part(Service._session).client(
            name,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN", ""),
            config=Config(**{"s3": {"addressing_style": "path"}, "retries": {"max_attempts": 2}, **config}),
        )

    def _session(self) -> Any:
        """boto3's, which reads the description of a service once for all clients of it."""
        import boto3  # noqa: PLC0415 - takes long to import

        return boto3.Session()

    def _telling(self) -> threading.Thread:
        thread = threading.Thread(target=self._tell, name=f"{self.name}-events", daemon=True)
        thread.start()
        return thread

    def _tell(self) -> None:
        """Inside MiniStack, as its own services do it: over HTTP nobody may put an event of AWS's."""
        from ministack.core import responses  # noqa: PLC0415 - reads the environment while it is imported
        from ministack.services import eventbridge  # noqa: PLC0415

        responses.set_request_account_id(self.account)
        responses.set_request_region(self.region)
        while (entry := self._events.get()) is not None:
            try:
                status, _, body = eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
            except Exception:  # whatever it is, the next event is still told
                LOG.exception("an event was not told: %s", entry)
                continue
            if status != 200 or json.loads(body)["FailedEntryCount"]:
                LOG.error("EventBridge did not take %s: %r", entry, body)


Operation = Callable[[Service, Input], Output]


def port() -> int:
    """Port of the platform whose process this is."""
    return int(os.environ["GATEWAY_PORT"])
