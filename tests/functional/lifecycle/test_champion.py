"""The model that a challenger has to beat: the shipped one, then whatever was promoted last."""

from tests.functional.lifecycle.deployment import Deployment
from tests.functional.suite import Context

SHIPPED = {"champion_uri": "s3://lake/shipped/model.tar.gz", "champion_version": "v-0"}


def champion() -> dict[str, str]:
    from functions.lifecycle.champion.handler import handler  # noqa: PLC0415 - reads the test's environment

    return handler({}, Context())


def test_the_champion_is_the_live_model(deployment: Deployment) -> None:
    assert champion() == SHIPPED
    deployment.shadowed()
    assert champion() == SHIPPED, "a shadow is not live"
    for _ in range(3):
        deployment.act("shift")
        deployment.act("check")
    deployment.act("finish")
    assert champion() == {"champion_uri": "s3://lake/fraud/models/v-1/model.tar.gz", "champion_version": "v-1"}
    deployment.act("roll_back", execution="", reason="x")
    assert champion() == SHIPPED
