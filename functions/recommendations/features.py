"""A profile -> what a ranking model gets of it. Serving and training agree on the names, their order and their meaning.

Inputs of the model: `items`, newest first; `ages`, days before the newest of them; `exclude`; `k`. Items and exclude
are places in the list of items that the model's metadata carries.
"""

from cuatro.ranking import Taken
from functions.recommendations.profile import Profile

FEATURES: tuple[str, ...] = ("items", "ages", "exclude", "k")
_DAY_MS = 86_400_000


def taken(profile: Profile, now: float, disliked_below: float) -> list[Taken]:
    """Items that the user took to, newest first, with their age in days (0 or more). now: unix seconds.

    What the user rated below disliked_below, the last time, is left out, whatever happened with it since.
    """
    disliked = {each.item for each in profile.ratings if each.value is not None and each.value < disliked_below}
    now_ms = now * 1000
    return [
        Taken(each.item, max(0.0, (now_ms - each.time_ms) / _DAY_MS))
        for each in profile.entries
        if each.item not in disliked
    ]
