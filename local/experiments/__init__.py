"""The lake of recommendations -> what an experiment has shown so far."""
