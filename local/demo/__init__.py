"""The demo: transactions and labels played to the platform as they would have come, and what it made of them."""
