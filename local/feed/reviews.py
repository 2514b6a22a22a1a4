"""Tasks of the review queue <-> its API: what waits, what one reviewer sees, what they decide, what came of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from local.feed.api import Answer, Api
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS

OUTPUT = "ReviewApiUrl"
QUEUE = "imaging"
_ADVICE = {
    "leased_by_another": "`cuatro review list` shows what is free.",
    "not_leased": "`cuatro review lease TASK` takes it.",
    "no_reason": "`cuatro review show TASK` shows its reasons: give one by --reason.",
    "forbidden": "Sign as the reviewer: only a trusted backend names another.",
}


class Reviews:
    """The API as one reviewer uses it; reviewer: "" is whoever the AWS credentials are.

    Raises PlatformError with what the API has against a request.
    """

    def __init__(self, connection: Connection, reviewer: str = "", stack: str = STACKS.get("imaging", "CuatroImaging")):
        outputs = connection.outputs(stack)
        if OUTPUT not in outputs:
            raise PlatformError(f"{stack} has no review queue.", "`cuatro status` shows what is deployed.")
        headers = {"X-Cuatro-Reviewer": reviewer} if reviewer else None
        self._api = Api(connection, outputs[OUTPUT], headers)

    def tasks(self, queue: str = QUEUE, state: str = "") -> Iterator[dict[str, Any]]:
        """The most urgent first; without a state all that wait."""
        return self._all("/tasks", "tasks", {"queue": queue, "state": state})

    def labels(self, queue: str = QUEUE, kind: str = "") -> Iterator[dict[str, Any]]:
        """Of decided tasks, newest first."""
        return self._all("/labels", "labels", {"queue": queue, "kind": kind, "limit": "200"})

    def show(self, task: str) -> dict[str, Any]:
        """All that this reviewer may see; links to the pictures while they hold it."""
        return _done(self._api.get(f"/tasks/{quote(task, safe='')}"))

    def lease(self, task: str) -> dict[str, Any]:
        return self._move(task, "lease")

    def heartbeat(self, task: str) -> dict[str, Any]:
        return self._move(task, "heartbeat")

    def release(self, task: str) -> dict[str, Any]:
        return self._move(task, "release")

    def decide(self, task: str, choice: str, reasons: Sequence[str] = (), note: str = "") -> dict[str, Any]:
        body = {"choice": choice, "reasons": list(reasons), "note": note}
        return _done(self._api.post(f"/tasks/{quote(task, safe='')}/decision", body))

    def agreement(self, queue: str = QUEUE, kind: str = "") -> dict[str, Any]:
        return _done(self._api.get(f"/agreement?{_query({'queue': queue, 'kind': kind})}"))

    def _move(self, task: str, verb: str) -> dict[str, Any]:
        return _done(self._api.post(f"/tasks/{quote(task, safe='')}/{verb}", {}))

    def _all(self, path: str, name: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        while True:
            page = _done(self._api.get(f"{path}?{_query(query)}"))
            yield from page[name]
            if not page["next"]:
                return
            query = {**query, "next": page["next"]}


def fetched(url: str) -> bytes:
    """What a link leads to. Raises PlatformError."""
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - botocore takes long to import
    from botocore.exceptions import HTTPClientError  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    try:
        answer = URLLib3Session(timeout=30).send(AWSRequest("GET", url).prepare())
    except HTTPClientError as error:
        raise PlatformError("The picture cannot be had.", "`cuatro status` shows whether the platform runs.") from error
    if answer.status_code != 200:
        raise PlatformError(f"The picture cannot be had: status {answer.status_code}.", "Links are good for 5 minutes.")
    return bytes(answer.content)


def saved(task: dict[str, Any], folder: Path) -> list[Path]:
    """The pictures of a task that its reviewer holds, as files. Raises PlatformError."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for each in task["attachments"]:
        if each["url"]:
            path = folder / f"{each['name']}.{each['type'].rpartition('/')[2]}"
            path.write_bytes(fetched(each["url"]))
            made.append(path)
    return made


def _query(values: dict[str, str]) -> str:
    return urlencode({name: value for name, value in values.items() if value})


def _done(answer: Answer) -> dict[str, Any]:
    if answer.ok:
        return dict(answer.body)
    error = answer.body.get("error", {}) if isinstance(answer.body, dict) else {}
    field = f"{error['field']}: " if error.get("field") else ""
    advice = _ADVICE.get(error.get("code", ""), "`cuatro review --help` shows what it takes.")
    raise PlatformError(f"The review queue refused it: {field}{error.get('message') or answer.body}", advice)
