"""The pipeline's question -> the model that a challenger has to beat: the live one."""

from typing import Any

from aws_lambda_powertools import Logger

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from functions.lifecycle.champion.settings import Settings
from functions.lifecycle.models import Model, Models

logger = Logger()


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: object) -> dict[str, str]:
    """{"champion_uri": ..., "champion_version": ...}. Raises Unavailable."""
    setting = settings(Settings)
    shipped = Model(version=setting.shipped_version, artefact=setting.shipped_uri)
    live = Models(dynamo(), setting.models_table, shipped).live()
    # The shipped model's address may have changed with a deployment since it was put live again.
    found = shipped if live.package_arn == shipped.package_arn else live
    logger.info("champion", version=found.version, uri=found.artefact)
    return {"champion_uri": found.artefact, "champion_version": found.version}
