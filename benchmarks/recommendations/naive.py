"""Request -> boto3 resource, pandas frame, `implicit` recommend, titles, list stored: what everybody writes first.

Clients and model are made once, at import. No checks, no exclusion of what is sold out or was seen, no diversity, no
exploration, no experiment, no reasons, no answer when anything is away.
"""

import json
import os
import time
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
import numpy as np
import pandas as pd
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from benchmarks.recommendations.peer import names

dynamodb = boto3.resource("dynamodb")
histories = dynamodb.Table(os.environ["HISTORIES_TABLE"])
lists = dynamodb.Table(os.environ["LISTS_TABLE"])
items_table = os.environ["ITEMS_TABLE"]

model = AlternatingLeastSquares.load(os.environ["ALS_MODEL_PATH"])
items = names()
index = pd.Series(range(len(items)), index=items)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """GET /recommendations/{user_id}."""
    user = event["pathParameters"]["user_id"]
    k = int(event["multiValueQueryStringParameters"]["k"][0])
    found = histories.get_item(Key={"user_id": user}).get("Item", {"items": []})
    best = recommend(pd.DataFrame({"item": found["items"]}), k)
    keys = [{"item_id": item} for item, _ in best]
    answer = dynamodb.batch_get_item(RequestItems={items_table: {"Keys": keys}})
    entries = {entry["item_id"]: entry for entry in answer["Responses"][items_table]}
    shown = [
        {"item_id": item, "title": entries[item]["title"] if item in entries else item, "score": score}
        for item, score in best
    ]
    list_id = uuid4().hex
    lists.put_item(
        Item={
            "list_id": list_id,
            "user_id": user,
            "served_at": int(time.time()),
            "items": [{**each, "score": Decimal(str(each["score"]))} for each in shown],
        }
    )
    return {"statusCode": 200, "body": json.dumps({"list_id": list_id, "user_id": user, "items": shown})}


def recommend(frame: pd.DataFrame, k: int) -> list[tuple[str, float]]:
    """The user's items (column `item`) -> k others with their scores, the user's factors computed from them."""
    places = frame["item"].map(index).dropna().astype(int)
    counts = places.value_counts()
    row = csr_matrix((counts.to_numpy(np.float32), (np.zeros(len(counts), int), counts.index)), (1, len(items)))
    best, scores = model.recommend(0, row, N=k, recalculate_user=True)
    return [(items[place], float(score)) for place, score in zip(best, scores, strict=True)]
