"""The brands' and the cursors' tables -> what is to be polled at a network: brand, place, how far it is read."""

from typing import NamedTuple

from cuatro.adapters.dynamodb import Dynamo
from cuatro.errors import Rejected
from functions.sentiment.brands import Brand, decode
from functions.sentiment.poll.run import Task
from functions.sentiment.sources.source import Place, Source
from functions.sentiment.sources.state import key_of, read


class Watched(NamedTuple):
    """damaged: brands whose row cannot be read."""

    tasks: list[Task]
    damaged: list[str]


def tasks(source: Source, only: str | None, brands_table: str, cursors_table: str, dynamo: Dynamo) -> Watched:
    """only: the name of one brand. Raises Unavailable."""
    brands, damaged = [], []
    for item in dynamo.scan(brands_table):
        if only in {None, item["brand"]}:
            try:
                brands.append(decode(item["p"]))
            except (Rejected, KeyError):
                damaged.append(item["brand"])
    places = [(brand, place) for brand in brands if brand.enabled for place in source.places(brand)]
    rows = read(source.network, [(brand.brand, place) for brand, place in places], cursors_table, dynamo)
    return Watched(
        [(brand, place, rows[key_of(source.network, brand.brand, place)]) for brand, place in _once(source, places)],
        damaged,
    )


def _once(source: Source, places: list[tuple[Brand, Place]]) -> list[tuple[Brand, Place]]:
    found = {key_of(source.network, brand.brand, place): (brand, place) for brand, place in places}
    return list(found.values())
