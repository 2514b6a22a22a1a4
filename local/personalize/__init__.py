"""Amazon Personalize on the laptop: its control plane, real training and real answers, by the suite's own model."""
