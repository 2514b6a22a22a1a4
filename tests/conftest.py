"""What Lambda gives every function: handlers look at it when they are imported, whichever test comes first."""

import os

os.environ["POWERTOOLS_SERVICE_NAME"] = "fraud"
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Cuatro"
