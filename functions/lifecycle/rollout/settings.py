"""What the rollout function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """FUNCTIONS (name -> "weighted" or "follows"), ALARMS (names) and PLAN (functions.lifecycle.rollout.plan) are JSON.

    PIPELINE: its name, the first part of keys in the lake and of the model's path in the layer. FEATURE_SET: of the
    deployed code, and so of the shipped model; one of another set cannot be used.
    """

    functions: str
    alias: str
    layer_name: str
    alarms: str
    lake_bucket: str
    pipeline: str
    models_table: str
    bus_name: str
    plan: str
    shipped_uri: str
    shipped_version: str
    feature_set: str
