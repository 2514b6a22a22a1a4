"""What runs inside the platform's process, in the platform's own virtual environment: MiniStack and what we add to it."""
