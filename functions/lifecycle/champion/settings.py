"""What the champion function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """SHIPPED_URI: model.tar.gz of the model that the stack deploys, the champion until another one is promoted."""

    models_table: str
    shipped_uri: str
    shipped_version: str
