"""A pool of items, best first -> as many as a list needs, with popular ones held back and categories mixed."""

from collections.abc import Callable, Mapping, Sequence

from functions.recommendations.rank import Pooled
from functions.recommendations.shelves import Count


def guarded(pool: Sequence[Pooled], popularity: Callable[[str], float], exponent: float) -> list[Pooled]:
    """Order the model's items by score / popularity ** exponent; the others stay behind, or between, as they were.

    popularity: 1 or more. After Steck 2011, "Item popularity and recommendation accuracy", where the exponent trades
    the one for the other; 0 changes nothing.
    """

    def worth(each: Pooled) -> float:
        damped: float = popularity(each.item) ** exponent
        return each.score / damped if each.score > 0 else each.score * damped

    ordered = iter(sorted((each for each in pool if each.source == "model"), key=worth, reverse=True))
    return [next(ordered) if each.source == "model" else each for each in pool]


def counted(counts: Sequence[Count]) -> Callable[[str], float]:
    """Popularity by a shelf, as multiples of its least item; what is not on it has at most that much."""
    known = {each.item: each.least for each in counts}
    least = min((count for count in known.values() if count > 0), default=1.0)
    return lambda item: max(1.0, known.get(item, 0.0) / least)


def mixed(pool: Sequence[Pooled], categories: Mapping[str, str | None], share: float, size: int) -> list[Pooled]:
    """The first `size` of a greedy choice: each next item is the best by (1 - share) relevance - share redundancy.

    relevance falls evenly from 1 at the head of the pool to 0 at its end, whatever a ranker's scores mean; redundancy
    is the share of what was chosen so far that is of the item's category. So an item gives way by at most
    share / (1 - share) of the pool. Maximal marginal relevance (Carbonell and Goldstein 1998), with the mean in place
    of the maximum, which a second item of a category would reach at once. What has no category is never redundant.
    """
    if not share:
        return list(pool[:size])
    waiting: dict[str | None, list[int]] = {}
    for place in range(len(pool) - 1, -1, -1):  # so that the best of a category is at the end of its list
        waiting.setdefault(categories.get(pool[place].item), []).append(place)
    # Categories by their best; of those that nothing is chosen of yet only the first can be next.
    untouched = [_Category(places, category is not None) for category, places in waiting.items()]
    untouched.sort(key=lambda each: -each.first)
    touched: list[_Category] = []
    chosen: list[Pooled] = []
    step = (1 - share) / max(1, len(pool))
    while (touched or untouched) and len(chosen) < size:
        # Relevance and redundancy as costs; of equal ones the better placed.
        weight = share / max(1, len(chosen))
        best, least = None, float("inf")
        if untouched:
            best, least = untouched[-1], step * untouched[-1].first
        for each in touched:
            cost = step * each.first + weight * each.chosen
            if cost < least or (cost == least and best and each.first < best.first):
                best, least = each, cost
        assert best, "something is left"  # noqa: S101 - for the type checker
        chosen.append(pool[best.first])
        if untouched and best is untouched[-1]:
            touched.append(untouched.pop())
        if not best.advance():
            touched.remove(best)
    return chosen


class _Category:
    """What is left of a category (places, the best at the end), and how much of it is chosen."""

    __slots__ = ("chosen", "counts", "first", "left")

    def __init__(self, places: list[int], counts: bool) -> None:
        self.left, self.counts, self.chosen = places, counts, 0
        self.first = places.pop()

    def advance(self) -> bool:
        """The first is chosen. Is there another?"""
        self.chosen += self.counts
        if not self.left:
            return False
        self.first = self.left.pop()
        return True
