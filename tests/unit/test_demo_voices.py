"""What people say of a brand in the demo: the same for the same seed, of all classes, and mostly said once."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from local.demo.sentiment.phrases import PHRASES
from local.demo.sentiment.screen import sparkline
from local.demo.sentiment.voices import LANGUAGES, NETWORKS, Said, Voices

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def quiet(seed: int = 3) -> list[Said]:
    return Voices("Northwind", "run", seed).quiet(NOW - DAY, NOW, 600)


def test_a_seed_tells_one_story_and_another_seed_another() -> None:
    assert quiet() == quiet()
    assert [each.text for each in quiet()] != [each.text for each in quiet(4)]


def test_a_quiet_day_has_all_classes_networks_and_languages_in_order_of_time() -> None:
    said = quiet()
    truths = Counter(each.truth for each in said)
    assert truths["neutral"] > truths["positive"] > truths["negative"] > 60
    assert {each.network for each in said} == set(NETWORKS)
    assert {each.language for each in said} == set(LANGUAGES) == set(PHRASES)
    assert [each.time for each in said] == sorted(each.time for each in said)
    assert all(NOW - DAY <= each.time <= NOW and "Northwind" in each.text for each in said)


def test_few_say_the_very_same_and_reposts_say_of_what() -> None:
    said = quiet()
    originals = [each for each in said if not each.repost_of]
    assert len({each.text for each in originals}) > 0.9 * len(originals)
    by_id = {each.id: each for each in said}
    reposts = [each for each in said if each.repost_of]
    assert reposts
    assert all(
        by_id[str(each.repost_of)].text == each.text and not by_id[str(each.repost_of)].repost_of for each in reposts
    )


def test_in_a_crisis_most_are_angry() -> None:
    said = Voices("Northwind", "run", 3).crisis(NOW - timedelta(minutes=4), NOW, 200)
    assert Counter(each.truth for each in said)["negative"] > 150


def test_a_sparkline_is_as_high_as_its_highest_value() -> None:
    assert sparkline([0, 5, 10]) == "▁▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
