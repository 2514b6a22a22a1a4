"""What the retrain function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """PIPELINE_NAME: the SageMaker pipeline."""

    pipeline_name: str
    models_table: str
