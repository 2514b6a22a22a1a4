"""What may go wrong with a function that a state machine calls, and pass by itself.

The service, the network, a model's endpoint, an object that somebody else writes.
"""

PASSING = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Unavailable",
)
"""Names of errors, in Amazon States Language."""
