"""Amazon Personalize: the local service's parts, put together."""

from pathlib import Path
from types import ModuleType

from local.aws.app import ServiceApp
from local.aws.cloudformation.first_call import Family
from local.aws.protocol import Protocol
from local.aws.service import Service, port
from local.emulator.routing import App
from local.personalize import (
    batch,
    campaigns,
    datasets,
    filtering,
    imports,
    recipes,
    resources,
    runtime,
    schemas,
    solutions,
    tags,
    trackers,
)
from local.personalize.access import ACCESS
from local.personalize.templates import KINDS

PROTOCOL = Protocol(("personalize", "personalize-events", "personalize-runtime"))
# In the order in which they end: nothing is made any more, then the processes end.
MODULES: tuple[ModuleType, ...] = (
    resources, datasets, schemas, imports, solutions, campaigns, runtime, trackers, filtering, batch, recipes, tags,
)  # fmt: skip


def app(state: Path) -> ServiceApp:
    """The app, with what it stores under `state`."""
    return ServiceApp(Service(state, port(), "Personalize"), PROTOCOL, ACCESS, MODULES)


def services(personalize: ServiceApp) -> dict[str, App]:
    """The app by the signing name that it answers for."""
    return {"personalize": personalize}


def family(personalize: ServiceApp) -> Family:
    """Its types for CloudFormation."""
    return Family(KINDS, personalize.service, personalize.operations)
