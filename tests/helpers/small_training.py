"""A folder in which one small model can be trained: its task, and a params.yaml of its own."""

from pathlib import Path

from helpers.project import CLASSES, strokes
from pipeline.data.prepared import DataSet
from pipeline.networks.network import Spec
from pipeline.sampling import weights
from pipeline.tasks import make
from pipeline.tasks.question import Settings

MODEL, CHECKPOINT = "models/cgan-digit-0", "runs/train_cgan@digit-0/checkpoint.pt"
COMMAND = f"stages.train adversarial cgans.digit data/tasks/digit {MODEL} --seed 0"  # after python -m
EVERY = 20  # steps between checkpoints and rows of the history


def write_params(folder: Path, processes: int, num_steps: int) -> None:
    cgan = "{network: dcgan, discriminator_norm: batch, width: 4, batch_size: 32, monitor_every: 200"
    cgan += f", num_steps: {num_steps}, save_every: {EVERY}, log_every: {EVERY}}}"
    content = f"""
launch: {{processes: {processes}}}
budget: 1.0
compute: {{precision: fp32, device: cpu}}
tasks: {{digit: {{data: digits, condition: label}}}}
cgans: {{digit: {cgan}}}
"""
    (folder / "params.yaml").write_text(content)


def write(folder: Path, processes: int, num_steps: int) -> None:
    """The whole folder."""
    splits = {}
    for seed, (split, num) in enumerate({"train": 600, "validation": 100, "test": 100}.items()):
        pixels, labels = strokes(num, seed)
        splits[split] = {"images": pixels[:, None], "labels": labels, "classes": CLASSES}
    spec = Spec(
        method="classification", network="classifier", width=4, image_shape=[1, 28, 28], num_conditions=10
    )
    weights.save(folder / "features", spec.build(), spec)
    settings = Settings(data="digits", condition="label")
    data = DataSet(splits, {"num_classes": 10})
    make.task(folder / "data/tasks/digit", settings, data, (folder / "features").read_bytes())
    write_params(folder, processes, num_steps)
