"""The stages of the pipeline: one Typer command a file, each reads its section of params.yaml and its inputs
and writes its outputs.

    python -m stages.train --help

`run` is what they all start with: it turns a user's mistake into one line and exit code 2, and sends the
stage's time to MLflow.
"""

import atexit
import gc
import io
import os
import signal
import sys
import time

STARTED = time.perf_counter()  # before the heavy imports, which are part of a stage's time
gc.set_threshold(1_000_000)  # objects: with Python's 700 a third of an import is the search for garbage

from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from functools import wraps  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Annotated  # noqa: E402

import typer  # noqa: E402

from pipeline.runtime.errors import InputError  # noqa: E402
from pipeline.tracking import outbox, runs, store  # noqa: E402
from pipeline.tracking.courier import carried  # noqa: E402

InputFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
InputFolder = Annotated[Path, typer.Argument(exists=True, file_okay=False, readable=True)]

_done = False  # the stage that this process is


def run(main: Callable[..., None]) -> None:
    """Run a stage's command line.

    Exit codes: 0 done; 1 the training diverged; 2 a mistake in parameters, files or rights, told in one line
    on stderr.
    """

    @wraps(main)
    def command(*args: object, **kwargs: object) -> None:
        try:
            main(*args, **kwargs)
        except InputError as error:
            raise complaint(str(error), 2) from error
        except BrokenPipeError:  # nobody listens any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except OSError as error:
            raise complaint(f"{error.filename or 'a file'}: {error.strerror or error}", 2) from error
        except FloatingPointError as error:
            raise complaint(f"training diverged: {error}; the last good checkpoint is kept", 1) from error
        finally:
            outbox.drain()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # from here on there is nothing to close
        global _done
        _done = main.__module__ == "__main__"

    sys.stdout, sys.stderr = (  # closed ones write to nowhere
        stream or open(os.devnull, "w")  # noqa: SIM115
        for stream in (sys.stdout, sys.stderr)
    )
    for stream in (sys.stdout, sys.stderr):  # a terminal may lack a letter of a file's name
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, lambda number, _: sys.exit(128 + number))  # closes locks and runs
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    app()


def complaint(message: str, code: int) -> typer.Exit:
    """The one line a user reads, and the exit code; of several processes the first of each machine speaks."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        print(f"error: {message}", file=sys.stderr, flush=True)
    return typer.Exit(code)


@atexit.register  # before what torch and MLflow register, so called after it
def _leave() -> None:
    """End the process of a stage that is done, without two seconds of freeing all objects."""
    if _done:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@contextmanager
def timed(stage: str) -> Iterator[None]:
    """Open the tracker's store, which takes its seconds beside the work; then send to MLflow how long this
    stage took, from the process's start, and how much of it the block. Of several processes the first does.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    outbox.send(lambda: carried(store.open_store))
    start = time.perf_counter()
    yield
    now = time.perf_counter()
    runs.add_stage(os.environ.get("DVC_STAGE", stage), now - STARTED, now - start)
