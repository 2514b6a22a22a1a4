"""(operation, input) -> ARNs that the action is checked on, by AWS's authorization references.

Comprehend's real-time analyses have no resource. Bedrock's Converse is allowed by bedrock:InvokeModel on the model; by
an inference profile, on the profile and on the model behind it.
"""

import re
from typing import Any

from local.aws.caller import Access
from local.aws.protocol import Call
from local.aws.service import Service

_PROFILE = re.compile(r"^(us|us-gov|eu|apac|jp|au|ca|sa|global)\.(?P<model>.+)$")


def resources(service: Service, call: Call, given: dict[str, Any]) -> list[str]:
    """ARNs; "*" for an action that has no resource."""
    if call.name != "Converse":
        return ["*"]
    model = str(given.get("modelId", ""))
    if model.startswith("arn:"):
        return [model]
    found = _PROFILE.match(model)
    foundation = f"arn:aws:bedrock:{service.region}::foundation-model/{found['model'] if found else model}"
    if found is None:
        return [foundation]
    return [f"arn:aws:bedrock:{service.region}:{service.account}:inference-profile/{model}", foundation]


ACCESS = Access(resources, tagging="TagResource", passed=(), actions={"Converse": "InvokeModel"})
