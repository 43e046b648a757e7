"""Calls to MLflow, made from the side: one thread empties a queue, so that no training waits for a server.

A server that does not answer costs a warning; what could not be sent is sent later if it comes back, and is
in the stage's own outputs in any case.
"""

import sys
import threading
from collections import deque
from collections.abc import Callable

from pipeline.tracking.store import SQLITE, masked, shown_uri, store_uri

PATIENCE = 10.0  # seconds a stage waits at its end for a server to take what is not yet sent
FILE_PATIENCE = 120.0  # seconds for the project's own file: it always answers, on a busy machine late
RETRY_EVERY = 10.0  # seconds


class Outbox:
    """A queue of calls, made in order by a thread of its own; one that fails is tried again, others wait."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], object]] = deque()
        self.changed = threading.Condition()
        self.closing = self.warned = False
        self.thread = threading.Thread(target=self._work, daemon=True, name="tracking")
        self.thread.start()

    def put(self, call: Callable[[], object]) -> None:
        with self.changed:
            self.calls.append(call)
            self.changed.notify()

    def close(self, patience: float = PATIENCE) -> int:
        """Wait until all is sent, at most `patience` seconds; returns how many calls were not."""
        with self.changed:
            self.closing = True
            self.changed.notify()
        self.thread.join(patience)
        return len(self.calls)

    def _work(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.calls or self.closing)
                if not self.calls:
                    return
            try:
                self.calls[0]()
            except Exception as error:  # whatever a tracking server can do wrong must not end a training
                self._warn(error)
                with self.changed:
                    if self.closing:
                        return
                    self.changed.wait_for(lambda: self.closing, RETRY_EVERY)
            else:
                self.calls.popleft()

    def _warn(self, error: Exception) -> None:
        if not self.warned:
            reason = masked(" ".join(str(error).split()))[:160]
            where = f"warning: MLflow at {shown_uri()} does not answer"
            print(f"{where}; going on without it ({reason})", file=sys.stderr, flush=True)
            self.warned = True


_outbox: Outbox | None = None  # one a process


def send(call: Callable[[], object]) -> None:
    """Make a call to MLflow when its turn comes."""
    global _outbox
    _outbox = _outbox or Outbox()
    _outbox.put(call)


def drain() -> None:
    """Wait, a little, for all calls to be made; say so if some were not."""
    global _outbox
    patience = FILE_PATIENCE if store_uri().startswith(SQLITE) else PATIENCE
    if _outbox and (unsent := _outbox.close(patience)):
        lost = f"warning: {unsent} records did not reach MLflow"
        print(f"{lost}; the stage's outputs hold the same numbers", file=sys.stderr, flush=True)
    _outbox = None
