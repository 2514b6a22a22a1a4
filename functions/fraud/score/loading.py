"""Paths of models and the policy's JSON -> a Scorer, made once in the life of a process."""

from functools import cache

from aws_lambda_powertools import Logger

from cuatro.adapters.model import Model, ModelMismatch, model
from functions.fraud.decide import Policy
from functions.fraud.features import FEATURES
from functions.fraud.score.scorer import Scorer

logger = Logger()


@cache
def scorer(model_path: str, shadow_model_path: str, policy: str) -> Scorer:
    """Raises ModelMismatch for the live model. A broken shadow model is logged, and decides nothing anyway."""
    return Scorer(model(model_path, FEATURES), Policy.from_json(policy), _shadow(shadow_model_path))


def _shadow(path: str) -> Model | None:
    if not path:
        return None
    try:
        return model(path, FEATURES)
    except (ModelMismatch, OSError):
        logger.exception("shadow model not loaded")
        return None
