"""What the AWS services that local/ answers for have in common: protocol, state, IAM, processes, templates."""
