"""What the imaging pipeline knows of its studies, as its operator sees it."""
