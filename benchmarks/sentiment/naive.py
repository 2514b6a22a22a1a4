"""Firehose batch -> for each post: language, tokens, a run of the model, put_item, put_record. What one writes first.

Clients, tokenizer and model are made once, at import, with the libraries' defaults. It uses the project's own model and
features (a transformers pipeline is not installed here, and would run a model of its own size). No check of the input,
a repeated delivery writes again, a repost is no repost, and nothing is redacted.
"""

import base64
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import onnxruntime
import py3langid
import sentencepiece

from functions.sentiment import features

posts = boto3.resource("dynamodb").Table(os.environ["POSTS_TABLE"])
firehose = boto3.client("firehose")
model_path = Path(os.environ["MODEL_URI"])
tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(model_path.with_name("tokenizer.model")))
session = onnxruntime.InferenceSession(str(model_path))
inputs = {each.name for each in session.get_inputs()}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One post after the other."""
    return {"records": [classified(record) for record in event["records"]]}


def classified(record: dict[str, Any]) -> dict[str, Any]:
    """Classify, store, keep the raw post, answer."""
    post = json.loads(base64.b64decode(record["data"]))
    language, _ = py3langid.classify(post["text"])
    probabilities = classify(post["text"])
    label = features.LABELS[probabilities.index(max(probabilities))]
    scored = {**post, "language": language, "label": label, "probabilities": probabilities}
    item = {**scored, "probabilities": [Decimal(str(each)) for each in probabilities]}
    posts.put_item(Item={"post": f"{post['brand']}#{post['network']}#{post['id']}", **item})
    firehose.put_record(
        DeliveryStreamName=os.environ["RAW_DELIVERY"], Record={"Data": json.dumps(post).encode() + b"\n"}
    )
    return {
        "recordId": record["recordId"],
        "result": "Ok",
        "data": base64.b64encode(json.dumps(scored).encode()).decode(),
        "metadata": {"partitionKeys": {"brand": post["brand"], "dt": post["time"][:10]}},
    }


def classify(text: str) -> list[float]:
    """Probabilities of one text."""
    given = features.encode([text], tokenizer)
    answer = session.run(None, {name: given[name] for name in inputs})
    names = [each.name for each in session.get_outputs()]
    found: list[float] = answer[names.index("probabilities")][0].tolist()
    return found
