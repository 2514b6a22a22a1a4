"""Panels -> the saved objects of OpenSearch Dashboards, a line of JSON each: pattern, visualisations, dashboard."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from functions.sentiment.search.template import PATTERN, PROPERTIES
from local.search.panels import (
    PANELS,
    SAMPLES_COLUMNS,
    SAMPLES_ID,
    SAMPLES_PLACE,
    SAMPLES_TITLE,
    TIME,
    Panel,
    aggregation,
)

PREFIX = "cuatro-sentiment"
MIGRATION = {"index-pattern": "7.6.0", "visualization": "7.10.0", "search": "7.9.3", "dashboard": "7.9.3"}
_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"
_GREEN, _GREY, _RED = "#2e7d32", "#9e9e9e", "#c62828"
COLOURS = {"positive": _GREEN, "neutral": _GREY, "negative": _RED}
Saved = dict[str, Any]

# A field of the mapping -> what Dashboards calls its type.
_TYPES = {
    "keyword": "string",
    "text": "string",
    "date": "date",
    "boolean": "boolean",
    "float": "number",
    "long": "number",
}


def objects() -> list[Saved]:
    """All saved objects, those that others refer to first."""
    return [_pattern(), *(_visualisation(panel) for panel in PANELS), _samples(), _dashboard()]


def ndjson(saved: Sequence[Saved]) -> bytes:
    """The file that Dashboards imports."""
    return "".join(json.dumps(each, ensure_ascii=False, sort_keys=True) + "\n" for each in saved).encode()


def _pattern() -> Saved:
    fields = [
        {"name": name, "type": _TYPES[mapping["type"]], "esTypes": [mapping["type"]], "count": 0, "scripted": False,
         "searchable": mapping.get("index", True), "aggregatable": mapping["type"] != "text"
         and mapping.get("doc_values", True), "readFromDocValues": mapping.get("doc_values", mapping["type"] != "text")}
        for name, mapping in PROPERTIES.items()
    ]  # fmt: skip
    return _saved("index-pattern", "posts", {"title": PATTERN, "timeFieldName": TIME, "fields": json.dumps(fields)}, [])


def _visualisation(panel: Panel) -> Saved:
    parts = enumerate([*panel.metrics, *panel.buckets], start=1)
    state = {
        "title": panel.title,
        "type": panel.kind,
        "aggs": [aggregation(number, part) for number, part in parts],
        "params": _look(panel),
    }
    attributes = {
        "title": panel.title,
        "visState": json.dumps(state),
        "uiStateJSON": json.dumps({"vis": {"colors": COLOURS}}),
        "description": "",
        "version": 1,
        "kibanaSavedObjectMeta": _source(panel.query),
    }
    return _saved("visualization", panel.id, attributes, [_refers(_INDEX, "index-pattern", "posts")])


def _look(panel: Panel) -> Saved:
    """How a visualisation of this kind looks, as far as it must be said."""
    if panel.kind in {"histogram", "line", "horizontal_bar"}:
        across = panel.kind == "horizontal_bar"
        drawn = "line" if panel.kind == "line" else "histogram"
        return {
            "type": panel.kind, "addTooltip": True, "addLegend": True, "legendPosition": "right", "grid": {},
            "categoryAxes": [{"id": "CategoryAxis-1", "type": "category", "position": "left" if across else "bottom",
                              "show": True, "scale": {"type": "linear"}, "labels": {"show": True}, "title": {}}],
            "valueAxes": [{"id": "ValueAxis-1", "name": "Axis-1", "type": "value", "show": True,
                           "position": "bottom" if across else "left", "scale": {"type": "linear", "mode": "normal"},
                           "labels": {"show": True}, "title": {"text": panel.metrics[0].label}}],
            "seriesParams": [{"show": True, "type": drawn, "mode": "normal" if drawn == "line" else "stacked",
                              "data": {"id": "1", "label": panel.metrics[0].label}, "valueAxis": "ValueAxis-1",
                              "drawLinesBetweenPoints": True, "showCircles": True}],
        }  # fmt: skip
    if panel.kind == "pie":
        return {"type": "pie", "addTooltip": True, "addLegend": True, "legendPosition": "right", "isDonut": True}
    if panel.kind == "table":
        return {"perPage": 10, "showPartialRows": False, "showMetricsAtAllLevels": False, "showTotal": False}
    if panel.kind == "tagcloud":
        return {"scale": "square root", "orientation": "single", "minFontSize": 14, "maxFontSize": 48}
    return {"type": "metric", "addTooltip": True, "addLegend": False, "metric": {"labels": {"show": True}}}


def _samples() -> Saved:
    attributes = {
        "title": SAMPLES_TITLE,
        "columns": list(SAMPLES_COLUMNS),
        "sort": [[TIME, "desc"]],
        "description": "",
        "version": 1,
        "kibanaSavedObjectMeta": _source(""),
    }
    return _saved("search", SAMPLES_ID, attributes, [_refers(_INDEX, "index-pattern", "posts")])


def _dashboard() -> Saved:
    places = [*((panel.id, "visualization", panel.place) for panel in PANELS), (SAMPLES_ID, "search", SAMPLES_PLACE)]
    panels = [
        {"panelIndex": name, "version": "7.9.3", "embeddableConfig": {}, "panelRefName": f"panel_{name}",
         "gridData": {"x": x, "y": y, "w": width, "h": height, "i": name}}
        for name, _, (x, y, width, height) in places
    ]  # fmt: skip
    attributes = {
        "title": "Sentiment of brands",
        "description": "What is said of each brand, where and how: the posts that Cuatro classified.",
        "panelsJSON": json.dumps(panels),
        "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
        "timeRestore": True, "timeFrom": "now-7d", "timeTo": "now",
        "refreshInterval": {"pause": False, "value": 60_000},
        "version": 1,
        "kibanaSavedObjectMeta": {
            "searchSourceJSON": json.dumps({"query": {"query": "", "language": "lucene"}, "filter": []})
        },
    }  # fmt: skip
    return _saved("dashboard", "dashboard", attributes, list(_references(places)))


def _references(places: Sequence[tuple[str, str, Any]]) -> Iterator[Saved]:
    for name, kind, _ in places:
        yield _refers(f"panel_{name}", kind, name)


def _source(query: str) -> Saved:
    """The posts that an object is about."""
    source = {"query": {"query": query, "language": "lucene"}, "filter": [], "indexRefName": _INDEX}
    return {"searchSourceJSON": json.dumps(source)}


def _saved(kind: str, name: str, attributes: Saved, references: list[Saved]) -> Saved:
    return {
        "type": kind, "id": f"{PREFIX}-{name}", "attributes": attributes, "references": references,
        "migrationVersion": {kind: MIGRATION[kind]},
    }  # fmt: skip


def _refers(name: str, kind: str, to: str) -> Saved:
    return {"name": name, "type": kind, "id": f"{PREFIX}-{to}"}
