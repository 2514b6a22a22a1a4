"""URIs of models and the policy's JSON -> models and a Scorer, made once in the life of a process."""

from functools import cache

from aws_lambda_powertools import Logger

from cuatro.adapters.model import loaded
from cuatro.errors import ModelMismatch, Refused, Unavailable
from functions.fraud.decide import Policy
from functions.fraud.features import FEATURES
from functions.fraud.score.scorer import Scorer
from functions.fraud.scoring import Scoring

logger = Logger()


@cache
def scorer(model_uri: str, shadow_model_uri: str, policy: str) -> Scorer:
    """Raises ModelMismatch for the live model. A broken shadow model is logged, and decides nothing anyway."""
    live, shadow = models(model_uri, shadow_model_uri)
    return Scorer(live, Policy.from_json(policy), shadow, _shadow_failed)


@cache
def models(model_uri: str, shadow_model_uri: str) -> tuple[Scoring, Scoring | None]:
    """The live model and the shadow. Raises ModelMismatch for the live one; a broken shadow is logged, and is None."""
    live = loaded(model_uri, FEATURES)
    if not shadow_model_uri:
        return live, None
    try:
        return live, loaded(shadow_model_uri, FEATURES)
    except (ModelMismatch, OSError, Refused, Unavailable):
        logger.exception("shadow model not loaded")
        return live, None


def _shadow_failed(error: Exception) -> None:
    logger.warning("shadow model did not score", why=str(error))
