"""URIs of models and the policy's JSON -> a Scorer, made once in the life of a process."""

from functools import cache

from aws_lambda_powertools import Logger

from cuatro.adapters.model import loaded
from cuatro.errors import ModelMismatch, Unavailable
from functions.fraud.decide import Policy
from functions.fraud.features import FEATURES
from functions.fraud.score.scorer import Scorer
from functions.fraud.scoring import Scoring

logger = Logger()


@cache
def scorer(model_uri: str, shadow_model_uri: str, policy: str) -> Scorer:
    """Raises ModelMismatch for the live model. A broken shadow model is logged, and decides nothing anyway."""
    shadow = _shadow(shadow_model_uri)
    return Scorer(loaded(model_uri, FEATURES), Policy.from_json(policy), shadow, _shadow_failed)


def _shadow(uri: str) -> Scoring | None:
    if not uri:
        return None
    try:
        return loaded(uri, FEATURES)
    except (ModelMismatch, OSError, Unavailable):
        logger.exception("shadow model not loaded")
        return None


def _shadow_failed(error: Exception) -> None:
    logger.warning("shadow model did not score", why=str(error))
