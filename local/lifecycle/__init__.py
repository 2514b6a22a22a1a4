"""Deployed retraining, registry and roll-out of a pipeline, as the commands and the demo use them."""
