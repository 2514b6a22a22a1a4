"""One Kinesis batch through three handlers, AWS stubbed at the HTTP session -> CPU and AWS calls a transaction.

Ours is measured as it runs in its Lambda function (score), and together with the function that does afterwards what the
others do at once (act: decision items, bus, alerts), because work that was moved is still work.
"""

import base64
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.aws import CannedAws, stubbed
from benchmarks.environment import Context
from benchmarks.measure import Contestant, interleaved
from benchmarks.workload import TABLES, Workload
from functions.fraud.features import Frame
from functions.fraud.history import History

Handler = Callable[[dict[str, Any], Any], Any]
NAIVE, GOOD, SCORE, BOTH, FEATURES = "naive", "good practice", "score", "score and act", "features, row by row"
_FAST_TIMES = 10
_PARAMETER = re.compile(r"(\w+)[\"']?\s*[:=]\s*\?")  # SET "s" = ?  or  VALUE {'s': ?


def measure(workload: Workload, rounds: int) -> dict[str, Any]:
    """CPU nanoseconds a batch and calls by operation for each contestant; sizes of the batch.

    The handlers are imported here, with the stub in place: their clients and models exist before the first round.
    """
    aws, event, context = workload.aws(), workload.event, Context()
    with stubbed(aws):
        from benchmarks import good_practice, naive  # noqa: PLC0415 - they read the environment when imported
        from functions.fraud.act.handler import handler as act  # noqa: PLC0415
        from functions.fraud.score.handler import handler as score  # noqa: PLC0415

        outbox = committed(aws, score, event)
        contestants = [
            Contestant(NAIVE, lambda: naive.handler(event, context)),
            Contestant(GOOD, lambda: good_practice.handler(event, context)),
            Contestant(SCORE, lambda: score(event, context), _FAST_TIMES),
            Contestant(BOTH, lambda: (score(event, context), act(outbox, context)), _FAST_TIMES),
            Contestant(FEATURES, features_alone(workload)),
        ]
        calls = {contestant.name: counted(aws, contestant.run) for contestant in contestants}
        spent = interleaved(contestants, rounds, lambda: aws.spent_ns)
    return {
        "name": workload.name,
        "records": workload.records,
        "cards": workload.distinct("card_id"),
        "terminals": workload.distinct("terminal_id"),
        "ns": spent,
        "calls": calls,
    }


def counted(aws: CannedAws, run: Callable[[], object]) -> Counter[str]:
    """Calls of one run by operation."""
    before = aws.calls.copy()
    run()
    return aws.calls - before


def committed(aws: CannedAws, score: Handler, event: dict[str, Any]) -> dict[str, Any]:
    """What the cards table's stream hands to `act` after `score` has run: the new images, outbox included."""
    aws.keep = True
    score(event, Context())
    aws.keep = False
    images = [image for operation, body in aws.kept if "ExecuteStatement" in operation for image in _images(body)]
    aws.kept.clear()
    stream = f"arn:aws:dynamodb:eu-west-1:123456789012:table/{TABLES['CARDS_TABLE']}/stream/2026-11-23T00:00:00.000"
    return {"Records": [_changed(number, image, stream) for number, image in enumerate(images) if "d" in image]}


def _images(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes that each statement sets or selects by. Of one that occurs twice (v: SET, WHERE) the first."""
    images = []
    for statement in body["Statements"]:
        image: dict[str, Any] = {}
        for name, value in zip(_PARAMETER.findall(statement["Statement"]), statement["Parameters"], strict=True):
            image.setdefault(name, value)
        images.append(image)
    return images


def _changed(number: int, image: dict[str, Any], stream: str) -> dict[str, Any]:
    return {
        "eventID": f"e{number}",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": time.time(),
            "Keys": {"card_id": image["card_id"]},
            "NewImage": image,
            "SequenceNumber": f"{number + 1:021d}",
            "SizeBytes": 2000,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": stream,
    }


def features_alone(workload: Workload) -> Callable[[], None]:
    """What the features cost a handler that makes them row by row: the comparison may owe that much to them."""
    histories = [
        tuple(History.unpack(base64.b64decode(item["s"]["B"])) for item in pair)
        for pair in zip(workload.cards.values(), workload.terminals.values(), strict=False)
    ]
    now = int(time.time())

    def run() -> None:
        for number in range(workload.records):
            frame = Frame()
            frame.append(now, 1250, *histories[number % len(histories)])
            frame.matrix()

    return run
