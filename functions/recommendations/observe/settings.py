"""What the observe function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.recommendations.policy); PERSONALIZE_DATASET_GROUP is empty where it is not used."""

    shelves_table: str
    items_table: str
    bus_name: str
    policy: str
    personalize_dataset_group: str
