"""The project's own posts in six languages -> what a network sends, what a collector sends, Firehose's event."""

import base64
import json
import time
from datetime import UTC, datetime
from itertools import count, cycle, islice
from typing import Any

from benchmarks.environment import ROOT
from cuatro.posts import Incoming
from functions.sentiment import brands
from functions.sentiment.brands import Brand
from functions.sentiment.collect import clean_text, collected

EXAMPLES = ROOT / "models" / "sentiment" / "examples.jsonl"
BATCH = 100
BRAND: Brand = brands.checked(b'{"brand":"northwind","name":"Northwind","terms":["northwind"]}')
KEY = b"a key of the benchmarks"


def incoming() -> list[Incoming]:
    """As a network sends them, in HTML: each text once."""
    lines = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
    return [
        Incoming(
            version=1,
            id=f"post-{number}",
            text=f"<p>{each['text']} <a href='https://a.example/{number}'>a.example/{number}</a></p>",
            author=f"author-{number}",
            url=f"https://mast.example/@author-{number}/{number}",
            network="mastodon",
            time=datetime.now(UTC),
        )
        for number, each in enumerate(lines)
    ]


def post(each: Incoming) -> Any:
    """What a collector makes of it."""
    return collected(
        each, BRAND, clean=clean_text(each, html=True), source="mast.example", collected_at=datetime.now(UTC), key=KEY
    )


def numbered() -> Any:
    """Posts without end, as JSON: the texts again and again, each time with another number in them."""
    from cuatro.posts import encode  # noqa: PLC0415

    texts = cycle(incoming())
    for number in count():
        each = next(texts)
        made = json.loads(encode(post(each)))
        yield made | {"id": f"b-{number}", "text": f"{made['text']} {number}"}


def event() -> dict[str, Any]:
    """100 posts that nobody knows, as Firehose hands them to a transform."""
    return {
        "invocationId": "00000000-0000-0000-0000-000000000000",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/posts",
        "region": "eu-west-1",
        "records": [
            {
                "recordId": f"4954698668313554428650745793632162567570019247115678{number:04}",
                "approximateArrivalTimestamp": int(time.time() * 1000),
                "data": base64.b64encode(json.dumps(each).encode()).decode(),
            }
            for number, each in enumerate(islice(numbered(), BATCH))
        ],
    }
