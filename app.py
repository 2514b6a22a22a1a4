"""`cdk -c target=local|dev|prod [-c profile=minimal|standard|production]` -> the suite's CloudFormation."""

import aws_cdk

from cdk.config import chosen
from cdk.suite import Suite

app = aws_cdk.App()
Suite(app, chosen(app.node.try_get_context("target"), app.node.try_get_context("profile")))
app.synth()
