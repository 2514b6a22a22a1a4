"""Template, saved objects, posts of a table -> a search domain and its Dashboards."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectionError as NotConnected
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from cuatro.adapters.search import Caller, Document, Search
from cuatro.errors import Refused, Rejected, Unavailable
from cuatro.posts import decode_scored
from functions.sentiment.search.documents import document, index_of
from functions.sentiment.search.template import NAME, TEMPLATE
from local.feed.batch import batched
from local.platform.client import Connection
from local.platform.errors import PlatformError

IMPORT = "/_dashboards/api/saved_objects/_import?overwrite=true"
POSTS_A_CALL = 500
_NO_DASHBOARDS = {400, 404, 405}
_ADVICE = "The domain's access policy must allow your identity es:ESHttp*; `cuatro status` shows what is deployed."


class NoDashboardsError(Exception):
    """The domain has no Dashboards, such as the local platform's."""


class Domain:
    """A search domain, asked as the connection's caller. Raises PlatformError when it refuses or is away."""

    def __init__(self, connection: Connection, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._caller = Caller(connection.credentials(), connection.region)
        self._search = Search(self._endpoint, caller=self._caller)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the REST API -> its JSON."""
        try:
            return self._search.call(method, path, body)
        except (Refused, Unavailable) as error:
            raise PlatformError(f"The search domain {self._endpoint}: {error}", _ADVICE) from error

    def prepare(self) -> None:
        """Puts the template; indices that exist keep the mapping that they were made with."""
        self.call("PUT", f"/_index_template/{NAME}", TEMPLATE)

    def show(self, saved: bytes) -> int:
        """Imports saved objects (NDJSON), over older ones; how many. Raises NoDashboardsError."""
        mark = uuid.uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="sentiment.ndjson"\r\n\r\n'
        body = head.encode() + saved + f"\r\n--{mark}--\r\n".encode()
        status, answer = self._sent(IMPORT, body, f"multipart/form-data; boundary={mark}")
        if status in _NO_DASHBOARDS and b"successCount" not in answer:
            raise NoDashboardsError
        told = json.loads(answer) if status == 200 else {}
        if not told.get("success"):
            raise PlatformError(f"Dashboards did not take the objects: HTTP {status}: {answer[:500]!r}", _ADVICE)
        return int(told["successCount"])

    def fill(self, rows: Iterator[dict[str, Any]], count: Callable[[int], None]) -> list[tuple[str, str]]:
        """Writes the posts of rows ({"post", "p"}); (row, why) of those that are refused."""
        bad: list[tuple[str, str]] = []
        for batch in batched(rows, POSTS_A_CALL):
            documents = []
            for row in batch:
                try:
                    scored = decode_scored(row["p"])
                except Rejected as error:
                    bad.append((row["post"], str(error)))
                else:
                    source = msgspec.json.encode(document(row["post"], scored))
                    documents.append(Document(index_of(scored), row["post"], source))
            try:
                indexed = self._search.index(documents)
            except Refused as error:
                raise PlatformError(f"The search domain {self._endpoint}: {error}", _ADVICE) from error
            if indexed.later:
                raise PlatformError(f"The search domain {self._endpoint} takes no more for now.", "Run it again later.")
            bad += [(documents[place].id, why) for place, why in indexed.refused.items()]
            count(len(documents) - len(indexed.refused))
        return bad

    def _sent(self, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        """A POST to what is no part of the REST API; Dashboards wants to be told that no page makes it."""
        headers = {"osd-xsrf": "true", "Content-Type": content_type}
        request = AWSRequest("POST", self._endpoint + path, headers=headers, data=body)
        SigV4Auth(self._caller.credentials, "es", self._caller.region).add_auth(request)
        try:
            response = URLLib3Session(timeout=60).send(request.prepare())
        except (HTTPClientError, NotConnected) as error:
            raise PlatformError(f"The search domain does not answer at {self._endpoint}: {error}", _ADVICE) from error
        return response.status_code, response.content


def rows(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    """Key and post of each post's row; rows that hold no post (fingerprints) are passed over."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, ProjectionExpression="post, p", FilterExpression="attribute_exists(b)"
    )
    for page in pages:
        for item in page["Items"]:
            yield {"post": item["post"]["S"], "p": item["p"]["B"]}
