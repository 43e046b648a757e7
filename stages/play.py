"""Command `play`: a page on this machine, where one asks and every method answers.

python -m stages.play --port 8765
"""

import os
import socket
from pathlib import Path
from typing import Annotated

import torch
import typer

from pipeline.methods import method
from pipeline.play.laboratory import METHODS, Laboratory
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.tasks.question import Settings
from stages import run, sections

HOST = "127.0.0.1"

Port = Annotated[int, typer.Option(min=1, max=65535, help="Of 127.0.0.1.")]
Tasks = Annotated[Path, typer.Option(help="Folder of tasks.")]
Models = Annotated[Path, typer.Option(help="Folder of models.")]


def main(port: Port = 8765, tasks: Tasks = Path("data/tasks"), models: Models = Path("models")) -> None:
    """Serve the playground until Ctrl-C, to this machine alone."""
    import uvicorn

    from pipeline.play.server import application

    torch.set_num_threads(1)  # the networks are too small to share
    hosts = [f"{name}:{port}" for name in (HOST, "localhost")]
    app = application(laboratory(tasks, models), toys(), hosts)
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        raise InputError(f"--port = {port}: {os.strerror(error.errno or 0)}; take another") from error
    print(f"Open http://{HOST}:{port} in a browser. Ctrl-C ends it.", flush=True)
    config = uvicorn.Config(app, log_level="warning", server_header=False, lifespan="off")
    with listening:
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:  # which the server has heeded
            print()


def laboratory(tasks: Path, models: Path) -> Laboratory:
    """The tasks and models that params.yaml names, in these folders."""
    conditions = {name: params.read(f"tasks.{name}", Settings).module for name in sections.entries("tasks")}
    entries = {section: list(sections.entries(section)) for section in METHODS.values()}
    return Laboratory(tasks, models, conditions, entries, params.read("seeds", sections.Seeds)[0])


def toys() -> dict[str, tuple[str, object]]:
    """The method and the settings of each entry of `toys:`."""
    chosen = {name: params.read(f"toys.{name}.method", str) for name in sections.entries("toys")}
    return {name: (each, method.read(each, f"toys.{name}", "points")) for name, each in chosen.items()}


if __name__ == "__main__":
    run(main)
