"""The last of the story: a person takes the live model back."""

from tests.retraining.story import Story


def test_rolling_back_by_hand_is_one_call(story: Story, live: str) -> None:
    version = story.live()
    answer = story.control.roll_back("a test")
    assert story.shipped in answer["summary"]
    assert story.deciders(20) == {story.shipped}
    assert story.version(version.arn).stage == "RolledBack"
    assert story.version(version.arn).note == "a test"
