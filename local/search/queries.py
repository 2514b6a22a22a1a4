"""A saved visualisation -> the search that OpenSearch Dashboards makes of it, so that it can be run and checked.

As Dashboards builds it: buckets within each other in their order, metrics in the innermost, named by their numbers;
the time range and the panel's query as filters; an automatic interval that gives at most a hundred bars.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from local.search.panels import TIME

Query = dict[str, Any]

MOST_BARS = 100
# Dashboards' round intervals.
_INTERVALS = (
    (timedelta(seconds=30), "30s"), (timedelta(minutes=1), "1m"), (timedelta(minutes=5), "5m"),
    (timedelta(minutes=10), "10m"), (timedelta(minutes=30), "30m"), (timedelta(hours=1), "1h"),
    (timedelta(hours=3), "3h"), (timedelta(hours=12), "12h"), (timedelta(days=1), "1d"), (timedelta(days=7), "7d"),
    (timedelta(days=30), "30d"),
)  # fmt: skip


def search_of(saved: Query, begin: datetime, end: datetime) -> Query:
    """Body of the _search of a saved visualisation or saved search, for a range of time."""
    source = json.loads(saved["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    filters: list[Query] = [{"match_all": {}}]
    if source["query"]["query"]:
        filters = [_words(source["query"]["query"])]
    span = {"gte": begin.isoformat(), "lte": end.isoformat(), "format": "strict_date_optional_time"}
    query = {"bool": {"must": [], "filter": [*filters, {"range": {TIME: span}}], "should": [], "must_not": []}}
    if saved["type"] == "search":
        order = [{field: {"order": way, "unmapped_type": "boolean"}} for field, way in saved["attributes"]["sort"]]
        return {"size": 500, "sort": order, "query": query, "_source": {"excludes": []}, "version": True}
    aggregations = json.loads(saved["attributes"]["visState"])["aggs"]
    metrics = [each for each in aggregations if each["schema"] == "metric"]
    buckets = [each for each in aggregations if each["schema"] != "metric"]
    return {"size": 0, "track_total_hits": True, "query": query, "aggs": _nested(buckets, metrics, end - begin)}


def _nested(buckets: list[Query], metrics: list[Query], span: timedelta) -> Query:
    if not buckets:
        return {each["id"]: {each["type"]: {"field": each["params"]["field"]}} for each in metrics if _has_field(each)}
    first, *rest = buckets
    body = {first["type"]: _bucket(first, span)}
    if inner := _nested(rest, metrics, span):
        body["aggs"] = inner
    return {first["id"]: body}


def _bucket(bucket: Query, span: timedelta) -> Query:
    params = bucket["params"]
    if bucket["type"] == "date_histogram":
        least = span / MOST_BARS
        interval = next((name for width, name in _INTERVALS if width >= least), _INTERVALS[-1][1])
        kind = "calendar_interval" if interval.startswith("1") and interval in {"1m", "1h", "1d"} else "fixed_interval"
        return {"field": params["field"], kind: interval, "time_zone": "UTC", "min_doc_count": params["min_doc_count"]}
    if bucket["type"] == "filters":
        return {"filters": {each["label"]: _words(each["input"]["query"]) for each in params["filters"]}}
    return {"field": params["field"], "size": params["size"], "order": {"_count": params["order"]}}


def _has_field(metric: Query) -> bool:
    return "field" in metric["params"]


def _words(query: str) -> Query:
    return {"query_string": {"query": query, "analyze_wildcard": True, "time_zone": "UTC"}}
