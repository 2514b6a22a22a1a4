"""The process behind a campaign: in the suite's own Python, with the trained model and the rows of the datasets."""
