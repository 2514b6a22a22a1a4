"""Model record -> its `serve` as a process that answers.

Its artefact is there already (see artefacts.py), the same files for all workers of a variant.
"""

import secrets
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from local.aws import containers
from local.aws.errors import AwsError
from local.aws.logs import Log
from local.aws.servers import LINES_TOLD, NotServed, Server, free_port
from local.aws.service import Service
from local.aws.store import Record
from local.sagemaker import images


@dataclass(frozen=True)
class Stream:
    """Where in CloudWatch Logs a container's lines go; `prefix` is the stream's name up to the instance's."""

    group: str
    prefix: str


class Worker(Server):
    """One `serve`. It starts with this object; `wait` for it before the first request. Used from many threads."""

    def __init__(
        self, service: Service, model: Record, base: Path, stream: Stream, resources: containers.Resources
    ) -> None:
        """Raises NotServed when nothing stands for its image or its role cannot be assumed."""
        container = model["_container"]
        port = free_port()
        lines: deque[str] = deque(maxlen=LINES_TOLD)
        log = Log(service, stream.group, f"{stream.prefix}/i-{secrets.token_hex(8)}", seen=lines.append)
        try:
            role = model.get("ExecutionRoleArn")
            started = containers.Container(
                service,
                images.command(service.state, container["Image"], "serve"),
                base=base,
                environment={**container.get("Environment", {}), "SAGEMAKER_BIND_TO_PORT": str(port)},
                credentials=service.credentials(role) if role else {},
                log=log,
                resources=resources,
            )
        except Exception as error:
            log.close()
            if isinstance(error, images.UnknownImageError | AwsError):
                raise NotServed(str(error)) from error
            raise
        super().__init__(started, port, log, lines)
