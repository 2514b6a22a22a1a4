"""Who calls by IAM is who reviews; only a trusted backend speaks for somebody else."""

import pytest

from cuatro.errors import Rejected
from functions.review.api.reviewers import HEADER, reviewer_of

SESSION = "arn:aws:sts::123456789012:assumed-role/Radiologists/ada@example.org"
BACKEND = "arn:aws:sts::123456789012:assumed-role/Workplace/i-0123"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (SESSION, "ada@example.org"),
        ("arn:aws:iam::123456789012:user/clinic/ada", "ada"),
        ("arn:aws-cn:iam::123456789012:user/ada", "ada"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_the_name_is_the_sessions_or_the_users(arn: str, name: str) -> None:
    assert reviewer_of(arn, {}, "") == name


@pytest.mark.parametrize("arn", [None, "", "somebody", "arn:aws:iam::123456789012:user/with space",
                                 "arn:aws:iam::123456789012:user/", "arn:aws:sts::1:assumed-role/R/"])  # fmt: skip
def test_an_unknown_caller_is_nobody(arn: str | None) -> None:
    with pytest.raises(Rejected) as rejected:
        reviewer_of(arn, {}, "")
    assert rejected.value.code == "unauthorized"


@pytest.mark.parametrize(
    ("trusted", "is_trusted"),
    [
        ("", False),
        ("*", True),
        ("arn:aws:iam::123456789012:role/Workplace", True),
        ("arn:aws:iam::123456789012:role/services/Workplace, arn:aws:iam::1:user/x", True),
        ("arn:aws:iam::999999999999:role/Workplace", False),
        ("arn:aws:iam::123456789012:role/Work", False),
        ("arn:aws:iam::123456789012:user/Workplace", False),
        ("Workplace", False),
    ],
)
def test_whom_a_backend_names(trusted: str, is_trusted: bool) -> None:
    if is_trusted:
        assert reviewer_of(BACKEND, {HEADER: "ada"}, trusted) == "ada"
        return
    with pytest.raises(Rejected) as rejected:
        reviewer_of(BACKEND, {HEADER: "ada"}, trusted)
    assert rejected.value.code == "forbidden"


def test_a_user_is_trusted_by_its_own_arn() -> None:
    user = "arn:aws:iam::123456789012:user/workplace"
    assert reviewer_of(user, {HEADER: "ada"}, user) == "ada"
    assert reviewer_of("arn:aws:iam::123456789012:user/workplace", {}, user) == "workplace"


@pytest.mark.parametrize("name", ["", "Ada Phantom", "x" * 65, "Phantom^One", "a/b"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(Rejected) as rejected:
        reviewer_of(BACKEND, {HEADER: name}, "*")
    assert rejected.value.code == "invalid_value"
