"""Amazon Comprehend and Amazon Bedrock's runtime: the local services that read text, put together.

One process reads for both. What Bedrock's double answers is in local.bedrock.
"""

from pathlib import Path
from types import ModuleType

from local.aws.app import ServiceApp
from local.aws.protocol import Protocol
from local.aws.service import Service, port
from local.bedrock import converse
from local.comprehend import languages, reading, sentiment
from local.comprehend.access import ACCESS
from local.emulator.routing import App

PROTOCOL = Protocol(("comprehend", "bedrock-runtime"))
MODULES: tuple[ModuleType, ...] = (sentiment, languages, converse, reading)


def app(state: Path) -> ServiceApp:
    """The app; nothing is kept but the folder of its process."""
    return ServiceApp(Service(state, port(), "Comprehend"), PROTOCOL, ACCESS, MODULES)


def services(comprehend: ServiceApp) -> dict[str, App]:
    """The app by the signing names that it answers for."""
    return {"comprehend": comprehend, "bedrock": comprehend}
