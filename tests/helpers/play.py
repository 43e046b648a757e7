"""A small project to play with: tasks of noise, models of random weights, and a server on loopback."""

import base64
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
import uvicorn
from PIL import Image

from helpers.small_tasks import digits, drawings
from pipeline.data import captions
from pipeline.data.prepared import DataSet
from pipeline.methods import method as methods
from pipeline.networks.network import Spec
from pipeline.play.laboratory import METHODS, Laboratory
from pipeline.play.server import application
from pipeline.sampling import weights
from pipeline.tasks import make
from pipeline.tasks.question import Settings

CONDITIONS = {"sketch": "sketch", "tones": "tones", "inpaint": "inpaint", "text": "text", "digit": "label"}
CONDITIONS |= {"digits": "none", "semantic": "semantic"}
MODELS = [
    "regression-sketch",
    "engression-sketch",
    "cgan-sketch",
    "flow-sketch",
    "cgan-tones",
    "flow-inpaint",
]
MODELS += ["cgan-text", "cgan-digit", "flow-digit"]
NETWORKS = {"image": "unet", "words": "caption", "class": "dcgan"}  # of generators
LOOPBACK = "127.0.0.1"


def captioned() -> DataSet:
    """Drawings whose words are those of their captions, as real ones have them."""
    data = drawings(num_others=20)
    known = captions.vocabulary(data.splits["train"]["captions"].tolist())
    for split in data.splits.values():
        split["tokens"] = captions.tokens(split["captions"].tolist(), known)
    return DataSet(data.splits, {"num_words": captions.num_words(known)})


def laboratory(folder: Path) -> Laboratory:
    """All tasks but `semantic`, which is not made; of the models only MODELS."""
    for name, condition in CONDITIONS.items():
        of_digits = condition in ("label", "none")
        if name != "semantic":
            chosen = Settings(data="digits" if of_digits else "drawings", condition=condition)
            make.task(folder / "tasks" / name, chosen, digits() if of_digits else captioned(), b"")
    entries = {section: list(CONDITIONS) for section in METHODS.values()}
    found = Laboratory(folder / "tasks", folder / "models", CONDITIONS, entries)
    for number, name in enumerate(MODELS):
        method, task = name.split("-")
        write_model(found, method, task, number)
    return found


def write_model(found: Laboratory, method: str, task: str, seed: int = 0, **changes: Any) -> None:
    """A model of random weights, large enough for samples to differ."""
    asked = found.task(task)
    spec = Spec(
        method="adversarial" if method == "cgan" else method,
        task=task,
        kind=asked.kind,
        network="denoiser" if method == "flow" else NETWORKS[asked.kind],
        width=8,
        image_shape=list(asked.x_shape),
        num_latents={"regression": 0, "flow": 0}.get(method, 4),
        num_conditions=asked.num_conditions,
        solver_steps=3,
    ).model_copy(update=changes)
    torch.manual_seed(seed)
    network = spec.build().requires_grad_(False)
    for parameter in network.parameters():
        parameter.add_(0.2 * torch.randn_like(parameter))
    weights.save(found.models / found.name(method, task) / weights.FILE, network, spec)


def toys() -> dict[str, tuple[str, Any]]:
    """An entry of each method, all of two members."""
    small = {"num_members": 2, "width": 8, "batch_size": 64, "num_steps": 30, "log_every": 1}
    small |= {"save_every": 1, "monitor_every": 1}
    more: dict[str, dict[str, Any]] = {"adversarial": {}, "engression": {"num_draws": 8}, "flow": {}}
    return {
        f"ring-{method}": (method, methods.settings_class(method, "points")(**(small | changes)))
        for method, changes in more.items()
    }


@contextmanager
def serving(found: Laboratory) -> Iterator[int]:
    """The port of a server of all this."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        port = listening.getsockname()[1]
        app = application(found, toys(), [f"{LOOPBACK}:{port}"])
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield port
        server.should_exit = True
        thread.join()


def ask(
    port: int,
    path: str,
    body: object = None,
    headers: Mapping[str, str | None] | None = None,
    method: str = "",
) -> tuple[int, Any]:
    """Status and content of an answer to a request: GET, or POST where there is a body, bytes as they are;
    headers of None are left out.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    usual = {"Host": f"{LOOPBACK}:{port}"}
    if sent is not None:
        usual |= {"Content-Type": "application/json", "Content-Length": str(len(sent))}
    connection.putrequest(method or ("GET" if sent is None else "POST"), path, skip_host=True)
    for name, value in {**usual, **(headers or {})}.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(sent)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if "json" in (answer.getheader("Content-Type") or "") else text


def pixels(uri: str) -> np.ndarray:
    """An image as the page is given it, (H, W, 3) or (H, W)."""
    return np.asarray(Image.open(BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))
