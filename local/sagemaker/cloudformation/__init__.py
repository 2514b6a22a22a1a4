"""AWS::SageMaker::* and AWS::ApplicationAutoScaling::* for MiniStack's CloudFormation."""
