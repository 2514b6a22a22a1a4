"""POLICY of imaging: its defaults stand, what it says is taken, what makes no sense is refused with its field."""

import msgspec
import pytest

from functions.imaging.policy import Policy, policy


def test_an_empty_policy_is_the_default_one() -> None:
    assert policy("{}") == Policy()
    assert (policy("{}").min_age, policy("{}").max_age) == (0, 18)


def test_a_policy_is_what_it_says() -> None:
    said = policy('{"quiet_s": 2, "double_read": true, "sla_min": {"urgent": 5}}')
    assert (said.quiet_s, said.double_read, said.sla_min.urgent, said.sla_min.routine) == (2, True, 5, 1440)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"quiet_s": 0}', "quiet_s"),
        ('{"quiet_s": 901}', "quiet_s"),  # a delay that the queue does not know
        ('{"max_instances": 201}', "max_instances"),
        ('{"reads": 3}', "reads"),
        ('{"sla_min": {"urgent": 60, "routine": 30}}', "urgent"),
        ('{"min_age": 19}', "min_age"),
        ('{"review_days": 0}', "review_days"),
        ('{"colour": "red"}', "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(text: str, named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        Policy.from_json(text)
