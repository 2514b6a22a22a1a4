"""Resource types of our services -> MiniStack's CloudFormation."""
