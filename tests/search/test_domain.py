"""A domain that a stack makes answers at its endpoint, keeps it over a restart, ends with its stack; what is set up."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from cuatro.adapters.search import Caller, Document, Search
from cuatro.errors import Refused
from cuatro.posts import encode
from functions.sentiment.search.template import NAME
from local.platform.client import Connection, connect
from local.platform.errors import PlatformError
from local.platform.process import start, stop
from local.search.dashboards import ndjson, objects
from local.search.setup import Domain, NoDashboardsError, rows
from tests.search.conftest import domain, scored
from tests.search.conftest import rows as keyed


def test_a_stacks_domain_answers_until_the_stack_goes(here: Connection) -> None:
    template = {
        "Resources": {"Search": {"Type": "AWS::OpenSearchService::Domain", "Properties": {
            "EngineVersion": "OpenSearch_2.19"}}},
        "Outputs": {"Endpoint": {"Value": {"Fn::GetAtt": ["Search", "DomainEndpoint"]}}},
    }  # fmt: skip
    stacks, soon = here.client("cloudformation"), {"Delay": 1, "MaxAttempts": 60}
    stacks.create_stack(StackName="search", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="search", WaiterConfig=soon)
    asked = Domain(here, f"http://{here.outputs('search')['Endpoint']}")
    assert asked.call("GET", "/")["version"]["distribution"] == "opensearch"
    stacks.delete_stack(StackName="search")
    stacks.get_waiter("stack_delete_complete").wait(StackName="search", WaiterConfig=soon)
    with pytest.raises(PlatformError, match="search domain"):
        asked.call("GET", "/")


def test_domains_do_not_share_documents(here: Connection) -> None:
    first, second = (Domain(here, domain(here, name)) for name in ("one", "two"))
    first.call("PUT", "/index/_doc/1?refresh=true", {"a": 1})
    assert first.call("POST", "/index/_count")["count"] == 1
    with pytest.raises(PlatformError, match="404"):
        second.call("POST", "/index/_count")


def test_after_a_restart_a_domain_is_at_its_address_and_is_filled_from_the_table(tmp_path: Path) -> None:
    try:
        first = start(tmp_path, port=0)
        here = connect("local", tmp_path)
        endpoint = domain(here, "posts")
        here.client("dynamodb").create_table(
            TableName="posts", KeySchema=[{"AttributeName": "post", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "post", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
        )  # fmt: skip
        for key, each in keyed(scored(1), scored(2)):
            item = {"post": {"S": key}, "p": {"B": encode(each)}, "b": {"S": each.brand}}
            here.client("dynamodb").put_item(TableName="posts", Item=item)
        fingerprint = {"post": {"S": "text#b#f"}, "o": {"S": "x"}}
        here.client("dynamodb").put_item(TableName="posts", Item=fingerprint)
        assert stop(tmp_path)
        start(tmp_path, port=first.port)
        here = connect("local", tmp_path)
        status = here.client("opensearch").describe_domain(DomainName="posts")["DomainStatus"]
        assert f"http://{status['Endpoint']}" == endpoint
        asked = Domain(here, endpoint)
        asked.prepare()
        sent: list[int] = []
        assert asked.fill(rows(here.client("dynamodb"), "posts"), sent.append) == []
        asked.call("POST", "/_refresh")
        assert (sum(sent), asked.call("POST", f"/{NAME}/_count")["count"]) == (2, 2)
    finally:
        stop(tmp_path)


def test_the_local_domain_has_no_dashboards_and_says_so(here: Connection, endpoint: str) -> None:
    with pytest.raises(NoDashboardsError):
        Domain(here, endpoint).show(ndjson(objects()))


class Server(HTTPServer):
    """Gives the answers that it is told, in order, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        status, answer = self.server.answers.pop(0)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def test_dashboards_get_the_file_signed_and_a_refusal_is_told(here: Connection, server: Server) -> None:
    server.answers = [(200, {"success": True, "successCount": 11}), (200, {"success": False, "errors": ["no"]})]
    asked = Domain(here, server.url)
    assert asked.show(ndjson(objects())) == 11
    ((path, headers, body),) = server.asked
    assert path == "/_dashboards/api/saved_objects/_import?overwrite=true"
    assert headers["osd-xsrf"] == "true"
    assert "/es/aws4_request" in headers["authorization"]
    assert ndjson(objects()) in body
    with pytest.raises(PlatformError, match="did not take"):
        asked.show(ndjson(objects()))


def items(*statuses: int) -> dict[str, Any]:
    errors = {429: {"type": "es_rejected_execution_exception", "reason": "full"},
              400: {"type": "mapper_parsing_exception", "reason": "text"}}  # fmt: skip
    return {"items": [{"index": {"status": each, "error": errors.get(each)}} for each in statuses]}


def test_documents_that_are_not_taken_for_now_are_sent_again_alone(here: Connection, server: Server) -> None:
    found = Search(server.url, caller=Caller(here.credentials(), here.region))
    documents = [Document("i", str(number), b"{}") for number in range(4)]
    server.answers = [(200, items(201, 429, 400, 429)), (503, {}), (200, items(200, 429)), (200, items(429))]
    indexed = found.index(documents)
    assert indexed.later == {3}
    assert indexed.refused == {2: "mapper_parsing_exception: text"}
    sent = [[json.loads(line)["index"]["_id"] for line in body.splitlines()[::2]] for _, _, body in server.asked]
    assert sent == [["0", "1", "2", "3"], ["1", "3"], ["1", "3"], ["3"]]
    assert all("/es/aws4_request" in headers["authorization"] for _, headers, _ in server.asked)


def test_calls_hold_at_most_500_documents_and_five_megabytes(here: Connection, server: Server) -> None:
    found = Search(server.url, caller=Caller(here.credentials(), here.region))
    server.answers = [(200, items(*[201] * 500)), (200, items(*[201] * 100)), *[(200, items(201, 201))] * 2]
    assert found.index([Document("i", str(number), b"{}") for number in range(600)]) == (set(), {})
    assert found.index([Document("i", str(number), b"x" * 2_400_000) for number in range(4)]) == (set(), {})
    assert not server.answers


def test_a_role_that_may_not_write_is_an_error_and_no_reason_to_try_again(here: Connection, server: Server) -> None:
    found = Search(server.url, caller=Caller(here.credentials(), here.region))
    server.answers = [(403, {"Message": "User is not authorized"})]
    with pytest.raises(Refused, match="not authorized"):
        found.index([Document("i", "1", b"{}")])
    assert len(server.asked) == 1
