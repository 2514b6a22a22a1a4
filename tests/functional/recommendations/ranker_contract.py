"""What every ranker keeps, whoever runs the model: the assertions, for a ranker of the tiny model's items."""

from itertools import pairwise

from cuatro.ranking import Ranker, Taken
from tests.functional.recommendations.tiny_ranker import NAMES


def keeps_the_contract(ranker: Ranker) -> None:
    """Raises AssertionError. The ranker knows the items of tiny_ranker."""
    taken = [Taken("i-1", 0.5), Taken("unheard of", 1.0), Taken("i-7", 3.0)]
    excluded = {"i-2", "i-1", "i-7", "unheard of too"}
    for user, some, exclude, k in (
        ("u-1", taken, excluded, 5),
        ("u-1", taken, set[str](), 1),
        ("Ζωή", [], set[str](), 3),
        ("u-1", [Taken("unheard of", 0.0)], {"i-1"}, 4),
        ("u-1", [Taken(name, float(age)) for age, name in enumerate(NAMES)], set(NAMES[:6]), 100),
    ):
        found = ranker.rank(user, some, exclude, k)
        assert len(found.items) == len(found.scores) == len(found.because) <= k
        assert len(set(found.items)) == len(found.items)
        assert not set(found.items) & exclude
        assert all(first >= second for first, second in pairwise(found.scores))
        assert set(found.because) - {None} <= {each.item for each in some}
    assert ranker.version
    assert ranker.knows("i-1")
    everything = ranker.rank("u-1", taken, set(NAMES), 5)
    assert everything.items == [], "all is excluded"
