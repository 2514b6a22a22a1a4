"""`cdk -c target=local|dev|prod [-c profile=minimal|standard|production]` -> the suite's CloudFormation."""

import aws_cdk

from cdk.config import chosen
from cdk.suite import Suite

# CDK's own check of the templates takes 5 to 15 seconds of every synth; tests/stacks has it on.
app = aws_cdk.App(builtin_cloud_formation_validation=False)
Suite(app, chosen(app.node.try_get_context("target"), app.node.try_get_context("profile")))
app.synth()
