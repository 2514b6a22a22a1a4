"""A new way to steal -> drift alarm -> retraining -> gate -> shadow -> weighted alias -> a model that finds it.

All of it happens in the deployed suite; this only plays the world and tells what can be seen. A history fills the lake
and the states, the days after the change stream through Kinesis with their labels, and the last purchases are kept back
as live traffic for the roll-out.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.decisions import Decision, Decisions
from local.demo.playback import Playback
from local.demo.rollout import follow
from local.demo.screen import Screen
from local.demo.story import named, played
from local.feed.api import Api
from local.feed.transactions import Feed
from local.lifecycle.backfill import fill
from local.lifecycle.control import Control
from local.lifecycle.screen import plain, show_drift, show_execution
from local.lifecycle.versions import Version, versions
from local.platform.client import Connection
from local.platform.errors import PlatformError

if TYPE_CHECKING:
    import pandas as pd

ALARM_S, START_S = 60.0, 60.0
TRAFFIC = 100
"""Purchases of each helping of live traffic during the roll-out."""


@dataclass(frozen=True)
class World:
    """history: before the change; changed: the days after it; kept: the newest purchases, for the roll-out."""

    change: "pd.Timestamp"
    history: "pd.DataFrame"
    changed: "pd.DataFrame"
    kept: "pd.DataFrame"


def world(seed: int, run: str, now: datetime) -> World:
    """The scenario's purchases until `now`, with ids of this run."""
    import pandas as pd  # noqa: PLC0415 - takes long to import

    from models.fraud.scenario import SCENARIO, SHELL_MERCHANT, change, scenario  # noqa: PLC0415

    end = pd.Timestamp(now).tz_convert("UTC").tz_localize(None).floor("s") - pd.Timedelta(minutes=1)
    table = named(scenario(seed, end), run)
    when, began = table["TX_DATETIME"], change(end)
    # No window uses the newest days, whose labels have not come yet.
    kept_from = end - pd.Timedelta(days=SCENARIO.delay_days)
    table = table.assign(NEW=table["TX_FRAUD_SCENARIO"] == SHELL_MERCHANT)
    return World(began, table[when < began], table[(when >= began) & (when < kept_from)], table[when >= kept_from])


def play(console: Console, connection: Connection, seed: int, run: str, now: datetime) -> None:
    """The whole loop. Raises PlatformError when a part of it does not come."""
    began = time.monotonic()
    control = Control(connection)
    told = world(seed, run, now)
    _fill(console, connection, told, run)
    console.print(f"\n[bold]From {told.change:%Y-%m-%d %H:%M} on thieves work in a new way[/]")
    before = _stream(console, connection, told.changed)
    _caught(console, "The model that decides now", told.changed, before)

    console.print("\n[bold]Does anything look different?[/] (cuatro drift)")
    started = {each.arn for each in control.executions()}
    show_drift(console, control.drift())
    for alarm in control.until(lambda: _alarms(connection) or None, "a drift alarm", ALARM_S):
        console.print(f"  alarm: [yellow]{escape(plain(alarm))}[/]")

    console.print("\n[bold]The alarm starts a retraining[/] (cuatro retrain)")
    arn = control.until(
        lambda: next((each.arn for each in control.executions() if each.arn not in started), None),
        "a retraining that the alarm starts",
        START_S,
    )
    if not show_execution(console, control, arn):
        raise PlatformError("The retraining brought no new version.", "`cuatro models` shows why.")
    newest = versions(control)[0]
    console.print(
        f"  the gate lets [bold]{newest.name}[/] pass: average precision {newest.figure:.3f}, "
        f"{newest.gain:+.3f} against the model that decides"
    )
    console.print("\n[bold]Roll-out[/]")
    after = _roll_out(console, connection, control, newest, played(told.kept))
    _report(console, told.kept, after)
    console.print(f"\nThe loop took {time.monotonic() - began:.0f} s.")


def _fill(console: Console, connection: Connection, told: World, run: str) -> None:
    from models.fraud.backfill import backfill  # noqa: PLC0415 - imports pandas

    filled = backfill(told.history)
    fill(connection, filled, run, _quiet)
    console.print(
        f"The lake holds {len(filled.decisions):,} decisions and {len(filled.labels):,} labels of a simulated history."
    )


def _stream(console: Console, connection: Connection, table: "pd.DataFrame") -> dict[str, Decision]:
    feeds = played(table)
    outputs = connection.outputs()
    with Screen(console, feeds) as screen:
        progress = Playback(
            kinesis=connection.client("kinesis"),
            stream=outputs["StreamName"],
            decisions=Decisions(connection.client("dynamodb"), outputs["DecisionsTable"]),
            api=Api(connection, outputs["ApiUrl"]),
            tell=screen,
        ).play(feeds, live=0, rate=1)
    rate = len(feeds) / max(progress.took, 1e-9)
    console.print(f"{len(feeds):,} purchases decided, {rate:,.0f} a second; {progress.labels:,} labels came back.")
    return progress.decisions


def _caught(console: Console, who: str, table: "pd.DataFrame", decisions: dict[str, Decision]) -> None:
    """Recall of the known and of the new frauds, by what was stopped."""
    for name, rows in (
        ("known patterns", table[(table["TX_FRAUD"] == 1) & ~table["NEW"]]),
        ("new pattern", table[table["NEW"]]),
    ):
        decided = [decisions[each] for each in rows["TRANSACTION_ID"] if each in decisions]
        if decided:
            caught = sum(each.alerted for each in decided)
            console.print(
                f"  {who} stops {caught:,} of {len(decided):,} frauds of the {name} ({caught / len(decided):.0%})"
            )


def _alarms(connection: Connection) -> list[str]:
    found = connection.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    return [each["AlarmName"] for each in found if "Drift" in each["AlarmName"] or "Performance" in each["AlarmName"]]


def _roll_out(
    console: Console, connection: Connection, control: Control, newest: Version, feeds: Sequence[Feed]
) -> dict[str, Decision]:
    """Live traffic while the roll-out goes on; ends with it."""
    outputs = connection.outputs()
    decisions = Decisions(connection.client("dynamodb"), outputs["DecisionsTable"])
    playback = Playback(
        kinesis=connection.client("kinesis"), stream=outputs["StreamName"], decisions=decisions,
        api=Api(connection, outputs["ApiUrl"]), tell=_quiet,
    )  # fmt: skip
    found: dict[str, Decision] = {}
    at = 0

    def traffic() -> bool:
        nonlocal at
        # The last quarter waits for the new version: what it decides is the result.
        some = feeds[at : at + TRAFFIC] if at < len(feeds) * 3 // 4 else []
        at += len(some)
        if some:
            found.update(playback.play(some, live=0, rate=1).decisions)
        return bool(some)

    follow(console, control, newest, traffic)
    return found | playback.play(feeds[at:], live=0, rate=1).decisions


def _report(console: Console, table: "pd.DataFrame", decisions: dict[str, Decision]) -> None:
    """Who decided how many, and what each stopped of the frauds."""
    frauds = {
        "new": set(table[table["NEW"]]["TRANSACTION_ID"]),
        "known": set(table[(table["TX_FRAUD"] == 1) & ~table["NEW"]]["TRANSACTION_ID"]),
    }
    shown = Table("decided by", "purchases", *(f"{name} frauds stopped" for name in frauds), box=None, pad_edge=False)
    for model, count in Counter(each.model_version for each in decisions.values()).items():
        cells = []
        for ids in frauds.values():
            theirs = [each for each in decisions.values() if each.model_version == model and each.transaction_id in ids]
            cells.append(f"{sum(each.alerted for each in theirs):,} of {len(theirs):,}")
        shown.add_row(model, f"{count:,}", *cells)
    console.print(shown)


def _quiet(*_told: object) -> None:
    """Progress that nobody watches."""
