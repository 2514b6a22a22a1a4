"""Interactions with their items' categories -> the parts of the popular shelves on which each counts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cuatro.events import InteractionRecorded, milliseconds
from functions.recommendations import shelves
from functions.recommendations.policy import Policy

Part = list[tuple[str, int]]
"""(item, time in ms) of each interaction."""


class Delivery(NamedTuple):
    """What one write of a profile recorded. mark: stands for that write."""

    mark: bytes
    interactions: Sequence[InteractionRecorded]


class Parts(NamedTuple):
    """By shelf: its parts by mark, and the positions of the deliveries that they come from."""

    parts: dict[str, dict[bytes, Part]]
    origins: dict[str, set[int]]


def parts_of(deliveries: Mapping[int, Delivery], categories: Mapping[str, str | None], policy: Policy) -> Parts:
    """deliveries: by position. categories: of the items that the catalogue has."""
    found = Parts({}, {})
    for position, (mark, interactions) in deliveries.items():
        for each in interactions:
            if each.kind == "rating" and (each.value or 0) < policy.disliked_below:
                continue  # what people dislike does not become popular by that
            time_ms = milliseconds(datetime.fromisoformat(each.time))
            for key in shelves_of(each, categories.get(each.item_id), policy.contexts):
                found.parts.setdefault(key, {}).setdefault(mark, []).append((each.item_id, time_ms))
                found.origins.setdefault(key, set()).add(position)
    return found


def shelves_of(interaction: InteractionRecorded, category: str | None, contexts: Sequence[str]) -> Iterator[str]:
    """Keys of the shelves on which an interaction counts."""
    yield shelves.ALL
    if category:
        yield shelves.in_category(category)
    for key in contexts:
        if value := interaction.context.get(key):
            yield shelves.in_context(key, value)


def counted(p: bytes | None, parts: Iterable[Part], half_life_days: float) -> bytes:
    """A popular shelf (attribute p) after these. Raises ValueError when it is damaged."""
    interactions = [each for part in parts for each in part]
    return shelves.encode(shelves.counted(shelves.decode_popular(p), interactions, half_life_days))
