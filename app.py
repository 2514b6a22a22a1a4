"""`cdk -c target=local|dev|prod [-c ...]` -> the suite's CloudFormation.

-c profile=minimal|standard|production, -c serving=lambda|serverless|realtime|inferentia, -c retraining=on|off,
-c ranking=model|personalize, -c algorithm=own|factorization-machines,
-c backend=onnx|comprehend|sagemaker:<endpoint>|blazingtext:<endpoint>|huggingface:<endpoint>,
-c second-opinion=bedrock[:<model>], -c search=opensearch, -c quicksight=<ARN of a user>,
-c object-lock=governance:<days>|compliance:<days>, -c review=own|a2i:<ARN of a flow definition>,
-c gpu-image=ecr:<repository>:<tag> (with serving=realtime),
-c datasync=on|<ARN of an agent> -c datasync-source=nfs://<host>/<path>.
"""

import sys

import aws_cdk

from cdk.options import OPTIONS, chosen
from cdk.suite import Suite

# CDK's own check of the templates takes 5 to 15 seconds of every synth; tests/stacks has it on.
app = aws_cdk.App(builtin_cloud_formation_validation=False)
try:
    target = chosen(**{option: app.node.try_get_context(option) for option in OPTIONS})
except ValueError as error:
    sys.exit(f"{error}")
Suite(app, target)
app.synth()
