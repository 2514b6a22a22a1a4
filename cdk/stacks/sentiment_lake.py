"""Posts as collected, as scored, and people's labels in the lake: columns, who delivers them, SQL to begin with.

The columns are the fields of what the functions write (a test holds that). Times are text in RFC 3339:
from_iso8601_timestamp(time) in Athena. A query says WHERE brand = '...'; a retry may repeat a line, the view `posts`
takes one of each.
"""

from typing import NamedTuple

from cdk.constructs.delivery import Delivery
from cdk.constructs.lake import Lake
from cdk.constructs.lake_tables import LakeTables
from cdk.constructs.processing import Processing
from cdk.constructs.suite_function import SuiteFunction

# Of the fields of a post, those that are no partition.
POST = {
    "version": "int",
    "network": "string",
    "id": "string",
    "text": "string",
    "language": "string",
    "time": "string",
    "collected_at": "string",
    "url": "string",
    "author": "string",
    "repost_of": "string",
    "likes": "int",
    "reposts": "int",
    "replies": "int",
    "source": "string",
    "cut": "boolean",
    "time_adjusted": "boolean",
    "correlation_id": "string",
    "replayed": "boolean",
}
SCORED = {
    **POST,
    "label": "string",
    "probabilities": "array<double>",
    "unsure": "boolean",
    "backend": "string",
    "model_version": "string",
    "classified_at": "string",
    "fingerprint": "string",
    "repost": "boolean",
    "human_label": "string",
    "shadow": "struct<version:string,label:string,unsure:boolean>",
}
LABELS = {
    "version": "int",
    "post": "string",
    "brand": "string",
    "network": "string",
    "language": "string",
    "text": "string",
    "fingerprint": "string",
    "human_label": "string",
    "by": "string",
    "note": "string",
    "time": "string",
    "written": "string",
    "label": "string",
    "probabilities": "array<double>",
    "unsure": "boolean",
    "model_version": "string",
}
KEEPS = ("raw", "scored", "labels")
_BY = ("brand", "dt")

# One line a post: of those that a retry repeated, the newest.
_ONE_EACH = """
FROM (
  SELECT *, row_number() OVER (PARTITION BY brand, network, id ORDER BY classified_at DESC) AS place
  FROM scored
)
WHERE place = 1"""
POSTS_SQL = "SELECT " + ", ".join(f'"{name}"' for name in (*SCORED, *_BY)) + _ONE_EACH
BY_DAY_SQL = """SELECT brand, dt, network, language,
  count(*) AS posts,
  count_if(label = 'negative') AS negative,
  count_if(label = 'neutral') AS neutral,
  count_if(label = 'positive') AS positive,
  count_if(unsure) AS unsure,
  avg(probabilities[3] - probabilities[1]) AS score
FROM posts
WHERE NOT repost
GROUP BY brand, dt, network, language"""
CORRECTED_SQL = """SELECT brand, post, text, label AS said_by_model, human_label AS said_by_person, model_version, dt
FROM (SELECT *, row_number() OVER (PARTITION BY post ORDER BY time DESC) AS place FROM labels)
WHERE place = 1 AND label <> human_label"""


def daily_sql(brand: str, database: str) -> str:
    """Of one brand (an expression of SQL) without the views, for whoever cannot make them."""
    lake = POSTS_SQL.replace("FROM scored", f'FROM "{database}".scored WHERE brand = {brand}')
    return f"WITH posts AS (\n{lake}\n)\n{BY_DAY_SQL}"


class Kept(NamedTuple):
    """The tables, and the deliveries that fill them; that of scored posts is made last, when its function is there."""

    tables: LakeTables
    raw: Delivery
    labels: Delivery


def kept(lake: Lake) -> Kept:
    """Lines of JSON, of posts by brand and by the day they were written, of labels by the day they came."""
    tables = lake.tables()
    tables.table("raw", POST, by=_BY[:1])
    tables.table("scored", SCORED, by=_BY[:1])
    tables.table("labels", LABELS)
    for name, purpose, sql in (
        ("posts", "Run once: one line a post that was scored", f"CREATE OR REPLACE VIEW posts AS\n{POSTS_SQL}"),
        (
            "sentiment_by_day", "Run once, after posts: what each day said, by network and language",
            f"CREATE OR REPLACE VIEW sentiment_by_day AS\n{BY_DAY_SQL}",
        ),
        ("corrected", "What people saw otherwise than the model", CORRECTED_SQL),
    ):  # fmt: skip
        tables.query(name, purpose, sql)
    return Kept(tables, lake.delivery("raw", processing=Processing(by=_BY)), lake.delivery("labels"))


def scored(lake: Lake, classify: SuiteFunction, gather_s: int) -> Delivery:
    """What collectors put, classified on its way: the pipeline's door."""
    return lake.delivery("scored", processing=Processing(by=_BY, function=classify, gather_s=gather_s))
