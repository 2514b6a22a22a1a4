"""What the drift function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """WINDOW_DAYS: what counts as now. DELAY_DAYS: after these a transaction without a label counts as genuine.

    SHADOW_MODEL_URI is set during a roll-out and not used: drift is measured against the live model.
    """

    lake_bucket: str
    model_uri: str
    shadow_model_uri: str
    models_table: str
    window_days: float
    delay_days: float
