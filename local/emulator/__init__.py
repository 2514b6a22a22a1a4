"""What runs in the platform's process, in its own virtual environment: MiniStack and what we add to it."""
