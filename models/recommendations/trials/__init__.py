"""Users of an experiment's arms -> whether their lists differ, and what other rules would have earned."""
