"""Kinesis batch -> for each record: read, pandas row, XGBClassifier, write, publish. What everybody writes first.

Clients and model are made once, at import. Features come from the project's own History and Frame, not from queries or
pandas windows as one would write them at first: the comparison is about calls, frameworks and the model.
"""

import base64
import json
import os
from datetime import datetime
from decimal import Decimal
from typing import Any

import boto3
import pandas as pd
from xgboost import XGBClassifier

from functions.fraud.features import FEATURES, Frame
from functions.fraud.history import History, tag_of

dynamodb = boto3.resource("dynamodb")
cards = dynamodb.Table(os.environ["CARDS_TABLE"])
terminals = dynamodb.Table(os.environ["TERMINALS_TABLE"])
decisions = dynamodb.Table(os.environ["DECISIONS_TABLE"])
alerts = boto3.resource("sns").Topic(os.environ["ALERTS_TOPIC_ARN"])

model = XGBClassifier()
model.load_model(os.environ["XGBOOST_MODEL_PATH"])
model.set_params(n_jobs=1)

REVIEW_AT, DECLINE_AT = 0.5, 0.9  # of an uncalibrated score


def handler(event: dict[str, Any], _context: object) -> None:
    """Decide a batch, one record after the other."""
    for record in event["Records"]:
        decide(json.loads(base64.b64decode(record["kinesis"]["data"])))


def decide(transaction: dict[str, Any]) -> None:
    """Read both states, score, write both states and the decision, tell about anything but approve."""
    time = int(datetime.fromisoformat(transaction["time"]).timestamp())
    tag, amount = tag_of(transaction["transaction_id"]), transaction["amount"]
    card = read(cards, {"card_id": transaction["card_id"]})
    terminal = read(terminals, {"terminal_id": transaction["terminal_id"]})

    frame = Frame()
    frame.append(time, amount, card, terminal)
    row = pd.DataFrame(frame.matrix(), columns=list(FEATURES))
    score = float(model.predict_proba(row)[0, 1])
    outcome = "decline" if score >= DECLINE_AT else "review" if score >= REVIEW_AT else "approve"

    card.add(tag, time, amount)
    terminal.add(tag, time, amount)
    cards.put_item(Item={"card_id": transaction["card_id"], "s": card.pack(), "x": card.expires_at})
    terminals.put_item(Item={"terminal_id": transaction["terminal_id"], "s": terminal.pack(), "x": terminal.expires_at})
    decision = {**transaction, "score": Decimal(str(score)), "outcome": outcome}
    decisions.put_item(Item=decision)
    if outcome != "approve":
        alerts.publish(Subject=f"Card payment: {outcome}", Message=json.dumps(decision, default=str))


def read(table: Any, key: dict[str, str]) -> History:
    """The state under the key, new if there is none."""
    item = table.get_item(Key=key).get("Item")
    return History.unpack(bytes(item["s"]) if item else None)
