"""The platform as its users see it: start and stop it, deploy to it, connect to it."""
