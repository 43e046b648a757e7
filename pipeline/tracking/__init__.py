"""MLflow, which nothing else imports: one run a model, written from the side, so that no training waits.

All calls go through a queue that one thread empties (outbox). A server that does not answer costs a warning;
what could not be sent is sent later if it comes back, and is in the stage's own outputs in any case.
"""

from pipeline.tracking.outbox import drain, send
from pipeline.tracking.runs import Run, add_evaluation, add_stage, stage_seconds, training_speed
from pipeline.tracking.store import connect, store_uri

__all__ = [
    "Run",
    "add_evaluation",
    "add_stage",
    "connect",
    "drain",
    "send",
    "stage_seconds",
    "store_uri",
    "training_speed",
]
