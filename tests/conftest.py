"""What Lambda gives every function: handlers look at it when they are imported, whichever test comes first.

And no width of a terminal: rich takes it when a console is made, `ps` cuts its lines at it.
"""

import os

os.environ["POWERTOOLS_SERVICE_NAME"] = "fraud"
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Cuatro"
os.environ.pop("COLUMNS", None)
