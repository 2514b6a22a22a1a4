"""What every operation is handed: state, names, events, clients and roles of one local SageMaker."""

import json
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.platform.account import ACCESS_KEY, ACCOUNT, HOST, REGION, SECRET_KEY
from local.sagemaker.store import Store

LOG = logging.getLogger(__name__)

Input = dict[str, Any]
Output = dict[str, Any]
Credentials = dict[str, str]


class Service:
    """One a platform. Operations get it with their input; it is used from many threads."""

    account = ACCOUNT
    region = REGION

    def __init__(self, state: Path, port: int) -> None:
        self.state = state
        self._port = port
        self.endpoint = f"http://{HOST}:{port}"
        self.store = Store(state / "records")
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._telling = threading.Thread(target=self._tell, name="sagemaker-events", daemon=True)
        self._telling.start()

    def arn(self, kind: str, name: str) -> str:
        """ARN of a resource: ("training-job", "My-Job") -> arn:aws:sagemaker:...:training-job/my-job, as AWS has it."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name.lower()}"

    def client(self, name: str, credentials: Credentials | None = None) -> Any:
        """boto3 client of this platform: root's, or one with a role's credentials.

        Only from worker threads: on the platform's event loop the call would wait for itself.
        """
        if credentials is not None:
            return self._client(name, credentials)
        with self._lock:
            if name not in self._clients:
                root = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
                self._clients[name] = self._client(name, root)
            return self._clients[name]

    def credentials(self, role_arn: str) -> Credentials:
        """Environment variables with credentials of the role, as SageMaker gets them by assuming it.

        Raises ValidationException, as AWS words it, when the role is not there or does not trust SageMaker.
        """
        from local.sagemaker import roles  # noqa: PLC0415 - it needs this module

        found: Credentials = roles.credentials(self, role_arn)
        return found

    def event(self, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Puts an event of aws.sagemaker on the default bus. Returns at once; events keep their order."""
        self._events.put(
            {
                "Source": "aws.sagemaker",
                "DetailType": detail_type,
                "Detail": json.dumps(detail),
                "Resources": resources,
            }
        )

    def end(self) -> None:
        """Tells what was not told yet."""
        self._events.put(None)
        self._telling.join(timeout=5)

    def _client(self, name: str, credentials: Credentials) -> Any:
        import boto3  # noqa: PLC0415 - takes long to import
        from botocore.config import Config  # noqa: PLC0415

        return boto3.Session().client(
            name,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN", ""),
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        )

    def _tell(self) -> None:
        self._serving()
        while (entry := self._events.get()) is not None:
            try:
                answer = self.client("events").put_events(Entries=[entry])
            except Exception:  # whatever it is, the next event is still told
                LOG.exception("an event was not told: %s", entry)
                continue
            if answer["FailedEntryCount"]:
                LOG.error("EventBridge did not take %s: %s", entry, answer)

    def _serving(self) -> None:
        """Returns once the gateway answers: what was interrupted is told while the platform still starts."""
        while True:
            try:
                with socket.create_connection((HOST, self._port), timeout=1):
                    return
            except OSError:
                time.sleep(0.1)


Operation = Callable[[Service, Input], Output]


def port() -> int:
    """Port of the platform whose process this is."""
    return int(os.environ["GATEWAY_PORT"])
