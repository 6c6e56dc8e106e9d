"""belfry for Python: submit runs to a node, and take them as a worker. Standard library only.

    from belfry import Client, Worker

    client = Client("http://127.0.0.1:7420")
    client.submit({"name": "greet", "payload": {"who": "world"}})

    Worker(client, lambda attempt: {"text": "hello " + attempt.payload["who"]}, name="greeter").run()
"""
from .attempt import Attempt, Cancelled, Failed, Parked, Released
from .client import Client, Submission
from .errors import BelfryError, Refused, SpoolBusy, SpoolFull, StaleLease, Unreachable
from .retry import Retry
from .spool import Spool
from .worker import Report, Worker

__all__ = [
    "Attempt", "BelfryError", "Cancelled", "Client", "Failed", "Parked", "Refused", "Released", "Report", "Retry",
    "Spool", "SpoolBusy", "SpoolFull", "StaleLease", "Submission", "Unreachable", "Worker",
]
