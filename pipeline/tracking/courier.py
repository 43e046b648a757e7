"""Calls to MLflow, carried out by the process that starts the stages.

To import it and open its store takes 2.8 seconds of a processor: now once, instead of in each stage.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from threading import Event, Lock, Thread
from typing import ParamSpec, TypeVar

ADDRESS = "TRACKING_COURIER"  # environment variable: where one listens, a socket that is the user's alone

P = ParamSpec("P")
T = TypeVar("T")


def carried(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a module's function returns, called where a courier listens, else here.

    Raises:
        RuntimeError: with the message of what the function raised there.
    """
    if not (address := os.environ.get(ADDRESS)):
        return call(*args, **kwargs)
    try:
        with Client(address) as connection:
            connection.send((call, args, kwargs))
            done, found = connection.recv()
    except (OSError, EOFError):  # who started this stage is gone
        return call(*args, **kwargs)
    if not done:
        raise RuntimeError(found)
    result: T = found
    return result


@contextmanager
def courier() -> Iterator[None]:
    """Carry out here, one at a time, what processes that are started meanwhile ask for."""
    closing = Event()
    with Listener() as listener:
        thread = Thread(target=listen, args=(listener, closing), daemon=True, name="courier")
        thread.start()
        os.environ[ADDRESS] = str(listener.address)
        try:
            yield
        finally:
            closing.set()
            Client(os.environ.pop(ADDRESS)).close()  # so that it looks
            thread.join()


def listen(listener: Listener, closing: Event) -> None:
    lock = Lock()
    while True:
        connection = listener.accept()
        if closing.is_set():
            return
        Thread(target=answer, args=(connection, lock), daemon=True).start()


def answer(connection: Connection, lock: Lock) -> None:
    with suppress(OSError, EOFError), connection:  # of a stage that was killed
        call, args, kwargs = connection.recv()
        try:
            with lock:
                found = True, call(*args, **kwargs)
        except Exception as error:  # what follows is the stage's to decide
            found = False, str(error)
        connection.send(found)
