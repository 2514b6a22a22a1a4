"""What the dashboard of posts shows: each panel as its metrics, its buckets and the posts it is about.

Aggregation-based visualisations, since these have a documented, stable form that OpenSearch Dashboards imports, and
ask nothing but `_search`, so each of their queries is run by the tests.
"""

from typing import Any, Literal, NamedTuple

TIME = "time"
ALL = ""


class Metric(NamedTuple):
    """A number of each bucket; `count` has no field."""

    kind: Literal["count", "avg", "cardinality"]
    label: str
    field: str = ""


class Bucket(NamedTuple):
    """How posts are split: by time, by the values of a field (the largest `size`), or by named queries.

    as_: where it stands in the picture: along it (segment), as its colours (group), as rows of a table (bucket).
    """

    kind: Literal["date_histogram", "terms", "filters"]
    as_: Literal["segment", "group", "bucket"]
    field: str = ""
    size: int = 5
    label: str = ""
    queries: tuple[tuple[str, str], ...] = ()


class Panel(NamedTuple):
    """A visualisation. query: in Dashboards' own language of fields and words; place: (x, y, width, height) of 48."""

    id: str
    title: str
    kind: Literal["histogram", "line", "pie", "table", "tagcloud", "metric", "horizontal_bar"]
    metrics: tuple[Metric, ...]
    buckets: tuple[Bucket, ...]
    place: tuple[int, int, int, int]
    query: str = ALL


_POSTS, _SCORE = Metric("count", "Posts"), Metric("avg", "Sentiment (-1 to 1)", "score")
_OVER_TIME = Bucket("date_histogram", "segment", TIME)
_BY_CLASS = Bucket("terms", "group", "label", 3, "Class")
_COUNTED = "NOT repost:true"
_KINDS = (
    ("all", _COUNTED),
    ("negative", f"label:negative AND {_COUNTED}"),
    ("unsure", f"unsure:true AND {_COUNTED}"),
    ("reposts", "repost:true"),
    ("corrected", "corrected:true"),
)

PANELS = (
    Panel(
        "totals", "Posts", "metric", (_POSTS,), (Bucket("filters", "group", queries=_KINDS),), (0, 0, 48, 6)
    ),
    Panel(
        "volume", "Posts by class over time", "histogram", (_POSTS,), (_OVER_TIME, _BY_CLASS), (0, 6, 24, 14), _COUNTED
    ),
    Panel(
        "score", "Sentiment of each brand over time", "line", (_SCORE,),
        (_OVER_TIME, Bucket("terms", "group", "brand", 10, "Brand")), (24, 6, 24, 14), _COUNTED,
    ),
    Panel(
        "brands", "Brands", "table", (_POSTS, _SCORE, Metric("cardinality", "Networks", "network")),
        (Bucket("terms", "bucket", "brand", 50, "Brand"),), (0, 20, 24, 12), _COUNTED,
    ),
    Panel(
        "networks", "Networks by class", "horizontal_bar", (_POSTS,),
        (Bucket("terms", "segment", "network", 10, "Network"), _BY_CLASS), (24, 20, 24, 12), _COUNTED,
    ),
    Panel(
        "languages", "Languages", "pie", (_POSTS,), (Bucket("terms", "segment", "language", 10, "Language"),),
        (0, 32, 16, 14), _COUNTED,
    ),
    Panel(
        "complaints", "Hashtags of negative posts", "tagcloud", (_POSTS,),
        (Bucket("terms", "segment", "hashtags", 30, "Hashtag"),), (16, 32, 16, 14), f"label:negative AND {_COUNTED}",
    ),
    Panel(
        "corrections", "What people corrected", "table", (_POSTS,),
        (Bucket("terms", "bucket", "model_label", 3, "The model said"),
         Bucket("terms", "bucket", "label", 3, "A person said"),
         Bucket("terms", "bucket", "language", 10, "Language")),
        (32, 32, 16, 14), "corrected:true",
    ),
)  # fmt: skip

SAMPLES_ID, SAMPLES_TITLE = "samples", "The newest posts"
SAMPLES_COLUMNS = ("brand", "network", "language", "label", "score", "unsure", "text", "url")
SAMPLES_PLACE = (0, 46, 48, 22)


def aggregation(number: int, panel_part: Metric | Bucket) -> dict[str, Any]:
    """A metric or bucket as a visualisation's state has it, under its number."""
    if isinstance(panel_part, Metric):
        params = {"customLabel": panel_part.label} | ({"field": panel_part.field} if panel_part.field else {})
        return _aggregation(number, panel_part.kind, "metric", params)
    if panel_part.kind == "date_histogram":
        params = {"field": panel_part.field, "interval": "auto", "drop_partials": False, "min_doc_count": 1,
                  "useNormalizedOpenSearchInterval": True, "scaleMetricValues": False,
                  "extended_bounds": {}}  # fmt: skip
    elif panel_part.kind == "terms":
        # The values that most posts have, whatever is measured of them.
        most = {"id": f"{number}-orderAgg", "enabled": True, "type": "count", "schema": "orderAgg", "params": {}}
        params = {"field": panel_part.field, "size": panel_part.size, "order": "desc", "orderBy": "custom",
                  "orderAgg": most, "otherBucket": False, "missingBucket": False,
                  "customLabel": panel_part.label}  # fmt: skip
    else:
        params = {
            "filters": [
                {"input": {"query": query, "language": "lucene"}, "label": label} for label, query in panel_part.queries
            ]
        }
    return _aggregation(number, panel_part.kind, panel_part.as_, params)


def _aggregation(number: int, kind: str, schema: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(number), "enabled": True, "type": kind, "schema": schema, "params": params}
