"""What the ranking model gets of a profile."""

from functions.recommendations.features import FEATURES, taken
from functions.recommendations.profile import Entry, Profile

DAY = 86400


def test_the_model_gets_what_was_liked_with_its_age_in_days() -> None:
    profile = Profile(
        entries=(
            Entry("new", 9 * DAY * 1000, "view"),
            Entry("bad", 8 * DAY * 1000, "view"),
            Entry("old", DAY * 1000, "cart"),
        ),
        ratings=(Entry("bad", 1, "rating", 2.0), Entry("old", 1, "rating", 2.5)),
    )
    assert [tuple(each) for each in taken(profile, 10.0 * DAY, 2.5)] == [("new", 1.0), ("old", 9.0)]
    assert [each.item for each in taken(profile, 10.0 * DAY, 0)] == ["new", "bad", "old"]
    assert taken(profile, 0.0, 2.5)[0].age_days == 0, "clocks differ"
    assert FEATURES == ("items", "ages", "exclude", "k")
