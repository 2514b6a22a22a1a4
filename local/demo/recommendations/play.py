"""Connection + simulated shop -> the recommendations demo: lists get better with each interaction, and by a retraining.

The shop and its people are models/recommendations/world.py. The model that ships was trained on what others did there;
it knows nothing of the newcomers who ask for lists here, nor of the change of taste that comes.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean
from typing import TYPE_CHECKING

from rich.console import Console

from local.demo.recommendations.screen import percentiles, show_list, show_round
from local.demo.recommendations.shoppers import Shop, Shopper, newcomers, rounds
from local.demo.rollout import follow
from local.feed.api import Api
from local.feed.catalogue import put_items
from local.lifecycle.backfill import put_files
from local.lifecycle.control import STACKS, Control
from local.lifecycle.screen import show_execution
from local.lifecycle.versions import versions
from local.platform.client import Connection
from local.platform.errors import PlatformError

if TYPE_CHECKING:
    from models.recommendations.world import World

PIPELINE = "recommendations"
SEED = 7
"""The world whose past the shipped model was trained on."""
BEFORE, AFTER, HISTORY = 119.5, 150.0, 60.0
"""Days of the world: shortly before tastes change, a month later, and how many of them a retraining gets."""
PEOPLE, ROUNDS, SHOWN = 50, 6, 6
LATER = 30
"""People of the second part, before and after the retraining."""
LATER_ROUNDS = 4
ARM, MOST = "model", 0.4
"""The arm that gets personal lists, and where the bars end."""


@dataclass(frozen=True)
class Stage:
    """Where the demo plays."""

    console: Console
    connection: Connection
    api: Api
    world: "World"
    run: str
    now: datetime


def play(console: Console, connection: Connection, run: str, now: datetime, *, retrain: bool) -> None:
    """The first part, and with `retrain` the second. Raises PlatformError when a part of it does not come."""
    from models.recommendations.world import World  # noqa: PLC0415 - imports pandas

    began = time.monotonic()
    outputs = connection.outputs(STACKS[PIPELINE])
    stage = Stage(console, connection, Api(connection, outputs["ApiUrl"]), World(SEED), run, now)
    _better_with_each(stage, outputs["ItemsTable"])
    if retrain:
        _better_after_retraining(stage, outputs)
    console.print(f"\nThat took {time.monotonic() - began:.0f} s.")


def _better_with_each(stage: Stage, table: str) -> None:
    console = stage.console
    _catalogue(stage, table, BEFORE)
    console.print(
        f"\n[bold]{PEOPLE} newcomers, of whom nothing is known.[/] The chance that a list of ten holds\n"
        "what somebody wants next, by how many wishes the suite has seen; one in ten is\n"
        "a hold-out, who always gets what is popular:"
    )
    shop = Shop(stage.api, stage.world, BEFORE, stage.world.seed)
    people = newcomers(stage.world, stage.run, 0, PEOPLE)
    rounds(shop, people, ROUNDS, lambda turn, shares: show_round(console, turn, shares, MOST))
    someone = next((each for each in people if each.listed["arm"] != "popular"), people[0])
    console.print(f"\n[bold]What {someone.name} gets now[/], and why")
    show_list(console, someone.listed, SHOWN)
    console.print(f"\nGET /recommendations: {len(shop.latencies):,} lists, {percentiles(shop.latencies)}")


def _better_after_retraining(stage: Stage, outputs: dict[str, str]) -> None:
    from models.recommendations.backfill import files  # noqa: PLC0415 - imports pandas
    from models.recommendations.simulator import interactions  # noqa: PLC0415

    console, control = stage.console, Control(stage.connection, PIPELINE)
    console.print("\n[bold]A month later[/]: new things in the shop, and people want others than before")
    _catalogue(stage, outputs["ItemsTable"], AFTER)
    opened = stage.now - timedelta(days=AFTER)
    table = interactions(stage.world, AFTER - HISTORY, AFTER, opened)
    put_files(stage.connection, PIPELINE, files(table), stage.run)
    console.print(f"{len(table):,} interactions of {table.user_id.nunique():,} others came in and are in the lake.\n")
    live = next(each for each in versions(control) if each.live)
    if live.number:
        console.print(
            f"[yellow]{live.name} decides already, which an earlier retraining made: there is less to gain.[/]\n"
            f"[bold]cuatro rollback {PIPELINE}[/] goes back, [bold]cuatro down --forget[/] begins anew."
        )
    before, crowd = _month_later(stage, "before", "the model that decides now")

    console.print("\n[bold]Retraining[/], as every night (cuatro retrain recommendations)")
    arn = control.retrain("the demo", {})["execution_arn"]
    if not show_execution(console, control, arn):
        raise PlatformError("The retraining brought no new version.", f"`cuatro models {PIPELINE}` shows why.")
    newest = versions(control)[0]
    console.print(f"\n[bold]Roll-out[/] of {newest.name}")
    shop = Shop(stage.api, stage.world, AFTER, stage.world.seed + 1)

    def traffic() -> bool:  # of people whom the suite knows: strangers' lists are no model's work
        shop.lists(crowd)
        return True

    follow(console, control, newest, traffic)
    after, _ = _month_later(stage, "after", "the retrained model")
    console.print(
        f"\nWith {LATER_ROUNDS} wishes known, the chance that a list holds the next one is now [bold]{after:.0%}[/], "
        f"it was {before:.0%}."
    )


def _month_later(stage: Stage, phase: str, who: str) -> tuple[float, list[Shopper]]:
    """How good the lists of strangers get, of those who are not held out, at last; and these people.

    Each phase has the same people in a world of its own, so that only the model differs.
    """
    from models.recommendations.world import World  # noqa: PLC0415 - imports pandas

    world = World(SEED)
    people = newcomers(world, f"{stage.run}-{phase}", PEOPLE, LATER)
    shop = Shop(stage.api, world, AFTER, SEED)
    stage.console.print(f"  {LATER} more newcomers and {who}")
    found = rounds(
        shop, people, LATER_ROUNDS, lambda turn, shares: show_round(stage.console, turn, {ARM: shares[ARM]}, MOST)
    )
    return mean(found[-1][ARM]), people


def _catalogue(stage: Stage, table: str, day: float) -> None:
    items = list(stage.world.shop.catalogue(stage.now - timedelta(days=day), day))
    put_items(stage.connection, table, items)
    stage.console.print(f"A simulated shop with {len(items):,} items in the catalogue (cuatro catalog import)")
