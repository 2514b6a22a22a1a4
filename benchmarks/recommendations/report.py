"""Figures of the recommendations pipeline -> its part of docs/benchmarks.md."""

from typing import Any

from benchmarks.markdown import calls_of, row, us
from benchmarks.measure import p50

SECTION = """
## Recommendations

The shipped model ({items:,} items) on the world that it was trained on: {rows:,} interactions of {users:,} people.

### The ranking function alone

20 items for a profile of so many, the profile's own left out; no AWS call. CPU of a list, p50, and how many times that
of the first line.

| | 5 items | times | 20 items | times | 100 items | times |
|---|---:|---:|---:|---:|---:|---:|
{alone}

- *ours* is `OnnxRanker.rank`: names in, names, scores and reasons out, the newest interaction folded in.
- *pandas and implicit ALS* is `benchmarks/recommendations/naive.py`: a frame of the user's items,
  `recommend(recalculate_user=True)`, 64 factors. *implicit item-kNN* is `CosineRecommender.recommend` on a sparse row
  that is ready: it knows neither order nor time, and gives no reasons.
- The model of 100,000 items has random neighbours (100 each) in the shape that is shipped at that size.

### The API handler

`GET /recommendations/{{user}}?k=20`, each of {requests} people once in each of {rounds} rounds (half of them have more
than {profile} items in their profile), AWS stubbed as below, warm.

| handler | CPU a request, p50 | p99 | requests/s and core | AWS calls a request | times naive |
|---|---:|---:|---:|---:|---:|
{api}

Calls of {requests} requests:

{api_calls}

- *naive* reads the user's items, ranks by pandas and `implicit`, reads the titles, stores the list: boto3 resources.
- *api* does all that a list of ours is: profile and shelves in one read, 100 candidates, what is sold out or was seen
  left out, categories mixed, the explored place, the experiment's arm, reasons, an entity tag, the stored list, one
  line of log and of metrics. It remembers catalogue and popular shelf for some seconds, as a busy function does;
  *nothing in memory* reads them at every request.

### The stream handler

{records} interactions of {record_users} people, all new. *naive*: an `UpdateItem` for each that appends to a list. It
counts duplicates twice, has no bound, checks nothing.

| handler | CPU an interaction, p50 | interactions/s and core | AWS calls/interaction | times naive |
|---|---:|---:|---:|---:|
{record}

Calls of a batch:

{record_calls}
"""

LIVE = """| {sustained[interactions]} interactions put at once: in their profiles | {sustained[a_second]:.0f} a second |
| {single[interactions]} single ones, {single[a_second]} a second: event to profile, p50 | {single[p50_ms]:.0f} ms |
| the same, p99 | {single[p99_ms]:.0f} ms |
| {lists[requests]} lists from the API, one after the other, signed, over HTTP: p50 | {lists[p50_ms]:.0f} ms |
| the same, p99 | {lists[p99_ms]:.0f} ms |
"""
_NAMES = {
    "OnnxRanker": "**ours**",
    "pandas, implicit ALS": "pandas and implicit ALS",
    "implicit item-kNN": "implicit item-kNN",
    "OnnxRanker, 100,000 items": "**ours**, 100,000 items",
}


def section(measured: dict[str, Any]) -> str:
    """The pipeline's own section."""
    api, record = measured["api"], measured["record"]
    return SECTION.format(
        **{name: measured[name] for name in ("items", "rows", "users", "rounds", "profile")},
        alone="\n".join(_alone(measured["alone"])),
        requests=api["requests"],
        api="\n".join(_handlers(api, api["requests"], 1, p99=True)),
        api_calls=_calls(api),
        records=record["records"],
        record_users=record["users"],
        record="\n".join(_handlers(record, record["records"], record["records"], p99=False)),
        record_calls=_calls(record),
    )


def live(figures: dict[str, Any]) -> str:
    """Lines of the running platform's table."""
    return LIVE.format(**figures)


def _alone(figures: dict[str, dict[str, list[int]]]) -> list[str]:
    lines = []
    for name, title in _NAMES.items():
        cells = []
        for of in figures.values():
            middle = p50(of[name])
            cells += [us(middle / 1e9), f"{middle / p50(of['OnnxRanker']):.2f}"]
        lines.append(row([title, *cells]))
    return lines


def _handlers(one: dict[str, Any], counted: int, at_once: int, *, p99: bool) -> list[str]:
    """counted: events that the calls are of; at_once: events of a run."""
    lines = []
    for name, spent in one["ns"].items():
        middle = p50(spent) / at_once
        calls = sum(one["calls"][name].values()) / counted
        tail = [us(sorted(spent)[int(0.99 * len(spent))] / at_once / 1e9)] if p99 else []
        times = p50(one["ns"]["naive"]) / at_once / middle
        title = name if name == "naive" else f"**{name}**"
        lines.append(row([title, us(middle / 1e9), *tail, f"{1e9 / middle:,.0f}", f"{calls:.2f}", f"{times:.1f}"]))
    return lines


def _calls(one: dict[str, Any]) -> str:
    return "\n".join(f"- {name}: {calls_of(calls)}" for name, calls in one["calls"].items())
