"""Documents -> an OpenSearch domain by signed requests: bulk writes, each told whether it was taken; queries.

botocore has no client for what a domain holds, and opensearch-py would be 2 MB and 0.2 s of import for three calls:
plain HTTP by OpenSearch's REST API, signed (Signature Version 4, service "es") as the domain's access policy wants.
"""

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import msgspec

from cuatro.adapters.aws import PATIENT, Patience, backoff
from cuatro.errors import Refused, Unavailable

if TYPE_CHECKING:
    from botocore.session import Session

DOCUMENTS_PER_CALL, CALL_BYTES = 500, 5_000_000
"""OpenSearch's advice is 5 to 15 MB a call; the smallest domains take 10 MiB."""
_LATER = {409, 429, 500, 502, 503, 504}
_NDJSON, _JSON = "application/x-ndjson", "application/json"


class Document(NamedTuple):
    """One document: the index that it goes into, its id there, its JSON on one line."""

    into: str
    id: str
    source: bytes


class Caller(NamedTuple):
    """Whose signature requests have, where it is not the process's own."""

    credentials: Any
    region: str


class Indexed(NamedTuple):
    """later: positions that were not taken for now. refused: position -> why, of those that never will be."""

    later: set[int]
    refused: dict[int, str]


class _Result(msgspec.Struct):
    status: int
    error: Any = None


class _Answer(msgspec.Struct):
    items: list[dict[str, _Result]]


_ANSWER = msgspec.json.Decoder(_Answer)


class Search:
    """A domain at an address, such as https://search-...es.amazonaws.com."""

    def __init__(self, endpoint: str, patience: Patience = PATIENT, caller: Caller | None = None) -> None:
        from botocore.httpsession import URLLib3Session

        self._endpoint, self._attempts = endpoint.rstrip("/"), patience.attempts
        self._caller = caller
        self._http = URLLib3Session(timeout=(patience.connect_s, 4 * patience.read_s))  # type: ignore[arg-type]

    def index(self, documents: Sequence[Document]) -> Indexed:
        """Writes each document in full, whatever there was under its id: twice is as good as once. Raises Refused."""
        later: set[int] = set()
        refused: dict[int, str] = {}
        for chunk in _chunks(documents):
            waiting = list(chunk)
            for attempt in range(self._attempts):
                if attempt:
                    backoff(attempt)
                waiting, never = self._once(documents, waiting)
                refused.update(never)
                if not waiting:
                    break
            later.update(waiting)
        return Indexed(later, refused)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the REST API -> its JSON. Raises Unavailable, or Refused with what the domain said."""
        failure = ""
        for attempt in range(self._attempts):
            if attempt:
                backoff(attempt)
            try:
                return self._answered(method, path, b"" if body is None else json.dumps(body).encode(), _JSON)
            except Unavailable as error:
                failure = str(error)
        raise Unavailable(f"{method} {path}: {failure} ({self._attempts} attempts)")

    def _once(self, documents: Sequence[Document], places: list[int]) -> tuple[list[int], dict[int, str]]:
        """One bulk call: (places not taken for now, places refused and why)."""
        lines = []
        for place in places:
            document = documents[place]
            lines += [json.dumps({"index": {"_index": document.into, "_id": document.id}}).encode(), document.source]
        try:
            answer = self._sent("POST", "/_bulk?filter_path=items.*.status,items.*.error", b"\n".join([*lines, b""]))
            results = [next(iter(item.values())) for item in _ANSWER.decode(answer).items]
        except (Unavailable, msgspec.MsgspecError):
            return places, {}
        found = list(zip(places, results, strict=True))
        never = {
            place: _why(result.error) for place, result in found if result.status >= 300 and result.status not in _LATER
        }
        return [place for place, result in found if result.status in _LATER], never

    def _answered(self, method: str, path: str, body: bytes, content_type: str) -> Any:
        answer = self._sent(method, path, body, content_type)
        return json.loads(answer) if answer else None

    def _sent(self, method: str, path: str, body: bytes, content_type: str = _NDJSON) -> bytes:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import ConnectionError as NotConnected
        from botocore.exceptions import HTTPClientError

        request = AWSRequest(method, self._endpoint + path, headers={"content-type": content_type}, data=body)
        caller = self._caller or Caller(_credentials(), _region())
        SigV4Auth(caller.credentials, "es", caller.region).add_auth(request)
        try:
            response = self._http.send(request.prepare())
        except (HTTPClientError, NotConnected) as error:
            raise Unavailable(f"{self._endpoint}: {error}") from error
        content: bytes = response.content
        if response.status_code in _LATER - {409}:
            raise Unavailable(f"HTTP {response.status_code}: {content[:200].decode(errors='replace')}")
        if response.status_code >= 300:
            raise Refused(f"{method} {path}", str(response.status_code), content[:1000].decode(errors="replace"))
        return content


@cache
def search(endpoint: str) -> Search:
    """The domain at this address; always the same one."""
    return Search(endpoint)


def quoted(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="*")


def _chunks(documents: Sequence[Document]) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for place, document in enumerate(documents):
        if chunk and (len(chunk) == DOCUMENTS_PER_CALL or size + len(document.source) > CALL_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(place)
        size += len(document.source)
    if chunk:
        yield chunk


def _why(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return f"{error.get('type', '')}: {error.get('reason', '')}"


@cache
def _session() -> "Session":
    from botocore.session import get_session

    return get_session()


def _credentials() -> Any:
    found = _session().get_credentials()
    if found is None:
        raise Unavailable("no AWS credentials")
    return found.get_frozen_credentials()


@cache
def _region() -> str:
    return str(_session().get_config_variable("region") or os.environ.get("AWS_REGION") or "us-east-1")
