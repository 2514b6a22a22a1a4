"""Target -> the suite's stacks in one CDK app, checked by cdk-nag's AwsSolutions rules on every synth."""

import aws_cdk
from cdk_nag import AwsSolutionsChecks

from cdk.config import Target
from cdk.stacks.fraud import CuatroFraud
from cdk.stacks.imaging import CuatroImaging
from cdk.stacks.platform import CuatroPlatform
from cdk.stacks.recommendations import CuatroRecommendations
from cdk.stacks.sentiment import CuatroSentiment


class Suite:
    """The stacks of one target. A finding of cdk-nag that no construct acknowledges with a reason fails the synth."""

    def __init__(self, app: aws_cdk.App, target: Target) -> None:
        self.platform = CuatroPlatform(app, "CuatroPlatform", target=target)
        self.fraud = CuatroFraud(app, "CuatroFraud", target=target, platform=self.platform)
        self.recommendations = CuatroRecommendations(
            app, "CuatroRecommendations", target=target, platform=self.platform
        )
        self.sentiment = CuatroSentiment(app, "CuatroSentiment", target=target, platform=self.platform)
        self.imaging = CuatroImaging(app, "CuatroImaging", target=target, platform=self.platform)
        aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
